/*
 * Whole chains from their first block, validated here with nothing but the
 * rules, a table of coins and a list of headers; compared on the way with
 * what the reference node says of them.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "consensus/block_filter.h"
#include "consensus/script.h"
#include "consensus/script_verify.h"
#include "crypto/muhash.h"
#include "tests/unit/header_list.h"
#include "tests/unit/spent_block.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

#define MAX_BLOCKS 5000

struct coin {
	struct outpoint at;
	struct tx_out out;
	struct coin_meta meta;
	struct bytes script;
};

struct walk {
	struct chain_params p;
	struct header_list headers;
	struct map coins;
	struct muhash set;
	struct u256 work;
	uint8_t filter_header[32];
	struct bytes filter;
	unsigned spends;
	bool young_coinbases;    /* made with a maturity of one block */
	struct json_object *points;
	unsigned points_seen;
};

/* ---- coins ---- */

static uint64_t coin_hash(const void *key, const void *ctx)
{
	const struct outpoint *o = key;
	uint64_t h;

	(void)ctx;
	memcpy(&h, o->txid.b, sizeof h);
	return h + o->n;
}

static bool coin_eq(const void *item, const void *key)
{
	return outpoint_eq(&((const struct coin *)item)->at, key);
}

static const void *coin_key(const void *item)
{
	return &((const struct coin *)item)->at;
}

static const struct map_type coin_map = { coin_hash, coin_eq, coin_key };

/* A coin as MuHash takes it. */
static struct bytes coin_bytes(const struct coin *c)
{
	struct bytes b = { 0 };

	bytes_append(&b, c->at.txid.b, 32);
	write_u32(&b, c->at.n);
	write_u32(&b, (uint32_t)c->meta.height * 2 + c->meta.coinbase);
	write_u64(&b, (uint64_t)c->out.value_sat);
	write_var_span(&b, c->out.script_pubkey);
	return b;
}

static void coin_free(struct coin *c)
{
	bytes_clear(&c->script);
	free(c);
}

static void coin_add(struct walk *w, const struct tx *tx, uint32_t n,
		     int height)
{
	struct coin *c = xcalloc(1, sizeof *c);
	struct bytes b;

	c->at = (struct outpoint){ tx->txid, n };
	c->meta = (struct coin_meta){ height, tx_is_coinbase(tx) };
	bytes_append(&c->script, tx->out[n].script_pubkey.p,
		     tx->out[n].script_pubkey.n);
	c->out.value_sat = tx->out[n].value_sat;
	c->out.script_pubkey = bytes_span(&c->script);
	b = coin_bytes(c);
	muhash_insert(&w->set, bytes_span(&b));
	bytes_clear(&b);
	assert_null(map_put(&w->coins, c));      /* BIP30 */
}

static struct coin *coin_spend(struct walk *w, const struct outpoint *o)
{
	struct coin *c = map_take(&w->coins, o);
	struct bytes b;

	assert_non_null(c);
	b = coin_bytes(c);
	muhash_remove(&w->set, bytes_span(&b));
	bytes_clear(&b);
	return c;
}

/* ---- blocks ---- */

static int64_t mtp_at(int height, void *arg)
{
	return header_list_mtp(arg, height - 1);
}

/* All that a block spends: freed when it is done with. */
struct spends {
	struct coin **coin;
	struct tx_out *out;
	struct coin_meta *meta;
	struct span *script;
	size_t n;
};

static void spends_init(struct spends *s, const struct block *b)
{
	size_t n = 1;

	for (uint32_t i = 1; i < b->tx_count; i++)
		n += b->tx[i].in_count;
	s->n = 0;
	s->coin = xcalloc(n, sizeof(struct coin *));
	s->out = xcalloc(n, sizeof *s->out);
	s->meta = xcalloc(n, sizeof *s->meta);
	s->script = xcalloc(n, sizeof *s->script);
}

static void spends_clear(struct spends *s)
{
	for (size_t i = 0; i < s->n; i++)
		coin_free(s->coin[i]);
	free(s->coin);
	free(s->out);
	free(s->meta);
	free(s->script);
}

/* Returns the fee. */
static int64_t connect_tx(struct walk *w, struct spends *s,
			  const struct tx *tx, int height, uint32_t flags)
{
	int64_t mtp = header_list_mtp(&w->headers, height - 1), fee = 0;
	size_t at = s->n;
	enum verdict v;

	for (uint32_t i = 0; i < tx->in_count; i++, s->n++) {
		struct coin *c = coin_spend(w, &tx->in[i].prevout);

		s->coin[s->n] = c;
		s->out[s->n] = c->out;
		s->meta[s->n] = c->meta;
		s->script[s->n] = c->out.script_pubkey;
	}
	v = tx_check_inputs(&fee, tx, s->out + at, s->meta + at, height);
	if (w->young_coinbases && v == VERDICT_PREMATURE_COINBASE)
		v = tx_check_inputs(&fee, tx, s->out + at, s->meta + at,
				    height + COINBASE_MATURITY);
	assert_int_equal(v, VERDICT_OK);
	if (buried_active(&w->p, BURIED_CSV, height))
		assert_true(tx_sequence_locks_ok(tx, s->meta + at, height, mtp,
						 mtp_at, &w->headers));
	assert_int_equal(count_good_inputs(tx, s->out + at, flags),
			 tx->in_count);
	w->spends += tx->in_count;
	return fee;
}

