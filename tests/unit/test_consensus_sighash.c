/*
 * Signature messages: the reference node's sighash.json, and the
 * intermediate values of BIP341's wallet vectors.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/sighash.h"
#include "consensus/taproot.h"
#include "crypto/secp.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

#define LEGACY_FILE "core/sighash.json"

/* One file of BIP341's, twice. */
static const char *const wallet_files[] = {
	"bips/bip-0341/wallet-test-vectors.json",
	"core/bip341_wallet_vectors.json",
};

#define TAPROOT_FLAGS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | \
		       SCRIPT_VERIFY_TAPROOT)

static const char *text_at(struct json_object *j, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(j, i));
}

static void read_tx(struct tx *tx, struct bytes *raw, struct arena *a,
		    const char *hex)
{
	struct reader r;

	assert_true(hex_append(raw, hex));
	r = reader_of(bytes_span(raw));
	assert_true(tx_read(tx, &r, a, true));
}

/* ---- sighash.json ---------------------------------------------------- */

static bool run_legacy(struct json_object *j)
{
	struct arena a = { 0 };
	struct bytes raw = { 0 }, code = { 0 };
	struct sighash_memo memo = { .have = 0 };
	struct spend s = { 0 };
	struct tx tx;
	uint8_t want[32], got[32];
	uint32_t type;
	bool ok;

	read_tx(&tx, &raw, &a, text_at(j, 0));
	s.tx = &tx;
	s.in = (uint32_t)json_object_get_int64(json_object_array_get_idx(j, 2));
	type = (uint32_t)json_object_get_int64(json_object_array_get_idx(j, 3));
	assert_true(hex_append(&code, text_at(j, 1)));
	assert_true(hash_from_rpc_hex(want, text_at(j, 4)));
	sighash_legacy(got, &s, bytes_span(&code), type);
	ok = memcmp(want, got, 32) == 0;
	/* Twice with a memo: filling it, then from it. */
	sighash_ecdsa(got, &memo, &s, SIG_BASE, bytes_span(&code), type);
	ok = ok && memcmp(want, got, 32) == 0;
	sighash_ecdsa(got, &memo, &s, SIG_BASE, bytes_span(&code), type);
	ok = ok && memcmp(want, got, 32) == 0;
	if (!ok)
		printf("wrong: %s\n", json_object_to_json_string(j));
	bytes_clear(&raw);
	bytes_clear(&code);
	arena_clear(&a);
	return ok;
}

static void test_sighash_json(void **state)
{
	struct json_object *all = vector_json(LEGACY_FILE);
	unsigned cases = 0, passed = 0;
	size_t i;

	(void)state;
	if (!all)
		skip();
	for (i = 0; i < json_object_array_length(all); i++) {
		struct json_object *j = json_object_array_get_idx(all, i);

		if (json_object_array_length(j) < 5)
			continue;
		cases++;
		passed += run_legacy(j);
	}
	vector_report(LEGACY_FILE, cases, passed);
	json_object_put(all);
	assert_int_equal(passed, cases);
	assert_true(cases >= 500);
}

/* ---- BIP341 wallet vectors ------------------------------------------- */

static struct json_object *member(struct json_object *j, const char *name)
{
	struct json_object *out = NULL;

	assert_true(json_object_object_get_ex(j, name, &out));
	return out;
}

static const char *text_of(struct json_object *j, const char *name)
{
	return json_object_get_string(member(j, name));
}

static void hex_of(uint8_t *out, size_t n, struct json_object *j,
		   const char *name)
{
	assert_true(hex_decode(out, n, text_of(j, name)));
}

static void assert_hex(struct json_object *j, const char *name,
		       const uint8_t *got, size_t n)
{
	uint8_t want[128];

	assert_in_range(n, 1, sizeof want);
	hex_of(want, n, j, name);
	assert_memory_equal(want, got, n);
}

/* Root of a script tree; leaf hashes are compared on the way.  The tree is
 * data of ours, three deep: recursion is safe here. */
static void tree_root(uint8_t out[static 32], struct json_object *tree,
		      struct json_object *leaves)
{
	struct bytes script = { 0 };
	uint8_t left[32], right[32];
	size_t id;

	if (json_object_is_type(tree, json_type_array)) {
		tree_root(left, json_object_array_get_idx(tree, 0), leaves);
		tree_root(right, json_object_array_get_idx(tree, 1), leaves);
		taproot_branch_hash(out, left, right);
		return;
	}
	assert_true(hex_append(&script, text_of(tree, "script")));
	taproot_leaf_hash(out, (uint8_t)json_object_get_int(
				       member(tree, "leafVersion")),
			  bytes_span(&script));
	bytes_clear(&script);
	id = (size_t)json_object_get_int(member(tree, "id"));
	assert_true(hex_decode(left, 32, text_at(leaves, id)));
	assert_memory_equal(left, out, 32);
}

