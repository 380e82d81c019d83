/*
 * Synchronisation in a simulated network: one peer and many, slow ones,
 * silent ones and liars, reorganisations, little work, full queues.
 */
#include "config.h"

#include "test_p2p.h"

#include <string.h>

#include "tests/unit/p2p_sim.h"

#define MINUTE INT64_C(60000)

static int set_up(void **state)
{
	*state = sim_new();
	return 0;
}

static int tear_down(void **state)
{
	sim_free(*state);
	return 0;
}

static struct sim_conn *between(struct sim *s, const struct sim_node *a,
				const struct sim_node *b)
{
	size_t i;

	for (i = 0; i < s->conns_n; i++)
		if (s->conns[i].node[0] == a && s->conns[i].node[1] == b)
			return &s->conns[i];
	return NULL;
}

static void from_one_peer(void **state)
{
	struct sim *s = *state;
	struct sim_node *server = sim_add(s, 0), *n = sim_add(s, 0);
	int tip = sim_mine_many(s, 0, 5000, 100);

	sim_give(server, tip);
	sim_link(n, server);
	assert_true(sim_until(n, tip, 10 * MINUTE));
	assert_int_equal(n->blocks_in, 5000);
	assert_int_equal(n->blocks_dup, 0);
	assert_int_equal(n->unrequested, 0);
	assert_int_equal(server->blocks_served, 5000);
	assert_int_equal(sim_open(n), 1);
}

static void inbound_peers_serve_too(void **state)
{
	struct sim *s = *state;
	struct sim_node *server = sim_add(s, 0), *n = sim_add(s, 0);
	int tip = sim_mine_many(s, 0, 300, 100);

	sim_give(server, tip);
	sim_link(server, n);
	assert_true(sim_until(n, tip, 2 * MINUTE));
}

static void several_share_the_work(void **state)
{
	struct sim *s = *state;
	struct sim_node *server[4], *n;
	int tip = sim_mine_many(s, 0, 2000, 20000), i;
	unsigned total = 0;

	for (i = 0; i < 4; i++) {
		server[i] = sim_add(s, 0);
		sim_give(server[i], tip);
	}
	s->node_rate[0] = 10;            /* 10 kB/s: a tenth of the others */
	s->node_rate[1] = s->node_rate[2] = s->node_rate[3] = 100;
	n = sim_add(s, 0);
	for (i = 0; i < 4; i++)
		sim_link(n, server[i]);
	assert_true(sim_until(n, tip, 4 * MINUTE));
	assert_int_equal(n->blocks_in, 2000);
	for (i = 0; i < 4; i++)
		total += server[i]->blocks_served;
	/* Next to nothing twice, and to each according to its speed. */
	assert_in_range(total, 2000, 2040);
	assert_true(server[1]->blocks_served > 400);
	assert_true(server[2]->blocks_served > 400);
	assert_true(server[3]->blocks_served > 400);
	assert_in_range(server[0]->blocks_served, 20, 200);
	assert_int_equal(sim_open(n), 4);
}

/* One takes requests and gives no blocks. */
static void staller_is_found_out(void **state)
{
	struct sim *s = *state;
	struct sim_node *good = sim_add(s, 0), *bad = sim_add(s, 0), *n;
	int tip = sim_mine_many(s, 0, 3000, 200), i;

	sim_give(good, tip);
	sim_give(bad, tip);
	bad->withholds = true;
	n = sim_add(s, 0);
	sim_link(n, good);
	sim_link(n, bad);
	/* The good one alone needs 75 s: 16 blocks in 0.4 s. */
	assert_true(sim_until(n, tip, 95000));
	sim_run(s, MINUTE);
	assert_int_equal(n->blocks_in, 3000);
	assert_int_equal(n->blocks_dup, 0);
	/* While new blocks come, it is asked now and then: and dropped. */
	for (i = 0; i < 10; i++) {
		tip = sim_mine(s, tip, 100);
		sim_give(bad, tip);
		sim_run(s, 5000);
		sim_give(good, tip);
		assert_true(sim_until(n, tip, MINUTE));
		sim_run(s, MINUTE);
	}
	assert_null(between(s, n, bad));
	assert_non_null(between(s, n, good));
}

