/*
 * Peers lost, and how they are looked for.
 */
#include "config.h"

#include "test_p2p.h"

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

static void nth_onion(char out[static ONION_TEXT_SIZE], unsigned i)
{
	uint8_t key[ONION_KEY_BYTES] = { (uint8_t)i, 3, 9 };

	onion_format(out, key);
}

/* Ticks as the node does, until there is another dial; how long it took. */
static int64_t next_dial(struct rig *r, int64_t most_ms)
{
	int64_t from = r->ms;
	size_t n = r->dials_n;

	while (r->dials_n == n && r->ms - from < most_ms)
		rig_tick(r, 100);
	return r->ms - from;
}

static void named_peer_is_redialled(void **state)
{
	char onion[ONION_TEXT_SIZE];
	struct p2p_host host = { onion, 8333 };
	struct p2p_options o = { .connect = &host, .connect_n = 1,
				 .connect_only = true };
	struct rig *r;
	int64_t lost, pause, timeout, last = 0;
	unsigned tries = 0;
	peer_id id;

	nth_onion(onion, 1);
	r = *state = rig_new(&o);
	rig_tick(r, 100);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	rig_tick(r, 5000);
	p2p_peer_closed(r->p, id);
	lost = r->ms;
	/* At once, with a fresh descriptor, and little patience at first. */
	assert_in_range(next_dial(r, 60000), 200, 700);
	assert_int_equal(r->refreshes_n, 1);
	assert_string_equal(r->refreshed, onion);
	while (r->ms - lost < 9 * 60000) {
		timeout = r->dials[r->dials_n - 1].timeout_ms;
		assert_true(timeout >= 6000 && timeout <= 60000);
		assert_true(timeout >= last);
		last = timeout;
		p2p_dial_failed(r->p, r->dials[r->dials_n - 1].id,
				FAILURE_UNREACHABLE, "");
		pause = next_dial(r, 60000);
		assert_in_range(pause, 100, 5100);
		tries++;
	}
	assert_int_equal(last, 60000);
	/* Gently: no more than one in some seconds, few descriptors. */
	assert_in_range(tries, 100, 220);
	assert_in_range(r->refreshes_n, 4, 10);
	/* After a while it is thought of as away, not as lost. */
	rig_tick(r, 60000);
	for (tries = 0; tries < 4; tries++) {
		p2p_dial_failed(r->p, r->dials[r->dials_n - 1].id,
				FAILURE_UNREACHABLE, "");
		pause = next_dial(r, 60000);
	}
	assert_true(pause > 5100);
	assert_in_range(r->refreshes_n, 4, 10);
	/* Back: with the next loss it begins anew. */
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	rig_tick(r, 5000);
	p2p_peer_closed(r->p, id);
	assert_in_range(next_dial(r, 60000), 200, 700);
	assert_int_equal(r->dials[r->dials_n - 1].timeout_ms, 6000);
}

static size_t dials_to(const struct rig *r, const char *host, size_t from)
{
	size_t n = 0;

	for (; from < r->dials_n; from++)
		n += strcmp(r->dials[from].host, host) == 0;
	return n;
}

/* A full set of slots, and the name of the first peer's host. */
static peer_id fill(struct rig *r, char host[static ONION_TEXT_SIZE])
{
	char onion[ONION_TEXT_SIZE];
	peer_id first = 0, id;

	for (unsigned i = 0; i < 12; i++) {
		nth_onion(onion, i);
		assert_int_equal(p2p_addr_add(r->p, onion, 8333, FULL, false),
				 ADDR_ADDED);
	}
	rig_tick(r, 3000);
	for (unsigned i = 0; i < 2; i++) {
		id = rig_connect(r, r->dials[i].id);
		rig_handshake(r, id, FULL);
		if (!first)
			first = id;
	}
	strcpy(host, r->dials[0].host);
	for (size_t i = 2; i < r->dials_n; i++)
		p2p_dial_failed(r->p, r->dials[i].id, FAILURE_TIMEOUT, "");
	/* Of use only after a while. */
	for (int i = 0; i < 25; i++) {
		rig_tick(r, 1000);
		for (peer_id k = 1; k <= r->last_id; k++)
			if (!r->peers[k].closed)
				rig_send_plain(r, k, MSG_SENDHEADERS);
	}
	return first;
}

