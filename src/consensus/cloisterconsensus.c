/*
 * The library's door: plain arguments are checked, turned into our own types,
 * and handed to the rules.
 */
#include "config.h"

#include "consensus/cloisterconsensus.h"

#include <stdio.h>

#include "consensus/block_check.h"
#include "consensus/script_flags.h"
#include "consensus/script_verify.h"

_Static_assert(CLOISTER_VERIFY_P2SH == SCRIPT_VERIFY_P2SH &&
	       CLOISTER_VERIFY_DERSIG == SCRIPT_VERIFY_DERSIG &&
	       CLOISTER_VERIFY_NULLDUMMY == SCRIPT_VERIFY_NULLDUMMY &&
	       CLOISTER_VERIFY_CHECKLOCKTIMEVERIFY ==
	       SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY &&
	       CLOISTER_VERIFY_CHECKSEQUENCEVERIFY ==
	       SCRIPT_VERIFY_CHECKSEQUENCEVERIFY &&
	       CLOISTER_VERIFY_WITNESS == SCRIPT_VERIFY_WITNESS &&
	       CLOISTER_VERIFY_TAPROOT == SCRIPT_VERIFY_TAPROOT,
	       "the flags of the header and of the rules are one");

#define SAY(f, ...) snprintf((f)->text, sizeof (f)->text, __VA_ARGS__)

static const char *const status_texts[] = {
	[CLOISTER_OK] = "ok",
	[CLOISTER_INVALID] = "invalid",
	[CLOISTER_MALFORMED] = "malformed",
	[CLOISTER_ERR_INPUT] = "no such input",
	[CLOISTER_ERR_OUTPUTS] = "wrong number of spent outputs",
	[CLOISTER_ERR_FLAGS] = "impossible flags",
	[CLOISTER_ERR_CHAIN] = "unknown chain",
	[CLOISTER_ERR_ARGUMENT] = "no bytes, or too many",
};

const char *cloister_status_text(enum cloister_status status)
{
	size_t i = (size_t)status;

	return i < ARRAY_SIZE(status_texts) ? status_texts[i] : "unknown";
}

void cloister_hash_hex(char hex[65], const uint8_t hash[32])
{
	hash_to_rpc_hex(hex, hash);
}

static void finding_clear(struct cloister_finding *f)
{
	f->text[0] = 0;
	f->tx = f->input = -1;
}

static bool are_bytes(const uint8_t *p, size_t n)
{
	return (p || n == 0) && n <= CLOISTER_MAX_BYTES;
}

/* One transaction and no more; the arena is the caller's to clear. */
static bool decode_tx(struct tx *out, struct arena *a, const uint8_t *p,
		      size_t n)
{
	struct reader r = reader_of(span_of(p, n));

	return tx_read(out, &r, a, true) && reader_left(&r) == 0;
}

static struct block *decode_block(const uint8_t *p, size_t n)
{
	struct bytes copy = { 0 };

	bytes_append(&copy, p, n);
	return block_decode(&copy);
}

/* ---- spends ----------------------------------------------------------- */

static enum cloister_status check_flags(struct cloister_finding *f,
					uint32_t flags)
{
	if (flags & ~CLOISTER_VERIFY_ALL)
		SAY(f, "unknown flags 0x%x",
		    (unsigned)(flags & ~CLOISTER_VERIFY_ALL));
	else if ((flags & CLOISTER_VERIFY_WITNESS) &&
		 !(flags & CLOISTER_VERIFY_P2SH))
		SAY(f, "WITNESS needs P2SH");
	else if ((flags & CLOISTER_VERIFY_TAPROOT) &&
		 !(flags & CLOISTER_VERIFY_WITNESS))
		SAY(f, "TAPROOT needs WITNESS");
	else
		return CLOISTER_OK;
	return CLOISTER_ERR_FLAGS;
}

static enum cloister_status check_arguments(struct cloister_finding *f,
					    const struct cloister_spend *s)
{
	if (!s || !are_bytes(s->tx, s->tx_n) || (!s->spent && s->spent_n)) {
		SAY(f, "no bytes, or too many");
		return CLOISTER_ERR_ARGUMENT;
	}
	for (size_t i = 0; i < s->spent_n; i++) {
		if (are_bytes(s->spent[i].script, s->spent[i].script_n))
			continue;
		SAY(f, "no script, or too long a one, in spent output %zu",
		    i);
		return CLOISTER_ERR_ARGUMENT;
	}
	return CLOISTER_OK;
}

static enum cloister_status verify_inputs(struct cloister_finding *f,
					  const struct tx *tx,
					  const struct tx_out *spent,
					  uint32_t input, uint32_t flags)
{
	bool all = input == CLOISTER_ALL_INPUTS;
	uint32_t i = all ? 0 : input, end = all ? tx->in_count : input + 1;
	struct sighash_cache cache;
	enum script_error err;

	sighash_cache_init(&cache, tx, spent);
	for (; i < end; i++) {
		if (script_verify(tx, i, spent, flags, &cache, &err))
			continue;
		f->input = (int32_t)i;
		SAY(f, "%s", script_error_text(err));
		return CLOISTER_INVALID;
	}
	return CLOISTER_OK;
}

