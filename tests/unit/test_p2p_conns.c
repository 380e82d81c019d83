/*
 * Which connections are made, kept and ended; addresses given and taken.
 */
#include "config.h"

#include "test_p2p.h"

#include <stdio.h>
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

static void nth_onion(char out[static ONION_TEXT_SIZE], unsigned i)
{
	uint8_t key[ONION_KEY_BYTES] = { (uint8_t)i, (uint8_t)(i >> 8), 9 };

	onion_format(out, key);
}

static void connect_only_these(void **state)
{
	struct p2p_host hosts[2] = { { "alpha", 1 }, { "beta", 2 } };
	struct p2p_options o = { .connect = hosts, .connect_n = 2,
				 .connect_only = true, .seed = hosts,
				 .seed_n = 2 };
	struct rig *r = *state = rig_new(&o);
	char onion[ONION_TEXT_SIZE];

	nth_onion(onion, 1);
	assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, false),
			 ADDR_ADDED);
	rig_tick(r, 20000);
	assert_int_equal(r->dials_n, 2);
	assert_string_equal(r->dials[0].host, "alpha");
	assert_string_equal(r->dials[1].host, "beta");
	assert_int_equal(r->dials[1].port, 2);
	assert_int_equal(r->dials[1].type, CONN_MANUAL);
}

static void retries_with_growing_pauses(void **state)
{
	struct p2p_host host = { "alpha", 1 };
	struct p2p_options o = { .connect = &host, .connect_n = 1,
				 .connect_only = true };
	struct rig *r = *state = rig_new(&o);
	int64_t before, pause, last = 0;
	unsigned i;
	peer_id id;

	rig_tick(r, 100);
	for (i = 0; i < 12; i++) {
		assert_int_equal(r->dials_n, i + 1);
		p2p_dial_failed(r->p, r->dials[i].id, FAILURE_REFUSED, "");
		before = r->ms;
		while (r->dials_n == i + 1)
			rig_tick(r, 1000);
		pause = r->ms - before;
		if (i > 0 && i < 8)
			assert_true(pause > last);
		assert_true(pause < 13 * 60000);
		last = pause;
	}
	assert_true(last > 7 * 60000);
	/* Once it worked, the next try comes soon. */
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	p2p_peer_closed(r->p, id);
	i = (unsigned)r->dials_n;
	rig_tick(r, 2000);
	assert_int_equal(r->dials_n, i + 1);
}

static void count_added(const struct added_node *n, void *arg)
{
	peer_id *connected = arg;

	assert_string_equal(n->host, "gamma");
	*connected = n->peer;
}

static void addnode_added_and_removed(void **state)
{
	struct rig *r = *state;
	peer_id id, connected = 99;

	assert_true(p2p_addnode(r->p, "gamma", 8333));
	assert_false(p2p_addnode(r->p, "GAMMA", 8333));
	p2p_added_visit(r->p, count_added, &connected);
	assert_int_equal(connected, 0);
	rig_tick(r, 100);
	assert_int_equal(r->dials_n, 1);
	id = rig_answer_dial(r);
	p2p_added_visit(r->p, count_added, &connected);
	assert_int_equal(connected, id);
	assert_false(p2p_addnode_remove(r->p, "delta", 8333));
	assert_true(p2p_addnode_remove(r->p, "gamma", 8333));
	assert_false(p2p_addnode_remove(r->p, "gamma", 8333));
	/* The connection stays, but does not come back. */
	assert_false(r->peers[id].closed);
	p2p_peer_closed(r->p, id);
	rig_tick(r, 30000);
	assert_int_equal(r->dials_n, 1);
}

static void add_onions(struct rig *r, unsigned from, unsigned n)
{
	char onion[ONION_TEXT_SIZE];
	unsigned i;

	for (i = from; i < from + n; i++) {
		nth_onion(onion, i);
		assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, false),
				 ADDR_ADDED);
	}
}

