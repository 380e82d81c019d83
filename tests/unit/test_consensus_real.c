/*
 * Real blocks with the coins they spend: valid as they are; and under rules
 * that came after them, those break that are known to.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/block_check.h"
#include "consensus/script.h"
#include "consensus/script_verify.h"
#include "crypto/hash.h"
#include "tests/unit/script_text.h"
#include "tests/unit/spent_block.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

/* Everything that validation does with a block, in its order. */
static unsigned check_connect(const struct chain_params *p,
			      const struct spent_block *s, int height)
{
	const struct block *b = s->block;
	uint32_t flags = block_script_flags(p, height, &b->hash);
	uint64_t sigop_cost = tx_sigop_cost(&b->tx[0], NULL, flags);
	unsigned scripts_ok = 0;
	int64_t fees = 0, fee, claims = 0;
	size_t at = 0;

	for (uint32_t i = 1; i < b->tx_count; i++) {
		const struct tx *tx = &b->tx[i];

		assert_true(at + tx->in_count <= s->n);
		assert_int_equal(tx_check_inputs(&fee, tx, s->spent + at,
						 s->meta + at, height),
				 VERDICT_OK);
		assert_true(amount_add(&fees, fees, fee));
		sigop_cost += tx_sigop_cost(tx, s->spent + at, flags);
		scripts_ok += count_good_inputs(tx, s->spent + at, flags);
		at += tx->in_count;
	}
	assert_int_equal(at, s->n);
	assert_true(sigop_cost <= MAX_BLOCK_SIGOPS_COST);
	for (uint32_t i = 0; i < b->tx[0].out_count; i++)
		claims += b->tx[0].out[i].value_sat;
	assert_int_equal(claims, block_subsidy_sat(p, height) + fees);
	return scripts_ok;
}

/* Returns how many inputs may spend. */
static unsigned check_whole(const struct chain_params *p,
			    const struct spent_block *s, int height)
{
	struct finding f;

	check_block_bytes(s->block);
	assert_true(pow_ok(p, &s->block->hash, s->block->header.bits));
	block_check(&f, p, s->block);
	assert_int_equal(f.verdict, VERDICT_OK);
	block_check_context(&f, p, s->block, height, s->block->header.time);
	assert_int_equal(f.verdict, VERDICT_OK);
	assert_false(block_is_mutated(s->block, buried_active(
		p, BURIED_SEGWIT, height)));
	return check_connect(p, s, height);
}

static void read_entry(const char **file, int *height, struct chain_params *p,
		       json_object *entry)
{
	*file = json_object_get_string(json_object_object_get(entry, "file"));
	*height = json_object_get_int(json_object_object_get(entry,
							     "height"));
	*p = chain_params_get(strncmp(*file, "test3", 5) == 0 ?
			      CHAIN_TESTNET3 : CHAIN_MAIN);
}

static void check_real_block(json_object *entry, unsigned *inputs,
			     unsigned *verified)
{
	const char *file;
	int height;
	struct chain_params p;
	struct spent_block s;
	char hex[65];

	read_entry(&file, &height, &p, entry);
	if (!spent_block_load(&s, file))
		skip();
	hash_to_rpc_hex(hex, s.block->hash.b);
	assert_string_equal(hex, json_object_get_string(
		json_object_object_get(entry, "hash")));
	assert_int_equal(s.block->tx_count, json_object_get_int(
		json_object_object_get(entry, "txs")));
	*verified += check_whole(&p, &s, height);
	*inputs += (unsigned)s.n;
	spent_block_clear(&s);
}

static void test_real_blocks(void **state)
{
	json_object *j = vector_json("blocks/INDEX.json");
	unsigned inputs = 0, verified = 0;
	size_t n;

	(void)state;
	if (!j)
		skip();
	n = json_object_array_length(j);
	for (size_t i = 0; i < n; i++)
		check_real_block(json_object_array_get_idx(j, i), &inputs,
				 &verified);
	vector_report("blocks/*.blk", (unsigned)n, (unsigned)n);
	vector_report("blocks/*.prev", inputs, verified);
	assert_int_equal(verified, inputs);
	json_object_put(j);
}