/* One falls silent altogether, holding blocks. */
static void silent_peer_is_left(void **state)
{
	struct sim *s = *state;
	struct sim_node *good = sim_add(s, 0), *bad = sim_add(s, 0), *n;
	int tip = sim_mine_many(s, 0, 3000, 2000);

	sim_give(good, tip);
	sim_give(bad, tip);
	n = sim_add(s, 0);
	sim_link(n, bad);
	sim_run(s, 4000);
	bad->deaf = true;
	sim_link(n, good);
	assert_true(sim_until(n, tip, 6 * MINUTE));
	sim_run(s, MINUTE);
	assert_null(between(s, n, bad));
}

/* The only peer may be as slow as it likes, if it moves at all. */
static void slow_but_alone_is_kept(void **state)
{
	struct sim *s = *state;
	struct sim_node *server = sim_add(s, 0), *n = sim_add(s, 0);
	int tip = sim_mine_many(s, 0, 30, 200000);

	s->node_rate[0] = 4;             /* 4 kB/s: 50 s a block */
	s->latency_ms = 3000;
	sim_give(server, tip);
	sim_link(n, server);
	assert_true(sim_until(n, tip, 60 * MINUTE));
	assert_int_equal(n->blocks_in, 30);
	assert_int_equal(n->blocks_dup, 0);
	assert_int_equal(server->blocks_served, 30);
	assert_int_equal(sim_open(n), 1);
}

/* The same speed from two: no needless copies, nobody is thrown out. */
static void slow_ones_are_not_stallers(void **state)
{
	struct sim *s = *state;
	struct sim_node *a = sim_add(s, 0), *b = sim_add(s, 0), *n;
	int tip = sim_mine_many(s, 0, 60, 100000);

	s->node_rate[0] = s->node_rate[1] = 10;  /* 10 s a block */
	s->latency_ms = 1500;
	sim_give(a, tip);
	sim_give(b, tip);
	n = sim_add(s, 0);
	sim_link(n, a);
	sim_link(n, b);
	assert_true(sim_until(n, tip, 12 * MINUTE));
	assert_int_equal(sim_open(n), 2);
	assert_in_range(a->blocks_served + b->blocks_served, 60, 64);
}

static void corrupter_is_dropped(void **state)
{
	struct sim *s = *state;
	struct sim_node *good = sim_add(s, 0), *bad = sim_add(s, 0), *n;
	int tip = sim_mine_many(s, 0, 500, 200);

	sim_give(good, tip);
	sim_give(bad, tip);
	bad->corrupts = true;
	n = sim_add(s, 0);
	sim_link(n, bad);
	sim_link(n, good);
	assert_true(sim_until(n, tip, 3 * MINUTE));
	sim_run(s, 1000);
	assert_null(between(s, n, bad));
	assert_non_null(between(s, n, good));
}

/* A block that fails when it is connected: its giver goes, and the best
 * chain without it is followed. */
static void invalid_chain_is_left(void **state)
{
	struct sim *s = *state;
	struct sim_node *liar = sim_add(s, 0), *good = sim_add(s, 0), *n;
	int fork = sim_mine_many(s, 0, 100, 100);
	int tip = sim_mine_many(s, fork, 10, 100);
	int bad = sim_mine(s, fork, 100);
	int bad_tip = sim_mine_many(s, bad, 30, 100);

	sim_give(liar, bad_tip);
	sim_give(good, tip);
	s->blocks[bad]->bad = true;
	n = sim_add(s, 0);
	sim_link(n, liar);
	sim_link(n, good);
	assert_true(sim_until(n, tip, 3 * MINUTE));
	sim_run(s, 5000);
	assert_null(between(s, n, liar));
	assert_non_null(between(s, n, good));
}

static void new_blocks_travel(void **state)
{
	struct sim *s = *state;
	struct sim_node *n[6];
	int tip = sim_mine_many(s, 0, 50, 100), i, k;

	/* A line: each block must be passed on by all. */
	for (i = 0; i < 6; i++) {
		n[i] = sim_add(s, 0);
		sim_give(n[i], tip);
		if (i)
			sim_link(n[i], n[i - 1]);
	}
	sim_run(s, 10000);
	for (k = 0; k < 5; k++) {
		tip = sim_mine(s, tip, 100);
		sim_give(n[0], tip);
		assert_true(sim_until(n[5], tip, 20000));
	}
	for (i = 1; i < 6; i++) {
		assert_int_equal(n[i]->blocks_in, 5);
		assert_int_equal(n[i]->blocks_dup, 0);
		assert_int_equal(n[i]->tip, tip);
	}
}