static void slots_are_filled_from_the_book(void **state)
{
	struct p2p_options o = { .max_outbound = 3 };
	struct rig *r = *state = rig_new(&o);
	unsigned i, j, feelers = 0;
	peer_id id;

	add_onions(r, 0, 40);
	/* More are dialled than there are slots: many may be dead. */
	rig_tick(r, 5000);
	assert_int_equal(r->dials_n, 9);
	for (i = 0; i < 9; i++) {
		assert_int_equal(r->dials[i].type, CONN_OUTBOUND);
		for (j = 0; j < i; j++)
			assert_string_not_equal(r->dials[i].host,
						r->dials[j].host);
	}
	/* One fails: another is tried. */
	p2p_dial_failed(r->p, r->dials[0].id, FAILURE_TIMEOUT, "");
	rig_tick(r, 2000);
	assert_int_equal(r->dials_n, 10);
	for (i = 1; i < 4; i++) {
		id = rig_connect(r, r->dials[i].id);
		rig_handshake(r, id, FULL);
		assert_false(r->peers[id].closed);
	}
	/* Those who come too late are met and left. */
	for (i = 4; i < 10; i++) {
		id = rig_connect(r, r->dials[i].id);
		assert_int_not_equal(id, 0);
		rig_send_version(r, id, 70016, FULL, 1);
		assert_true(r->peers[id].closed);
		assert_int_equal(r->peers[id].reason, CLOSE_DONE);
	}
	rig_tick(r, 200000);
	for (i = 10; i < r->dials_n; i++)
		feelers += r->dials[i].type == CONN_FEELER;
	assert_int_equal(feelers, r->dials_n - 10);
	assert_int_equal(feelers, 1);
	/* A feeler is left as soon as it answered. */
	id = rig_answer_dial(r);
	rig_send_version(r, id, 70016, FULL, 1);
	assert_true(r->peers[id].closed);
	assert_int_equal(r->peers[id].reason, CLOSE_DONE);
}

static void send_addrs(struct rig *r, peer_id id, unsigned from, unsigned n,
		       uint8_t net)
{
	struct addrv2_item item = { .time = 1700000000, .services = FULL,
				    .net = net, .port = 8333 };
	struct msg m = { .type = MSG_ADDRV2 };
	struct bytes items = { 0 };
	uint8_t key[ONION_KEY_BYTES] = { 0 };
	unsigned i;

	item.addr = span_of(key, net == NET_IPV4 ? 4 : sizeof key);
	for (i = from; i < from + n; i++) {
		key[0] = (uint8_t)i;
		key[1] = (uint8_t)(i >> 8);
		addrv2_item_write(&items, &item);
	}
	m.u.addrv2.n = n;
	m.u.addrv2.items = bytes_span(&items);
	rig_send(r, id, &m);
	bytes_clear(&items);
}

static size_t addresses(const struct rig *r)
{
	struct p2p_totals t;

	p2p_totals(r->p, &t);
	return t.addresses;
}

static void seeds_are_asked_and_left(void **state)
{
	struct p2p_host hosts[3] = { { "seed1", 1 }, { "seed2", 1 },
				     { "seed3", 1 } };
	struct p2p_options o = { .seed = hosts, .seed_n = 3,
				 .no_outbound = true };
	struct rig *r = *state = rig_new(&o);
	struct msg m;
	peer_id id;

	rig_tick(r, 100);
	assert_int_equal(r->dials_n, 1);
	assert_int_equal(r->dials[0].type, CONN_ADDR_FETCH);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	assert_true(rig_find(r, id, MSG_GETADDR, &m));
	send_addrs(r, id, 0, 1, NET_TORV3);
	assert_false(r->peers[id].closed);
	send_addrs(r, id, 1, 500, NET_TORV3);
	assert_true(r->peers[id].closed);
	assert_int_equal(r->peers[id].reason, CLOSE_DONE);
	/* Not all: one source has its share of places. */
	assert_in_range(addresses(r), 430, 501);
	/* Enough: the other seeds are left in peace. */
	rig_tick(r, 60000);
	assert_int_equal(r->dials_n, 1);
}

/* First contact: names only where nothing at all is known, then several. */
static void seed_names_at_first_contact_only(void **state)
{
	static const struct p2p_host names[6] = {
		{ "a.example", 8333 }, { "b.example", 8333 },
		{ "c.example", 8333 }, { "d.example", 8333 },
		{ "e.example", 8333 }, { "f.example", 8333 },
	};
	struct p2p_options o = { .seed_name = names, .seed_name_n = 6,
				 .no_outbound = true };
	struct rig *r = *state = rig_new(&o);
	unsigned i, j;
	peer_id id;

	for (i = 0; i < 4; i++) {
		while (r->dials_n == i)
			rig_tick(r, 1000);
		assert_int_equal(r->dials_n, i + 1);
		assert_true(r->dials[i].seed_name);
		assert_int_equal(r->dials[i].type, CONN_ADDR_FETCH);
		for (j = 0; j < i; j++)
			assert_string_not_equal(r->dials[i].host,
						r->dials[j].host);
		id = rig_answer_dial(r);
		rig_handshake(r, id, FULL);
		send_addrs(r, id, 200 * i, 200, NET_TORV3);
		assert_true(r->peers[id].closed);
	}
	assert_in_range(addresses(r), 500, 800);
	rig_tick(r, 30 * 60000);
	assert_int_equal(r->dials_n, 4);
}

