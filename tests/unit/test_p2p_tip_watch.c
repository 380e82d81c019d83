/*
 * Strangers and witnesses that show different chains.
 */
#include "config.h"

#include "test_p2p.h"

#include <string.h>

#include "crypto/onion_address.h"
#include "tests/unit/p2p_rig.h"

#define MINUTE INT64_C(60000)
#define FULL (SERVICE_NETWORK | SERVICE_WITNESS)

static int set_up(void **state)
{
	const struct p2p_options o = { .max_outbound = 1 };
	struct rig *r = *state = rig_new(&o);
	struct tip_event e = { .initial_download = false };

	e.tip.hash = r->params.genesis_hash;
	e.best_header = e.tip;
	e.best_header_time = r->unix;
	e.locator = &e.tip.hash;
	e.locator_n = 1;
	p2p_on_tip(r->p, &e);
	return 0;
}

static int tear_down(void **state)
{
	rig_free(*state);
	return 0;
}

static peer_id friend(struct rig *r, bool witness)
{
	struct peer_conn c = { .id = ++r->last_id, .door = true,
			       .witness = witness, .addr = "kim.trusted:0" };

	assert_true(p2p_peer_connected(r->p, &c));
	rig_handshake(r, c.id, FULL);
	return c.id;
}

static peer_id stranger(struct rig *r)
{
	peer_id id = rig_knock(r, 100);

	assert_int_not_equal(id, 0);
	rig_handshake(r, id, FULL);
	return id;
}

/* What each peer showed last. */
static unsigned shown[RIG_PEERS];

/* The peer shows a header, and the chain says what it is worth. */
static void shows(struct rig *r, peer_id id, unsigned work)
{
	struct headers_reply reply = { .peer = id, .reason = "", .given = 1,
				       .accepted = 1 };
	struct msg m = { .type = MSG_HEADERS };
	uint8_t le[32] = { (uint8_t)work };
	struct bytes raw = { 0 };

	headers_item_write(&raw, &r->params.genesis);
	m.u.headers.n = 1;
	m.u.headers.items = bytes_span(&raw);
	rig_send(r, id, &m);
	reply.last.height = (int)work;
	u256_from_le(&reply.last.work, le);
	p2p_on_headers_result(r->p, &reply);
	shown[id] = work;
	bytes_clear(&raw);
}

/* A pong for a ping; what was shown, for getheaders. */
static void answer(struct rig *r, peer_id id)
{
	bool asked = false;
	struct msg m;

	while (!r->peers[id].closed && rig_next(r, id, &m)) {
		if (m.type == MSG_PING) {
			m.type = MSG_PONG;
			rig_send(r, id, &m);
		}
		asked |= m.type == MSG_GETHEADERS;
	}
	if (asked && shown[id])
		shows(r, id, shown[id]);
}

/* Minutes in which everybody answers pings. */
static void wait_awake(struct rig *r, unsigned minutes)
{
	while (minutes--) {
		rig_tick(r, MINUTE);
		for (peer_id id = 1; id <= r->last_id; id++)
			answer(r, id);
	}
}

static void agreement_is_quiet(void **state)
{
	struct rig *r = *state;
	peer_id w = friend(r, true), s = stranger(r);

	assert_null(p2p_tip_warning(r->p));
	shows(r, w, 10);
	shows(r, s, 10);
	wait_awake(r, 15);
	assert_null(p2p_tip_warning(r->p));
	/* For a while they may differ. */
	shows(r, w, 11);
	wait_awake(r, 9);
	shows(r, s, 11);
	wait_awake(r, 9);
	assert_null(p2p_tip_warning(r->p));
}

static void difference_is_told(struct rig *r, unsigned witness,
			       unsigned other, const char *words)
{
	peer_id w = friend(r, true), s = stranger(r);

	shows(r, w, witness);
	shows(r, s, other);
	wait_awake(r, 9);
	assert_null(p2p_tip_warning(r->p));
	wait_awake(r, 4);
	assert_non_null(p2p_tip_warning(r->p));
	assert_non_null(strstr(p2p_tip_warning(r->p), words));
	/* And taken back. */
	shows(r, witness < other ? w : s, MAX_OF(witness, other));
	wait_awake(r, 1);
	assert_null(p2p_tip_warning(r->p));
}

/* Who has a block from us does not announce it. */
static void strangers_are_asked_first(void **state)
{
	struct rig *r = *state;
	peer_id w = friend(r, true), s = stranger(r);

	shows(r, w, 20);
	shows(r, s, 10);
	shown[s] = 20;
	for (unsigned i = 0; i < 40; i++) {
		wait_awake(r, 1);
		assert_null(p2p_tip_warning(r->p));
	}
}

static void strangers_behind(void **state)
{
	difference_is_told(*state, 20, 10, "less work");
}

static void strangers_ahead(void **state)
{
	difference_is_told(*state, 10, 20, "more work");
}

static void only_witnesses_count(void **state)
{
	struct rig *r = *state;
	peer_id f = friend(r, false), s = stranger(r), w;

	shows(r, f, 30);
	shows(r, s, 10);
	wait_awake(r, 20);
	assert_null(p2p_tip_warning(r->p));
	/* The best of several witnesses is what they show. */
	w = friend(r, true);
	shows(r, w, 10);
	wait_awake(r, 20);
	assert_null(p2p_tip_warning(r->p));
	shows(r, w, 12);
	wait_awake(r, 20);
	assert_non_null(p2p_tip_warning(r->p));
}

static unsigned outbound_dials(const struct rig *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->dials_n; i++)
		n += r->dials[i].type == CONN_OUTBOUND;
	return n;
}

static void more_peers_are_tried(void **state)
{
	struct rig *r = *state;
	peer_id w = friend(r, true), s;
	char host[ONION_TEXT_SIZE];
	unsigned before;

	for (unsigned i = 0; i < 40; i++) {
		uint8_t key[ONION_KEY_BYTES] = { (uint8_t)i, 9, 9 };

		onion_format(host, key);
		assert_int_equal(p2p_addr_add(r->p, host, 8333, FULL,
					      false),
				 ADDR_ADDED);
	}
	rig_tick(r, 2000);
	before = outbound_dials(r);
	assert_true(before > 0);
	s = rig_connect(r, r->dials[0].id);
	rig_handshake(r, s, FULL);
	for (unsigned i = 1; i < before; i++)
		p2p_dial_failed(r->p, r->dials[i].id, FAILURE_TIMEOUT, "");
	shows(r, w, 20);
	shows(r, s, 10);
	wait_awake(r, 9);
	assert_int_equal(outbound_dials(r), before);
	wait_awake(r, 5);
	assert_non_null(p2p_tip_warning(r->p));
	assert_true(outbound_dials(r) > before);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int test_p2p_tip_watch(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(agreement_is_quiet),
		TEST(strangers_behind),
		TEST(strangers_ahead),
		TEST(strangers_are_asked_first),
		TEST(more_peers_are_tried),
		TEST(only_witnesses_count),
	};

	return cmocka_run_group_tests_name("p2p tip watch", tests, NULL,
					   NULL);
}