static void announced_by_headers(const struct peer_info *info, void *arg)
{
	uint64_t *bytes = arg;

	bytes[0] += info->received_by_type[MSG_HEADERS];
	bytes[1] += info->received_by_type[MSG_INV];
}

static void reorganisation_is_announced(void **state)
{
	struct sim *s = *state;
	struct sim_node *a = sim_add(s, 0), *b = sim_add(s, 0);
	int fork = sim_mine_many(s, 0, 50, 100);
	int old = sim_mine_many(s, fork, 3, 100), tip;
	uint64_t bytes[2] = { 0, 0 };

	sim_give(a, old);
	sim_link(b, a);
	assert_true(sim_until(b, old, MINUTE));
	sim_run(s, 5000);
	/* Four blocks at once, from below the tip. */
	tip = sim_mine_many(s, fork, 4, 100);
	sim_give(a, tip);
	assert_true(sim_until(b, tip, MINUTE));
	p2p_peers_visit(b->p, announced_by_headers, bytes);
	/* No inv was needed: the peer knew what we have. */
	assert_int_equal(bytes[1], 0);
	/* And a long one, of more than is announced at once. */
	tip = sim_mine_many(s, fork, 40, 100);
	sim_give(a, tip);
	assert_true(sim_until(b, tip, MINUTE));
	assert_int_equal(b->blocks_dup, 0);
}

/* The best chain changes while its blocks are being fetched. */
static void reorganisation_during_download(void **state)
{
	struct sim *s = *state;
	struct sim_node *a = sim_add(s, 0), *b = sim_add(s, 0), *n;
	int fork = sim_mine_many(s, 0, 600, 3000);
	int tip_a = sim_mine_many(s, fork, 400, 3000);
	int tip_b = sim_mine_many(s, fork, 450, 3000);

	s->bytes_per_ms = 50;
	sim_give(a, tip_a);
	n = sim_add(s, 0);
	sim_link(n, a);
	sim_run(s, 45000);
	assert_true(n->tip != tip_a);
	sim_give(b, tip_b);
	sim_link(n, b);
	assert_true(sim_until(n, tip_b, 5 * MINUTE));
	assert_int_equal(sim_open(n), 2);
}

static void weaker_fork_serves_common_part(void **state)
{
	struct sim *s = *state;
	struct sim_node *best = sim_add(s, 0), *fork = sim_add(s, 0), *n;
	int base = sim_mine_many(s, 0, 1000, 5000);
	int tip = sim_mine_many(s, base, 200, 5000);
	int other = sim_mine_many(s, base, 100, 5000);

	s->node_rate[0] = s->node_rate[1] = 50;
	sim_give(best, tip);
	sim_give(fork, other);
	n = sim_add(s, 0);
	sim_link(n, best);
	sim_link(n, fork);
	assert_true(sim_until(n, tip, 5 * MINUTE));
	assert_true(fork->blocks_served > 300);
	assert_in_range(fork->blocks_served + best->blocks_served, 1200,
			1210);
	assert_int_equal(sim_open(n), 2);
}

static void full_queue_only_delays(void **state)
{
	struct sim *s = *state;
	struct sim_node *server = sim_add(s, 0), *n = sim_add(s, 0);
	int tip = sim_mine_many(s, 0, 1000, 100);

	n->queue_max = 2;
	server->queue_max = 2;
	sim_give(server, tip);
	sim_link(n, server);
	sim_run(s, 3000);
	n->chain_stopped = true;
	sim_run(s, 3 * MINUTE);
	assert_true(n->refused > 0);
	n->chain_stopped = false;
	assert_true(sim_until(n, tip, 5 * MINUTE));
	assert_int_equal(n->blocks_in, 1000);
	assert_int_equal(n->blocks_dup, 0);
	assert_int_equal(sim_open(n), 1);
}

