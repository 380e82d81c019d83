/*
 * Spends with real signatures, good and bad, checked by the pool; and when
 * they are taken for valid without looking.
 */
#include "config.h"

#include "validation_tests.h"

#include <string.h>

#include "consensus/script.h"
#include "consensus/sighash.h"
#include "consensus/taproot.h"
#include "crypto/secp.h"
#include "validation_fix.h"

enum { P2PKH, P2WPKH, P2TR, KINDS };
#define ROUNDS 12                /* outputs of each kind */
#define OUTPUTS (KINDS * ROUNDS)

static const uint8_t key[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static struct span script_of(struct arena *a, int kind)
{
	uint8_t pub[33], xonly[32], tweak[32], out[32];
	struct bytes b = { 0 };
	struct span s;
	int parity;

	assert_true(secp_pubkey_create(pub, key));
	assert_true(secp_xonly_create(xonly, key));
	taproot_tweak(tweak, xonly, NULL);
	assert_true(secp_xonly_tweak_add(out, &parity, xonly, tweak));
	if (kind == P2PKH) {
		script_push_op(&b, OP_DUP);
		script_push_op(&b, OP_HASH160);
		hash160(xonly, pub, sizeof pub);
		script_push_data(&b, span_of(xonly, 20));
		script_push_op(&b, OP_EQUALVERIFY);
		script_push_op(&b, OP_CHECKSIG);
	} else if (kind == P2WPKH) {
		script_push_op(&b, OP_0);
		hash160(xonly, pub, sizeof pub);
		script_push_data(&b, span_of(xonly, 20));
	} else {
		script_push_op(&b, OP_1);
		script_push_data(&b, span_of(out, 32));
	}
	s = arena_copy(a, bytes_span(&b));
	bytes_clear(&b);
	return s;
}

static void sign_ecdsa(struct arena *a, const struct spend *s, int kind,
		       int flip)
{
	struct tx_in *in = &s->tx->in[s->in];
	struct span code = script_of(a, P2PKH);
	struct span *w = arena_calloc(a, 2, sizeof *w);
	uint8_t msg[32], pub[33], sig[73];
	struct bytes b = { 0 };
	size_t n;

	assert_true(secp_pubkey_create(pub, key));
	if (kind == P2PKH)
		sighash_legacy(msg, s, code, SIGHASH_ALL);
	else
		sighash_v0(msg, s, code, SIGHASH_ALL);
	msg[3] ^= (uint8_t)flip;
	assert_true(secp_ecdsa_sign(sig, &n, msg, key));
	sig[n++] = SIGHASH_ALL;
	w[0] = arena_copy(a, span_of(sig, n));
	w[1] = arena_copy(a, span_of(pub, sizeof pub));
	if (kind == P2WPKH) {
		in->witness = w;
		in->witness_count = 2;
		return;
	}
	script_push_data(&b, w[0]);
	script_push_data(&b, w[1]);
	in->script_sig = arena_copy(a, bytes_span(&b));
	bytes_clear(&b);
}

static void sign_taproot(struct arena *a, const struct spend *s, int flip)
{
	struct tx_in *in = &s->tx->in[s->in];
	struct sighash_tap tap = { 0 };
	struct span *w = arena_calloc(a, 1, sizeof *w);
	uint8_t msg[32], xonly[32], tweak[32], tweaked[32], sig[64];

	assert_true(secp_xonly_create(xonly, key));
	taproot_tweak(tweak, xonly, NULL);
	assert_true(secp_seckey_tweak_taproot(tweaked, key, tweak));
	assert_true(sighash_taproot(msg, s, &tap, SIGHASH_DEFAULT));
	msg[3] ^= (uint8_t)flip;
	assert_true(secp_schnorr_sign(sig, msg, tweaked, tweak));
	w[0] = arena_copy(a, span_of(sig, sizeof sig));
	in->witness = w;
	in->witness_count = 1;
}

/* One transaction over outputs [first, first + n) of the funding one; the
 * signature of input `bad` (-1: none) is over another message. */
static void draft_signed(struct draft *d, const struct tx *fund, int first,
			 int n, int bad)
{
	struct outpoint o = { .txid = fund->txid, .n = (uint32_t)first };
	struct tx *tx = draft_pay(d, &o, COIN_SAT / 2);
	static const struct span empty;
	struct sighash_cache cache;
	struct spend s;
	int i;

	tx->in = arena_calloc(&d->a, (size_t)n, sizeof *tx->in);
	tx->in_count = (uint32_t)n;
	tx->has_witness = true;
	for (i = 0; i < n; i++, o.n++) {
		tx->in[i].prevout = o;
		tx->in[i].sequence = TX_SEQUENCE_FINAL;
		if ((first + i) % KINDS != P2PKH) {
			/* the hashes are made for those with a witness */
			tx->in[i].witness = &empty;
			tx->in[i].witness_count = 1;
		}
	}
	tx_finish(tx);
	sighash_cache_init(&cache, tx, fund->out + first);
	for (i = 0; i < n; i++) {
		int kind = (first + i) % KINDS;

		s = (struct spend){ tx, (uint32_t)i, fund->out + first,
				    &cache };
		if (kind == P2TR)
			sign_taproot(&d->a, &s, i == bad);
		else
			sign_ecdsa(&d->a, &s, kind, i == bad);
	}
	tx_finish(tx);
}

/* A chain whose newest block has OUTPUTS outputs of all kinds. */
static void make_funded(struct fix *f, unsigned threads, struct block **fund)
{
	struct outpoint o;
	struct draft d;
	struct tx *tx;
	int i;

	fix_open(f, CHAIN_REGTEST, threads);
	fix_mine(f, 110);
	o = coinbase_out(f, 1);
	draft_init(&d, f, NULL);
	tx = draft_pay(&d, &o, COIN_SAT);
	tx->out = arena_calloc(&d.a, OUTPUTS, sizeof *tx->out);
	tx->out_count = OUTPUTS;
	for (i = 0; i < OUTPUTS; i++) {
		tx->out[i].value_sat = COIN_SAT;
		tx->out[i].script_pubkey = script_of(&d.a, i % KINDS);
	}
	tx_finish(tx);
	*fund = draft_seal(&d);
	assert_string_equal(fix_submit(f, block_ref(*fund)), "");
}

static void check_signed(unsigned threads)
{
	static const char *const texts[KINDS] = {
		"block-script-verify-flag-failed (Script evaluated without "
		"error but finished with a false/empty top stack element)",
		"block-script-verify-flag-failed (Script evaluated without "
		"error but finished with a false/empty top stack element)",
		"block-script-verify-flag-failed (Invalid Schnorr "
		"signature)",
	};
	struct block *fund;
	struct draft d;
	struct fix f;
	int bad;

	make_funded(&f, threads, &fund);
	for (bad = 0; bad < OUTPUTS; bad += 7) {
		draft_init(&d, &f, NULL);
		draft_signed(&d, &fund->tx[1], 0, OUTPUTS, bad);
		assert_string_equal(fix_submit(&f, draft_seal(&d)),
				    texts[bad % KINDS]);
		assert_int_equal(f.last_bad.tx, 1);
		assert_int_equal(f.last_bad.in, bad);
	}
	/* small ones too, and the first in the block's order is named */
	draft_init(&d, &f, NULL);
	draft_signed(&d, &fund->tx[1], 0, 3, -1);
	draft_signed(&d, &fund->tx[1], 3, 3, 2);
	draft_signed(&d, &fund->tx[1], 6, 3, 0);
	assert_string_equal(fix_submit(&f, draft_seal(&d)), texts[P2TR]);
	assert_int_equal(f.last_bad.tx, 2);
	assert_int_equal(f.last_bad.in, 2);
	/* and all of it is fine when signed well */
	draft_init(&d, &f, NULL);
	draft_signed(&d, &fund->tx[1], 0, 30, -1);
	draft_signed(&d, &fund->tx[1], 30, OUTPUTS - 30, -1);
	assert_string_equal(fix_submit(&f, draft_seal(&d)), "");
	assert_int_equal(chain_tip(f.chain)->height, 112);
	block_unref(fund);
	fix_close(&f);
}

static void test_signatures_inline(void **state)
{
	(void)state;
	check_signed(0);
}

static void test_signatures_with_threads(void **state)
{
	(void)state;
	check_signed(3);
}

/* A block with a bad signature under the assumed-valid one: accepted, when
 * two weeks of work lie on it, and only then. */
static void check_assumed(int above, bool check_all, bool other_branch,
			  bool accepted)
{
	struct block_result res;
	struct header_node *n, *top;
	struct block *fund, *b;
	struct draft d;
	struct fix f;

	make_funded(&f, 1, &fund);
	if (check_all) {
		fix_ok(&f, chain_flush(f.chain, &f.why));
		fix_shut(&f);
		f.check_all = true;
		fix_ok(&f, fix_start(&f));
	}
	draft_init(&d, &f, NULL);
	draft_signed(&d, &fund->tx[1], 0, 3, 1);
	b = draft_seal(&d);
	fix_ok(&f, chain_accept_block(f.chain, &res, b, true, &f.why));
	block_unref(b);
	n = res.node;
	top = fix_fork(&f, n, above, 1);
	f.params.assume_valid = other_branch
		? chain_at(f.chain, 50)->hash
		: header_node_ancestor(top, n->height + 2)->hash;
	fix_ok(&f, chain_activate(f.chain, &f.why));
	if (accepted) {
		assert_ptr_equal(chain_tip(f.chain), top);
		assert_int_equal(f.checked_bad, 0);
	} else {
		assert_ptr_equal(chain_tip(f.chain), n->prev);
		assert_int_equal(f.last_bad.verdict, VERDICT_SCRIPT);
	}
	block_unref(fund);
	fix_close(&f);
}

static void test_assume_valid(void **state)
{
	(void)state;
	check_assumed(2017, false, false, true);
	check_assumed(2016, false, false, false);
	check_assumed(2017, true, false, false);
	check_assumed(2017, false, true, false);
}

/* What the cache knows is not checked: so a bad signature in it shows that
 * it was asked, and with which flags. */
static void test_known_scripts(void **state)
{
	const char *verdict;
	struct script_cache *cache;
	struct block *fund, *b;
	struct wtxid id;
	struct fix f;
	struct draft d;
	uint32_t flags;
	int round;

	(void)state;
	make_funded(&f, 1, &fund);
	cache = chain_script_cache(f.chain);
	flags = chain_next_script_flags(f.chain);
	for (round = 0; round < 4; round++) {
		draft_init(&d, &f, NULL);
		draft_signed(&d, &fund->tx[1], 0, 3, 1);
		d.txs[0].lock_time = (uint32_t)round;    /* another block */
		b = draft_seal(&d);
		id = b->tx[1].wtxid;
		if (round == 1)
			script_cache_insert(cache, &id, flags ^ 1);
		if (round == 2)
			script_cache_insert(cache, &b->tx[0].wtxid, flags);
		if (round == 3)
			script_cache_insert(cache, &id, flags);
		verdict = fix_submit(&f, b);
		assert_int_equal(*verdict == '\0', round == 3);
	}
	/* it made room, and is not forgotten as long as there is some */
	assert_int_equal(script_cache_count(cache), 2);
	assert_true(script_cache_contains(cache, &id, flags));
	block_unref(fund);
	fix_close(&f);
}

static void test_script_cache_bounds(void **state)
{
	enum { BYTES = 64 << 10, PLACES = BYTES / 32, N = 3 * PLACES };
	struct script_cache *c = script_cache_new(BYTES);
	struct wtxid id = { { 0 } };
	size_t i, found = 0;

	(void)state;
	for (i = 0; i < N; i++) {
		memcpy(id.b, &i, sizeof i);
		assert_false(script_cache_contains(c, &id, 7));
		script_cache_insert(c, &id, 7);
		script_cache_insert(c, &id, 7);
		assert_true(script_cache_contains(c, &id, 7));
		assert_false(script_cache_contains(c, &id, 6));
	}
	assert_int_equal(script_cache_count(c), PLACES);
	for (i = 0; i < N; i++) {
		memcpy(id.b, &i, sizeof i);
		found += script_cache_contains(c, &id, 7);
		assert_int_equal(script_cache_erase(c, &id, 7),
				 script_cache_contains(c, &id, 7));
	}
	assert_int_equal(found, PLACES);
	assert_int_equal(script_cache_count(c), 0);
	/* erased ones are the first to go */
	for (i = N; i < N + PLACES / 2; i++) {
		memcpy(id.b, &i, sizeof i);
		script_cache_insert(c, &id, 7);
	}
	for (found = 0, i = N; i < N + PLACES / 2; i++) {
		memcpy(id.b, &i, sizeof i);
		found += script_cache_contains(c, &id, 7);
	}
	assert_true(found > PLACES / 2 - PLACES / 100);
	script_cache_free(c);
}

int test_validation_signed(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_inline),
		cmocka_unit_test(test_signatures_with_threads),
		cmocka_unit_test(test_assume_valid),
		cmocka_unit_test(test_known_scripts),
		cmocka_unit_test(test_script_cache_bounds),
	};

	return cmocka_run_group_tests_name("signatures", tests, NULL, NULL);
}
