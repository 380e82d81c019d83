/*
 * Worst cases.  Keys are of our own making; signatures are real where they
 * must be good, and as short as can be where they must not.
 */
#include "config.h"

#include "tests/bench/worst_case.h"

#include <stdlib.h>

#include "consensus/block_check.h"
#include "consensus/script.h"
#include "consensus/sighash.h"
#include "consensus/taproot.h"
#include "consensus/tx_inputs.h"
#include "crypto/hash.h"
#include "crypto/secp.h"

#define V0_FLAGS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_DERSIG | \
		  SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_NULLDUMMY)
#define TAP_FLAGS (V0_FLAGS | SCRIPT_VERIFY_TAPROOT)
#define LEGACY_FULL 1000000
#define WITNESS_FULL 3990000

/* The shortest signature that BIP66 lets pass: r = s = 1, SIGHASH_ALL. */
static const uint8_t bad_sig[] = { 0x30, 6, 2, 1, 1, 2, 1, 1, 1 };

/* ---- parts ------------------------------------------------------------ */

static struct span keep(struct worst *w, struct bytes *b)
{
	struct span s = arena_copy(&w->arena, bytes_span(b));

	bytes_clear(b);
	return s;
}

static void secret(uint8_t key[static 32])
{
	memset(key, 7, 32);
}

static void push_pubkey(struct bytes *b)
{
	uint8_t key[32], pub[33];

	secret(key);
	CHECK(secp_pubkey_create(pub, key));
	script_push_data(b, span_of(pub, sizeof pub));
}

static void push_bad_sig(struct bytes *b)
{
	script_push_data(b, span_of(bad_sig, sizeof bad_sig));
}

/* A signature as costly as a good one: of another message. */
static struct span costly_sig(struct worst *w)
{
	static const uint8_t message[32] = { 9 };
	uint8_t key[32], sig[73];
	size_t n;

	secret(key);
	CHECK(secp_ecdsa_sign(sig, &n, message, key));
	sig[n++] = SIGHASH_ALL;
	return arena_copy(&w->arena, span_of(sig, n));
}

static void push_ops(struct bytes *b, const uint8_t *ops, size_t n,
		     size_t times)
{
	while (times--)
		bytes_append(b, ops, n);
}
#define PUSH_OPS(b, times, ...) \
	push_ops(b, (const uint8_t[]){ __VA_ARGS__ }, \
		 sizeof (const uint8_t[]){ __VA_ARGS__ }, times)

/* A transaction of in_count empty inputs and one output of out_bytes, none
 * of them spending anything yet. */
static struct tx *tx_new(struct worst *w, uint32_t in_count, size_t out_bytes)
{
	struct tx *tx = arena_calloc(&w->arena, 1, sizeof *tx);
	uint8_t *filler = arena_calloc(&w->arena, out_bytes + 1, 1);

	filler[0] = OP_RETURN;
	tx->version = 2;
	tx->in_count = in_count;
	tx->in = arena_calloc(&w->arena, in_count, sizeof *tx->in);
	for (uint32_t i = 0; i < in_count; i++) {
		tx->in[i].prevout.txid.b[0] = 1;
		tx->in[i].prevout.n = i;
		tx->in[i].sequence = TX_SEQUENCE_FINAL;
	}
	tx->out_count = 1;
	tx->out = arena_calloc(&w->arena, 1, sizeof *tx->out);
	tx->out[0].script_pubkey = span_of(filler, out_bytes);
	w->spent = arena_calloc(&w->arena, in_count, sizeof *w->spent);
	w->inputs = in_count;
	return tx;
}

static void set_spent(struct worst *w, uint32_t in_count, struct span script)
{
	for (uint32_t i = 0; i < in_count; i++)
		w->spent[i] = (struct tx_out){ 1000, script };
}

static struct span *set_witness(struct worst *w, struct tx *tx, uint32_t in,
				size_t count)
{
	struct span *elements = arena_calloc(&w->arena, count,
					     sizeof *elements);

	tx->in[in].witness = elements;
	tx->in[in].witness_count = (uint32_t)count;
	return elements;
}

