/*
 * What could tie the connections of one node together.  The adversary here is
 * our outbound peer and knocks at our onion, too: nothing that he says or
 * learns at the one side may show at the other.
 */
#include "config.h"

#include "test_p2p.h"

#include <stdlib.h>
#include <string.h>

#include "p2p/onion.h"
#include "tests/unit/p2p_rig.h"

#define FULL (SERVICE_NETWORK | SERVICE_WITNESS)

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

static void nth_key(uint8_t key[static ONION_KEY_BYTES], unsigned i)
{
	memset(key, 0, ONION_KEY_BYTES);
	key[0] = (uint8_t)i;
	key[1] = (uint8_t)(i >> 8);
}

static void nth_onion(char out[static ONION_TEXT_SIZE], unsigned i)
{
	uint8_t key[ONION_KEY_BYTES];

	nth_key(key, i);
	onion_format(out, key);
}

static void tip(struct rig *r, int height, bool initial_download)
{
	struct tip_event e = { .initial_download = initial_download };

	e.tip.hash = r->params.genesis_hash;
	e.tip.height = height;
	u256_block_work(&e.tip.work, r->params.genesis.bits);
	e.best_header = e.tip;
	e.locator = &r->params.genesis_hash;
	e.locator_n = 1;
	p2p_on_tip(r->p, &e);
}

/* An outbound peer of the book. */
static peer_id dial_nth(struct rig *r, unsigned i)
{
	char onion[ONION_TEXT_SIZE];
	peer_id id;

	nth_onion(onion, i);
	p2p_try_once(r->p, onion, 8333, CONN_OUTBOUND);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	return id;
}

static peer_id stranger(struct rig *r, uint32_t circuit)
{
	peer_id id = rig_knock(r, circuit);

	rig_handshake(r, id, FULL);
	return id;
}

static peer_id friend(struct rig *r)
{
	struct peer_conn c = { .id = ++r->last_id, .door = true,
			       .addr = "door:0" };

	assert_true(p2p_peer_connected(r->p, &c));
	rig_handshake(r, c.id, FULL);
	return c.id;
}

/* ---- the handshake ---- */

static void version_of(struct rig *r, peer_id id, struct msg_version *out)
{
	struct msg m;

	assert_true(rig_find(r, id, MSG_VERSION, &m));
	*out = m.u.version;
}

static void version_says_nothing_of_the_clock(void **state)
{
	struct rig *r = *state;
	struct msg_version v;
	peer_id out;

	tip(r, 7, false);
	r->unix += 17;
	rig_tick(r, 100);
	p2p_try_once(r->p, "host", 8333, CONN_MANUAL);
	out = rig_answer_dial(r);
	version_of(r, out, &v);
	assert_int_equal(v.time_unix, 0);
	assert_int_equal(v.start_height, 7);
	version_of(r, stranger(r, 5), &v);
	assert_int_equal(v.time_unix % 60, 0);
	assert_in_range(v.time_unix, r->unix - 60, r->unix + 60);
}

static void progress_of_the_first_sync_is_not_told(void **state)
{
	struct p2p_options o = { .minimum_chain_work = { { 1, 0, 0, 0 } } };
	struct rig *r;
	struct inv_item item = { INV_BLOCK | INV_WITNESS_FLAG, { 7 } };
	struct bytes items = { 0 };
	struct msg m = { .type = MSG_GETDATA }, got;
	struct msg_version v;
	peer_id id;

	memset(&o.minimum_chain_work, 0x11, sizeof o.minimum_chain_work);
	*state = r = rig_new(&o);
	tip(r, 1234, true);
	id = stranger(r, 5);
	version_of(r, id, &v);
	assert_int_equal(v.start_height, 0);
	inv_item_write(&items, &item);
	m.u.inv.n = 1;
	m.u.inv.items = bytes_span(&items);
	rig_send(r, id, &m);
	assert_true(rig_find(r, id, MSG_NOTFOUND, &got));
	assert_int_equal(r->serve_block_n, 0);
	bytes_clear(&items);
}

