/*
 * Transactions on the wire.  Decoding is one pass: spans point into the
 * serialisation, and both ids are hashed from it as it stands.
 */
#include "config.h"

#include "consensus/tx.h"

#include "crypto/hash.h"

/* The least bytes that an element takes, to bound counts before memory is
 * taken for them. */
#define TX_IN_MIN_BYTES 41
#define TX_OUT_MIN_BYTES 9
/* Version, marker and flag before the inputs of the BIP144 form. */
#define WITNESS_FORM_HEAD_BYTES 6

/* A count of elements that can fit in what is left. */
static uint32_t read_count(struct reader *r, size_t min_bytes)
{
	uint64_t n = read_compact(r);

	if (r->failed)
		return 0;
	if (n > reader_left(r) / min_bytes) {
		r->failed = true;
		r->p = r->end;
		return 0;
	}
	return (uint32_t)n;
}

static void read_inputs(struct tx *tx, struct reader *r, struct arena *a)
{
	tx->in_count = read_count(r, TX_IN_MIN_BYTES);
	tx->in = NULL;
	if (tx->in_count == 0)
		return;
	tx->in = arena_alloc(a, tx->in_count * sizeof *tx->in);
	for (uint32_t i = 0; i < tx->in_count; i++) {
		struct tx_in *in = &tx->in[i];

		read_copy(r, in->prevout.txid.b, sizeof in->prevout.txid.b);
		in->prevout.n = read_u32(r);
		in->script_sig = read_var_span(r);
		in->sequence = read_u32(r);
		in->witness_count = 0;
		in->witness = NULL;
		if (r->failed) {
			tx->in_count = i;
			return;
		}
	}
}

static void read_outputs(struct tx *tx, struct reader *r, struct arena *a)
{
	tx->out_count = read_count(r, TX_OUT_MIN_BYTES);
	tx->out = NULL;
	if (tx->out_count == 0)
		return;
	tx->out = arena_alloc(a, tx->out_count * sizeof *tx->out);
	for (uint32_t i = 0; i < tx->out_count; i++) {
		struct tx_out *out = &tx->out[i];

		out->value_sat = (int64_t)read_u64(r);
		out->script_pubkey = read_var_span(r);
		if (r->failed) {
			tx->out_count = i;
			return;
		}
	}
}

/* One stack per input; at least one must have an element (BIP144). */
static void read_witnesses(struct tx *tx, struct reader *r, struct arena *a)
{
	bool any = false;

	for (uint32_t i = 0; i < tx->in_count && !r->failed; i++) {
		struct tx_in *in = &tx->in[i];
		uint32_t count = read_count(r, 1);
		struct span *stack;

		if (count == 0)
			continue;
		any = true;
		stack = arena_alloc(a, count * sizeof *stack);
		for (uint32_t k = 0; k < count; k++)
			stack[k] = read_var_span(r);
		in->witness = stack;
		in->witness_count = count;
	}
	if (!any)
		r->failed = true;
}

/*
 * Inputs and outputs of either form.  No inputs, then a flag other than 0, is
 * the BIP144 form; no inputs and 0 is a transaction without either.
 */
static uint8_t read_body(struct tx *tx, struct reader *r, struct arena *a,
			 bool allow_witness)
{
	uint8_t flags = 0;

	read_inputs(tx, r, a);
	if (tx->in_count == 0 && allow_witness && !r->failed) {
		tx->out_count = 0;
		tx->out = NULL;
		flags = read_u8(r);
		if (flags == 0)
			return 0;
		read_inputs(tx, r, a);
	}
	read_outputs(tx, r, a);
	return flags;
}

static void hash_ids(struct tx *tx)
{
	struct sha256 h;
	size_t body = tx->stripped_bytes - 8u;

	sha256d(tx->wtxid.b, tx->raw.p, tx->raw.n);
	if (!tx->has_witness) {
		memcpy(tx->txid.b, tx->wtxid.b, sizeof tx->txid.b);
		return;
	}
	sha256_init(&h);
	sha256_update(&h, tx->raw.p, 4);
	sha256_update(&h, tx->raw.p + WITNESS_FORM_HEAD_BYTES, body);
	sha256_update(&h, tx->raw.p + tx->raw.n - 4, 4);
	sha256d_final(&h, tx->txid.b);
}