static void little_work_never_stored(void **state)
{
	struct sim *s = *state;
	struct sim_node *weak = sim_add(s, 0), *n;
	int tip = sim_mine_many(s, 0, 4500, 10);

	sim_give(weak, tip);
	n = sim_add(s, 5000);
	sim_link(n, weak);
	sim_run(s, MINUTE);
	assert_int_equal(n->best, 0);
	assert_int_equal(n->blocks_in, 0);
	assert_int_equal(n->low_work, 1);
	assert_int_equal(sim_open(n), 1);
}

static void enough_work_after_presync(void **state)
{
	struct sim *s = *state;
	struct sim_node *weak = sim_add(s, 0), *server = sim_add(s, 0), *n;
	int fork = sim_mine_many(s, 0, 500, 10);
	int tip = sim_mine_many(s, fork, 19500, 10);
	int low = sim_mine_many(s, fork, 7000, 10);
	struct p2p_totals t;

	sim_give(weak, low);
	sim_give(server, tip);
	n = sim_add(s, 18000);
	sim_link(n, weak);
	sim_run(s, 2000);
	p2p_totals(n->p, &t);
	assert_true(t.presync_height > 0);
	sim_link(n, server);
	assert_true(sim_until(n, tip, 20 * MINUTE));
	assert_int_equal(n->blocks_in, 20000);
	p2p_totals(n->p, &t);
	assert_int_equal(t.presync_height, -1);
}

static void a_network_agrees(void **state)
{
	struct sim *s = *state;
	struct sim_node *n[8];
	int tip = sim_mine_many(s, 0, 200, 500), i, k, round, at;

	for (i = 0; i < 8; i++)
		n[i] = sim_add(s, 0);
	sim_give(n[0], tip);
	for (i = 0; i < 8; i++)
		for (k = 1; k <= 3; k++)
			if (i != (i * k + k) % 8)
				sim_link(n[i], n[(i * k + k) % 8]);
	sim_run(s, 30000);
	for (round = 0; round < 20; round++) {
		at = (int)prng_below(&s->rng, 8);
		tip = sim_mine(s, n[at]->tip, 500);
		sim_give(n[at], tip);
		sim_run(s, (int64_t)prng_below(&s->rng, 4000));
	}
	sim_run(s, 20000);
	tip = sim_mine(s, n[3]->best, 500);
	sim_give(n[3], tip);
	for (i = 0; i < 8; i++)
		assert_true(sim_until(n[i], tip, MINUTE));
}

static void fetch_one_block_from_a_peer(void **state)
{
	struct sim *s = *state;
	struct sim_node *a = sim_add(s, 0), *n = sim_add(s, 0);
	int tip = sim_mine_many(s, 0, 10, 100), side;
	struct sim_conn *c;

	sim_give(a, tip);
	sim_give(n, sim_mine_many(s, 0, 20, 100));
	sim_link(n, a);
	sim_run(s, 5000);
	c = between(s, n, a);
	side = 0;
	assert_true(p2p_fetch_block(n->p, c->id[side],
				    &s->blocks[tip]->hash));
	sim_run(s, 2000);
	assert_int_equal(n->blocks_in, 1);
	assert_int_equal(a->blocks_served, 1);
	assert_false(p2p_fetch_block(n->p, 4242, &s->blocks[tip]->hash));
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int test_p2p_sync(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(from_one_peer),
		WITH(inbound_peers_serve_too),
		WITH(several_share_the_work),
		WITH(staller_is_found_out),
		WITH(silent_peer_is_left),
		WITH(slow_but_alone_is_kept),
		WITH(slow_ones_are_not_stallers),
		WITH(corrupter_is_dropped),
		WITH(invalid_chain_is_left),
		WITH(new_blocks_travel),
		WITH(reorganisation_is_announced),
		WITH(reorganisation_during_download),
		WITH(weaker_fork_serves_common_part),
		WITH(full_queue_only_delays),
		WITH(little_work_never_stored),
		WITH(enough_work_after_presync),
		WITH(a_network_agrees),
		WITH(fetch_one_block_from_a_peer),
	};

	return cmocka_run_group_tests_name("p2p sync", tests, NULL, NULL);
}