/* The number of one connection, said on another, must change nothing. */
static void nonces_are_no_test_for_sameness(void **state)
{
	struct rig *r = *state;
	struct msg_version v;
	peer_id out, in;

	p2p_try_once(r->p, "host", 8333, CONN_MANUAL);
	out = rig_answer_dial(r);
	version_of(r, out, &v);
	in = rig_knock(r, 5);
	rig_send_version(r, in, 70016, FULL, v.nonce);
	assert_false(r->peers[in].closed);
	rig_send_plain(r, in, MSG_VERACK);
	assert_false(r->peers[in].closed);
	assert_false(r->peers[out].closed);
	/* On loopback there is nobody to hide from. */
	in = rig_connect(r, 0);
	rig_send_version(r, in, 70016, FULL, v.nonce);
	assert_true(r->peers[in].closed);
}

/* ---- rhythm ---- */

#define PINGS 20

/* When a peer was pinged, answering each time. */
static void pings(struct rig *r, const peer_id *ids, unsigned n,
		  int64_t at[][PINGS])
{
	struct msg m, pong = { .type = MSG_PONG };
	unsigned seen[4] = { 0 }, i, full = 0;

	while (full < n) {
		rig_tick(r, 1000);
		for (full = i = 0; i < n; i++) {
			while (rig_find(r, ids[i], MSG_PING, &m)) {
				pong.u.nonce = m.u.nonce;
				rig_send(r, ids[i], &pong);
				if (seen[i] < PINGS)
					at[i][seen[i]++] = r->ms;
			}
			full += seen[i] == PINGS;
		}
	}
}

static void pings_keep_no_step(void **state)
{
	struct rig *r = *state;
	peer_id ids[2] = { dial_nth(r, 1), stranger(r, 5) };
	int64_t at[2][PINGS], gap, low = INT64_MAX, high = 0;
	unsigned i, k, together = 0;

	pings(r, ids, 2, at);
	for (i = 0; i < 2; i++) {
		for (k = 2; k < PINGS; k++) {
			gap = at[i][k] - at[i][k - 1];
			assert_in_range(gap, 60000, 181000);
			low = MIN_OF(low, gap);
			high = MAX_OF(high, gap);
		}
	}
	assert_true(high - low > 60000);
	for (k = 2; k < PINGS; k++)
		together += llabs(at[0][k] - at[1][k]) <= 2000;
	assert_true(together < 5);
}

/* ---- addresses ---- */

static void tell(struct rig *r, peer_id id, unsigned first, unsigned n,
		 int64_t age_s, uint64_t services)
{
	uint8_t key[ONION_KEY_BYTES];
	struct addrv2_item item = { .services = services, .net = NET_TORV3,
				    .port = 8333 };
	struct msg m = { .type = MSG_ADDRV2 };
	struct bytes items = { 0 };
	unsigned i;

	item.time = (uint32_t)(r->unix + r->ms / 1000 - age_s);
	item.addr = span_of(key, sizeof key);
	for (i = 0; i < n; i++) {
		nth_key(key, first + i);
		addrv2_item_write(&items, &item);
	}
	m.u.addrv2.n = n;
	m.u.addrv2.items = bytes_span(&items);
	rig_send(r, id, &m);
	bytes_clear(&items);
}

static size_t told(struct rig *r, peer_id id)
{
	struct msg m;
	size_t n = 0;

	while (rig_find(r, id, MSG_ADDRV2, &m))
		n += m.u.addrv2.n;
	return n;
}

static size_t addresses(const struct rig *r)
{
	struct p2p_totals t;

	p2p_totals(r->p, &t);
	return t.addresses;
}