static void connect(struct walk *w, const struct block *b, int height)
{
	uint32_t flags = block_script_flags(&w->p, height, &b->hash);
	int64_t fees = 0, claims = 0;
	struct spends s;
	uint64_t sigops = 0;
	size_t from = 0;

	spends_init(&s, b);
	for (uint32_t i = 0; i < b->tx_count; i++) {
		if (i)
			fees += connect_tx(w, &s, &b->tx[i], height, flags);
		sigops += tx_sigop_cost(&b->tx[i], s.out + from, flags);
		from = s.n;
		for (uint32_t k = 0; height && k < b->tx[i].out_count; k++)
			if (!script_is_unspendable(
				    b->tx[i].out[k].script_pubkey))
				coin_add(w, &b->tx[i], k, height);
	}
	assert_true(sigops <= MAX_BLOCK_SIGOPS_COST);
	for (uint32_t k = 0; k < b->tx[0].out_count; k++)
		claims += b->tx[0].out[k].value_sat;
	assert_true(claims <= block_subsidy_sat(&w->p, height) + fees);
	w->filter.n = 0;
	block_filter_write(&w->filter, b, s.script, s.n);
	block_filter_header(w->filter_header, bytes_span(&w->filter),
			    w->filter_header);
	spends_clear(&s);
}

/* ---- what the reference node says ---- */

static void same_hash(struct json_object *point, const char *name,
		      const uint8_t h[static 32])
{
	char hex[65];

	hash_to_rpc_hex(hex, h);
	assert_string_equal(hex, json_object_get_string(
		json_object_object_get(point, name)));
}

static void check_point(struct walk *w, const struct block *b, int height,
			struct json_object *point)
{
	char hex[65], *filter;
	uint8_t h[32];

	w->points_seen++;
	same_hash(point, "hash", b->hash.b);
	u256_to_hex(hex, &w->work);
	assert_string_equal(hex, json_object_get_string(
		json_object_object_get(point, "chainwork")));
	assert_int_equal(header_list_mtp(&w->headers, height),
			 json_object_get_int64(json_object_object_get(
				 point, "mediantime")));
	filter = hex_new(bytes_span(&w->filter));
	assert_string_equal(filter, json_object_get_string(
		json_object_object_get(point, "filter")));
	free(filter);
	same_hash(point, "filter_header", w->filter_header);
	muhash_final(&w->set, h);
	same_hash(point, "muhash", h);
}

static struct json_object *point_at(struct walk *w, int height)
{
	size_t n = w->points ? json_object_array_length(w->points) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *p = json_object_array_get_idx(w->points,
								  i);

		if (json_object_get_int(json_object_object_get(p, "height")) ==
		    height)
			return p;
	}
	return NULL;
}

/* ---- the walk ---- */

static void walk_init(struct walk *w, enum chain_id id)
{
	memset(w, 0, sizeof *w);
	w->p = chain_params_get(id);
	w->headers.h = xcalloc(MAX_BLOCKS, sizeof *w->headers.h);
	map_init(&w->coins, &coin_map, NULL);
	muhash_init(&w->set);
}

static void walk_clear(struct walk *w)
{
	struct coin *c;
	size_t pos = 0;

	while ((c = map_next(&w->coins, &pos)))
		coin_free(c);
	map_clear(&w->coins);
	bytes_clear(&w->filter);
	free(w->headers.h);
}

static void walk_block(struct walk *w, struct span body)
{
	int height = w->headers.n;
	struct json_object *point;
	struct bytes raw = { 0 };
	struct finding f;
	struct block *b;
	struct u256 work;

	bytes_append(&raw, body.p, body.n);
	b = block_decode(&raw);
	assert_non_null(b);
	assert_true(height < MAX_BLOCKS);
	check_block_bytes(b);
	w->headers.h[w->headers.n++] = b->header;
	if (height == 0)
		assert_memory_equal(b->hash.b, w->p.genesis_hash.b, 32);
	else
		assert_true(header_list_ok(&w->p, &w->headers, height));
	block_check(&f, &w->p, b);
	assert_int_equal(f.verdict, VERDICT_OK);
	if (height)
		block_check_context(&f, &w->p, b, height,
				    header_list_mtp(&w->headers, height - 1));
	assert_int_equal(f.verdict, VERDICT_OK);
	connect(w, b, height);
	u256_block_work(&work, b->header.bits);
	u256_add(&w->work, &w->work, &work);
	point = point_at(w, height);
	if (point)
		check_point(w, b, height, point);
	block_unref(b);
}

