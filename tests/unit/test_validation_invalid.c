/*
 * Blocks that break one rule each: the reject reason is the reference
 * node's, and neither the tip nor the coins notice.
 */
#include "config.h"

#include "validation_tests.h"

#include <string.h>

#include "consensus/script.h"
#include "consensus/witness_commitment.h"
#include "crypto/hash.h"
#include "validation_fix.h"

/* The chain all cases start from: 110 empty blocks, then one with the
 * outputs below. */
#define BASE_HEIGHT 111
/* p2sh of 520 times OP_CHECKMULTISIG */
enum { OUT_TRUE, OUT_FALSE, OUT_P2SH_A, OUT_P2SH_B, OUT_COUNT };

static const uint8_t op_true[] = { OP_1 };
static const uint8_t op_false[] = { OP_0 };

struct invalid_case {
	const char *reason;
	void (*break_it)(struct draft *d);
	bool mutated;            /* another copy of the block may be fine */
};

static struct span many_multisigs(struct draft *d)
{
	uint8_t *s = arena_alloc(&d->a, 520);

	memset(s, OP_CHECKMULTISIG, 520);
	return span_of(s, 520);
}

static struct span p2sh_of(struct draft *d, struct span script)
{
	uint8_t *s = arena_alloc(&d->a, 23);

	s[0] = OP_HASH160;
	s[1] = 20;
	hash160(s + 2, script.p, script.n);
	s[22] = OP_EQUAL;
	return span_of(s, 23);
}

static void make_base(struct fix *f)
{
	struct outpoint o;
	struct draft d;
	struct tx *tx;
	int i;

	fix_mine(f, 110);
	o = coinbase_out(f, 1);
	draft_init(&d, f, NULL);
	tx = draft_pay(&d, &o, 0);
	tx->out_count = OUT_COUNT;
	tx->out = arena_calloc(&d.a, OUT_COUNT, sizeof *tx->out);
	for (i = 0; i < OUT_COUNT; i++)
		tx->out[i].value_sat = COIN_SAT;
	tx->out[OUT_TRUE].script_pubkey = span_of(op_true, 1);
	tx->out[OUT_FALSE].script_pubkey = span_of(op_false, 1);
	tx->out[OUT_P2SH_A].script_pubkey = p2sh_of(&d, many_multisigs(&d));
	tx->out[OUT_P2SH_B].script_pubkey = p2sh_of(&d, many_multisigs(&d));
	tx_finish(tx);
	assert_string_equal(fix_submit(f, draft_seal(&d)), "");
	assert_int_equal(chain_tip(f->chain)->height, BASE_HEIGHT);
}

static struct outpoint base_out(struct fix *f, uint32_t n)
{
	struct outpoint o = { .n = n };
	struct block *b = NULL;

	fix_ok(f, chain_read_block(f->chain, &b,
				   chain_at(f->chain, BASE_HEIGHT),
				   &f->why));
	o.txid = b->tx[1].txid;
	block_unref(b);
	return o;
}

/* A transaction that is fine, to be broken further. */
static struct tx *pay_fine(struct draft *d)
{
	struct outpoint o = base_out(d->f, OUT_TRUE);

	return draft_pay(d, &o, COIN_SAT);
}

/* ---- headers ---- */

static void break_pow(struct draft *d)
{
	struct block_hash h;

	/* the root must stand before the nonce is chosen */
	tx_finish(&d->txs[0]);
	d->no_commitment = d->raw_pow = d->raw_root = true;
	memcpy(d->h.merkle_root, d->txs[0].txid.b, 32);
	for (;; d->h.nonce++) {
		block_header_hash(&h, &d->h);
		if (!pow_ok(&d->f->params, &h, d->h.bits))
			return;
	}
}

static void break_bits(struct draft *d)
{
	d->h.bits = 0x207ffffe;
}

static void break_time_old(struct draft *d)
{
	d->h.time = (uint32_t)header_node_mtp(d->parent);
}

