/*
 * Addresses between peers, and what dialling makes of them: gossip, anchors,
 * kinds of failure, time allowed, slots filled from a book of dead onions,
 * circuits renewed.
 */
#include "config.h"

#include "test_p2p.h"

#include <stdio.h>
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

static void add_onions(struct rig *r, unsigned n)
{
	char onion[ONION_TEXT_SIZE];
	unsigned i;

	for (i = 0; i < n; i++) {
		nth_onion(onion, i);
		assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, false),
				 ADDR_ADDED);
	}
}

static size_t addresses(const struct rig *r)
{
	struct p2p_totals t;

	p2p_totals(r->p, &t);
	return t.addresses;
}

static int64_t now(const struct rig *r)
{
	return r->unix + r->ms / 1000;
}

/* ---- gossip ---- */

static void tell(struct rig *r, peer_id id, uint8_t first, unsigned n,
		 int64_t age_s, uint8_t net)
{
	uint8_t key[ONION_KEY_BYTES] = { 0, 7 };
	struct addrv2_item item = { .time = (uint32_t)(now(r) - age_s),
				    .services = FULL, .net = net,
				    .port = 8333 };
	struct msg m = { .type = MSG_ADDRV2 };
	struct bytes items = { 0 };
	unsigned i;

	item.addr = span_of(key, net == NET_TORV3 ? 32 :
			    net == NET_I2P ? 32 : net == NET_IPV4 ? 4 : 16);
	for (i = 0; i < n; i++) {
		key[0] = (uint8_t)(first + i);
		addrv2_item_write(&items, &item);
	}
	m.u.addrv2.n = n;
	m.u.addrv2.items = bytes_span(&items);
	rig_send(r, id, &m);
	bytes_clear(&items);
}

/* How many addresses a peer was sent since. */
static size_t told(struct rig *r, peer_id id)
{
	struct msg m;
	size_t n = 0;

	while (rig_find(r, id, MSG_ADDRV2, &m))
		n += m.u.addrv2.n;
	return n;
}

/* Inbound peers that take part in gossip: they have asked for addresses. */
static void make_peers(struct rig *r, peer_id *ids, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		ids[i] = rig_inbound(r);
		rig_send_plain(r, ids[i], MSG_GETADDR);
	}
	rig_tick(r, 20000);      /* room in the token buckets */
}

static void fresh_addresses_go_to_two(void **state)
{
	struct rig *r = *state;
	peer_id ids[6];
	size_t first[6], all = 0;
	unsigned i;

	make_peers(r, ids, 6);
	tell(r, ids[0], 1, 1, 30, NET_TORV3);
	/* Not at once: when it is passed on tells nothing of who said it. */
	assert_int_equal(told(r, ids[1]) + told(r, ids[2]) +
			 told(r, ids[3]) + told(r, ids[4]) +
			 told(r, ids[5]), 0);
	rig_tick(r, 61000);
	for (i = 0; i < 6; i++)
		all += first[i] = told(r, ids[i]);
	assert_int_equal(all, 2);
	assert_int_equal(first[0], 0);
	/* Said again by others it goes to the same two, who have it. */
	for (i = 1; i < 6; i++)
		tell(r, ids[i], 1, 1, 30, NET_TORV3);
	rig_tick(r, 61000);
	for (i = 0; i < 6; i++)
		assert_in_range(told(r, ids[i]), 0, i == 0 ? 1 : 0);
}