static void seed_names_wait_for_better(void **state)
{
	static const struct p2p_host name = { "a.example", 8333 };
	char onion[ONION_TEXT_SIZE];
	struct p2p_host mine = { onion, 8333 };
	struct p2p_options o = { .seed_name = &name, .seed_name_n = 1,
				 .no_outbound = true };
	struct rig *r = rig_new(&o);
	peer_id id;

	/* Something is known: no name is asked. */
	nth_onion(onion, 1);
	assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, false),
			 ADDR_ADDED);
	rig_tick(r, 10 * 60000);
	assert_int_equal(r->dials_n, 0);
	rig_free(r);
	/* The owner named somebody, who gets a minute. */
	o.seed = &mine;
	o.seed_n = 1;
	r = rig_new(&o);
	rig_tick(r, 50000);
	assert_int_equal(r->dials_n, 1);
	assert_false(r->dials[0].seed_name);
	rig_tick(r, 20000);
	assert_int_equal(r->dials_n, 2);
	assert_true(r->dials[1].seed_name);
	/* A seed without onions does not count: it is asked again. */
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	send_addrs(r, id, 0, 200, NET_IPV4);
	assert_true(r->peers[id].closed);
	rig_tick(r, 20 * 60000);
	assert_int_equal(addresses(r), 0);
	assert_string_equal(r->dials[r->dials_n - 1].host, "a.example");
	assert_int_equal(r->dials_n, 3);
	rig_free(r);
	/* With -connect nobody else is asked. */
	o.connect_only = true;
	r = *state = rig_new(&o);
	rig_tick(r, 10 * 60000);
	assert_int_equal(r->dials_n, 0);
}

static void silent_seed_is_left(void **state)
{
	struct p2p_host host = { "seed1", 1 };
	struct p2p_options o = { .seed = &host, .seed_n = 1 };
	struct rig *r = *state = rig_new(&o);
	peer_id id;

	rig_tick(r, 100);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	rig_tick(r, 130000);
	assert_true(r->peers[id].closed);
	assert_int_equal(r->dials_n, 1);
	rig_tick(r, 15 * 60000);
	assert_int_equal(r->dials_n, 2);
}

static void only_onions_at_a_bounded_rate(void **state)
{
	struct rig *r = *state;
	peer_id out = rig_outbound(r);
	size_t asked;

	/* Asked with getaddr: a thousand, but of onions. */
	send_addrs(r, out, 1000, 500, NET_IPV4);
	assert_int_equal(addresses(r), 0);
	send_addrs(r, out, 1000, 501, NET_TORV3);
	asked = addresses(r);
	assert_in_range(asked, 450, 501);
	/* Unasked: the rest of the thousand, then one in ten seconds. */
	send_addrs(r, out, 3000, 1000, NET_TORV3);
	asked = addresses(r);
	send_addrs(r, out, 4000, 1000, NET_TORV3);
	assert_int_equal(addresses(r), asked);
	rig_tick(r, 100000);
	send_addrs(r, out, 5000, 50, NET_TORV3);
	assert_in_range(addresses(r), asked + 5, asked + 11);
}

static void getaddr_answered_once(void **state)
{
	struct rig *r = *state;
	char onion[ONION_TEXT_SIZE];
	struct msg m;
	peer_id a, b, out;
	struct bytes first = { 0 };
	unsigned i;

	for (i = 0; i < 200; i++) {
		nth_onion(onion, i);
		assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, false),
			 ADDR_ADDED);
	}
	a = rig_inbound(r);
	b = rig_inbound(r);
	out = rig_outbound(r);
	rig_send_plain(r, a, MSG_GETADDR);
	assert_true(rig_find(r, a, MSG_ADDRV2, &m));
	assert_int_equal(m.u.addrv2.n, 46);      /* 23 % */
	bytes_append(&first, m.u.addrv2.items.p, m.u.addrv2.items.n);
	rig_send_plain(r, a, MSG_GETADDR);
	assert_false(rig_find(r, a, MSG_ADDRV2, &m));
	/* All that day everybody gets the same. */
	rig_tick(r, 20 * 60 * 1000);
	b = rig_inbound(r);
	rig_send_plain(r, b, MSG_GETADDR);
	assert_true(rig_find(r, b, MSG_ADDRV2, &m));
	assert_true(span_eq(bytes_span(&first), m.u.addrv2.items));
	/* Outbound peers get none. */
	rig_send_plain(r, out, MSG_GETADDR);
	assert_false(rig_find(r, out, MSG_ADDRV2, &m));
	bytes_clear(&first);
}