static void gossip_stays_on_its_side(void **state)
{
	char own[ONION_TEXT_SIZE];
	struct rig *r = *state;
	peer_id out[3], in[3], door[2];
	unsigned i;

	nth_onion(own, 901);
	assert_true(p2p_set_local_onion(r->p, own, 8333));
	for (i = 0; i < 3; i++) {
		out[i] = dial_nth(r, 1000 + i);
		tell(r, out[i], 2000 + 100 * i, 12, 3600, FULL);
		in[i] = stranger(r, 5 + i);
		rig_send_plain(r, in[i], MSG_GETADDR);
	}
	for (i = 0; i < 2; i++) {
		door[i] = friend(r);
		rig_send_plain(r, door[i], MSG_GETADDR);
		tell(r, door[i], 1, 1, 3600, FULL);
	}
	rig_tick(r, 40000);
	for (i = 0; i < 3; i++)
		(void)(told(r, in[i]) + told(r, out[i]));
	/* By a stranger: to the two others. */
	tell(r, in[0], 900, 1, 30, FULL);
	rig_tick(r, 61000);
	assert_int_equal(told(r, in[1]) + told(r, in[2]), 2);
	/* Our own address: no exception, it would be one. */
	tell(r, in[0], 901, 1, 30, FULL);
	rig_tick(r, 61000);
	assert_int_equal(told(r, in[1]) + told(r, in[2]), 2);
	for (i = 0; i < 3; i++)
		assert_int_equal(told(r, out[i]), 0);
	/* By one we dialled: to others whom we dialled. */
	tell(r, out[0], 902, 1, 30, FULL);
	rig_tick(r, 61000);
	assert_int_equal(told(r, out[1]) + told(r, out[2]), 2);
	for (i = 0; i < 3; i++)
		assert_int_equal(told(r, in[i]), 0);
	/* Friends at private doors hear nothing from either, nor each other. */
	tell(r, door[0], 903, 1, 30, FULL);
	rig_tick(r, 61000);
	assert_int_equal(told(r, door[0]) + told(r, door[1]), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(told(r, in[i]) + told(r, out[i]), 0);
}

/* Else an onion told at our door and dialled soon after would say whose
 * outbound connection that is. */
static void strangers_do_not_choose_whom_we_dial(void **state)
{
	struct rig *r = *state;
	peer_id in = stranger(r, 5);

	tell(r, in, 1, 1, 30, FULL);
	rig_tick(r, 60000);
	tell(r, in, 1, 5, 30, FULL);
	rig_tick(r, 10 * 60000);
	assert_int_equal(addresses(r), 0);
	assert_int_equal(r->dials_n, 0);
}

/* What strangers get: what more than one has told, and nothing of when. */
static void answers_do_not_show_who_told(void **state)
{
	struct rig *r = *state;
	peer_id a = dial_nth(r, 5000), b = dial_nth(r, 5001), in;
	struct addrv2_item item;
	struct reader rd;
	struct msg m;
	unsigned n, i;
	size_t k, odd = 0;
	int64_t now, first = 0;

	/* 1 to 200 by both, 201 to 400 by one of them, at a time of his
	 * own and with services of his own. */
	tell(r, a, 1, 200, 86400, FULL);
	tell(r, b, 1, 400, 777, FULL | 0x400);
	in = stranger(r, 5);
	rig_send_plain(r, in, MSG_GETADDR);
	assert_true(rig_find(r, in, MSG_ADDRV2, &m));
	assert_in_range(m.u.addrv2.n, 30, 46);   /* 23 % of those */
	now = r->unix + r->ms / 1000;
	rd = reader_of(m.u.addrv2.items);
	for (k = 0; k < m.u.addrv2.n; k++) {
		assert_true(addrv2_item_read(&item, &rd));
		n = item.addr.p[0] + 256u * item.addr.p[1];
		assert_in_range(n, 1, 200);
		assert_int_equal(item.services, FULL);
		assert_in_range(item.time, now - 8 * 86400, now - 40000);
		first = first ? first : item.time;
		odd += item.time != first;
	}
	assert_true(odd > m.u.addrv2.n / 2);
	/* Those whom we dialled, and friends at doors, get nothing. */
	for (i = 0; i < 2; i++) {
		in = i ? friend(r) : a;
		rig_send_plain(r, in, MSG_GETADDR);
		assert_int_equal(told(r, in), 0);
	}
}

/* ---- our own address ---- */

static bool is_own(const struct msg *m, unsigned own)
{
	struct reader rd = reader_of(m->u.addrv2.items);
	struct addrv2_item item;
	uint8_t key[ONION_KEY_BYTES];

	nth_key(key, own);
	return m->u.addrv2.n == 1 && addrv2_item_read(&item, &rd) &&
	       item.time % 60 == 0 &&
	       memcmp(item.addr.p, key, sizeof key) == 0;
}

static void own_address_is_told_apart(void **state)
{
	struct p2p_options o = { .max_outbound = 1 };
	struct rig *r = *state = rig_new(&o);
	struct msg m, pong = { .type = MSG_PONG };
	char own[ONION_TEXT_SIZE], onion[ONION_TEXT_SIZE];
	peer_id out, in, id;
	size_t i, dials;

	nth_onion(own, 77);
	assert_false(p2p_set_local_onion(r->p, "nonsense.onion", 8333));
	assert_true(p2p_set_local_onion(r->p, own, 8333));
	out = dial_nth(r, 1);
	in = stranger(r, 5);
	/* During the first sync nobody is told. */
	tip(r, 5, true);
	nth_onion(onion, 2);
	assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, true),
			 ADDR_ADDED);
	rig_tick(r, 1000);
	for (i = 0; i < r->dials_n; i++)
		assert_int_not_equal(r->dials[i].type, CONN_FEELER);
	dials = r->dials_n;
	tip(r, 5, false);
	rig_tick(r, 1000);
	assert_int_equal(r->dials_n, dials + 1);
	assert_int_equal(r->dials[dials].type, CONN_FEELER);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	assert_true(rig_find(r, id, MSG_ADDRV2, &m));
	assert_true(is_own(&m, 77));
	/* Nothing else is asked there; once heard, it ends. */
	assert_true(rig_find(r, id, MSG_PING, &m));
	pong.u.nonce = m.u.nonce;
	rig_send(r, id, &pong);
	assert_true(r->peers[id].closed);
	assert_int_equal(r->peers[id].reason, CLOSE_DONE);
	assert_int_equal(told(r, out) + told(r, in), 0);
	/* Nobody it is told to may keep the connection. */
	while (r->dials_n == dials + 1)
		rig_tick(r, 1000);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	rig_tick(r, 130000);
	assert_true(r->peers[id].closed);
	assert_int_equal(told(r, out) + told(r, in), 0);
}

static void we_are_not_our_own_peer(void **state)
{
	struct rig *r = *state;
	char own[ONION_TEXT_SIZE];
	peer_id id = dial_nth(r, 77);
	size_t dials = r->dials_n;

	nth_onion(own, 77);
	assert_true(p2p_set_local_onion(r->p, own, 8333));
	assert_true(r->peers[id].closed);
	p2p_try_once(r->p, own, 8333, CONN_MANUAL);
	assert_true(p2p_addnode(r->p, own, 8333));
	rig_tick(r, 60000);
	assert_int_equal(r->dials_n, dials);
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
#define OWN(t) cmocka_unit_test_teardown(t, tear_down)

int test_p2p_links(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(version_says_nothing_of_the_clock),
		OWN(progress_of_the_first_sync_is_not_told),
		WITH(nonces_are_no_test_for_sameness),
		WITH(pings_keep_no_step),
		WITH(gossip_stays_on_its_side),
		WITH(strangers_do_not_choose_whom_we_dial),
		WITH(answers_do_not_show_who_told),
		OWN(own_address_is_told_apart),
		WITH(we_are_not_our_own_peer),
	};

	return cmocka_run_group_tests_name("p2p links", tests, NULL, NULL);
}