static void finish(struct worst *w, struct tx *tx)
{
	tx_finish(tx);
	tx_write(&w->raw, tx, true);
}

static struct span wsh(struct worst *w, struct span script)
{
	uint8_t out[34] = { OP_0, 32 };

	sha256(out + 2, script.p, script.n);
	return arena_copy(&w->arena, span_of(out, sizeof out));
}

/* A Taproot output of one leaf; *control is its control block. */
static struct span taproot(struct worst *w, struct span *control,
			   struct span script)
{
	uint8_t out[34] = { OP_1, 32 }, block[33], leaf[32], key[32];
	int parity;

	secret(key);
	CHECK(secp_xonly_create(block + 1, key));
	taproot_leaf_hash(leaf, TAPROOT_LEAF_TAPSCRIPT, script);
	taproot_tweak(leaf, block + 1, leaf);
	CHECK(secp_xonly_tweak_add(out + 2, &parity, block + 1, leaf));
	block[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | parity);
	*control = arena_copy(&w->arena, span_of(block, sizeof block));
	return arena_copy(&w->arena, span_of(out, sizeof out));
}

/* One input that runs a tapscript on one element. */
static void tapscript_build(struct worst *w, struct bytes *script,
			    struct span element)
{
	struct tx *tx = tx_new(w, 1, 10);
	struct span *witness = set_witness(w, tx, 0, 3);

	witness[0] = element;
	witness[1] = keep(w, script);
	set_spent(w, 1, taproot(w, &witness[2], witness[1]));
	w->flags = TAP_FLAGS;
	finish(w, tx);
}

/* ---- signatures over the whole transaction ---------------------------- */

/* The shape of block 364292: thousands of inputs, each hashing all. */
static void build_p2pkh(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, (uint32_t)(size / 149), 10);
	struct spend s = { .tx = tx };
	struct bytes script = { 0 };
	uint8_t key[32], pub[33], hash[32], sig[73];
	struct span spent;
	size_t n;

	secret(key);
	CHECK(secp_pubkey_create(pub, key));
	hash160(hash, pub, sizeof pub);
	PUSH_OPS(&script, 1, OP_DUP, OP_HASH160);
	script_push_data(&script, span_of(hash, 20));
	PUSH_OPS(&script, 1, OP_EQUALVERIFY, OP_CHECKSIG);
	spent = keep(w, &script);
	set_spent(w, tx->in_count, spent);
	for (s.in = 0; s.in < tx->in_count; s.in++) {
		sighash_legacy(hash, &s, spent, SIGHASH_ALL);
		CHECK(secp_ecdsa_sign(sig, &n, hash, key));
		sig[n++] = SIGHASH_ALL;
		script_push_data(&script, span_of(sig, n));
		script_push_data(&script, span_of(pub, sizeof pub));
		tx->in[s.in].script_sig = keep(w, &script);
	}
	finish(w, tx);
}

/* One input whose script checks as often as 201 operations allow. */
static void build_one_input(struct worst *w, size_t size, bool separated)
{
	struct tx *tx = tx_new(w, 1, size - 200);
	struct bytes script = { 0 };
	unsigned times = separated ? 50 : 66;

	script_push_data(&script, costly_sig(w));
	push_pubkey(&script);
	if (separated)
		PUSH_OPS(&script, times, OP_CODESEPARATOR, OP_2DUP,
			 OP_CHECKSIG, OP_DROP);
	else
		PUSH_OPS(&script, times, OP_2DUP, OP_CHECKSIG, OP_DROP);
	set_spent(w, 1, keep(w, &script));
	finish(w, tx);
}

static void build_same_code(struct worst *w, size_t size)
{
	build_one_input(w, size, false);
}

static void build_separators(struct worst *w, size_t size)
{
	build_one_input(w, size, true);
}

/* ---- many checks ------------------------------------------------------ */