static void break_time_new(struct draft *d)
{
	d->h.time = (uint32_t)chain_now(d->f->chain) + 7201;
}

static void break_version(struct draft *d)
{
	d->h.version = 1;
}

static void break_prev(struct draft *d)
{
	memset(d->h.prev.b, 0x11, 32);
}

/* ---- without context ---- */

static void break_root(struct draft *d)
{
	d->raw_root = true;
	memset(d->h.merkle_root, 0x22, 32);
}

static void break_duplicate(struct draft *d)
{
	uint8_t leaves[3][32];
	struct outpoint o = base_out(d->f, OUT_TRUE);
	int i;

	d->no_commitment = true;
	pay_fine(d);
	o.txid = d->txs[1].txid;
	o.n = 0;
	draft_pay(d, &o, COIN_SAT);
	tx_finish(&d->txs[0]);
	for (i = 0; i < 3; i++)
		memcpy(leaves[i], d->txs[i].txid.b, 32);
	d->raw_root = true;
	merkle_root(d->h.merkle_root, (const uint8_t (*)[32])leaves, 3);
	d->txs[d->n++] = d->txs[2];
}

static void break_empty(struct draft *d)
{
	d->n = 0;
	d->raw_coinbase = true;
	d->raw_root = true;
	memset(d->h.merkle_root, 0, 32);
}

static void break_length(struct draft *d)
{
	size_t n = 1000001;
	uint8_t *s = arena_alloc(&d->a, n);

	memset(s, OP_RETURN, n);
	d->txs[0].out[0].script_pubkey = span_of(s, n);
}

static void break_no_coinbase(struct draft *d)
{
	pay_fine(d);
	d->txs[0] = d->txs[1];
	d->n = 1;
	d->raw_coinbase = true;
}

static void break_two_coinbases(struct draft *d)
{
	d->txs[1] = d->txs[0];
	d->txs[1].lock_time = 1;
	tx_finish(&d->txs[1]);
	d->n = 2;
}

static void break_coinbase_short(struct draft *d)
{
	d->txs[0].in[0].script_sig.n = 1;
}

static void break_coinbase_long(struct draft *d)
{
	uint8_t *s = arena_calloc(&d->a, 101, 1);

	memcpy(s, d->txs[0].in[0].script_sig.p, 2);
	d->txs[0].in[0].script_sig = span_of(s, 101);
}

static void break_sigops(struct draft *d)
{
	uint8_t *s = arena_alloc(&d->a, 20001);

	memset(s, OP_CHECKSIG, 20001);
	d->txs[0].out[0].script_pubkey = span_of(s, 20001);
}

/* ---- in their place ---- */

static void break_lock_time(struct draft *d)
{
	struct tx *tx = pay_fine(d);

	tx->lock_time = (uint32_t)d->height;
	tx->in[0].sequence = 0;
	tx_finish(tx);
}

static void break_sequence_lock(struct draft *d)
{
	struct tx *tx = pay_fine(d);

	tx->in[0].sequence = 2;          /* its coin has one block on it */
	tx_finish(tx);
}

static void break_sequence_time(struct draft *d)
{
	struct tx *tx = pay_fine(d);

	tx->in[0].sequence = 1u << 22 | 1;
	tx_finish(tx);
}

static void break_height(struct draft *d)
{
	struct bytes sig = { 0 };

	script_push_number(&sig, d->height + 1);
	script_push_number(&sig, 7);
	d->txs[0].in[0].script_sig = arena_copy(&d->a, bytes_span(&sig));
	bytes_clear(&sig);
}

