/*
 * Real data: a directory written by the reference node for mainnet 0 to
 * 4312, replayed into our coins, with the answers it gives.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "base/file.h"
#include "chainstate/block_store.h"
#include "chainstate/undo.h"
#include "chainstate/utxo_stats.h"
#include "chainstate/xor_key.h"

#include <stdlib.h>
#include <string.h>

#define HEIGHT 4312
#define MUHASH \
	"8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5"
#define SERIALIZED \
	"fa5670424a993c1c40c2ec80fdac5deaf80f14f3857ea2e16a1339ee7a596e62"

static const uint8_t magic[4] = { 0xf9, 0xbe, 0xb4, 0xd9 };

struct replay {
	struct block_store *store;
	struct block *blocks[HEIGHT + 1];
	struct bytes blk, rev;   /* plain */
	struct coins *coins;
	size_t spent;
};

static void load_plain(struct bytes *out, const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	struct xor_key key;
	struct why why;

	need_ok(file_read(out, path, 64 << 20, &why), &why);
	need_ok(xor_key_load(&key, dir, &why), &why);
	assert_true(key.set);
	xor_key_apply(&key, out->p, out->n, 0);
	free(path);
}

/* Next record after *at; false at the end. */
static bool next_record(const struct bytes *b, size_t *at, size_t tail,
			uint32_t *payload)
{
	struct reader r = reader_of(span_of(b->p + *at, b->n - *at));
	struct span m = read_span(&r, 4);
	uint32_t n = read_u32(&r);

	if (r.failed || !span_eq(m, span_of(magic, 4)))
		return false;
	*payload = (uint32_t)*at + 8;
	*at += 8 + n + tail;
	return true;
}

static void load_blocks(struct replay *p)
{
	uint32_t payload;
	size_t at = 0;

	while (next_record(&p->blk, &at, 0, &payload)) {
		struct disk_pos pos = { 0, payload };
		struct bytes raw = { 0 };
		struct block *b;
		struct why why;
		int height = 0;

		need_ok(block_store_read(p->store, &raw, pos, &why), &why);
		b = block_decode(&raw);
		assert_non_null(b);
		while (height <= HEIGHT && p->blocks[height] &&
		       !block_hash_eq(&p->blocks[height]->hash,
				      &b->header.prev))
			height++;
		if (!p->blocks[0]) {
			p->blocks[0] = b;
			continue;
		}
		assert_true(height < HEIGHT && !p->blocks[height + 1]);
		p->blocks[height + 1] = b;
	}
	for (int i = 0; i <= HEIGHT; i++)
		assert_non_null(p->blocks[i]);
}

static void replay_open(struct replay *p)
{
	char *dir = vector_path("coredir");
	struct why why;

	memset(p, 0, sizeof(*p));
	load_plain(&p->blk, dir, "blk00000.dat");
	load_plain(&p->rev, dir, "rev00000.dat");
	need_ok(block_store_open(&p->store, dir, magic, NULL, 0, &why),
		&why);
	load_blocks(p);
	free(dir);
}

static void replay_close(struct replay *p)
{
	for (int i = 0; i <= HEIGHT; i++)
		block_unref(p->blocks[i]);
	block_store_close(p->store);
	bytes_clear(&p->blk);
	bytes_clear(&p->rev);
}

static void add_outputs(struct replay *p, const struct tx *tx, int height)
{
	for (uint32_t i = 0; i < tx->out_count; i++) {
		struct outpoint o = { tx->txid, i };
		struct coin coin = {
			.value_sat = tx->out[i].value_sat,
			.height = height,
			.coinbase = tx_is_coinbase(tx),
			.script = tx->out[i].script_pubkey,
		};
		struct why why;

		need_ok(coins_add(p->coins, &o, &coin, coin.coinbase, &why),
			&why);
	}
}

/* Spend a transaction's inputs; the reference node's undo agrees. */
static void spend_inputs(struct replay *p, const struct tx *tx,
			 const struct tx_undo *undo)
{
	struct arena a = { 0 };

	assert_int_equal(undo->count, tx->in_count);
	for (uint32_t i = 0; i < tx->in_count; i++) {
		struct coin coin;
		struct why why;
		bool found;

		need_ok(coins_spend(p->coins, &found, &coin, &a,
				    &tx->in[i].prevout, &why), &why);
		assert_true(found);
		assert_coin_eq(&coin, &undo->coins[i]);
		p->spent++;
	}
	arena_clear(&a);
}

/* Read the undo record at *at, check that we write the same bytes. */
static void read_undo(struct replay *p, size_t *at, struct block_undo *u,
		      struct arena *a, const struct block *b)
{
	struct bytes raw = { 0 }, again = { 0 };
	struct reader r;
	struct disk_pos pos = { 0, 0 };
	struct why why;