/* Spend by this leaf, with no other witness: what comes of it. */
static enum script_error spend_leaf(struct span script_pubkey,
				    struct span script, struct span control)
{
	const struct span witness[] = { span_of("", 0), script, control };
	struct tx_in in = { .witness = witness, .witness_count = 3 };
	struct tx_out out = { 0 }, spent = { 1, script_pubkey };
	struct tx tx = { .in_count = 1, .in = &in, .out_count = 1,
			 .out = &out };
	struct sighash_cache cache;
	enum script_error err;
	bool ok;

	sighash_cache_init(&cache, &tx, &spent);
	ok = script_verify(&tx, 0, &spent, TAPROOT_FLAGS, &cache, &err);
	assert_int_equal(ok, err == SCRIPT_OK);
	return err;
}

/* The leaf of this number in the tree (three deep: recursion is safe). */
static struct json_object *leaf_of(struct json_object *tree, int id)
{
	struct json_object *found;

	if (!json_object_is_type(tree, json_type_array))
		return json_object_get_int(member(tree, "id")) == id ? tree
								     : NULL;
	found = leaf_of(json_object_array_get_idx(tree, 0), id);
	return found ? found : leaf_of(json_object_array_get_idx(tree, 1), id);
}

/* The output commits to every leaf through its control block, and to no
 * other. */
