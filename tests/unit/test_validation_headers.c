/*
 * The header tree: acceptance, ancestors, locators, what to download.
 */
#include "config.h"

#include "validation_tests.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "base/writer.h"
#include "validation_fix.h"

static struct block_header *headers_of(const char *rel, size_t *n)
{
	char *path = vector_path(rel);
	struct bytes b = { 0 };
	struct block_header *h;
	struct reader r;
	struct why why;
	size_t i;

	assert_int_equal(file_read(&b, path, 1 << 24, &why), ERR_NONE);
	*n = b.n / BLOCK_HEADER_BYTES;
	h = xcalloc(*n, sizeof *h);
	r = reader_of(bytes_span(&b));
	for (i = 0; i < *n; i++)
		assert_true(block_header_read(&h[i], &r));
	bytes_clear(&b);
	free(path);
	return h;
}

static void test_mainnet_headers(void **state)
{
	struct headers_result res;
	struct block_header *h;
	size_t n, i;
	struct fix f;

	(void)state;
	h = headers_of("headers/mainnet-0-10236.raw", &n);
	fix_open(&f, CHAIN_MAIN, 0);
	/* not enough work without somebody's word for it */
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, n, false, &f.why));
	assert_int_equal(res.finding.verdict, VERDICT_TOO_LITTLE_CHAINWORK);
	assert_int_equal(res.accepted, 1);       /* genesis, known */
	assert_int_equal(res.new_headers, 0);
	assert_int_equal(f.best_headers, 0);
	for (i = 0; i < n; i += 2000) {
		size_t k = MIN_OF(n - i, (size_t)2000);

		fix_ok(&f, chain_accept_headers(f.chain, &res, h + i, k,
						true, &f.why));
		assert_int_equal(res.finding.verdict, VERDICT_OK);
		assert_int_equal(res.accepted, k);
		assert_int_equal(res.last->height, i + k - 1);
		assert_ptr_equal(chain_best_header(f.chain), res.last);
	}
	assert_int_equal(f.best_headers, 6);
	/* again: known, all fine, nothing new, nobody's word needed */
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, n, false, &f.why));
	assert_int_equal(res.accepted, n);
	assert_int_equal(res.new_headers, 0);
	assert_int_equal(chain_tip(f.chain)->height, 0);
	fix_restart(&f);
	assert_int_equal(chain_best_header(f.chain)->height, n - 1);
	assert_int_equal(chain_best_header(f.chain)->time, h[n - 1].time);
	free(h);
	fix_close(&f);
}

static void test_bad_headers_are_named(void **state)
{
	struct headers_result res;
	struct block_header *h, saved;
	size_t n;
	struct fix f;

	(void)state;
	h = headers_of("headers/mainnet-0-10236.raw", &n);
	fix_open(&f, CHAIN_MAIN, 0);
	saved = h[5];
	h[5].nonce++;
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, 10, true, &f.why));
	assert_int_equal(res.finding.verdict, VERDICT_HIGH_HASH);
	assert_int_equal(res.accepted, 5);
	assert_int_equal(res.new_headers, 4);
	h[5] = saved;
	fix_ok(&f, chain_accept_headers(f.chain, &res, h + 7, 1, true,
					&f.why));
	assert_int_equal(res.finding.verdict, VERDICT_PREV_NOT_FOUND);
	assert_null(res.last);
	/* in the future of a clock that stands in early 2009 */
	clock_set_mock(&f.clock, (int64_t)h[9].time - 7201);
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, 10, true, &f.why));
	assert_int_equal(res.finding.verdict, VERDICT_TIME_TOO_NEW);
	assert_int_equal(res.last->height, 8);
	clock_set_mock(&f.clock, (int64_t)h[9].time - 7200);
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, 10, true, &f.why));
	assert_int_equal(res.finding.verdict, VERDICT_OK);
	free(h);
	fix_close(&f);
}

