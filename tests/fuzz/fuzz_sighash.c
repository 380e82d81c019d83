/*
 * Any transaction, code and hash type: the streamed message hash equals that
 * of the message written out the long way, and memos change nothing.
 */
#include "config.h"

#include "consensus/script.h"
#include "consensus/sighash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The code without separators.  False if a push runs over its end: there
 * the original program's message is no serialised transaction. */
static bool plain_code(struct bytes *out, struct span code)
{
	struct script_iter it = script_iter_of(code);
	const uint8_t *from = it.p;
	struct script_op op;

	while (script_next(&it, &op)) {
		if (op.code != OP_CODESEPARATOR)
			bytes_append(out, from, (size_t)(it.p - from));
		from = it.p;
	}
	return !it.bad;
}

/* 2009's way: change a copy of the transaction, write it, hash it. */
static bool slow_legacy(uint8_t out[static 32], const struct tx *tx,
			uint32_t in, struct span code, uint32_t type)
{
	struct arena a = { 0 };
	struct bytes b = { 0 }, plain = { 0 };
	struct tx t = *tx;
	bool single = (type & 0x1f) == SIGHASH_SINGLE, ok;
	bool none = (type & 0x1f) == SIGHASH_NONE;
	uint32_t i;

	ok = plain_code(&plain, code);
	t.in = arena_calloc(&a, t.in_count, sizeof *t.in);
	t.out = arena_calloc(&a, t.out_count + 1, sizeof *t.out);
	memcpy(t.in, tx->in, t.in_count * sizeof *t.in);
	if (t.out_count)
		memcpy(t.out, tx->out, t.out_count * sizeof *t.out);
	t.has_witness = false;
	for (i = 0; i < t.in_count; i++) {
		t.in[i].script_sig = i == in ? bytes_span(&plain) :
				     span_of(NULL, 0);
		t.in[i].witness_count = 0;
		if (i != in && (single || none))
			t.in[i].sequence = 0;
	}
	if (none)
		t.out_count = 0;
	if (single) {
		t.out_count = in + 1;
		for (i = 0; i < in; i++)
			t.out[i] = (struct tx_out){ -1, { NULL, 0 } };
	}
	if (type & SIGHASH_ANYONECANPAY) {
		t.in[0] = t.in[in];
		t.in_count = 1;
	}
	t.raw = span_of(NULL, 0);
	tx_write(&b, &t, false);
	for (i = 0; i < 4; i++) {
		uint8_t c = (uint8_t)(type >> (8 * i));

		bytes_append(&b, &c, 1);
	}
	sha256d(out, b.p, b.n);
	bytes_clear(&b);
	bytes_clear(&plain);
	arena_clear(&a);
	return ok;
}

static void check_legacy(const struct spend *s, struct span code,
			 uint32_t type)
{
	struct sighash_memo memo = { .have = 0 };
	uint8_t got[32], again[32], slow[32];

	sighash_legacy(got, s, code, type);
	if ((type & 0x1f) == SIGHASH_SINGLE && s->in >= s->tx->out_count) {
		CHECK(got[0] == 1);
	} else if (slow_legacy(slow, s->tx, s->in, code, type)) {
		CHECK(memcmp(got, slow, 32) == 0);
	}
	sighash_ecdsa(again, &memo, s, SIG_BASE, code, type);
	CHECK(memcmp(got, again, 32) == 0);
	sighash_ecdsa(again, &memo, s, SIG_BASE, code, type ^ 0x40);
	sighash_ecdsa(again, &memo, s, SIG_BASE, code, type);
	CHECK(memcmp(got, again, 32) == 0);
}

static void check_segwit(const struct spend *s, struct span code,
			 uint32_t type)
{
	struct sighash_memo memo = { .have = 0 };
	struct sighash_tap t = { .has_leaf = code.n & 1, .codesep_pos = 7 };
	uint8_t got[32], again[32];
	bool ok;

	if (s->cache->has_bip143) {
		sighash_v0(got, s, code, type);
		sighash_ecdsa(again, &memo, s, SIG_WITNESS_V0, code, type);
		CHECK(memcmp(got, again, 32) == 0);
		sighash_ecdsa(again, &memo, s, SIG_WITNESS_V0, code, type);
		CHECK(memcmp(got, again, 32) == 0);
	}
	if (s->cache->has_bip341) {
		ok = sighash_taproot(got, s, &t, (uint8_t)type);
		CHECK(sighash_taproot(again, s, &t, (uint8_t)type) == ok);
		CHECK(!ok || memcmp(got, again, 32) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader r = reader_of(span_of(data, n));
	uint32_t type = read_u32(&r), in = read_u8(&r), i;
	struct span code = read_var_span(&r);
	struct arena a = { 0 };
	struct sighash_cache cache;
	struct tx_out *spent;
	struct spend s;
	struct tx tx;

	if (r.failed || !tx_read(&tx, &r, &a, true) || !tx.in_count)
		goto out;
	/* What is spent: scripts of the outputs, over and over. */
	spent = arena_calloc(&a, tx.in_count, sizeof *spent);
	for (i = 0; i < tx.in_count && tx.out_count; i++)
		spent[i] = tx.out[i % tx.out_count];
	sighash_cache_init(&cache, &tx, spent);
	s = (struct spend){ &tx, in % tx.in_count, spent, &cache };
	check_legacy(&s, code, type);
	check_segwit(&s, code, type);
out:
	arena_clear(&a);
	return 0;
}