static void what_is_not_passed_on(void **state)
{
	static const uint8_t others[] = { NET_IPV4, NET_IPV6, NET_TORV2,
					  NET_I2P, NET_CJDNS, 77 };
	struct rig *r = *state;
	peer_id ids[4];
	size_t known;
	unsigned i;

	for (i = 0; i < 4; i++) {
		ids[i] = rig_outbound(r);
		tell(r, ids[i], (uint8_t)(200 + 2 * i), 2, 3600, NET_TORV3);
	}
	known = addresses(r);
	assert_int_equal(known, 8);
	/* Of other networks: neither kept nor told. */
	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i] != NET_TORV2)
			tell(r, ids[0], 1, 1, 30, others[i]);
	rig_tick(r, 61000);
	assert_int_equal(addresses(r), known);
	/* Old ones, and whole answers: kept, not told. */
	tell(r, ids[0], 10, 5, 3600, NET_TORV3);
	tell(r, ids[1], 20, 12, 30, NET_TORV3);
	rig_tick(r, 61000);
	assert_int_equal(addresses(r), known + 17);
	for (i = 0; i < 4; i++)
		assert_int_equal(told(r, ids[i]), 0);
}

/* ---- anchors ---- */

static peer_id from_book(struct rig *r, unsigned i)
{
	char onion[ONION_TEXT_SIZE];
	peer_id id;

	nth_onion(onion, i);
	p2p_try_once(r->p, onion, 8333, CONN_OUTBOUND);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	return id;
}

static void anchors_come_first(void **state)
{
	struct rig *r = rig_new(NULL), *s = *state;
	struct bytes file = { 0 }, none = { 0 };
	char onion[2][ONION_TEXT_SIZE];
	unsigned i;

	p2p_anchors_write(r->p, &none);
	assert_int_equal(none.n, 0);
	bytes_clear(&none);
	rig_outbound(r);         /* the owner's own choice is no anchor */
	for (i = 1000; i < 1003; i++)
		from_book(r, i);
	p2p_anchors_write(r->p, &file);
	rig_free(r);
	/* Into another engine, with a book. */
	add_onions(s, 50);
	for (i = 0; i < file.n; i += 7) {
		file.p[i] ^= 1;
		assert_non_null(p2p_anchors_read(s->p, bytes_span(&file)));
		file.p[i] ^= 1;
		assert_non_null(p2p_anchors_read(s->p, span_of(file.p, i)));
	}
	assert_null(p2p_anchors_read(s->p, bytes_span(&file)));
	rig_tick(s, 1000);
	nth_onion(onion[0], 1000);
	nth_onion(onion[1], 1001);
	assert_true(s->dials_n > 2);
	assert_string_equal(s->dials[0].host, onion[1]);
	assert_string_equal(s->dials[1].host, onion[0]);
	assert_int_equal(s->dials[0].type, CONN_OUTBOUND);
	bytes_clear(&file);
}

/* ---- failures ---- */

static unsigned dials_of(const struct rig *r, const char *host, size_t from)
{
	unsigned n = 0;

	for (; from < r->dials_n; from++)
		n += strcmp(r->dials[from].host, host) == 0;
	return n;
}

/* Fail the one dial there is; then: how often is it tried within ms? */
static unsigned tries_after(struct rig *r, enum dial_failure f, int64_t ms)
{
	struct rig_dial d = r->dials[r->dials_n - 1];
	size_t from = r->dials_n;

	p2p_dial_failed(r->p, d.id, f, "");
	rig_tick(r, ms);
	return dials_of(r, d.host, from);
}

static void kinds_of_failure(void **state)
{
	struct rig *r = *state;
	const int64_t minute = 60000;

	add_onions(r, 1);
	rig_tick(r, 100);
	assert_int_equal(r->dials_n, 1);
	/* Ours: soon again, as often as it takes. */
	assert_int_equal(tries_after(r, FAILURE_NO_TOR, 4000), 0);
	rig_tick(r, 2000);
	assert_int_equal(r->dials_n, 2);
	/* There is no way just now: minutes. */
	assert_int_equal(tries_after(r, FAILURE_UNREACHABLE, minute), 0);
	rig_tick(r, 2 * minute);
	assert_int_equal(r->dials_n, 3);
	/* Nobody there: half an hour and more. */
	assert_int_equal(tries_after(r, FAILURE_NOT_FOUND, 25 * minute), 0);
	rig_tick(r, 80 * minute);
	assert_int_equal(r->dials_n, 4);
	assert_int_equal(tries_after(r, FAILURE_AUTH, 600 * minute), 0);
	assert_int_equal(addresses(r), 1);
	rig_tick(r, 900 * minute);
	assert_int_equal(r->dials_n, 5);
	/* It can never work. */
	assert_int_equal(tries_after(r, FAILURE_BAD_ADDRESS, minute), 0);
	assert_int_equal(addresses(r), 0);
}