static void test_block_277647(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct spent_block s;
	unsigned good;

	(void)state;
	if (!spent_block_load_packed(&s, "277647"))
		skip();
	good = check_whole(&p, &s, 277647);
	vector_report("chains/277647.dat.bz2", (unsigned)s.n, good);
	assert_int_equal(good, s.n);
	spent_block_clear(&s);
}

/* ---- under more rules than they were made for ---- */

/* What breaks, of all flags and blocks: so many inputs.  Nothing else does. */
static const struct breaks {
	const char *file;
	uint32_t flag;
	unsigned inputs;
} known_breaks[] = {
	/* The block exempt from Taproot: outputs that look like BIP341's,
	 * spent by nobody's key before it was a rule. */
	{ "main-692261", SCRIPT_VERIFY_TAPROOT, 4 },
	/* Signatures in other encodings than BIP66's. */
	{ "main-255018", SCRIPT_VERIFY_DERSIG, 4 },
	{ "main-255018", SCRIPT_VERIFY_STRICTENC, 4 },
	/* High S is only a policy: half of the old ones have it. */
	{ "main-255018", SCRIPT_VERIFY_LOW_S, 189 },
	{ "main-24835", SCRIPT_VERIFY_LOW_S, 34 },
	{ "main-57043", SCRIPT_VERIFY_LOW_S, 72 },
	{ "main-116928", SCRIPT_VERIFY_LOW_S, 7 },
	{ "main-210000", SCRIPT_VERIFY_LOW_S, 466 },
	{ "main-367891", SCRIPT_VERIFY_LOW_S, 3 },
};

#define FLAG_COUNT 21

static unsigned known_break(const char *file, uint32_t flag)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_breaks); i++)
		if (strcmp(known_breaks[i].file, file) == 0 &&
		    known_breaks[i].flag == flag)
			return known_breaks[i].inputs;
	return 0;
}

/* Only inputs that fail with all flags can fail with one. */
static void count_breaks(unsigned breaks[static FLAG_COUNT],
			 const struct tx *tx, const struct tx_out *spent,
			 uint32_t flags)
{
	struct sighash_cache cache;
	enum script_error err;

	sighash_cache_init(&cache, tx, spent);
	for (uint32_t i = 0; i < tx->in_count; i++) {
		if (script_verify(tx, i, spent, SCRIPT_ALL_FLAGS, &cache,
				  &err))
			continue;
		for (unsigned k = 0; k < FLAG_COUNT; k++)
			breaks[k] += !script_verify(
				tx, i, spent,
				script_flags_fill(flags | 1u << k), &cache,
				&err);
	}
}

static void test_one_flag_more(void **state)
{
	json_object *j = vector_json("blocks/INDEX.json");
	unsigned seen = 0;

	(void)state;
	if (!j)
		skip();
	for (size_t i = 0; i < json_object_array_length(j); i++) {
		json_object *entry = json_object_array_get_idx(j, i);
		unsigned breaks[FLAG_COUNT] = { 0 };
		struct chain_params p;
		struct spent_block s;
		const char *file;
		size_t at = 0;
		int height;

		read_entry(&file, &height, &p, entry);
		if (!spent_block_load(&s, file))
			skip();
		for (uint32_t t = 1; t < s.block->tx_count; t++) {
			count_breaks(breaks, &s.block->tx[t], s.spent + at,
				     block_script_flags(&p, height,
							&s.block->hash));
			at += s.block->tx[t].in_count;
		}
		for (unsigned k = 0; k < FLAG_COUNT; k++) {
			assert_int_equal(breaks[k],
					 known_break(file, 1u << k));
			seen += breaks[k] != 0;
		}
		spent_block_clear(&s);
	}
	assert_int_equal(seen, ARRAY_SIZE(known_breaks));
	json_object_put(j);
}

/* ---- blocks of which the spent outputs are not at hand ---- */

#define HEX_NAME(hash) "blocks/mainnet-" hash ".hex"
#define P2SH_EXCEPTION HEX_NAME( \
	"00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22")
#define BIP30_91842 HEX_NAME( \
	"00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec")
#define BIP30_91880 HEX_NAME( \
	"00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721")

/* NULL if absent. */
static struct block *hex_block(const char *name)
{
	struct bytes text = { 0 }, raw = { 0 };
	struct block *b;
	char hash[65];
	size_t n = 0;