/* Work that is only claimed does not count towards the minimum. */
static void test_minimum_work(void **state)
{
	struct headers_result res;
	struct block_result bres;
	struct block_header *h;
	struct block *b;
	struct u256 work;
	struct draft d;
	size_t n;
	struct fix f;

	(void)state;
	h = headers_of("headers/mainnet-0-10236.raw", &n);
	fix_open(&f, CHAIN_MAIN, 0);
	u256_block_work(&work, h[0].bits);
	u256_mul_u32(&f.params.minimum_chain_work, &work, 101);
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, 100, false,
					&f.why));
	assert_int_equal(res.finding.verdict, VERDICT_TOO_LITTLE_CHAINWORK);
	assert_int_equal(res.new_headers, 0);
	h[100].nonce++;          /* no work behind it */
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, 101, false,
					&f.why));
	assert_int_equal(res.new_headers, 0);
	h[100].nonce--;
	fix_ok(&f, chain_accept_headers(f.chain, &res, h, 101, false,
					&f.why));
	assert_int_equal(res.finding.verdict, VERDICT_OK);
	assert_int_equal(res.new_headers, 100);
	/* from there on any extension is enough */
	fix_ok(&f, chain_accept_headers(f.chain, &res, h + 101, 1, false,
					&f.why));
	assert_int_equal(res.new_headers, 1);
	free(h);
	fix_close(&f);

	fix_open(&f, CHAIN_REGTEST, 0);
	u256_block_work(&work, f.params.genesis.bits);
	u256_mul_u32(&f.params.minimum_chain_work, &work, 3);
	draft_init(&d, &f, NULL);
	b = draft_seal(&d);
	fix_ok(&f, chain_accept_block(f.chain, &bres, b, false, &f.why));
	assert_int_equal(bres.finding.verdict, VERDICT_TOO_LITTLE_CHAINWORK);
	assert_null(bres.node);
	fix_ok(&f, chain_accept_block(f.chain, &bres, b, true, &f.why));
	assert_true(bres.is_new);
	block_unref(b);
	assert_true(chain_in_initial_download(f.chain));
	fix_close(&f);
}

static void test_unasked_blocks(void **state)
{
	struct header_node *tip, *far;
	struct block_result res;
	struct fix f;
	struct draft d;
	struct block *b;
	int i;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 5);
	tip = chain_tip(f.chain);
	/* less work than the tip: the header is kept, the block is not */
	draft_init(&d, &f, tip->prev->prev);
	d.txs[0].lock_time = 1;
	b = draft_seal(&d);
	fix_ok(&f, chain_accept_block(f.chain, &res, b, false, &f.why));
	assert_int_equal(res.finding.verdict, VERDICT_OK);
	assert_non_null(res.node);
	assert_false(res.is_new);
	assert_false(res.node->status & BLOCK_HAVE_DATA);
	fix_ok(&f, chain_accept_block(f.chain, &res, b, true, &f.why));
	assert_true(res.is_new);
	block_unref(b);
	/* far ahead: headers only, then a block that nobody asked for */
	far = tip;
	for (i = 0; i < 289; i++) {
		struct headers_result hres;

		draft_init(&d, &f, far);
		b = draft_seal(&d);
		if (i < 288) {
			fix_ok(&f, chain_accept_headers(f.chain, &hres,
							&b->header, 1, false,
							&f.why));
			far = hres.last;
		} else {
			fix_ok(&f, chain_accept_block(f.chain, &res, b,
						      false, &f.why));
			assert_false(res.is_new);
			fix_ok(&f, chain_accept_block(f.chain, &res, b,
						      true, &f.why));
			assert_true(res.is_new);
		}
		block_unref(b);
	}
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_ptr_equal(chain_tip(f.chain), tip);
	fix_close(&f);
}

/* ---- the tree against the plain way ---- */

static const struct header_node *walk_to(const struct header_node *n, int h)
{
	while (n && n->height > h)
		n = n->prev;
	return n;
}