/* Walk the blocks of a file in order, at most `count` of them. */
static unsigned walk_file(struct walk *w, const struct bytes *file,
			  unsigned count)
{
	struct reader r = reader_of(bytes_span(file));
	unsigned n = 0;

	for (; reader_left(&r) && n < count; n++) {
		struct span magic = read_span(&r, 4);
		struct span body = read_span(&r, read_u32(&r));

		assert_false(r.failed);
		assert_memory_equal(magic.p, w->p.magic, 4);
		walk_block(w, body);
	}
	return n;
}

static void test_mainnet_oracle(void **state)
{
	static const char name[] = "chains/mainnet-0-4312.blk00000.dat";
	static const char oracle_name[] = "chains/mainnet-0-4312.oracle.json";
	struct json_object *oracle = vector_json(oracle_name);
	struct bytes file = { 0 };
	unsigned blocks, points;
	struct walk w;

	(void)state;
	if (!oracle || !vector_read(&file, name))
		skip();
	walk_init(&w, CHAIN_MAIN);
	w.points = json_object_object_get(oracle, "points");
	points = (unsigned)json_object_array_length(w.points);
	blocks = walk_file(&w, &file, MAX_BLOCKS);
	vector_report(name, 4313, blocks);
	vector_report(oracle_name, points, w.points_seen);
	assert_int_equal(blocks, 4313);
	assert_int_equal(points, 46);
	assert_int_equal(w.points_seen, 46);
	assert_int_equal(w.spends, 247);
	walk_clear(&w);
	bytes_clear(&file);
	json_object_put(oracle);
}

static void check_small_chain(enum chain_id id, const char *name,
			      unsigned blocks, const char *muhash)
{
	struct bytes file = { 0 };
	uint8_t h[32];
	struct walk w;
	char hex[65];
	unsigned n;

	if (!vector_read(&file, name))
		skip();
	walk_init(&w, id);
	n = walk_file(&w, &file, MAX_BLOCKS);
	vector_report(name, blocks, n);
	assert_int_equal(n, blocks);
	muhash_final(&w.set, h);
	hash_to_rpc_hex(hex, h);
	assert_string_equal(hex, muhash);
	walk_clear(&w);
	bytes_clear(&file);
}

/* Their MuHash is the reference node's. */
static void test_small_chains(void **state)
{
	(void)state;
	check_small_chain(CHAIN_SIGNET, "chains/signet-0-120.blk", 121,
			  "a0e968901678296996072f24a75f381740acea4ef28cb140"
			  "9ce2739887faf58b");
	check_small_chain(CHAIN_REGTEST, "chains/regtest-0-206.blk", 207,
			  "99fe6181ed22d50f27486264ed5d1f538c9343042db64a08"
			  "8248bcc9912a869a");
}

/*
 * Five blocks, and three that fork off after the third; they spend their
 * coinbases young, for which the tests they come from had changed the rules.
 */
static void test_forking_chain(void **state)
{
	static const char *const names[] = {
		"chains/blk_0_to_4.dat.bz2", "chains/blk_3A.dat.bz2",
		"chains/blk_4A.dat.bz2", "chains/blk_5A.dat.bz2",
	};
	struct bytes file[ARRAY_SIZE(names)] = { { 0 } };
	struct walk one, other;
	unsigned n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!vector_read_packed(&file[i], names[i]))
			skip();
	walk_init(&one, CHAIN_MAIN);
	walk_init(&other, CHAIN_MAIN);
	one.young_coinbases = other.young_coinbases = true;
	n = walk_file(&one, &file[0], MAX_BLOCKS);
	vector_report(names[0], 5, n);
	assert_int_equal(n, 5);
	assert_int_equal(walk_file(&other, &file[0], 3), 3);
	for (size_t i = 1; i < ARRAY_SIZE(names); i++) {
		n = walk_file(&other, &file[i], MAX_BLOCKS);
		vector_report(names[i], 1, n);
		assert_int_equal(n, 1);
	}
	/* The fork has more work: it is where a node would go. */
	assert_true(u256_cmp(&other.work, &one.work) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		bytes_clear(&file[i]);
	walk_clear(&one);
	walk_clear(&other);
}

int run_chain_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet_oracle),
		cmocka_unit_test(test_small_chains),
		cmocka_unit_test(test_forking_chain),
	};

	return cmocka_run_group_tests_name("chains", tests, NULL, NULL);
}
