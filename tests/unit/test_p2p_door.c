/*
 * Strangers at the door: what one circuit may do, what it costs those behind
 * it and nobody else, and who gives way when the slots are full.
 */
#include "config.h"

#include "test_p2p.h"

#include <string.h>

#include "tests/unit/p2p_rig.h"

#define FULL (SERVICE_NETWORK | SERVICE_WITNESS)
#define HONEST 50
#define BAD_CIRCUIT 7

static int tear_down(void **state)
{
	if (*state)
		rig_free(*state);
	return 0;
}

static int set_up(void **state)
{
	*state = rig_new(NULL);
	return 0;
}

static peer_id guest(struct rig *r, uint32_t circuit)
{
	peer_id id = rig_knock(r, circuit);

	if (id)
		rig_handshake(r, id, FULL);
	return id;
}

static void make_honest(struct rig *r, peer_id ids[static HONEST])
{
	unsigned i;

	for (i = 0; i < HONEST; i++) {
		ids[i] = guest(r, 100 + i);
		assert_int_not_equal(ids[i], 0);
	}
}

static unsigned open_of(const struct rig *r, const peer_id *ids, unsigned n)
{
	unsigned i, open = 0;

	for (i = 0; i < n; i++)
		open += !r->peers[ids[i]].closed;
	return open;
}

static void junk(struct rig *r, peer_id id)
{
	uint8_t bytes[100];

	memset(bytes, 0x5a, sizeof bytes);
	rig_bytes(r, id, span_of(bytes, sizeof bytes));
}

static void flood(struct rig *r, peer_id id, unsigned n)
{
	struct msg ping = { .type = MSG_PING };

	ping.u.nonce.has_nonce = true;
	while (n-- && !r->peers[id].closed)
		rig_send(r, id, &ping);
}

