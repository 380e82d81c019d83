/*
 * Shared transactions: decoded into an arena, then moved into one piece as
 * long as they need, every span relocated to the copied bytes.
 */
#include "config.h"

#include "consensus/shared_tx.h"

#include <stdlib.h>

/* What malloc adds to each piece, about. */
#define MALLOC_OVERHEAD 16

static struct span moved(struct span s, struct span from, const uint8_t *to)
{
	return s.n ? span_of(to + (s.p - from.p), s.n) : span_of(NULL, 0);
}

static size_t count_witness(const struct tx *tx)
{
	size_t n = 0;

	for (uint32_t i = 0; i < tx->in_count; i++)
		n += tx->in[i].witness_count;
	return n;
}

static void move_inputs(struct tx *out, const struct tx *from,
			struct span *witness, const uint8_t *raw)
{
	for (uint32_t i = 0; i < from->in_count; i++) {
		const struct tx_in *in = &from->in[i];

		out->in[i] = *in;
		out->in[i].script_sig = moved(in->script_sig, from->raw, raw);
		out->in[i].witness = witness;
		for (uint32_t j = 0; j < in->witness_count; j++)
			*witness++ = moved(in->witness[j], from->raw, raw);
	}
}

/* All spans of `from` point into from->raw. */
static struct shared_tx *compact(const struct tx *from)
{
	size_t ins = from->in_count * sizeof *from->in;
	size_t outs = from->out_count * sizeof *from->out;
	size_t wits = count_witness(from) * sizeof(struct span);
	size_t n = sizeof(struct shared_tx) + ins + outs + wits + from->raw.n;
	struct shared_tx *t = xmalloc(n);
	uint8_t *p = (uint8_t *)(t + 1), *raw = p + ins + outs + wits;

	t->tx = *from;
	t->memory_bytes = n + MALLOC_OVERHEAD;
	atomic_init(&t->refs, 1);
	memcpy(raw, from->raw.p, from->raw.n);
	t->tx.raw = span_of(raw, from->raw.n);
	t->tx.in = (struct tx_in *)(void *)p;
	t->tx.out = (struct tx_out *)(void *)(p + ins);
	move_inputs(&t->tx, from, (struct span *)(void *)(p + ins + outs),
		    raw);
	for (uint32_t i = 0; i < from->out_count; i++) {
		t->tx.out[i] = from->out[i];
		t->tx.out[i].script_pubkey =
			moved(from->out[i].script_pubkey, from->raw, raw);
	}
	return t;
}

struct shared_tx *shared_tx_decode(struct span raw)
{
	struct reader r = reader_of(raw);
	struct arena a = { 0 };
	struct shared_tx *t = NULL;
	struct tx tx;

	if (tx_read(&tx, &r, &a, true) && reader_left(&r) == 0)
		t = compact(&tx);
	arena_clear(&a);
	return t;
}

struct shared_tx *shared_tx_copy(const struct tx *tx)
{
	struct bytes raw = { 0 };
	struct reader r;
	struct arena a = { 0 };
	struct shared_tx *t;
	struct tx again;

	if (tx->raw.n)
		return compact(tx);
	tx_write(&raw, tx, true);
	r = reader_of(bytes_span(&raw));
	CHECK(tx_read(&again, &r, &a, tx->has_witness));
	t = compact(&again);
	arena_clear(&a);
	bytes_clear(&raw);
	return t;
}

struct shared_tx *shared_tx_ref(struct shared_tx *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

void shared_tx_unref(struct shared_tx *t)
{
	if (t && atomic_fetch_sub(&t->refs, 1) == 1)
		free(t);
}
