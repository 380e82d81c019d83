/*
 * The two coinbases of 2010 that came twice, and when repeats are looked
 * for.
 */
#include "config.h"

#include "validation_tests.h"

#include <string.h>

#include "base/file.h"
#include "validation/flight.h"
#include "validation_fix.h"

static void set_hash(struct block_hash *h, const char *hex)
{
	assert_true(hash_from_rpc_hex(h->b, hex));
}

static struct header_node repeat_node(int height)
{
	struct header_node n = { .height = height };

	set_hash(&n.hash, height == 91842
		? "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300"
		  "e0caec"
		: "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb"
		  "7cd721");
	return n;
}

static void test_the_two_repeats(void **state)
{
	struct header_node n = repeat_node(91842);

	(void)state;
	assert_int_equal(bip30_repeats_height(&n), 91812);
	n = repeat_node(91880);
	assert_int_equal(bip30_repeats_height(&n), 91722);
	n.height = 91842;
	assert_int_equal(bip30_repeats_height(&n), -1);
	n = repeat_node(91880);
	n.hash.b[0] ^= 1;
	assert_int_equal(bip30_repeats_height(&n), -1);
}

/* Real blocks: 91880 repeats the coinbase of 91722. */
static void test_the_real_pair(void **state)
{
	char *first = vector_path("blocks/main-91722.blk");
	char *second = vector_path("blocks/mainnet-00000000000743f190a18c5577"
				   "a3c2d2a1f610ae9601ac046a38084ccb7cd721"
				   ".hex");
	struct bytes raw = { 0 }, hex = { 0 };
	struct header_node n = repeat_node(91880);
	struct block *a, *b;
	struct why why;
	size_t i, n_digits = 0;

	(void)state;
	assert_int_equal(file_read(&raw, first, 1 << 20, &why), ERR_NONE);
	a = block_decode(&raw);
	assert_int_equal(file_read(&hex, second, 1 << 20, &why), ERR_NONE);
	for (i = 0; i < hex.n; i++)
		if (hex.p[i] > ' ')
			hex.p[n_digits++] = hex.p[i];
	hex.n = n_digits;
	bytes_append(&hex, "", 1);
	assert_true(hex_append(&raw, (const char *)hex.p));
	b = block_decode(&raw);
	assert_non_null(a);
	assert_non_null(b);
	assert_memory_equal(b->hash.b, n.hash.b, 32);
	assert_memory_equal(a->tx[0].txid.b, b->tx[0].txid.b, 32);
	block_unref(a);
	block_unref(b);
	bytes_clear(&hex);
	free(first);
	free(second);
}

/* Taking the later block back leaves the coin of the earlier one. */
static void test_the_overwritten_coin_comes_back(void **state)
{
	struct coins_options o = { .cache_bytes = 1 << 20,
				   .db_cache_bytes = 1 << 20 };
	struct header_node n = repeat_node(91842);
	struct outpoint null = { .n = UINT32_MAX }, out = { .n = 0 };
	struct arena a = { 0 };
	struct tx tx = tx_pay(&a, &null, 50 * COIN_SAT);
	struct tx_revert r = { .node = &n, .tx = &tx, .outs = 1,
			       .strict = true };
	struct coin coin = { .value_sat = 50 * COIN_SAT, .height = 91812,
			     .coinbase = true };
	char dir[] = "/tmp/validation-XXXXXX";
	struct why why;
	bool found;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(coins_open(&r.coins, dir, &o, &why), ERR_NONE);
	coin.script = tx.out[0].script_pubkey;
	out.txid = tx.txid;
	assert_int_equal(coins_add(r.coins, &out, &coin, true, &why),
			 ERR_NONE);
	coin.height = 91842;
	assert_int_equal(coins_add(r.coins, &out, &coin, true, &why),
			 ERR_NONE);
	assert_int_equal(tx_revert(&r, &a, &why), ERR_NONE);
	assert_int_equal(coins_get(r.coins, &found, &coin, &out, &why),
			 ERR_NONE);
	assert_true(found);
	assert_int_equal(coin.height, 91812);
	/* and then the earlier one, as any block */
	n.height = 91812;
	assert_int_equal(tx_revert(&r, &a, &why), ERR_NONE);
	assert_int_equal(coins_get(r.coins, &found, &coin, &out, &why),
			 ERR_NONE);
	assert_false(found);
	/* once more: it is not there */
	assert_int_equal(tx_revert(&r, &a, &why), ERR_CORRUPT);
	coins_close(r.coins);
	arena_clear(&a);
	remove_tree(dir);
}

/* Where it is looked for: a chain of five, BIP34 from height 3 on. */
static void test_where_it_applies(void **state)
{
	struct chain_params p = chain_params_get(CHAIN_MAIN);
	struct header_node n[6];
	int i;

	(void)state;
	memset(n, 0, sizeof n);
	for (i = 0; i < 6; i++) {
		n[i].height = i;
		n[i].hash.b[0] = (uint8_t)i;
		n[i].prev = i ? &n[i - 1] : NULL;
		n[i].skip = i ? &n[i > 2 ? 0 : i - 1] : NULL;
	}
	n[3].skip = &n[1];
	n[4].skip = &n[0];
	n[5].skip = &n[1];
	p.buried_height[BURIED_BIP34] = 3;
	p.bip34_hash = n[3].hash;
	for (i = 1; i <= 3; i++)
		assert_true(bip30_applies(&p, &n[i]));
	assert_false(bip30_applies(&p, &n[4]));
	assert_false(bip30_applies(&p, &n[5]));
	p.bip34_hash.b[5] = 1;                   /* another branch */
	assert_true(bip30_applies(&p, &n[5]));
	p.bip34_hash = n[3].hash;
	n[5].height = 1983702;                   /* the far end */
	assert_true(bip30_applies(&p, &n[5]));
	n[5].height = 1983701;
	n[5].prev = &n[4];
	assert_false(bip30_applies(&p, &n[5]));
	p.buried_height[BURIED_BIP34] = 1;       /* every coinbase differs */
	assert_false(bip30_applies(&p, &n[2]));
}

int test_validation_bip30(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_two_repeats),
		cmocka_unit_test(test_the_real_pair),
		cmocka_unit_test(test_the_overwritten_coin_comes_back),
		cmocka_unit_test(test_where_it_applies),
	};

	return cmocka_run_group_tests_name("BIP30", tests, NULL, NULL);
}