static void commit_by_hand(struct draft *d, size_t nonce_bytes, int flip)
{
	struct tx *cb = &d->txs[0];
	struct span *w = arena_calloc(&d->a, 1, sizeof *w);
	uint8_t *nonce = arena_calloc(&d->a, 40, 1);
	uint8_t *s = arena_alloc(&d->a, WITNESS_COMMITMENT_BYTES);
	struct block b = { .tx = d->txs, .tx_count = (uint32_t)d->n };

	d->raw_coinbase = true;
	*w = span_of(nonce, nonce_bytes);
	cb->has_witness = true;
	cb->in[0].witness_count = 1;
	cb->in[0].witness = w;
	assert_true(hex_decode(s, 6, "6a24aa21a9ed"));
	witness_commitment_hash(s + 6, &b, nonce);
	s[20] ^= (uint8_t)flip;
	cb->out[1].script_pubkey = span_of(s, WITNESS_COMMITMENT_BYTES);
	cb->out_count = 2;
}

static void break_nonce_size(struct draft *d)
{
	commit_by_hand(d, 31, 0);
}

static void break_commitment(struct draft *d)
{
	commit_by_hand(d, 32, 1);
}

static void break_unexpected_witness(struct draft *d)
{
	struct span *w = arena_calloc(&d->a, 1, sizeof *w);
	struct tx *tx = pay_fine(d);

	*w = span_of(op_true, 1);
	tx->has_witness = true;
	tx->in[0].witness_count = 1;
	tx->in[0].witness = w;
	tx_finish(tx);
	d->no_commitment = true;
}

static void break_weight(struct draft *d)
{
	struct span *w = arena_calloc(&d->a, 1, sizeof *w);
	struct tx *tx = pay_fine(d);

	*w = span_of(arena_calloc(&d->a, 3999300, 1), 3999300);
	tx->has_witness = true;
	tx->in[0].witness_count = 1;
	tx->in[0].witness = w;
	tx_finish(tx);
}

static void break_amount(struct draft *d)
{
	d->txs[0].out[0].value_sat++;
}

static void break_amount_with_fee(struct draft *d)
{
	struct outpoint o = base_out(d->f, OUT_TRUE);

	draft_pay(d, &o, COIN_SAT - 100);
	d->txs[0].out[0].value_sat += 101;
}

/* ---- transactions ---- */

static void break_no_outputs(struct draft *d)
{
	struct tx *tx = pay_fine(d);

	tx->out_count = 0;
	tx_finish(tx);
}

static void break_negative(struct draft *d)
{
	struct tx *tx = pay_fine(d);

	tx->out[0].value_sat = -1;
	tx_finish(tx);
}

static void break_too_large(struct draft *d)
{
	struct tx *tx = pay_fine(d);

	tx->out[0].value_sat = MAX_MONEY_SAT + 1;
	tx_finish(tx);
}

static void break_total(struct draft *d)
{
	struct tx *tx = pay_fine(d);

	tx->out = arena_calloc(&d->a, 2, sizeof *tx->out);
	tx->out_count = 2;
	tx->out[0].value_sat = MAX_MONEY_SAT;
	tx->out[1].value_sat = 1;
	tx_finish(tx);
}

static void two_inputs(struct draft *d, struct outpoint a, struct outpoint b)
{
	struct tx *tx = draft_pay(d, &a, COIN_SAT);

	tx->in = arena_calloc(&d->a, 2, sizeof *tx->in);
	tx->in_count = 2;
	tx->in[0].prevout = a;
	tx->in[1].prevout = b;
	tx_finish(tx);
}

static void break_same_inputs(struct draft *d)
{
	struct outpoint o = base_out(d->f, OUT_TRUE);

	two_inputs(d, o, o);
}

static void break_null_input(struct draft *d)
{
	struct outpoint null = { .n = UINT32_MAX };

	two_inputs(d, base_out(d->f, OUT_TRUE), null);
}

static void break_missing(struct draft *d)
{
	struct outpoint o = base_out(d->f, OUT_COUNT);

	pay_fine(d);                     /* there is something to undo */
	draft_pay(d, &o, COIN_SAT);
}

static void break_missing_second(struct draft *d)
{
	two_inputs(d, base_out(d->f, OUT_TRUE), base_out(d->f, OUT_COUNT));
}