static int by_time(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t plain_mtp(const struct header_node *n)
{
	uint32_t t[11];
	size_t k = 0;

	for (; n && k < 11; n = n->prev)
		t[k++] = n->time;
	qsort(t, k, sizeof *t, by_time);
	return t[k / 2];
}

/* Headers at random places; times that jump about. */
static struct header_node *random_tree(struct fix *f, struct prng *rng,
				       struct header_node **all, size_t n)
{
	struct headers_result res;
	struct block *b;
	struct draft d;
	size_t i;

	all[0] = chain_tip(f->chain);
	for (i = 1; i < n; i++) {
		size_t back = prng_below(rng, 20) ? 1
			      : 1 + (size_t)prng_below(rng, 200);

		draft_init(&d, f, all[back < i ? i - back : 0]);
		d.h.time = (uint32_t)header_node_mtp(d.parent) + 1 +
			   (uint32_t)prng_below(rng, 5000);
		d.h.nonce = (uint32_t)prng_u64(rng);
		d.txs[0].lock_time = (uint32_t)prng_u64(rng);
		b = draft_seal(&d);
		fix_ok(f, chain_accept_headers(f->chain, &res, &b->header, 1,
					       false, &f->why));
		assert_int_equal(res.finding.verdict, VERDICT_OK);
		all[i] = res.last;
		block_unref(b);
	}
	return all[n - 1];
}

static void test_tree_agrees_with_the_plain_way(void **state)
{
	enum { N = 3000 };
	static struct header_node *all[N];
	uint64_t seed = random_u64();
	struct header_node **tips = NULL;
	const struct header_node *best;
	struct prng rng;
	struct fix f;
	size_t i, j, count, leaves = 0;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	prng_seed(&rng, seed);
	fix_open(&f, CHAIN_REGTEST, 0);
	random_tree(&f, &rng, all, N);
	best = all[0];
	for (i = 0; i < N; i++) {
		const struct header_node *a = all[i], *b, *x, *y;
		int h = (int)prng_below(&rng, (uint64_t)a->height + 1);
		bool leaf = true;

		assert_ptr_equal(header_node_ancestor(a, h), walk_to(a, h));
		assert_null(header_node_ancestor(a, a->height + 1));
		assert_null(header_node_ancestor(a, -1));
		assert_int_equal(header_node_mtp(a), plain_mtp(a));
		b = all[prng_below(&rng, N)];
		x = walk_to(a, b->height);
		y = walk_to(b, a->height);
		for (; x != y; x = x->prev, y = y->prev)
			;
		assert_ptr_equal(header_node_fork(a, b), x);
		if (a->height > best->height)
			best = a;
		for (j = i + 1; j < N; j++)
			if (all[j]->prev == a)
				leaf = false;
		leaves += leaf;
	}
	assert_ptr_equal(chain_best_header(f.chain), best);
	count = chain_tips(f.chain, &tips);
	/* genesis is the tip, and has children */
	assert_int_equal(count, leaves + 1);
	free(tips);
	fix_close(&f);
}

static void test_locators(void **state)
{
	struct block_hash loc[CHAIN_LOCATOR_MAX];
	struct header_node *side, *tip;
	struct fix f;
	size_t n, i;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 200);
	tip = chain_tip(f.chain);
	n = chain_locator(tip, loc);
	assert_int_equal(n, 11 + 8);
	for (i = 0; i < 11; i++)
		assert_memory_equal(loc[i].b,
				    chain_at(f.chain, 200 - (int)i)->hash.b,
				    32);
	assert_memory_equal(loc[11].b, chain_at(f.chain, 189)->hash.b, 32);
	assert_memory_equal(loc[12].b, chain_at(f.chain, 187)->hash.b, 32);
	assert_memory_equal(loc[n - 1].b, f.params.genesis_hash.b, 32);
	assert_ptr_equal(chain_find_locator(f.chain, loc, n), tip);
	side = fix_fork(&f, chain_at(f.chain, 190), 5, 3);
	n = chain_locator(side, loc);
	assert_ptr_equal(chain_find_locator(f.chain, loc, n),
			 chain_at(f.chain, 190));
	assert_int_equal(chain_locator(chain_at(f.chain, 0), loc), 1);
	memset(loc, 7, sizeof loc);
	assert_ptr_equal(chain_find_locator(f.chain, loc, 5),
			 chain_at(f.chain, 0));
	assert_null(chain_at(f.chain, 201));
	assert_null(chain_at(f.chain, -1));
	fix_close(&f);
}