/* Scripts of nine 1-of-20: each signature is tried with every key. */
static void build_1_of_20(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, (uint32_t)(size / 5000), 10);
	struct span sig = costly_sig(w);
	struct bytes script = { 0 };

	for (int i = 0; i < 9; i++) {
		PUSH_OPS(&script, 1, OP_0);
		script_push_data(&script, sig);
		PUSH_OPS(&script, 1, OP_1);
		for (int k = 0; k < 20; k++)
			push_pubkey(&script);
		script_push_number(&script, 20);
		PUSH_OPS(&script, 1, OP_CHECKMULTISIG, OP_DROP);
	}
	PUSH_OPS(&script, 1, OP_1);
	set_spent(w, tx->in_count, keep(w, &script));
	finish(w, tx);
}

/* Scripts of six 20-of-20 of one key: nineteen signatures are good, the last
 * to be looked at is not. */
static void build_20_of_20(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, (uint32_t)(size / 8500), 10);
	struct spend s = { .tx = tx };
	struct bytes script = { 0 };
	uint8_t key[32], hash[32], sig[73];
	struct span code;
	size_t n;

	secret(key);
	for (int i = 0; i < 6; i++) {
		script_push_number(&script, 20);
		for (int k = 0; k < 20; k++)
			push_pubkey(&script);
		script_push_number(&script, 20);
		PUSH_OPS(&script, 1, OP_CHECKMULTISIG, OP_DROP);
	}
	PUSH_OPS(&script, 1, OP_1);
	code = keep(w, &script);
	set_spent(w, tx->in_count, code);
	for (s.in = 0; s.in < tx->in_count; s.in++) {
		sighash_legacy(hash, &s, code, SIGHASH_ALL);
		CHECK(secp_ecdsa_sign(sig, &n, hash, key));
		sig[n++] = SIGHASH_ALL;
		for (int i = 0; i < 6; i++) {
			PUSH_OPS(&script, 1, OP_0);
			push_bad_sig(&script);   /* the deepest: the last */
			for (int k = 0; k < 19; k++)
				script_push_data(&script, span_of(sig, n));
		}
		tx->in[s.in].script_sig = keep(w, &script);
	}
	finish(w, tx);
}

/* As many signature operations as a block may have, in P2WSH, each over a
 * code of its own.  size counts operations. */
static void build_v0_sigops(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, (uint32_t)((size + 49) / 50), 10);
	struct bytes script = { 0 }, pub = { 0 };
	struct span code, key, sig = costly_sig(w);

	PUSH_OPS(&script, 50, OP_2DUP, OP_CODESEPARATOR, OP_CHECKSIG,
		 OP_DROP);
	PUSH_OPS(&script, 1, OP_DROP);
	code = keep(w, &script);
	push_pubkey(&pub);
	key = keep(w, &pub);
	set_spent(w, tx->in_count, wsh(w, code));
	for (uint32_t i = 0; i < tx->in_count; i++) {
		struct span *witness = set_witness(w, tx, i, 3);

		witness[0] = sig;
		witness[1] = span_of(key.p + 1, 33);
		witness[2] = code;
	}
	w->flags = V0_FLAGS;
	finish(w, tx);
}

/* BIP342: a signature for every 50 units of weight, and an annex for the
 * weight. */
static void build_tap_checks(struct worst *w, size_t size)
{
	size_t times = size / 50 - 10;
	struct tx *tx = tx_new(w, 1, 10);
	struct span *witness = set_witness(w, tx, 0, 4);
	struct bytes script = { 0 };
	struct sighash_tap tap = { .has_annex = true, .has_leaf = true,
				   .codesep_pos = 0xffffffff };
	struct sighash_cache cache;
	struct spend s = { tx, 0, w->spent, &cache };
	uint8_t key[32], pub[32], msg[32], sig[64], aux[32] = { 0 };
	size_t annex = size - 2 * times - 300;
	struct sha256 h;

	secret(key);
	CHECK(secp_xonly_create(pub, key));
	script_push_data(&script, span_of(pub, 32));
	PUSH_OPS(&script, times, OP_2DUP, OP_CHECKSIGVERIFY);
	PUSH_OPS(&script, 1, OP_CHECKSIG);
	witness[1] = keep(w, &script);
	set_spent(w, 1, taproot(w, &witness[2], witness[1]));
	script_push_op(&script, 0x50);
	bytes_reserve(&script, annex);
	memset(script.p + 1, 0, annex - 1);
	script.n = annex;
	witness[3] = keep(w, &script);
	write_var_span(&script, witness[3]);
	sha256_init(&h);
	sha256_update(&h, script.p, script.n);
	sha256_final(&h, tap.annex_hash);
	bytes_clear(&script);
	taproot_leaf_hash(tap.leaf_hash, TAPROOT_LEAF_TAPSCRIPT, witness[1]);
	sighash_cache_init(&cache, tx, w->spent);
	CHECK(sighash_taproot(msg, &s, &tap, SIGHASH_DEFAULT));
	CHECK(secp_schnorr_sign(sig, msg, key, aux));
	witness[0] = arena_copy(&w->arena, span_of(sig, sizeof sig));
	w->flags = TAP_FLAGS;
	finish(w, tx);
}