static void break_twice_in_block(struct draft *d)
{
	struct outpoint o = base_out(d->f, OUT_TRUE);

	pay_fine(d);
	draft_pay(d, &o, COIN_SAT - 1);
}

static void break_spent_before(struct draft *d)
{
	struct outpoint o = coinbase_out(d->f, 1);

	draft_pay(d, &o, COIN_SAT);
}

static void break_order(struct draft *d)
{
	struct outpoint o = { .n = 0 };
	struct tx swap;

	o.txid = pay_fine(d)->txid;
	draft_pay(d, &o, COIN_SAT);
	swap = d->txs[1];
	d->txs[1] = d->txs[2];
	d->txs[2] = swap;
}

static void break_maturity(struct draft *d)
{
	/* one block too early */
	struct outpoint o = coinbase_out(d->f, d->height - 99);

	draft_pay(d, &o, COIN_SAT);
}

static void break_own_coinbase(struct draft *d)
{
	struct outpoint o = { .n = 0 };

	d->no_commitment = true;
	tx_finish(&d->txs[0]);
	o.txid = d->txs[0].txid;
	draft_pay(d, &o, COIN_SAT);
}

static void break_below(struct draft *d)
{
	struct outpoint o = base_out(d->f, OUT_TRUE);

	draft_pay(d, &o, COIN_SAT + 1);
}

static void break_script(struct draft *d)
{
	struct outpoint o = base_out(d->f, OUT_FALSE);

	pay_fine(d);
	draft_pay(d, &o, COIN_SAT);
}

/* Amount and script are both wrong: the amount is found first. */
static void break_script_and_amount(struct draft *d)
{
	break_script(d);
	break_amount(d);
}

static void break_p2sh_sigops(struct draft *d)
{
	struct bytes sig = { 0 };
	struct tx *tx;
	int i;

	two_inputs(d, base_out(d->f, OUT_P2SH_A), base_out(d->f, OUT_P2SH_B));
	tx = &d->txs[d->n - 1];
	script_push_data(&sig, many_multisigs(d));
	for (i = 0; i < 2; i++)
		tx->in[i].script_sig = arena_copy(&d->a, bytes_span(&sig));
	bytes_clear(&sig);
	tx_finish(tx);
}

static const struct invalid_case cases[] = {
	{ "high-hash", break_pow, true },
	{ "bad-diffbits", break_bits, true },
	{ "time-too-old", break_time_old, true },
	{ "time-too-new", break_time_new, true },
	{ "bad-version(0x00000001)", break_version, true },
	{ "prev-blk-not-found", break_prev, true },
	{ "bad-txnmrklroot", break_root, true },
	{ "bad-txns-duplicate", break_duplicate, true },
	{ "bad-blk-length", break_empty, true },
	{ "bad-blk-length", break_length, true },
	{ "bad-cb-missing", break_no_coinbase, true },
	{ "bad-cb-multiple", break_two_coinbases, true },
	{ "bad-cb-length", break_coinbase_short, true },
	{ "bad-cb-length", break_coinbase_long, true },
	{ "bad-blk-sigops", break_sigops, true },
	{ "bad-txns-vout-empty", break_no_outputs, true },
	{ "bad-txns-vout-negative", break_negative, true },
	{ "bad-txns-vout-toolarge", break_too_large, true },
	{ "bad-txns-txouttotal-toolarge", break_total, true },
	{ "bad-txns-inputs-duplicate", break_same_inputs, true },
	{ "bad-txns-prevout-null", break_null_input, true },
	{ "bad-witness-nonce-size", break_nonce_size, true },
	{ "bad-witness-merkle-match", break_commitment, true },
	{ "unexpected-witness", break_unexpected_witness, true },
	{ "bad-txns-nonfinal", break_lock_time, false },
	{ "bad-txns-nonfinal", break_sequence_lock, false },
	{ "bad-txns-nonfinal", break_sequence_time, false },
	{ "bad-cb-height", break_height, false },
	{ "bad-blk-weight", break_weight, false },
	{ "bad-cb-amount", break_amount, false },
	{ "bad-cb-amount", break_amount_with_fee, false },
	{ "bad-cb-amount", break_script_and_amount, false },
	{ "bad-txns-inputs-missingorspent", break_missing, false },
	{ "bad-txns-inputs-missingorspent", break_missing_second, false },
	{ "bad-txns-inputs-missingorspent", break_twice_in_block, false },
	{ "bad-txns-inputs-missingorspent", break_spent_before, false },
	{ "bad-txns-inputs-missingorspent", break_order, false },
	{ "bad-txns-premature-spend-of-coinbase", break_maturity, false },
	{ "bad-txns-premature-spend-of-coinbase", break_own_coinbase, false },
	{ "bad-txns-in-belowout", break_below, false },
	{ "bad-blk-sigops", break_p2sh_sigops, false },
	{ "block-script-verify-flag-failed (Script evaluated without error "
	  "but finished with a false/empty top stack element)",
	  break_script, false },
};