	assert_true(next_record(&p->rev, at, 32, &pos.offset));
	need_ok(block_store_read_undo(p->store, &raw, pos, &b->header.prev,
				      &why), &why);
	r = reader_of(bytes_span(&raw));
	assert_true(block_undo_read(u, &r, a));
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(u->count, b->tx_count - 1);
	block_undo_write(&again, u);
	assert_true(span_eq(bytes_span(&raw), bytes_span(&again)));
	bytes_clear(&raw);
	bytes_clear(&again);
}

static void replay_run(struct replay *p, int flush_every)
{
	size_t at = 0;
	uint32_t payload;
	struct why why;

	for (int h = 1; h <= HEIGHT; h++) {
		const struct block *b = p->blocks[h];
		struct arena a = { 0 };
		struct block_undo u;

		read_undo(p, &at, &u, &a, b);
		for (uint32_t i = 0; i < b->tx_count; i++) {
			if (i)
				spend_inputs(p, &b->tx[i], &u.txs[i - 1]);
			add_outputs(p, &b->tx[i], h);
		}
		arena_clear(&a);
		if (h % flush_every == 0 || h == HEIGHT)
			need_ok(coins_flush(p->coins, &b->hash, h % 2, &why),
				&why);
	}
	assert_false(next_record(&p->rev, &at, 32, &payload));
	assert_int_equal(p->spent, 247);
}

static void assert_stats(const struct utxo_stats *s, const char *hash)
{
	char hex[65];

	hash_to_rpc_hex(hex, s->hash);
	assert_string_equal(hex, hash);
	/* 4371 transactions less the genesis coinbase, 50 coins a block. */
	assert_int_equal(s->total_sat, 50 * COIN_SAT * HEIGHT);
	assert_true(s->txs <= s->outputs && s->txs > HEIGHT - 247);
	assert_true(s->bogosize > s->outputs * 75);
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void replay_into(void **state, const char *name, size_t cache_bytes,
			int flush_every)
{
	struct coins_options opt = { cache_bytes, 1 << 20, true };
	struct replay *p = xcalloc(1, sizeof(*p));
	char *dir = in_dir(state, name);
	struct utxo_stats s;
	struct why why;

	replay_open(p);
	need_ok(coins_open(&p->coins, dir, &opt, &why), &why);
	replay_run(p, flush_every);
	need_ok(utxo_stats_compute(&s, p->coins, UTXO_HASH_MUHASH, never,
				   NULL, &why), &why);
	assert_stats(&s, MUHASH);
	need_ok(utxo_stats_compute(&s, p->coins, UTXO_HASH_SERIALIZED, NULL,
				   NULL, &why), &why);
	assert_stats(&s, SERIALIZED);
	assert_true(s.disk_bytes > 100000);
	coins_close(p->coins);
	replay_close(p);
	free(p);
	free(dir);
}

static void test_replay(void **state)
{
	replay_into(state, "one", 64 << 20, HEIGHT);
}

static void test_replay_with_flushes(void **state)
{
	replay_into(state, "many", 128 << 10, 113);
}

static void test_snapshot(void **state)
{
	char *path = vector_path("coredir/utxo4312.dat");
	struct block_hash base;
	struct utxo_stats s;
	struct why why;
	char hex[65];

	(void)state;
	need_ok(snapshot_stats(&s, &base, path, magic, UTXO_HASH_SERIALIZED,
			       &why), &why);
	assert_stats(&s, SERIALIZED);
	hash_to_rpc_hex(hex, base.b);
	assert_memory_equal(hex, "00000000", 8);
	assert_int_equal(s.disk_bytes, file_bytes(path));
	need_ok(snapshot_stats(&s, &base, path, magic, UTXO_HASH_MUHASH,
			       &why), &why);
	assert_stats(&s, MUHASH);
	assert_int_equal(snapshot_stats(&s, &base, path,
					(const uint8_t *)"test",
					UTXO_HASH_NONE, &why), ERR_INPUT);
	free(path);
}

static void test_bad_snapshots(void **state)
{
	char *path = vector_path("coredir/utxo4312.dat");
	char *copy = in_dir(state, "snapshot");
	struct block_hash base;
	struct bytes data = { 0 };
	struct utxo_stats s;
	struct why why;

	need_ok(file_read(&data, path, 64 << 20, &why), &why);
	for (size_t cut = 0; cut < data.n; cut += 1 + data.n / 40) {
		need_ok(file_replace(copy, span_of(data.p, cut), 0600, &why),
			&why);
		assert_int_equal(snapshot_stats(&s, &base, copy, magic,
						UTXO_HASH_NONE, &why),
				 ERR_INPUT);
		assert_non_null(strstr(why.text, "snapshot"));
	}
	bytes_append(&data, "x", 1);
	need_ok(file_replace(copy, bytes_span(&data), 0600, &why), &why);
	assert_int_equal(snapshot_stats(&s, &base, copy, magic,
					UTXO_HASH_NONE, &why), ERR_INPUT);
	bytes_clear(&data);
	free(copy);
	free(path);
}

int run_chain_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_with_flushes),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_bad_snapshots),
	};

	return cmocka_run_group_tests_name("mainnet to 4312", tests,
					   dir_setup, dir_teardown);
}