/* A code full of the signature, which is cut out of it for each check: the
 * copies stand in a branch never taken, so that only cutting sees them. */
static void build_find_and_delete(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, (uint32_t)(size / 5000), 10);
	struct bytes script = { 0 };

	push_bad_sig(&script);
	push_pubkey(&script);
	PUSH_OPS(&script, 49, OP_2DUP, OP_CODESEPARATOR, OP_CHECKSIG,
		 OP_DROP);
	PUSH_OPS(&script, 1, OP_0, OP_IF);
	while (script.n < 9980)
		push_bad_sig(&script);
	PUSH_OPS(&script, 1, OP_ENDIF);
	set_spent(w, tx->in_count, keep(w, &script));
	finish(w, tx);
}

/* ---- operations ------------------------------------------------------- */

/* Millions of IFs one in another, and as many ELSEs at the bottom. */
static void build_deep_if(struct worst *w, size_t size)
{
	struct bytes script = { 0 };
	size_t n = size / 3 - 1;

	PUSH_OPS(&script, 1, OP_0);
	PUSH_OPS(&script, n, OP_IF);
	PUSH_OPS(&script, n, OP_ELSE);
	PUSH_OPS(&script, n, OP_ENDIF);
	tapscript_build(w, &script, span_of(bad_sig, 1));
}

/* The same with every branch taken. */
static void build_taken_if(struct worst *w, size_t size)
{
	struct bytes script = { 0 };
	size_t n = size / 3;

	PUSH_OPS(&script, n, OP_1, OP_IF);
	PUSH_OPS(&script, n, OP_ENDIF);
	tapscript_build(w, &script, span_of(bad_sig, 1));
}

static void build_nops(struct worst *w, size_t size)
{
	struct bytes script = { 0 };

	PUSH_OPS(&script, size, OP_NOP);
	tapscript_build(w, &script, span_of(bad_sig, 1));
}

/* Everything is read before the operation that makes it all true. */
static void build_op_success(struct worst *w, size_t size)
{
	struct bytes script = { 0 };

	PUSH_OPS(&script, size, OP_0);
	PUSH_OPS(&script, 1, 0xfe);
	tapscript_build(w, &script, span_of(bad_sig, 1));
}

static void build_hash(struct worst *w, size_t size, uint8_t op)
{
	static const uint8_t element[SCRIPT_MAX_ELEMENT_BYTES] = { 1 };
	struct bytes script = { 0 };

	PUSH_OPS(&script, size / 3, OP_DUP, op, OP_DROP);
	tapscript_build(w, &script, span_of(element, sizeof element));
}

static void build_ripemd160(struct worst *w, size_t size)
{
	build_hash(w, size, OP_RIPEMD160);
}

static void build_sha1(struct worst *w, size_t size)
{
	build_hash(w, size, OP_SHA1);
}

static void build_hash256(struct worst *w, size_t size)
{
	build_hash(w, size, OP_HASH256);
}