static void lost_peer_of_the_book_is_redialled(void **state)
{
	struct p2p_options o = { .max_outbound = 2 };
	struct rig *r = *state = rig_new(&o);
	char host[ONION_TEXT_SIZE];
	peer_id id = fill(r, host);
	size_t from = r->dials_n;

	p2p_peer_closed(r->p, id);
	rig_tick(r, 100);
	while (!dials_to(r, host, from) && r->dials_n < RIG_DIALS)
		rig_tick(r, 100);
	assert_int_equal(dials_to(r, host, from), 1);
	assert_in_range(r->refreshes_n, 1, 2);
	/* It fails: not held against it, tried again soon. */
	for (size_t i = from; i < r->dials_n; i++)
		p2p_dial_failed(r->p, r->dials[i].id, FAILURE_NOT_FOUND, "");
	from = r->dials_n;
	rig_tick(r, 3000);
	assert_int_equal(dials_to(r, host, from), 1);
}

/* One we sent away ourselves is no loss. */
static void dropped_peer_is_not(void **state)
{
	struct p2p_options o = { .max_outbound = 2 };
	struct rig *r = *state = rig_new(&o);
	char host[ONION_TEXT_SIZE];
	peer_id id = fill(r, host);

	assert_true(p2p_disconnect(r->p, id));
	rig_tick(r, 100);
	assert_int_equal(r->refreshes_n, 0);
}

static void all_are_looked_for_when_tor_is_back(void **state)
{
	char onion[ONION_TEXT_SIZE];
	struct p2p_host host = { onion, 8333 };
	struct p2p_options o = { .connect = &host, .connect_n = 1,
				 .connect_only = true };
	struct rig *r;
	peer_id id;
	size_t n;

	nth_onion(onion, 1);
	r = *state = rig_new(&o);
	rig_tick(r, 100);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	rig_tick(r, 5000);
	p2p_set_tor_ready(r->p, false);
	p2p_peer_closed(r->p, id);
	n = r->dials_n;
	for (int i = 0; i < 30; i++)
		rig_tick(r, 60000);
	assert_int_equal(r->dials_n, n);
	assert_int_equal(r->refreshes_n, 0);
	p2p_set_tor_ready(r->p, true);
	assert_in_range(next_dial(r, 60000), 100, 200);
	assert_int_equal(r->dials[r->dials_n - 1].timeout_ms, 6000);
}

/* One whose end has vanished is missed soon; one that answers is not. */
static void named_peer_that_vanished(void **state)
{
	char onion[ONION_TEXT_SIZE];
	struct p2p_host host = { onion, 8333 };
	struct p2p_options o = { .connect = &host, .connect_n = 1,
				 .connect_only = true };
	struct rig *r;
	struct msg m;
	peer_id id;

	nth_onion(onion, 1);
	r = *state = rig_new(&o);
	rig_tick(r, 100);
	id = rig_answer_dial(r);
	rig_handshake(r, id, FULL);
	for (int i = 0; i < 60; i++) {
		rig_tick(r, 5000);
		while (rig_find(r, id, MSG_PING, &m)) {
			m.type = MSG_PONG;
			rig_send(r, id, &m);
		}
	}
	assert_false(r->peers[id].closed);
	rig_tick(r, 110000);
	assert_true(r->peers[id].closed);
	assert_int_equal(r->peers[id].reason, CLOSE_TIMEOUT);
	/* … and looked for at once. */
	assert_int_equal(r->dials_n, 2);
	assert_true(r->refreshes_n >= 1);
}

#define OWN(t) cmocka_unit_test_teardown(t, tear_down)

int test_p2p_redial(void)
{
	static const struct CMUnitTest tests[] = {
		OWN(named_peer_is_redialled),
		OWN(lost_peer_of_the_book_is_redialled),
		OWN(dropped_peer_is_not),
		OWN(all_are_looked_for_when_tor_is_back),
		OWN(named_peer_that_vanished),
	};

	return cmocka_run_group_tests_name("p2p redial", tests, NULL, NULL);
}