static void check_leaves(struct json_object *tree, struct json_object *blocks,
			 struct span script_pubkey)
{
	for (size_t i = 0; i < json_object_array_length(blocks); i++) {
		struct bytes control = { 0 }, script = { 0 };
		struct json_object *leaf = leaf_of(tree, (int)i);
		enum script_error err;

		assert_non_null(leaf);
		assert_true(hex_append(&control, text_at(blocks, i)));
		assert_true(hex_append(&script, text_of(leaf, "script")));
		assert_int_equal(control.p[0] & 0xfe, json_object_get_int(
			member(leaf, "leafVersion")));
		err = spend_leaf(script_pubkey, bytes_span(&script),
				 bytes_span(&control));
		/* Tapscripts are run: those that check a signature find an
		 * empty one, the other finds one element too many. */
		if ((control.p[0] & 0xfe) == TAPROOT_LEAF_TAPSCRIPT)
			assert_true(err == SCRIPT_ERR_EVAL_FALSE ||
				    err == SCRIPT_ERR_CLEANSTACK);
		else
			assert_int_equal(err, SCRIPT_OK);
		for (size_t k = 0; k < control.n; k += 16) {
			control.p[k] ^= 2;
			assert_int_equal(
				spend_leaf(script_pubkey, bytes_span(&script),
					   bytes_span(&control)),
				SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
			control.p[k] ^= 2;
		}
		bytes_clear(&control);
		bytes_clear(&script);
	}
}

static void check_output(struct json_object *j)
{
	struct json_object *blocks;
	struct json_object *given = member(j, "given");
	struct json_object *mid = member(j, "intermediary");
	struct json_object *tree = member(given, "scriptTree"), *leaves = NULL;
	uint8_t internal[32], root[32], tweak[32], script[34] = { 0x51, 32 };
	int parity;

	hex_of(internal, 32, given, "internalPubkey");
	json_object_object_get_ex(mid, "leafHashes", &leaves);
	if (tree) {
		tree_root(root, tree, leaves);
		assert_hex(mid, "merkleRoot", root, 32);
	}
	taproot_tweak(tweak, internal, tree ? root : NULL);
	assert_hex(mid, "tweak", tweak, 32);
	assert_true(secp_xonly_tweak_add(script + 2, &parity, internal,
					 tweak));
	assert_hex(member(j, "expected"), "scriptPubKey", script, 34);
	assert_true(secp_xonly_tweak_check(script + 2, parity, internal,
					   tweak));
	if (json_object_object_get_ex(member(j, "expected"),
				      "scriptPathControlBlocks", &blocks))
		check_leaves(tree, blocks, span_of(script, sizeof script));
}

struct wallet_case {
	struct arena arena;
	struct bytes raw;
	struct tx tx;
	struct tx_out *spent;
	struct sighash_cache cache;
};

static void wallet_read(struct wallet_case *c, struct json_object *given)
{
	struct json_object *list = member(given, "utxosSpent");
	struct bytes b = { 0 };
	uint32_t i;

	read_tx(&c->tx, &c->raw, &c->arena, text_of(given, "rawUnsignedTx"));
	assert_int_equal(json_object_array_length(list), c->tx.in_count);
	c->spent = arena_calloc(&c->arena, c->tx.in_count, sizeof *c->spent);
	for (i = 0; i < c->tx.in_count; i++) {
		struct json_object *u = json_object_array_get_idx(list, i);

		assert_true(hex_append(&b, text_of(u, "scriptPubKey")));
		c->spent[i].script_pubkey =
			arena_copy(&c->arena, bytes_span(&b));
		bytes_clear(&b);
		c->spent[i].value_sat =
			json_object_get_int64(member(u, "amountSats"));
		/* Unsigned: say that each input will have a witness. */
		c->tx.in[i].witness_count = 1;
		c->tx.in[i].witness = arena_calloc(&c->arena, 1,
						   sizeof(struct span));
	}
	sighash_cache_init(&c->cache, &c->tx, c->spent);
}

static void check_cache(const struct wallet_case *c, struct json_object *mid)
{
	assert_true(c->cache.has_bip341);
	assert_hex(mid, "hashAmounts", c->cache.amounts_sha, 32);
	assert_hex(mid, "hashOutputs", c->cache.outputs_sha, 32);
	assert_hex(mid, "hashPrevouts", c->cache.prevouts_sha, 32);
	assert_hex(mid, "hashScriptPubkeys", c->cache.scripts_sha, 32);
	assert_hex(mid, "hashSequences", c->cache.sequences_sha, 32);
}

static void check_spending(struct wallet_case *c, struct json_object *j)
{
	static const uint8_t zeros[32];
	struct json_object *given = member(j, "given");
	struct json_object *mid = member(j, "intermediary");
	struct json_object *root = member(given, "merkleRoot");
	struct sighash_tap t = { .has_annex = false };
	struct span sig;
	struct spend s = { &c->tx, 0, c->spent, &c->cache };
	uint8_t key[32], tweak[32], hash[32], sig_bytes[65], internal[32];
	uint8_t want[65];
	uint8_t type = (uint8_t)json_object_get_int(member(given, "hashType"));
	enum script_error err;

	s.in = (uint32_t)json_object_get_int(member(given, "txinIndex"));
	hex_of(key, 32, given, "internalPrivkey");
	assert_true(secp_xonly_create(internal, key));
	assert_hex(mid, "internalPubkey", internal, 32);
	if (root)
		hex_of(hash, 32, given, "merkleRoot");
	taproot_tweak(tweak, internal, root ? hash : NULL);
	assert_hex(mid, "tweak", tweak, 32);
	assert_true(secp_seckey_tweak_taproot(key, key, tweak));
	assert_hex(mid, "tweakedPrivkey", key, 32);
	assert_true(sighash_taproot(hash, &s, &t, type));
	assert_hex(mid, "sigHash", hash, 32);
	assert_true(secp_schnorr_sign(sig_bytes, hash, key, zeros));
	sig_bytes[64] = type;
	sig = span_of(sig_bytes, type ? 65 : 64);
	assert_true(hex_decode(want, sig.n,
			       text_at(member(member(j, "expected"),
					      "witness"), 0)));
	assert_memory_equal(want, sig.p, sig.n);
	c->tx.in[s.in].witness = &sig;
	assert_true(script_verify(&c->tx, s.in, c->spent, TAPROOT_FLAGS,
				  &c->cache, &err));
	sig_bytes[0] ^= 1;
	assert_false(script_verify(&c->tx, s.in, c->spent, TAPROOT_FLAGS,
				   &c->cache, &err));
	assert_int_equal(err, SCRIPT_ERR_SCHNORR_SIG);
}

/* The transaction with every signature, those of older kinds too. */
static void check_signed(const struct wallet_case *c, struct json_object *j)
{
	struct json_object *aux = member(j, "auxiliary");
	struct arena a = { 0 };
	struct bytes raw = { 0 };
	struct sighash_cache cache;
	enum script_error err;
	struct tx tx;

	read_tx(&tx, &raw, &a, text_of(aux, "fullySignedTx"));
	assert_int_equal(tx.in_count, c->tx.in_count);
	sighash_cache_init(&cache, &tx, c->spent);
	for (uint32_t i = 0; i < tx.in_count; i++)
		assert_true(script_verify(&tx, i, c->spent, TAPROOT_FLAGS,
					  &cache, &err));
	bytes_clear(&raw);
	arena_clear(&a);
}

static void check_wallet(struct json_object *j)
{
	struct wallet_case c = { .arena = { 0 } };
	struct json_object *inputs = member(j, "inputSpending");
	size_t i;

	wallet_read(&c, member(j, "given"));
	check_cache(&c, member(j, "intermediary"));
	check_signed(&c, j);
	for (i = 0; i < json_object_array_length(inputs); i++)
		check_spending(&c, json_object_array_get_idx(inputs, i));
	bytes_clear(&c.raw);
	arena_clear(&c.arena);
}

static void check_wallet_file(const char *name)
{
	struct json_object *all = vector_json(name), *list;
	unsigned cases = 0;
	size_t i;

	if (!all)
		skip();
	list = member(all, "scriptPubKey");
	for (i = 0; i < json_object_array_length(list); i++, cases++)
		check_output(json_object_array_get_idx(list, i));
	list = member(all, "keyPathSpending");
	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *j = json_object_array_get_idx(list, i);

		check_wallet(j);
		cases += (unsigned)json_object_array_length(
			member(j, "inputSpending"));
	}
	vector_report(name, cases, cases);
	json_object_put(all);
	assert_int_equal(cases, 14);
}

static void test_bip341_wallet_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wallet_files); i++)
		check_wallet_file(wallet_files[i]);
}

int run_sighash_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sighash_json),
		cmocka_unit_test(test_bip341_wallet_vectors),
	};

	return cmocka_run_group_tests_name("sighash", tests, NULL, NULL);
}