bool tx_read(struct tx *out, struct reader *r, struct arena *a,
	     bool allow_witness)
{
	const uint8_t *start = r->p, *witness_start;
	uint8_t flags;
	size_t witness_bytes = 0;

	memset(out, 0, sizeof *out);
	out->version = read_u32(r);
	flags = read_body(out, r, a, allow_witness);
	if (flags & 1) {
		witness_start = r->p;
		read_witnesses(out, r, a);
		witness_bytes = (size_t)(r->p - witness_start) + 2;
		flags ^= 1;
		out->has_witness = true;
	}
	if (flags)
		r->failed = true;        /* data of a kind nobody knows */
	out->lock_time = read_u32(r);
	if (r->failed) {
		r->p = r->end;
		return false;
	}
	out->raw = span_of(start, (size_t)(r->p - start));
	out->stripped_bytes = (uint32_t)(out->raw.n - witness_bytes);
	hash_ids(out);
	return true;
}

static bool any_witness(const struct tx *tx)
{
	for (uint32_t i = 0; i < tx->in_count; i++) {
		if (tx->in[i].witness_count)
			return true;
	}
	return false;
}

static void write_body(struct bytes *b, const struct tx *tx)
{
	write_compact(b, tx->in_count);
	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct tx_in *in = &tx->in[i];

		bytes_append(b, in->prevout.txid.b, 32);
		write_u32(b, in->prevout.n);
		write_var_span(b, in->script_sig);
		write_u32(b, in->sequence);
	}
	write_compact(b, tx->out_count);
	for (uint32_t i = 0; i < tx->out_count; i++) {
		write_u64(b, (uint64_t)tx->out[i].value_sat);
		write_var_span(b, tx->out[i].script_pubkey);
	}
}

/* From the fields, for a transaction that has no serialisation yet. */
static void write_fields(struct bytes *b, const struct tx *tx,
			 bool with_witness)
{
	bool witness_form = with_witness && any_witness(tx);

	write_u32(b, tx->version);
	if (witness_form) {
		write_u8(b, 0);
		write_u8(b, 1);
	}
	write_body(b, tx);
	for (uint32_t i = 0; witness_form && i < tx->in_count; i++) {
		const struct tx_in *in = &tx->in[i];

		write_compact(b, in->witness_count);
		for (uint32_t k = 0; k < in->witness_count; k++)
			write_var_span(b, in->witness[k]);
	}
	write_u32(b, tx->lock_time);
}

void tx_write(struct bytes *b, const struct tx *tx, bool with_witness)
{
	const uint8_t *raw = tx->raw.p;

	if (!raw) {
		write_fields(b, tx, with_witness);
	} else if (with_witness || !tx->has_witness) {
		write_span(b, tx->raw);
	} else {
		bytes_append(b, raw, 4);
		bytes_append(b, raw + WITNESS_FORM_HEAD_BYTES,
			     tx->stripped_bytes - 8u);
		bytes_append(b, raw + tx->raw.n - 4, 4);
	}
}

static size_t var_span_size(struct span s)
{
	return compact_size(s.n) + s.n;
}

static size_t stripped_size(const struct tx *tx)
{
	size_t n = 8 + compact_size(tx->in_count) +
		   compact_size(tx->out_count);

	for (uint32_t i = 0; i < tx->in_count; i++)
		n += 40 + var_span_size(tx->in[i].script_sig);
	for (uint32_t i = 0; i < tx->out_count; i++)
		n += 8 + var_span_size(tx->out[i].script_pubkey);
	return n;
}

static size_t witness_size(const struct tx *tx)
{
	size_t n = 2;

	if (!any_witness(tx))
		return 0;
	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct tx_in *in = &tx->in[i];

		n += compact_size(in->witness_count);
		for (uint32_t k = 0; k < in->witness_count; k++)
			n += var_span_size(in->witness[k]);
	}
	return n;
}

size_t tx_size(const struct tx *tx, bool with_witness)
{
	if (tx->raw.p)
		return with_witness ? tx->raw.n : tx->stripped_bytes;
	return stripped_size(tx) + (with_witness ? witness_size(tx) : 0);
}

uint64_t tx_weight(const struct tx *tx)
{
	return (uint64_t)tx_size(tx, false) * (WITNESS_SCALE - 1) +
	       tx_size(tx, true);
}

void tx_finish(struct tx *tx)
{
	struct bytes b = { 0 };

	tx->raw = (struct span){ NULL, 0 };
	tx->has_witness = any_witness(tx);
	tx->stripped_bytes = (uint32_t)stripped_size(tx);
	write_fields(&b, tx, false);
	sha256d(tx->txid.b, b.p, b.n);
	if (tx->has_witness) {
		b.n = 0;
		write_fields(&b, tx, true);
	}
	sha256d(tx->wtxid.b, b.p, b.n);
	bytes_clear(&b);
}

bool outpoint_is_null(const struct outpoint *o)
{
	return o->n == UINT32_MAX && hash_is_zero(o->txid.b);
}

bool tx_is_coinbase(const struct tx *tx)
{
	return tx->in_count == 1 && outpoint_is_null(&tx->in[0].prevout);
}