static void waits_for_tor(void **state)
{
	char onion[ONION_TEXT_SIZE];
	struct p2p_host added = { onion, 8333 };
	struct p2p_options o = { .addnode = &added, .addnode_n = 1,
				 .no_outbound = true };
	struct rig *r;
	unsigned i;

	nth_onion(onion, 500);
	r = *state = rig_new(&o);
	p2p_set_tor_ready(r->p, false);
	rig_tick(r, 60000);
	assert_int_equal(r->dials_n, 0);
	p2p_set_tor_ready(r->p, true);
	rig_tick(r, 100);
	assert_int_equal(r->dials_n, 1);
	assert_string_equal(r->dials[0].host, onion);
	/* It fails again and again: a long pause.  Then tor was away. */
	for (i = 1; i < 10; i++) {
		p2p_dial_failed(r->p, r->dials[i - 1].id, FAILURE_TIMEOUT,
				"");
		rig_tick(r, 13 * 60000);
		assert_int_equal(r->dials_n, i + 1);
	}
	p2p_set_tor_ready(r->p, false);
	p2p_dial_failed(r->p, r->dials[9].id, FAILURE_TIMEOUT, "");
	rig_tick(r, 20 * 60000);
	assert_int_equal(r->dials_n, 10);
	p2p_set_tor_ready(r->p, true);
	rig_tick(r, 200);
	assert_int_equal(r->dials_n, 11);
}

static void book_waits_for_tor(void **state)
{
	struct rig *r = *state;

	p2p_set_tor_ready(r->p, false);
	add_onions(r, 20);
	rig_tick(r, 60000);
	assert_int_equal(r->dials_n, 0);
	p2p_set_tor_ready(r->p, true);
	rig_tick(r, 100);
	assert_int_equal(r->dials_n, 1);
}

static void try_nth(struct rig *r, unsigned i)
{
	char onion[ONION_TEXT_SIZE];

	nth_onion(onion, i);
	p2p_try_once(r->p, onion, 8333, CONN_FEELER);
}

static void time_allowed_follows_what_is_seen(void **state)
{
	struct p2p_options o = { .no_outbound = true };
	struct rig *r = *state = rig_new(&o);
	int64_t last;
	unsigned i;

	try_nth(r, 0);
	assert_int_equal(r->dials[0].timeout_ms, 30000);
	/* Connections that take half a second: down to the floor. */
	for (i = 1; i < 20; i++) {
		try_nth(r, i);
		rig_tick(r, 500);
		rig_send_version(r, rig_answer_dial(r), 70016, FULL, 1);
	}
	try_nth(r, i++);
	assert_int_equal(r->dials[r->dials_n - 1].timeout_ms, 8000);
	/* Nothing but timeouts: up again, not beyond a minute. */
	for (; i < 100; i++) {
		last = r->dials[r->dials_n - 1].timeout_ms;
		p2p_dial_failed(r->p, r->dials[r->dials_n - 1].id,
				FAILURE_TIMEOUT, "");
		try_nth(r, i);
		assert_in_range(r->dials[r->dials_n - 1].timeout_ms, last,
				60000);
	}
	assert_int_equal(r->dials[r->dials_n - 1].timeout_ms, 60000);
}