/* A full stack of the largest elements, filled and emptied. */
static void build_dup(struct worst *w, size_t size)
{
	static const uint8_t element[SCRIPT_MAX_ELEMENT_BYTES] = { 1 };
	struct bytes script = { 0 };

	while (script.n < size) {
		PUSH_OPS(&script, 2, OP_DUP);
		PUSH_OPS(&script, 332, OP_3DUP);
		PUSH_OPS(&script, 499, OP_2DROP);
	}
	tapscript_build(w, &script, span_of(element, sizeof element));
}

/* The bottom of a full stack to the top, over and over. */
static void build_roll(struct worst *w, size_t size)
{
	struct bytes script = { 0 };

	PUSH_OPS(&script, 998, OP_1);
	PUSH_OPS(&script, size / 4 - 1000, 2, 0xe6, 0x03, OP_ROLL);
	PUSH_OPS(&script, 499, OP_2DROP);
	tapscript_build(w, &script, span_of(bad_sig, 1));
}

/* ---- witnesses -------------------------------------------------------- */

/* Empty elements: the most spans for their bytes. */
static void build_witness_elements(struct worst *w, size_t size)
{
	static const uint8_t op = OP_1;
	struct tx *tx = tx_new(w, 1, 10);
	struct span *witness = set_witness(w, tx, 0, size);

	witness[size - 1] = span_of(&op, 1);
	set_spent(w, 1, wsh(w, span_of(&op, 1)));
	w->flags = V0_FLAGS;
	w->err = SCRIPT_ERR_STACK_SIZE;
	finish(w, tx);
}

/* ---- blocks ----------------------------------------------------------- */

/* A coinbase and n of tx, each with another prevout. */
static void block_of(struct worst *w, struct tx *tx, size_t n)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	uint8_t (*ids)[32] = xcalloc(n + 1, sizeof *ids);
	struct block_header h = p.genesis;
	struct tx *coinbase = tx_new(w, 1, 10);
	struct bytes body = { 0 };

	coinbase->in[0].prevout = (struct outpoint){ .n = UINT32_MAX };
	coinbase->in[0].script_sig = span_of(bad_sig, 4);
	tx_finish(coinbase);
	memcpy(ids[0], coinbase->txid.b, 32);
	write_compact(&body, n + 1);
	tx_write(&body, coinbase, true);
	for (size_t i = 0; i < n; i++) {
		tx->in[0].prevout.n = (uint32_t)i;
		tx_finish(tx);
		tx_write(&body, tx, true);
		memcpy(ids[i + 1], tx->txid.b, 32);
	}
	merkle_root(h.merkle_root, (const uint8_t (*)[32])ids, n + 1);
	block_header_write(&w->raw, &h);
	bytes_append(&w->raw, body.p, body.n);
	bytes_clear(&body);
	free(ids);
	w->is_block = true;
	w->inputs = n * tx->in_count;
}

static void build_small_txs(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, 1, 1);

	block_of(w, tx, size / 61 - 5);
}

static void build_many_inputs(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, (uint32_t)(size / 41 - 10), 10);

	block_of(w, tx, 1);
}

/* An output of nothing but OP_CHECKMULTISIG. */
static void build_multisig_ops(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, 1, size - 400);

	memset((uint8_t *)tx->out[0].script_pubkey.p, OP_CHECKMULTISIG,
	       tx->out[0].script_pubkey.n);
	block_of(w, tx, 1);
	w->verdict = VERDICT_BAD_BLOCK_SIGOPS;
}

static void build_block_elements(struct worst *w, size_t size)
{
	struct tx *tx = tx_new(w, 1, 10);

	set_witness(w, tx, 0, size);
	block_of(w, tx, 1);
}