static enum cloister_status verify_tx(struct cloister_finding *f,
				      const struct tx *tx, struct arena *a,
				      const struct cloister_spend *s,
				      uint32_t input, uint32_t flags)
{
	struct tx_out *spent;

	if (tx->in_count == 0 ||
	    (input != CLOISTER_ALL_INPUTS && input >= tx->in_count)) {
		SAY(f, "no such input: there are %lu",
		    (unsigned long)tx->in_count);
		return CLOISTER_ERR_INPUT;
	}
	if (s->spent_n != tx->in_count) {
		SAY(f, "%zu spent outputs for %lu inputs", s->spent_n,
		    (unsigned long)tx->in_count);
		return CLOISTER_ERR_OUTPUTS;
	}
	spent = arena_alloc(a, s->spent_n * sizeof *spent);
	for (size_t i = 0; i < s->spent_n; i++) {
		spent[i].value_sat = s->spent[i].value_sat;
		spent[i].script_pubkey = span_of(s->spent[i].script,
						 s->spent[i].script_n);
	}
	return verify_inputs(f, tx, spent, input, flags);
}

enum cloister_status
cloister_verify_spend(struct cloister_finding *finding,
		      const struct cloister_spend *spend, uint32_t input,
		      uint32_t flags)
{
	struct cloister_finding own, *f = finding ? finding : &own;
	struct arena arena = { 0 };
	enum cloister_status status;
	struct tx tx;

	finding_clear(f);
	status = check_flags(f, flags);
	if (!status)
		status = check_arguments(f, spend);
	if (status)
		return status;
	if (decode_tx(&tx, &arena, spend->tx, spend->tx_n)) {
		status = verify_tx(f, &tx, &arena, spend, input, flags);
	} else {
		SAY(f, "not a transaction");
		status = CLOISTER_MALFORMED;
	}
	arena_clear(&arena);
	return status;
}

/* ---- blocks ----------------------------------------------------------- */

enum cloister_status
cloister_check_block(struct cloister_finding *finding, const uint8_t *block,
		     size_t n, const char *chain)
{
	struct cloister_finding own, *f = finding ? finding : &own;
	struct chain_params p;
	struct finding found;
	struct block *b;

	finding_clear(f);
	if (!are_bytes(block, n)) {
		SAY(f, "no bytes, or too many");
		return CLOISTER_ERR_ARGUMENT;
	}
	if (!chain || !chain_params_by_name(&p, chain)) {
		SAY(f, "unknown chain");
		return CLOISTER_ERR_CHAIN;
	}
	b = decode_block(block, n);
	if (!b) {
		SAY(f, "not a block");
		return CLOISTER_MALFORMED;
	}
	if (pow_ok(&p, &b->hash, b->header.bits))
		block_check(&found, &p, b);
	else
		finding_set(&found, VERDICT_HIGH_HASH);
	block_unref(b);
	finding_text(f->text, &found, true);
	f->tx = found.tx;
	f->input = found.in;
	return found.verdict ? CLOISTER_INVALID : CLOISTER_OK;
}

/* ---- decoding --------------------------------------------------------- */

static void describe_tx(struct cloister_tx *out, const struct tx *tx)
{
	memcpy(out->txid, tx->txid.b, 32);
	memcpy(out->wtxid, tx->wtxid.b, 32);
	out->version = tx->version;
	out->lock_time = tx->lock_time;
	out->input_count = tx->in_count;
	out->output_count = tx->out_count;
	out->size_bytes = (uint32_t)tx->raw.n;
	out->stripped_bytes = tx->stripped_bytes;
	out->weight_wu = (uint32_t)tx_weight(tx);
	out->has_witness = tx->has_witness;
	out->is_coinbase = tx_is_coinbase(tx);
}

enum cloister_status cloister_decode_tx(struct cloister_tx *out,
					const uint8_t *tx, size_t n)
{
	enum cloister_status status = CLOISTER_MALFORMED;
	struct arena arena = { 0 };
	struct tx t;

	if (!are_bytes(tx, n))
		return CLOISTER_ERR_ARGUMENT;
	if (decode_tx(&t, &arena, tx, n)) {
		describe_tx(out, &t);
		status = CLOISTER_OK;
	}
	arena_clear(&arena);
	return status;
}

enum cloister_status cloister_decode_block(struct cloister_block *out,
					   const uint8_t *block, size_t n)
{
	struct block *b;

	if (!are_bytes(block, n))
		return CLOISTER_ERR_ARGUMENT;
	b = decode_block(block, n);
	if (!b)
		return CLOISTER_MALFORMED;
	memcpy(out->hash, b->hash.b, 32);
	memcpy(out->prev, b->header.prev.b, 32);
	memcpy(out->merkle_root, b->header.merkle_root, 32);
	out->version = b->header.version;
	out->time = b->header.time;
	out->bits = b->header.bits;
	out->nonce = b->header.nonce;
	out->tx_count = b->tx_count;
	out->input_count = out->output_count = 0;
	for (uint32_t i = 0; i < b->tx_count; i++) {
		out->input_count += b->tx[i].in_count;
		out->output_count += b->tx[i].out_count;
	}
	out->size_bytes = (uint32_t)b->raw.n;
	out->stripped_bytes = b->stripped_bytes;
	out->weight_wu = (uint32_t)block_weight(b);
	block_unref(b);
	return CLOISTER_OK;
}