static void check_case(struct fix *f, const struct invalid_case *k)
{
	const struct header_node *tip = chain_tip(f->chain), *n;
	char before[65];
	struct draft d;
	struct block *b;

	strcpy(before, fix_muhash(f));
	draft_init(&d, f, NULL);
	k->break_it(&d);
	b = block_ref(draft_seal(&d));
	assert_string_equal(fix_submit(f, b), k->reason);
	assert_ptr_equal(chain_tip(f->chain), tip);
	assert_false(chain_best_header(f->chain)->status &
		     (BLOCK_FAILED | BLOCK_FAILED_CHILD));
	assert_string_equal(fix_muhash(f), before);
	n = chain_lookup(f->chain, &b->hash);
	if (k->mutated) {
		assert_true(!n || !(n->status & BLOCK_FAILED));
		assert_string_equal(fix_submit(f, b), k->reason);
	} else {
		assert_non_null(n);
		assert_true(n->status & BLOCK_FAILED);
		assert_string_equal(fix_submit(f, b), "duplicate-invalid");
		draft_init(&d, f, n);
		assert_string_equal(fix_submit(f, draft_seal(&d)),
				    "bad-prevblk");
	}
	assert_ptr_equal(chain_tip(f->chain), tip);
}

static void run_cases(unsigned threads)
{
	struct fix f;
	size_t i;

	fix_open(&f, CHAIN_REGTEST, threads);
	clock_set_mock(&f.clock, 1296688602 + 100000);
	make_base(&f);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		check_case(&f, &cases[i]);
	fix_mine(&f, 1);
	assert_int_equal(chain_tip(f.chain)->height, BASE_HEIGHT + 1);
	fix_restart(&f);
	assert_int_equal(chain_tip(f.chain)->height, BASE_HEIGHT + 1);
	fix_close(&f);
}

static void test_every_case_inline(void **state)
{
	(void)state;
	run_cases(0);
}

static void test_every_case_with_threads(void **state)
{
	(void)state;
	run_cases(3);
}

/* The workbench itself: what the cases break is fine when not broken. */
static void test_unbroken_is_fine(void **state)
{
	struct fix f;
	struct draft d;
	struct outpoint o;
	struct tx *tx;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 1);
	make_base(&f);
	draft_init(&d, &f, NULL);
	tx = pay_fine(&d);
	tx->in[0].sequence = 1;          /* one block is enough */
	tx->lock_time = (uint32_t)d.height - 1;
	tx_finish(tx);
	o.txid = tx->txid;
	o.n = 0;
	draft_pay(&d, &o, COIN_SAT - 100);
	o = coinbase_out(&f, d.height - 100);
	draft_pay(&d, &o, COIN_SAT);
	d.txs[0].out[0].value_sat += 100 + 49 * COIN_SAT;
	assert_string_equal(fix_submit(&f, draft_seal(&d)), "");
	fix_close(&f);
}