	if (!vector_read(&text, name))
		return NULL;
	for (size_t i = 0; i < text.n; i++)      /* in lines */
		if (text.p[i] != '\n')
			text.p[n++] = text.p[i];
	text.n = n;
	bytes_append(&text, "", 1);
	assert_true(hex_append(&raw, (const char *)text.p));
	b = block_decode(&raw);
	assert_non_null(b);
	hash_to_rpc_hex(hash, b->hash.b);
	assert_memory_equal(hash, strchr(name, '-') + 1, 64);
	bytes_clear(&text);
	return b;
}

static void test_hex_blocks(void **state)
{
	static const char *const names[] = {
		P2SH_EXCEPTION, BIP30_91842, BIP30_91880,
	};
	struct chain_params p = chain_params_get(CHAIN_MAIN);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct block *b = hex_block(names[i]);
		struct finding f;

		if (!b)
			skip();
		check_block_bytes(b);
		assert_true(pow_ok(&p, &b->hash, b->header.bits));
		block_check(&f, &p, b);
		assert_int_equal(f.verdict, VERDICT_OK);
		/* All three are from before BIP34. */
		block_check_context(&f, &p, b, 170060, b->header.time);
		assert_int_equal(f.verdict, VERDICT_OK);
		vector_report(names[i], 1, 1);
		block_unref(b);
	}
}

/* The later block of a pair makes a coinbase that there was already. */
static void test_bip30_pair(void **state)
{
	struct block *later = hex_block(BIP30_91880);
	struct spent_block earlier;

	(void)state;
	if (!later || !spent_block_load(&earlier, "main-91722"))
		skip();
	assert_true(txid_eq(&later->tx[0].txid, &earlier.block->tx[0].txid));
	assert_false(block_hash_eq(&later->hash, &earlier.block->hash));
	block_unref(later);
	spent_block_clear(&earlier);
}

static const struct tx *find_tx(const struct block *b, const char *txid)
{
	char hex[65];

	for (uint32_t i = 0; i < b->tx_count; i++) {
		hash_to_rpc_hex(hex, b->tx[i].txid.b);
		if (strcmp(hex, txid) == 0)
			return &b->tx[i];
	}
	return NULL;
}

/*
 * One of its transactions spends a P2SH output without the signature that
 * the script behind asks for: the output's form had no meaning then.
 */
static void test_p2sh_exception(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct block *b = hex_block(P2SH_EXCEPTION);
	uint8_t script[23] = { OP_HASH160, 20 };
	struct tx_out spent = { 400000, { script, sizeof script } };
	const struct tx *tx;
	struct sighash_cache cache;
	enum script_error err;
	uint32_t flags;

	(void)state;
	if (!b)
		skip();
	tx = find_tx(b, "6a26d2ecb67f27d1fa5524763b49029d7106e91e3cc05743073"
			"461a719776192");
	assert_non_null(tx);
	/* The redeem script is the only push. */
	hash160(script + 2, tx->in[0].script_sig.p + 1,
		tx->in[0].script_sig.n - 1);
	script[22] = OP_EQUAL;
	sighash_cache_init(&cache, tx, &spent);
	flags = block_script_flags(&p, 170060, &b->hash);
	assert_int_equal(flags, SCRIPT_VERIFY_NONE);
	assert_true(script_verify(tx, 0, &spent, flags, &cache, &err));
	/* In any other block of that height it would have failed. */
	flags = block_script_flags(&p, 170060, &p.genesis_hash);
	assert_false(script_verify(tx, 0, &spent, flags, &cache, &err));
	assert_int_equal(err, SCRIPT_ERR_INVALID_STACK_OPERATION);
	assert_false(script_verify(tx, 0, &spent, SCRIPT_VERIFY_P2SH, &cache,
				   &err));
	block_unref(b);
}

int run_real_blocks_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_blocks),
		cmocka_unit_test(test_block_277647),
		cmocka_unit_test(test_one_flag_more),
		cmocka_unit_test(test_hex_blocks),
		cmocka_unit_test(test_bip30_pair),
		cmocka_unit_test(test_p2sh_exception),
	};

	return cmocka_run_group_tests_name("real blocks", tests, NULL, NULL);
}