static void test_missing_blocks(void **state)
{
	struct header_node *out[300], *far;
	struct block *blocks[100], *other;
	struct block_result res;
	struct headers_result hres;
	struct draft d;
	struct fix f;
	size_t n;
	int i;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 10);
	assert_int_equal(chain_missing_blocks(f.chain, out, 300, 1024), 0);
	far = chain_tip(f.chain);
	for (i = 0; i < 100; i++) {
		draft_init(&d, &f, far);
		blocks[i] = draft_seal(&d);
		fix_ok(&f, chain_accept_headers(f.chain, &hres,
						&blocks[i]->header, 1, true,
						&f.why));
		far = hres.last;
	}
	n = chain_missing_blocks(f.chain, out, 300, 1024);
	assert_int_equal(n, 100);
	assert_int_equal(out[0]->height, 11);
	assert_int_equal(out[99]->height, 110);
	assert_int_equal(chain_missing_blocks(f.chain, out, 7, 1024), 7);
	assert_int_equal(chain_missing_blocks(f.chain, out, 300, 15), 16);
	/* some in the middle come first */
	for (i = 5; i < 10; i++) {
		fix_ok(&f, chain_accept_block(f.chain, &res, blocks[i], true,
					      &f.why));
		assert_true(res.is_new);
	}
	n = chain_missing_blocks(f.chain, out, 300, 15);
	assert_int_equal(n, 16 - 5);
	assert_int_equal(out[5]->height, 21);
	fix_restart(&f);
	n = chain_missing_blocks(f.chain, out, 300, 15);
	assert_int_equal(n, 16 - 5);
	assert_int_equal(out[5]->height, 21);
	/* those before them, backwards: all connect at the last */
	for (i = 4; i >= 0; i--) {
		assert_int_equal(chain_tip(f.chain)->height, 10);
		fix_ok(&f, chain_accept_block(f.chain, &res, blocks[i], true,
					      &f.why));
		fix_ok(&f, chain_activate(f.chain, &f.why));
	}
	assert_int_equal(chain_tip(f.chain)->height, 20);
	n = chain_missing_blocks(f.chain, out, 300, 15);
	assert_int_equal(n, 16);
	assert_int_equal(out[0]->height, 21);
	/* towards another header; not if that one has failed */
	draft_init(&d, &f, NULL);
	d.h.time++;
	other = draft_seal(&d);
	fix_ok(&f, chain_accept_headers(f.chain, &hres, &other->header, 1,
					true, &f.why));
	n = chain_missing_towards(f.chain, hres.last, out, 300, 15);
	assert_int_equal(n, 1);
	assert_ptr_equal(out[0], hres.last);
	fix_ok(&f, chain_invalidate(f.chain, hres.last, &f.why));
	assert_int_equal(chain_missing_towards(f.chain, hres.last, out, 300,
					       15), 0);
	block_unref(other);
	for (i = 0; i < 100; i++)
		block_unref(blocks[i]);
	fix_close(&f);
}

static void test_initial_download_latches(void **state)
{
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 1);
	clock_set_mock(&f.clock, chain_tip(f.chain)->time + 86401);
	assert_true(chain_in_initial_download(f.chain));
	assert_true(chain_progress(f.chain) < 1.0);
	clock_set_mock(&f.clock, chain_tip(f.chain)->time + 86400);
	assert_false(chain_in_initial_download(f.chain));
	clock_set_mock(&f.clock, chain_tip(f.chain)->time + 864000);
	assert_false(chain_in_initial_download(f.chain));
	fix_close(&f);
}

/* Ten thousand tips, and still each block is a matter of microseconds. */
static void test_many_tips(void **state)
{
	enum { TIPS = 10000 };
	struct headers_result res;
	struct header_node *tip, **tips = NULL;
	struct block_header h;
	int64_t start;
	struct fix f;
	int i;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, 20);
	tip = chain_tip(f.chain);
	for (i = 0; i < TIPS; i++) {
		header_node_header(&h, tip);
		memcpy(h.merkle_root, &i, sizeof i);
		h.prev = chain_at(f.chain, i % 20)->hash;
		h.time = chain_at(f.chain, i % 20)->time + 1;
		assert_true(miner_grind(&f.params, &h));
		fix_ok(&f, chain_accept_headers(f.chain, &res, &h, 1, true,
						&f.why));
		assert_int_equal(res.finding.verdict, VERDICT_OK);
	}
	start = clock_mono_ms();
	fix_mine(&f, 200);
	assert_true(clock_mono_ms() - start < 5000);
	assert_int_equal(chain_tips(f.chain, &tips), TIPS + 1);
	free(tips);
	fix_close(&f);
}

int test_validation_headers(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet_headers),
		cmocka_unit_test(test_bad_headers_are_named),
		cmocka_unit_test(test_minimum_work),
		cmocka_unit_test(test_unasked_blocks),
		cmocka_unit_test(test_tree_agrees_with_the_plain_way),
		cmocka_unit_test(test_locators),
		cmocka_unit_test(test_missing_blocks),
		cmocka_unit_test(test_initial_download_latches),
		cmocka_unit_test(test_many_tips),
	};

	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