/* After a mutated copy the true block is still welcome. */
static void test_mutated_copy_does_not_taint(void **state)
{
	struct fix f;
	struct draft d;
	struct block *good, *bad, *first;
	struct bytes raw = { 0 };
	uint8_t *at;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	make_base(&f);
	draft_init(&d, &f, NULL);
	pay_fine(&d);
	good = draft_seal(&d);
	bytes_append(&raw, good->raw.p, good->raw.n);
	at = raw.p + (good->tx[1].raw.p - good->raw.p);
	at[good->tx[1].raw.n - 1] ^= 1;          /* its lock time */
	bad = block_decode(&raw);
	assert_non_null(bad);
	assert_memory_equal(bad->hash.b, good->hash.b, 32);
	first = block_ref(bad);
	assert_string_equal(fix_submit(&f, bad), "bad-txnmrklroot");

	/* and one whose coinbase witness is not what was committed to */
	bytes_append(&raw, good->raw.p, good->raw.n);
	at = raw.p + (good->tx[0].raw.p - good->raw.p);
	at[good->tx[0].raw.n - 10] ^= 1;
	bad = block_decode(&raw);
	assert_non_null(bad);
	assert_memory_equal(bad->hash.b, good->hash.b, 32);
	assert_string_equal(fix_submit(&f, bad), "bad-witness-merkle-match");
	assert_string_equal(fix_submit(&f, good), "");
	assert_int_equal(chain_tip(f.chain)->height, BASE_HEIGHT + 1);
	/* nor does the true block, once known, vouch for a copy */
	assert_string_equal(fix_submit(&f, first), "bad-txnmrklroot");
	fix_close(&f);
}

/* Too far in the future today, fine two hours later. */
static void test_future_block_is_fine_later(void **state)
{
	struct fix f;
	struct draft d;
	struct block *b;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	clock_set_mock(&f.clock, 1400000000);
	draft_init(&d, &f, NULL);
	d.h.time = 1400000000 + 7201;
	b = block_ref(draft_seal(&d));
	assert_string_equal(fix_submit(&f, b), "time-too-new");
	clock_set_mock(&f.clock, 1400000001);
	assert_string_equal(fix_submit(&f, b), "");
	fix_close(&f);
}

static struct block *repeated_coinbase(struct fix *f)
{
	struct draft d;

	draft_init(&d, f, NULL);
	d.raw_coinbase = true;
	d.txs[0].in[0].script_sig = draft_script(&d, "51525354");
	return draft_seal(&d);
}

static void test_bip30(void **state)
{
	struct fix f;
	struct outpoint o;
	struct draft d;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	f.params.buried_height[BURIED_BIP34] = 500;
	assert_string_equal(fix_submit(&f, repeated_coinbase(&f)), "");
	assert_string_equal(fix_submit(&f, repeated_coinbase(&f)),
			    "bad-txns-BIP30");
	assert_int_equal(chain_tip(f.chain)->height, 1);
	o = coinbase_out(&f, 1);
	fix_mine(&f, 100);
	assert_string_equal(fix_submit(&f, repeated_coinbase(&f)),
			    "bad-txns-BIP30");
	/* once its outputs are spent it may come again */
	draft_init(&d, &f, NULL);
	draft_pay(&d, &o, COIN_SAT);
	assert_string_equal(fix_submit(&f, draft_seal(&d)), "");
	assert_string_equal(fix_submit(&f, repeated_coinbase(&f)), "");
	fix_restart(&f);
	assert_string_equal(fix_submit(&f, repeated_coinbase(&f)),
			    "bad-txns-BIP30");
	fix_close(&f);
}

int test_validation_invalid(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unbroken_is_fine),
		cmocka_unit_test(test_every_case_inline),
		cmocka_unit_test(test_every_case_with_threads),
		cmocka_unit_test(test_mutated_copy_does_not_taint),
		cmocka_unit_test(test_future_block_is_fine_later),
		cmocka_unit_test(test_bip30),
	};

	return cmocka_run_group_tests_name("invalid blocks", tests, NULL,
					   NULL);
}