/* 70 of 100 are dead: half of them known at once, half only by waiting. */
static void slots_fill_from_a_dead_book(void **state)
{
	struct rig *r = *state;
	int64_t start = r->ms, due[RIG_DIALS];
	struct p2p_totals t;
	size_t seen = 0, i;
	unsigned kind;
	peer_id id;

	add_onions(r, 100);
	do {
		rig_tick(r, 100);
		for (; seen < r->dials_n; seen++) {
			kind = (unsigned)r->dials[seen].host[0] * 7u +
			       (unsigned)r->dials[seen].host[2];
			due[seen] = r->ms + (kind % 10 < 3 ? 1000 :
				    kind % 10 < 6 ? 2000 :
				    r->dials[seen].timeout_ms);
		}
		for (i = 0; i < seen; i++) {
			if (due[i] > r->ms)
				continue;
			due[i] = INT64_MAX;
			kind = (unsigned)r->dials[i].host[0] * 7u +
			       (unsigned)r->dials[i].host[2];
			if (kind % 10 >= 3) {
				p2p_dial_failed(r->p, r->dials[i].id,
						kind % 10 < 6
						? FAILURE_NOT_FOUND
						: FAILURE_TIMEOUT, "");
				continue;
			}
			id = rig_connect(r, r->dials[i].id);
			rig_send_version(r, id, 70016, FULL, 1);
			if (!r->peers[id].closed)
				rig_send_plain(r, id, MSG_VERACK);
		}
		p2p_totals(r->p, &t);
	} while (t.outbound < 10 && r->ms < start + 120000);
	print_message("10 slots from 30 of 100 in %.1f s, %zu dials\n",
		      (double)(r->ms - start) / 1000, r->dials_n);
	assert_int_equal(t.outbound, 10);
	assert_true(r->ms - start < 60000);
}

/* ---- circuits ---- */

static void answer_pings(struct rig *r)
{
	struct msg m, pong = { .type = MSG_PONG };
	peer_id id;

	for (id = 1; id <= r->last_id; id++) {
		if (r->peers[id].closed)
			continue;
		while (rig_find(r, id, MSG_PING, &m)) {
			pong.u.nonce = m.u.nonce;
			rig_send(r, id, &pong);
		}
	}
}

static void old_circuits_are_renewed(void **state)
{
	struct rig *r = *state;
	peer_id manual = rig_outbound(r), old, new;
	char onion[ONION_TEXT_SIZE];
	size_t before;
	unsigned minutes = 0;

	old = from_book(r, 300);
	nth_onion(onion, 300);
	before = r->dials_n;
	while (r->dials_n == before) {
		rig_tick(r, 60000);
		answer_pings(r);
		assert_true(++minutes < 11 * 60);
	}
	assert_true(minutes > 100);
	assert_string_equal(r->dials[before].host, onion);
	assert_int_equal(r->dials[before].type, CONN_OUTBOUND);
	/* The old one stays until the new one works. */
	new = rig_answer_dial(r);
	assert_false(r->peers[old].closed);
	rig_handshake(r, new, FULL);
	assert_true(r->peers[old].closed);
	assert_int_equal(r->peers[old].reason, CLOSE_DONE);
	assert_false(r->peers[new].closed);
	assert_false(r->peers[manual].closed);
	/* Nor is anything lost when it does not. */
	before = r->dials_n;
	while (r->dials_n == before) {
		rig_tick(r, 60000);
		answer_pings(r);
	}
	p2p_dial_failed(r->p, r->dials[before].id, FAILURE_TIMEOUT, "");
	assert_false(r->peers[new].closed);
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
#define OWN(t) cmocka_unit_test_teardown(t, tear_down)

int test_p2p_addrs(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(fresh_addresses_go_to_two),
		WITH(what_is_not_passed_on),
		WITH(anchors_come_first),
		WITH(kinds_of_failure),
		OWN(waits_for_tor),
		WITH(book_waits_for_tor),
		OWN(time_allowed_follows_what_is_seen),
		WITH(slots_fill_from_a_dead_book),
		WITH(old_circuits_are_renewed),
	};

	return cmocka_run_group_tests_name("p2p addrs", tests, NULL, NULL);
}