static void inbound_has_a_limit(void **state)
{
	struct p2p_options o = { .max_inbound = 3 };
	struct rig *r = *state = rig_new(&o);
	peer_id id = 0;
	unsigned i;

	for (i = 0; i < 3; i++)
		assert_int_not_equal(id = rig_connect(r, 0), 0);
	assert_int_equal(rig_connect(r, 0), 0);
	p2p_peer_closed(r->p, id);
	assert_int_not_equal(rig_connect(r, 0), 0);
	/* A dial nobody asked for is not let in either. */
	assert_int_equal(rig_connect(r, 4242), 0);
}

static void network_off_and_on(void **state)
{
	struct rig *r = *state;
	peer_id in = rig_inbound(r), out = rig_outbound(r);
	size_t dials;

	assert_true(p2p_addnode(r->p, "gamma", 8333));
	rig_tick(r, 100);
	dials = r->dials_n;
	p2p_set_active(r->p, false);
	assert_false(p2p_active(r->p));
	assert_true(r->peers[in].closed && r->peers[out].closed);
	/* A dial that was under way comes too late. */
	assert_int_equal(rig_answer_dial(r), 0);
	assert_int_equal(rig_connect(r, 0), 0);
	rig_tick(r, 30000);
	assert_int_equal(r->dials_n, dials);
	p2p_set_active(r->p, true);
	rig_tick(r, 30000);
	assert_int_equal(r->dials_n, dials + 1);
}

static void disconnects_as_told(void **state)
{
	struct rig *r = *state;
	peer_id a = rig_inbound(r), b = rig_outbound(r), c = rig_inbound(r);

	assert_true(p2p_disconnect(r->p, a));
	assert_false(p2p_disconnect(r->p, a));
	assert_true(r->peers[a].closed);
	assert_int_equal(r->peers[a].reason, CLOSE_ASKED);
	assert_false(p2p_disconnect_addr(r->p, "host"));
	assert_true(p2p_disconnect_addr(r->p, r->dials[0].host));
	assert_true(r->peers[b].closed);
	assert_true(p2p_disconnect_addr(r->p, "test:1"));
	assert_true(r->peers[c].closed);
	/* Closing it again from below is no error. */
	p2p_peer_closed(r->p, c);
}

static void misbehaving_address_forgotten(void **state)
{
	struct rig *r = *state;
	char onion[ONION_TEXT_SIZE];
	peer_id id;

	nth_onion(onion, 5);
	assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, false),
			 ADDR_ADDED);
	rig_tick(r, 1000);
	assert_int_equal(r->dials_n, 1);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	assert_int_equal(addresses(r), 1);
	rig_bytes(r, id, span_of("\xfa\xbf\xb5\xdaheaders\0\0\0\0\0"
				 "\1\0\0\0\x14\x06\xe0\x58\x01", 25));
	assert_false(r->peers[id].closed);      /* the checksum is wrong */
	send_addrs(r, id, 0, 1001, NET_TORV3);
	assert_true(r->peers[id].closed);
	assert_int_equal(addresses(r), 0);
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
#define OWN(t) cmocka_unit_test_teardown(t, tear_down)

int test_p2p_conns(void)
{
	static const struct CMUnitTest tests[] = {
		OWN(connect_only_these),
		OWN(retries_with_growing_pauses),
		WITH(addnode_added_and_removed),
		OWN(slots_are_filled_from_the_book),
		OWN(seeds_are_asked_and_left),
		OWN(seed_names_at_first_contact_only),
		OWN(seed_names_wait_for_better),
		OWN(silent_seed_is_left),
		WITH(only_onions_at_a_bounded_rate),
		WITH(getaddr_answered_once),
		OWN(inbound_has_a_limit),
		WITH(network_off_and_on),
		WITH(disconnects_as_told),
		WITH(misbehaving_address_forgotten),
	};

	return cmocka_run_group_tests_name("p2p conns", tests, NULL, NULL);
}