/* One of five breaks a rule: five go, fifty stay. */
static void abuse_costs_the_whole_circuit(void **state)
{
	struct rig *r = *state;
	peer_id honest[HONEST], bad[5];
	unsigned i;

	for (i = 0; i < 5; i++)
		bad[i] = guest(r, BAD_CIRCUIT);
	make_honest(r, honest);
	junk(r, bad[2]);
	assert_int_equal(open_of(r, bad, 5), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(r->peers[bad[i]].reason, CLOSE_MISBEHAVED);
	assert_int_equal(r->cuts_n, 1);
	assert_int_equal(r->cut_circuit, BAD_CIRCUIT);
	assert_int_equal(open_of(r, honest, HONEST), HONEST);
	/* That circuit does not come back; another does. */
	rig_tick(r, 600);
	assert_int_equal(rig_knock(r, BAD_CIRCUIT), 0);
	assert_int_not_equal(rig_knock(r, BAD_CIRCUIT + 1), 0);
	assert_int_equal(r->cuts_n, 1);
}

static void too_many_connections(void **state)
{
	struct rig *r = *state;
	peer_id honest[HONEST], bad[8];
	unsigned i;

	make_honest(r, honest);
	for (i = 0; i < 8; i++)
		assert_int_not_equal(bad[i] = guest(r, BAD_CIRCUIT), 0);
	assert_int_equal(rig_knock(r, BAD_CIRCUIT), 0);
	assert_int_equal(open_of(r, bad, 8), 8);
	/* A moment later one more may come. */
	rig_tick(r, 25000);
	assert_int_not_equal(guest(r, BAD_CIRCUIT), 0);
	assert_int_equal(r->cuts_n, 0);
	/* Without end: that is an attack. */
	for (i = 0; i < 40; i++)
		assert_int_equal(rig_knock(r, BAD_CIRCUIT), 0);
	assert_int_equal(r->cuts_n, 1);
	assert_int_equal(open_of(r, bad, 8), 0);
	assert_int_equal(open_of(r, honest, HONEST), HONEST);
}

static void too_many_messages(void **state)
{
	struct rig *r = *state;
	peer_id honest[HONEST], bad[2];
	unsigned i;

	make_honest(r, honest);
	for (i = 0; i < 2; i++)
		bad[i] = guest(r, BAD_CIRCUIT);
	/* Lively, but no more than that: minutes of it do no harm. */
	for (i = 0; i < 300; i++) {
		flood(r, honest[0], 50);
		rig_tick(r, 1000);
	}
	assert_int_equal(open_of(r, honest, HONEST), HONEST);
	/* Two share the burst. */
	flood(r, bad[0], 2000);
	flood(r, bad[1], 2000);
	assert_int_equal(open_of(r, bad, 2), 2);
	flood(r, bad[1], 1100);
	assert_int_equal(open_of(r, bad, 2), 0);
	assert_int_equal(r->cut_circuit, BAD_CIRCUIT);
	assert_int_equal(open_of(r, honest, HONEST), HONEST);
}

/* Many bytes are no crime: they wait. */
static void too_many_bytes(void **state)
{
	struct rig *r = *state;
	peer_id a = guest(r, BAD_CIRCUIT), b = guest(r, BAD_CIRCUIT),
		other = guest(r, 8);
	struct bytes big = { 0 };
	size_t at = wire_begin(&big, r->params.magic, MSG_TX), i;

	memcpy(big.p + 4, "novelty\0\0\0\0\0", 12);
	for (i = 0; i < 8 * 39000; i++)
		bytes_append(&big, r->params.magic, 4);
	wire_end(&big, at);
	assert_true(big.n > 1000000);
	for (i = 0; i < 8; i++) {
		rig_bytes(r, a, bytes_span(&big));
		rig_bytes(r, b, bytes_span(&big));
		assert_true(i >= 6 || !r->peers[a].stopped);
	}
	assert_true(r->peers[b].stopped);
	assert_false(r->peers[other].stopped);
	rig_tick(r, 6000);
	assert_false(r->peers[b].stopped);
	assert_int_equal(r->cuts_n, 0);
	bytes_clear(&big);
}

/* ---- full ---- */

static void handshakes_are_few_at_a_time(void **state)
{
	struct p2p_options o = { .max_inbound = 100 };
	struct rig *r = *state = rig_new(&o);
	peer_id honest[HONEST], open[40];
	unsigned i, n = 0;

	make_honest(r, honest);
	for (i = 0; i < 40; i++) {
		open[n] = rig_knock(r, 1000 + i);
		n += open[n] != 0;
	}
	assert_int_equal(n, 25);
	/* Those who dawdle give way to others. */
	rig_tick(r, 6000);
	for (i = 0; i < 10; i++)
		assert_int_not_equal(rig_knock(r, 2000 + i), 0);
	assert_int_equal(open_of(r, open, n), 15);
	assert_int_equal(open_of(r, honest, HONEST), HONEST);
	assert_int_equal(r->cuts_n, 0);
}

static void crowded_circuits_give_way_first(void **state)
{
	struct p2p_options o = { .max_inbound = HONEST + 4 };
	struct rig *r = *state = rig_new(&o);
	peer_id honest[HONEST], crowd[3], pair, late[5];
	unsigned i;

	for (i = 0; i < 3; i++)
		crowd[i] = guest(r, BAD_CIRCUIT);
	pair = guest(r, 8);
	make_honest(r, honest);
	for (i = 0; i < 2; i++)
		assert_int_not_equal(late[i] = guest(r, 1000 + i), 0);
	assert_true(r->peers[crowd[2]].closed);
	assert_true(r->peers[crowd[1]].closed);
	assert_false(r->peers[crowd[0]].closed);
	assert_false(r->peers[pair].closed);
	assert_int_equal(open_of(r, honest, HONEST), HONEST);
}

static void pong(struct rig *r, peer_id id)
{
	struct msg m, p = { .type = MSG_PONG };

	while (rig_find(r, id, MSG_PING, &m)) {
		p.u.nonce = m.u.nonce;
		rig_send(r, id, &p);
	}
}

/* Fifty have been here for a while; two hundred come to push them out. */
static void the_best_are_kept(void **state)
{
	struct p2p_options o = { .max_inbound = HONEST };
	struct rig *r = *state = rig_new(&o);
	peer_id honest[HONEST], id;
	unsigned i, in = 0, quick = 0, old = 0;

	make_honest(r, honest);
	/* The last eight answer at once, the others late. */
	for (i = HONEST - 8; i < HONEST; i++)
		pong(r, honest[i]);
	rig_tick(r, 2000);
	for (i = 0; i < HONEST - 8; i++)
		pong(r, honest[i]);
	rig_tick(r, 60000);
	for (i = 0; i < 200; i++) {
		id = guest(r, 1000 + i);
		in += id != 0;
		rig_tick(r, 500);
		if (id && !r->peers[id].closed)
			pong(r, id);
	}
	for (i = 0; i < HONEST; i++) {
		if (r->peers[honest[i]].closed)
			continue;
		quick += i >= HONEST - 8;
		old += i < 20;
	}
	assert_true(in > 190);   /* the door is never shut */
	assert_int_equal(quick, 8);
	assert_int_equal(old, 20);
	assert_int_equal(r->cuts_n, 0);
}

static void one_with_a_new_block(const struct peer_info *info, void *arg)
{
	unsigned *n = arg;

	*n += info->last_block != 0;
}

static void useful_ones_are_kept(void **state)
{
	struct p2p_options o = { .max_inbound = 20 };
	struct rig *r = *state = rig_new(&o);
	peer_id ids[20];
	struct block_reply reply = { .verdict = VERDICT_OK, .reason = "",
				     .is_new = true, .height = 1 };
	struct msg m = { .type = MSG_BLOCK };
	struct bytes raw = { 0 };
	unsigned i, n = 0;

	rig_tip_genesis(r);
	for (i = 0; i < 20; i++)
		ids[i] = guest(r, 100 + i);
	/* The youngest of them brings a block. */
	block_header_write(&raw, &r->params.genesis);
	bytes_append(&raw, "more", 4);
	m.u.raw = bytes_span(&raw);
	rig_send(r, ids[19], &m);
	reply.peer = ids[19];
	reply.hash = r->block_hash;
	p2p_on_block_result(r->p, &reply);
	bytes_clear(&raw);
	p2p_peers_visit(r->p, one_with_a_new_block, &n);
	assert_int_equal(n, 1);
	for (i = 0; i < 60; i++) {
		assert_int_not_equal(guest(r, 1000 + i), 0);
		rig_tick(r, 200);
	}
	assert_false(r->peers[ids[19]].closed);
	assert_true(r->peers[ids[18]].closed);
}

/* ---- trusted peers ---- */

static peer_id friend(struct rig *r)
{
	struct peer_conn c = { .id = ++r->last_id, .door = true,
			       .addr = "kim.trusted:0" };

	assert_true(p2p_peer_connected(r->p, &c));
	return c.id;
}

static void friends_have_places_of_their_own(void **state)
{
	struct p2p_options o = { .max_inbound = 20 };
	struct rig *r = *state = rig_new(&o);
	peer_id old = friend(r), id;
	unsigned i, in = 0;

	rig_handshake(r, old, FULL);
	for (i = 0; i < 20; i++)
		in += guest(r, 100 + i) != 0;
	/* The friend's place is not one of the twenty. */
	assert_int_equal(in, 20);
	for (i = 1; i <= r->last_id; i++)
		assert_false(r->peers[i].closed);
	/* All is full; strangers come and go, and friends stay. */
	for (i = 0; i < 60; i++) {
		assert_int_not_equal(guest(r, 1000 + i), 0);
		rig_tick(r, 200);
	}
	assert_false(r->peers[old].closed);
	/* One more friend comes in though strangers dawdle at the door. */
	for (i = 0; i < 40; i++)
		(void)rig_knock(r, 2000 + i);
	id = friend(r);
	rig_handshake(r, id, FULL);
	assert_false(r->peers[id].closed);
	assert_false(r->peers[old].closed);
}

static void friends_that_break_rules_go_like_others(void **state)
{
	struct rig *r = *state;
	peer_id id = friend(r), stranger;

	rig_handshake(r, id, FULL);
	stranger = guest(r, 100);
	junk(r, id);
	assert_true(r->peers[id].closed);
	assert_int_equal(r->peers[id].reason, CLOSE_MISBEHAVED);
	assert_false(r->peers[stranger].closed);
}

static void friends_are_followed_first(void **state)
{
	struct rig *r = *state;
	peer_id stranger = guest(r, 100), id = friend(r);
	struct msg m;

	rig_handshake(r, id, FULL);
	rig_tip_genesis(r);
	rig_tick(r, 100);
	assert_true(rig_find(r, id, MSG_GETHEADERS, &m));
	assert_false(rig_find(r, stranger, MSG_GETHEADERS, &m));
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
#define OWN(t) cmocka_unit_test_teardown(t, tear_down)

int test_p2p_door(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(abuse_costs_the_whole_circuit),
		WITH(too_many_connections),
		WITH(too_many_messages),
		WITH(too_many_bytes),
		OWN(handshakes_are_few_at_a_time),
		OWN(crowded_circuits_give_way_first),
		OWN(the_best_are_kept),
		OWN(useful_ones_are_kept),
		OWN(friends_have_places_of_their_own),
		WITH(friends_that_break_rules_go_like_others),
		WITH(friends_are_followed_first),
	};

	return cmocka_run_group_tests_name("p2p door", tests, NULL, NULL);
}