const struct worst_kind worst_kinds[] = {
	{ "p2pkh", "1 MB of P2PKH inputs, each hashing the transaction",
	  build_p2pkh, LEGACY_FULL, true },
	{ "same-code", "66 checks over one code: the transaction is hashed "
	  "once", build_same_code, LEGACY_FULL, false },
	{ "separators", "50 checks, each over another code: hashed 50 times",
	  build_separators, LEGACY_FULL, false },
	{ "1-of-20", "200 inputs of nine CHECKMULTISIG, no key fits",
	  build_1_of_20, LEGACY_FULL, false },
	{ "20-of-20", "117 inputs of six CHECKMULTISIG, the last key fails",
	  build_20_of_20, LEGACY_FULL, false },
	{ "v0-sigops", "80,000 P2WSH checks, each over another code",
	  build_v0_sigops, 80000, false },
	{ "tap-checks", "79,790 tapscript checks of one good signature",
	  build_tap_checks, WITNESS_FULL, false },
	{ "find-and-delete", "200 inputs, 49 checks, each cuts 900 "
	  "signatures out of 10 kB", build_find_and_delete, LEGACY_FULL, false },
	{ "deep-if", "4 MB tapscript: IFs in IFs, ELSEs at the bottom",
	  build_deep_if, WITNESS_FULL, false },
	{ "taken-if", "4 MB tapscript: IFs in IFs, all taken",
	  build_taken_if, WITNESS_FULL, false },
	{ "nops", "4 MB tapscript of OP_NOP", build_nops, WITNESS_FULL,
	  false },
	{ "op-success", "4 MB tapscript, OP_SUCCESS254 at its end",
	  build_op_success, WITNESS_FULL, false },
	{ "ripemd160", "1.33 million RIPEMD160 of 520 bytes",
	  build_ripemd160, WITNESS_FULL, false },
	{ "sha1", "1.33 million SHA1 of 520 bytes", build_sha1,
	  WITNESS_FULL, false },
	{ "hash256", "1.33 million HASH256 of 520 bytes", build_hash256,
	  WITNESS_FULL, false },
	{ "dup", "a full stack of 520-byte elements, filled and emptied",
	  build_dup, WITNESS_FULL, false },
	{ "roll", "a million ROLLs of 998", build_roll, WITNESS_FULL, false },
	{ "elements", "P2WSH on 3.99 million empty elements",
	  build_witness_elements, WITNESS_FULL, false },
	{ "small-txs", "block of 16,000 smallest transactions",
	  build_small_txs, LEGACY_FULL, false },
	{ "many-inputs", "block of one transaction of 24,000 inputs",
	  build_many_inputs, LEGACY_FULL, false },
	{ "multisig-ops", "block with 1 MB of OP_CHECKMULTISIG: refused",
	  build_multisig_ops, LEGACY_FULL, false },
	{ "block-elements", "block with 3.99 million empty witness elements",
	  build_block_elements, WITNESS_FULL, false },
};
const size_t worst_kind_count = ARRAY_SIZE(worst_kinds);

/* ---- checking --------------------------------------------------------- */

static bool check_block(const struct worst *w)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	struct bytes copy = { 0 };
	struct finding f;
	struct block *b;

	bytes_append(&copy, w->raw.p, w->raw.n);
	b = block_decode(&copy);
	if (!b)
		return false;
	block_check(&f, &p, b);
	block_unref(b);
	return f.verdict == w->verdict;
}

static bool check_inputs(const struct worst *w, const struct tx *tx)
{
	struct sighash_cache cache;
	enum script_error err;
	bool ok;

	if (tx->in_count != w->inputs || tx_check(tx) != VERDICT_OK ||
	    tx_sigop_cost(tx, w->spent, w->flags) > MAX_BLOCK_SIGOPS_COST)
		return false;
	sighash_cache_init(&cache, tx, w->spent);
	for (uint32_t i = 0; i < tx->in_count; i++) {
		ok = script_verify(tx, i, w->spent, w->flags, &cache, &err);
		if (err != w->err || ok != (err == SCRIPT_OK))
			return false;
	}
	return true;
}

bool worst_check(const struct worst *w)
{
	struct reader r = reader_of(bytes_span(&w->raw));
	struct arena a = { 0 };
	struct tx tx;
	bool ok;

	if (w->is_block)
		return check_block(w);
	ok = tx_read(&tx, &r, &a, true) && reader_left(&r) == 0 &&
	     check_inputs(w, &tx);
	arena_clear(&a);
	return ok;
}

void worst_clear(struct worst *w)
{
	arena_clear(&w->arena);
	bytes_clear(&w->raw);
	*w = (struct worst){ 0 };
}
