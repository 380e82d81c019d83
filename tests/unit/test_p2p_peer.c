/*
 * One peer at a time: handshake, order, keeping alive, limits, what a peer
 * can do to us.
 */
#include "config.h"

#include "test_p2p.h"

#include <stdlib.h>
#include <stdio.h>

#include "consensus/block_check.h"
#include "crypto/hash.h"
#include "p2p/onion.h"
#include "tests/unit/p2p_rig.h"

#define FULL (SERVICE_NETWORK | SERVICE_WITNESS)

static int set_up(void **state)
{
	*state = rig_new(NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_free(*state);
	return 0;
}

static void expect(struct rig *r, peer_id id, enum msg_type type)
{
	struct msg m;

	if (!rig_next(r, id, &m))
		fail_msg("nothing was sent, not %s", msg_type_name(type));
	assert_string_equal(msg_type_name(m.type), msg_type_name(type));
}

static void expect_nothing(struct rig *r, peer_id id)
{
	struct msg m;

	if (rig_next(r, id, &m))
		fail_msg("%s was sent", msg_type_name(m.type));
}

static void outbound_handshake(void **state)
{
	struct rig *r = *state;
	struct msg m;
	peer_id id;
	size_t i;

	p2p_try_once(r->p, "somewhere", 8333, CONN_MANUAL);
	id = rig_answer_dial(r);
	assert_true(rig_next(r, id, &m));
	assert_int_equal(m.type, MSG_VERSION);
	assert_int_equal(m.u.version.version, 70016);
	assert_int_equal(m.u.version.services, FULL);
	assert_true(m.u.version.relay);
	/* Nothing that tells who or where we are. */
	for (i = 0; i < 16; i++) {
		assert_int_equal(m.u.version.recv.ip[i], 0);
		assert_int_equal(m.u.version.from.ip[i], 0);
	}
	assert_int_equal(m.u.version.from.services, 0);
	assert_int_equal(m.u.version.time_unix % 60, 0);
	assert_memory_equal(m.u.version.user_agent.p, "/Cloister:", 10);
	rig_send_version(r, id, 70016, FULL, 1);
	expect(r, id, MSG_WTXIDRELAY);
	expect(r, id, MSG_SENDADDRV2);
	expect(r, id, MSG_VERACK);
	expect_nothing(r, id);
	rig_send_plain(r, id, MSG_SENDADDRV2);
	rig_send_plain(r, id, MSG_VERACK);
	expect(r, id, MSG_GETADDR);
	expect(r, id, MSG_PING);
	expect_nothing(r, id);
}

static void inbound_waits_for_version(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_connect(r, 0);

	rig_tick(r, 1000);
	expect_nothing(r, id);
	/* Nothing counts before the version. */
	rig_send_plain(r, id, MSG_VERACK);
	rig_send_plain(r, id, MSG_GETADDR);
	expect_nothing(r, id);
	rig_handshake(r, id, FULL);
	expect(r, id, MSG_VERSION);
	expect(r, id, MSG_WTXIDRELAY);
	expect(r, id, MSG_SENDADDRV2);
	expect(r, id, MSG_VERACK);
	expect(r, id, MSG_PING);
	expect_nothing(r, id);
}

static void old_peer_not_asked_for_new_things(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_connect(r, 0);

	rig_send_version(r, id, 70015, FULL, 1);
	expect(r, id, MSG_VERSION);
	expect(r, id, MSG_VERACK);
	expect_nothing(r, id);
}

static void unwanted_versions(void **state)
{
	struct rig *r = *state;
	peer_id a = rig_connect(r, 0), b = rig_connect(r, 0), c;
	char onion[ONION_TEXT_SIZE];
	uint8_t key[ONION_KEY_BYTES] = { 1 };

	rig_send_version(r, a, 31799, FULL, 1);
	assert_true(r->peers[a].closed);
	rig_send_version(r, b, 31800, 0, 1);
	assert_false(r->peers[b].closed);
	/* For a slot of ours services are needed. */
	onion_format(onion, key);
	p2p_try_once(r->p, onion, 8333, CONN_OUTBOUND);
	c = rig_answer_dial(r);
	rig_send_version(r, c, 70016, SERVICE_NETWORK, 1);
	assert_true(r->peers[c].closed);
	assert_int_equal(r->peers[c].reason, CLOSE_UNWANTED);
}

static void finds_itself(void **state)
{
	struct rig *r = *state;
	peer_id out, in = rig_connect(r, 0);
	struct msg m;

	p2p_try_once(r->p, "ourselves", 8333, CONN_MANUAL);
	out = rig_answer_dial(r);
	assert_true(rig_next(r, out, &m));
	rig_send_version(r, in, 70016, FULL, m.u.version.nonce);
	assert_true(r->peers[in].closed);
	assert_int_equal(r->peers[in].reason, CLOSE_UNWANTED);
}

static void no_negotiation_afterwards(void **state)
{
	struct rig *r = *state;
	peer_id a = rig_inbound(r), b = rig_inbound(r), c = rig_inbound(r);

	rig_send_plain(r, a, MSG_SENDADDRV2);
	assert_true(r->peers[a].closed);
	rig_send_plain(r, b, MSG_WTXIDRELAY);
	assert_true(r->peers[b].closed);
	/* Second ones of these mean nothing. */
	rig_send_plain(r, c, MSG_VERACK);
	rig_send_version(r, c, 70016, FULL, 1);
	assert_false(r->peers[c].closed);
}

static void handshake_times_out(void **state)
{
	struct rig *r = *state;
	peer_id silent = rig_connect(r, 0), half = rig_connect(r, 0),
		good = rig_inbound(r);

	rig_send_version(r, half, 70016, FULL, 1);
	rig_tick(r, 59000);
	assert_false(r->peers[silent].closed);
	rig_tick(r, 3000);
	assert_true(r->peers[silent].closed);
	assert_true(r->peers[half].closed);
	assert_int_equal(r->peers[half].reason, CLOSE_TIMEOUT);
	assert_false(r->peers[good].closed);
}

static void pings_and_silence(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct msg m, pong = { .type = MSG_PONG };
	unsigned pings = 0;
	int i;

	assert_true(rig_find(r, id, MSG_PING, &m));
	/* A wrong nonce is no answer. */
	pong.u.nonce = m.u.nonce;
	pong.u.nonce.nonce ^= 1;
	rig_send(r, id, &pong);
	rig_tick(r, 130000);
	assert_false(rig_find(r, id, MSG_PING, &m));
	pong.u.nonce.nonce ^= 1;
	rig_send(r, id, &pong);
	rig_tick(r, 2000);
	for (i = 0; i < 10; i++) {
		while (rig_find(r, id, MSG_PING, &m)) {
			pong.u.nonce = m.u.nonce;
			rig_send(r, id, &pong);
			pings++;
		}
		rig_tick(r, 60000);
	}
	assert_in_range(pings, 4, 6);
	assert_false(r->peers[id].closed);
	rig_tick(r, 17 * 60000);
	assert_false(r->peers[id].closed);
	rig_tick(r, 4 * 60000);
	assert_true(r->peers[id].closed);
	assert_int_equal(r->peers[id].reason, CLOSE_TIMEOUT);
}

static void answers_pings(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct msg ping = { .type = MSG_PING }, m;

	ping.u.nonce.has_nonce = true;
	ping.u.nonce.nonce = 0x0123456789abcdef;
	rig_send(r, id, &ping);
	assert_true(rig_find(r, id, MSG_PONG, &m));
	assert_true(m.u.nonce.nonce == ping.u.nonce.nonce);
	ping.u.nonce.has_nonce = false;
	rig_send(r, id, &ping);
	assert_false(rig_find(r, id, MSG_PONG, &m));
}

static void garbage_and_nonsense(void **state)
{
	struct rig *r = *state;
	peer_id a = rig_inbound(r), b = rig_inbound(r), c = rig_inbound(r);
	uint8_t junk[100];
	struct bytes frame = { 0 };
	size_t at;

	memset(junk, 0x5a, sizeof junk);
	rig_bytes(r, a, span_of(junk, sizeof junk));
	assert_true(r->peers[a].closed);
	assert_int_equal(r->peers[a].reason, CLOSE_MISBEHAVED);
	/* A broken checksum costs the message only. */
	at = wire_begin(&frame, r->params.magic, MSG_INV);
	bytes_append(&frame, junk, sizeof junk);
	wire_end(&frame, at);
	frame.p[22] ^= 1;
	rig_bytes(r, b, bytes_span(&frame));
	assert_false(r->peers[b].closed);
	/* An inv that is not one. */
	frame.p[22] ^= 1;
	rig_bytes(r, c, bytes_span(&frame));
	assert_true(r->peers[c].closed);
	assert_int_equal(r->peers[c].reason, CLOSE_MISBEHAVED);
	bytes_clear(&frame);
}

static void unknown_messages_ignored(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct bytes frame = { 0 };
	size_t at = wire_begin(&frame, r->params.magic, MSG_TX);

	memcpy(frame.p + 4, "novelty\0\0\0\0\0", 12);
	bytes_append(&frame, "abc", 3);
	wire_end(&frame, at);
	rig_bytes(r, id, bytes_span(&frame));
	assert_false(r->peers[id].closed);
	bytes_clear(&frame);
}

static void served_blocks_and_limits(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct inv_item item = { INV_BLOCK | INV_WITNESS_FLAG, { 7 } };
	struct bytes items = { 0 }, raw = { 0 };
	struct msg m = { .type = MSG_GETDATA }, got;
	struct block_hash hash = { { 7 } };

	rig_tip_genesis(r);
	inv_item_write(&items, &item);
	item.type = INV_BLOCK;
	inv_item_write(&items, &item);
	item.type = INV_TX;
	inv_item_write(&items, &item);
	m.u.inv.n = 3;
	m.u.inv.items = bytes_span(&items);
	rig_send(r, id, &m);
	/* Transactions: we have none. */
	assert_true(rig_find(r, id, MSG_NOTFOUND, &got));
	assert_int_equal(got.u.inv.n, 1);
	assert_int_equal(inv_item_get(&got.u.inv, 0).type, INV_TX);
	/* One block at a time is asked of the chain. */
	assert_int_equal(r->serve_block_n, 1);
	assert_true(r->serve_witness);
	/* The queue is full: the next one waits. */
	r->peers[id].queued = 5000000;
	bytes_append(&raw, "not really a block", 18);
	p2p_on_served_block(r->p, id, &hash, &raw);
	assert_true(rig_find(r, id, MSG_BLOCK, &got));
	assert_int_equal(got.u.raw.n, 18);
	rig_tick(r, 500);
	assert_int_equal(r->serve_block_n, 1);
	r->peers[id].queued = 100;
	p2p_peer_drained(r->p, id);
	assert_int_equal(r->serve_block_n, 2);
	assert_false(r->serve_witness);
	/* Not found is said. */
	p2p_on_served_block(r->p, id, &hash, &raw);
	assert_true(rig_find(r, id, MSG_NOTFOUND, &got));
	bytes_clear(&items);
}

static void getdata_beyond_the_limit_waits(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct inv_item item = { INV_BLOCK, { 7 } };
	struct bytes items = { 0 }, none = { 0 };
	struct msg m = { .type = MSG_GETDATA };
	struct block_hash hash = { { 7 } };
	size_t i;

	rig_tip_genesis(r);
	for (i = 0; i < 30000; i++)
		inv_item_write(&items, &item);
	m.u.inv.n = 30000;
	m.u.inv.items = bytes_span(&items);
	rig_send(r, id, &m);
	assert_false(r->peers[id].stopped);
	rig_send(r, id, &m);
	assert_true(r->peers[id].stopped);
	for (i = 0; i < 10002; i++)
		p2p_on_served_block(r->p, id, &hash, &none);
	assert_false(r->peers[id].stopped);
	bytes_clear(&items);
}

static void getheaders_served(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct msg m = { .type = MSG_GETHEADERS }, got;
	struct bytes raw = { 0 };

	m.u.locator.n = 1;
	m.u.locator.hashes = span_of(r->params.genesis_hash.b, 32);
	/* Before there is a chain: an empty answer. */
	rig_send(r, id, &m);
	assert_true(rig_find(r, id, MSG_HEADERS, &got));
	assert_int_equal(got.u.headers.n, 0);
	assert_int_equal(r->serve_headers_n, 0);
	rig_tip_genesis(r);
	r->refuse = true;
	rig_send(r, id, &m);
	assert_int_equal(r->serve_headers_n, 0);
	r->refuse = false;
	rig_tick(r, 100);
	assert_int_equal(r->serve_headers_n, 1);
	assert_int_equal(r->serve_locator_n, 1);
	assert_int_equal(r->serve_max, 2000);
	/* A second question waits for the first answer. */
	rig_send(r, id, &m);
	assert_true(r->peers[id].stopped);
	block_header_write(&raw, &r->params.genesis);
	p2p_on_served_headers(r->p, id, bytes_span(&raw), 1);
	assert_true(rig_find(r, id, MSG_HEADERS, &got));
	assert_int_equal(got.u.headers.n, 1);
	assert_false(r->peers[id].stopped);
	assert_int_equal(r->serve_headers_n, 2);
	p2p_on_served_headers(r->p, id, bytes_span(&raw), 1);
	/* getblocks is answered with an inv. */
	m.type = MSG_GETBLOCKS;
	rig_send(r, id, &m);
	assert_int_equal(r->serve_max, 500);
	p2p_on_served_headers(r->p, id, bytes_span(&raw), 1);
	assert_true(rig_find(r, id, MSG_INV, &got));
	assert_int_equal(got.u.inv.n, 1);
	assert_memory_equal(inv_item_get(&got.u.inv, 0).hash,
			    r->params.genesis_hash.b, 32);
	bytes_clear(&raw);
}

static void bad_headers_end_it(void **state)
{
	struct rig *r = *state;
	struct block_header h[2] = { r->params.genesis, r->params.genesis };
	peer_id a = rig_inbound(r), b = rig_inbound(r);
	struct msg m = { .type = MSG_HEADERS };
	struct bytes items = { 0 };
	struct block_hash hash;

	rig_tip_genesis(r);
	/* Not in sequence. */
	headers_item_write(&items, &h[0]);
	headers_item_write(&items, &h[1]);
	m.u.headers.n = 2;
	m.u.headers.items = bytes_span(&items);
	rig_send(r, a, &m);
	assert_true(r->peers[a].closed);
	/* Without proof of work. */
	do {
		h[0].nonce++;
		block_header_hash(&hash, &h[0]);
	} while (pow_ok(&r->params, &hash, h[0].bits));
	items.n = 0;
	headers_item_write(&items, &h[0]);
	m.u.headers.n = 1;
	m.u.headers.items = bytes_span(&items);
	rig_send(r, b, &m);
	assert_true(r->peers[b].closed);
	assert_int_equal(r->headers_n, 0);
	bytes_clear(&items);
}

/* A refused command is kept and tried again; reading stops meanwhile. */
static void full_chain_queue_stops_reading(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct msg block = { .type = MSG_BLOCK }, ping = { .type = MSG_PING };
	struct msg got;
	struct bytes two = { 0 }, raw = { 0 };
	struct block_hash hash;
	size_t at, used;

	rig_tip_genesis(r);
	r->refuse = true;
	block_header_write(&raw, &r->params.genesis);
	bytes_append(&raw, "and more", 8);
	block.u.raw = bytes_span(&raw);
	at = wire_begin(&two, r->params.magic, MSG_BLOCK);
	msg_write(&two, &block);
	wire_end(&two, at);
	at = two.n;
	wire_begin(&two, r->params.magic, MSG_PING);
	ping.u.nonce.has_nonce = true;
	msg_write(&two, &ping);
	wire_end(&two, at);
	while (rig_next(r, id, &got))
		;
	p2p_peer_bytes(r->p, id, bytes_span(&two), &used);
	/* The block was taken whole, the ping behind it was not. */
	assert_int_equal(used, at);
	assert_true(r->peers[id].stopped);
	assert_int_equal(r->blocks_n, 0);
	rig_tick(r, 300);
	assert_int_equal(r->blocks_n, 0);
	r->refuse = false;
	p2p_chain_ready(r->p);
	assert_int_equal(r->blocks_n, 1);
	assert_false(r->block_requested);
	assert_false(r->peers[id].stopped);
	p2p_peer_bytes(r->p, id, span_of(two.p + used, two.n - used), &used);
	assert_true(rig_find(r, id, MSG_PONG, &got));
	bytes_clear(&two);
	/* Without work it does not get as far as the chain. */
	raw.p[40] ^= 1;
	block.u.raw = bytes_span(&raw);
	do {
		raw.p[76]++;
		sha256d(hash.b, raw.p, BLOCK_HEADER_BYTES);
	} while (pow_ok(&r->params, &hash, r->params.genesis.bits));
	rig_send(r, id, &block);
	assert_int_equal(r->blocks_n, 1);
	assert_true(r->peers[id].closed);
	bytes_clear(&raw);
}

/* Whoever asks without reading the answers has to wait. */
static void flood_of_questions_waits(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_inbound(r);
	struct msg ping = { .type = MSG_PING }, m;

	ping.u.nonce.has_nonce = true;
	r->peers[id].queued = 8000000;
	rig_send(r, id, &ping);
	assert_true(r->peers[id].stopped);
	rig_tick(r, 300);
	assert_false(rig_find(r, id, MSG_PONG, &m));
	r->peers[id].queued = 7999999;
	p2p_peer_drained(r->p, id);
	assert_true(rig_find(r, id, MSG_PONG, &m));
	assert_false(r->peers[id].stopped);
}

static void count_info(const struct peer_info *info, void *arg)
{
	unsigned *n = arg;

	++*n;
	assert_int_equal(info->id, 1);
	assert_true(info->handshaken);
	assert_string_equal(info->subver, "/rig:1/");
	assert_string_equal(conn_type_name(info->type), "inbound");
	assert_int_equal(info->received_by_type[MSG_VERACK], 24);
	assert_int_equal(info->sent_by_type[MSG_VERACK], 24);
	assert_int_equal(info->sent_by_type[MSG_PING], 32);
	assert_true(info->bytes_received > 24 * 4);
	assert_int_equal(info->ping_wait_ms, 500);
	assert_int_equal(info->synced_headers, -1);
	assert_int_equal(info->time_offset_s, 0);
}

static void info_tells(void **state)
{
	struct rig *r = *state;
	struct p2p_totals t;
	unsigned n = 0;

	rig_inbound(r);
	rig_tick(r, 500);
	p2p_peers_visit(r->p, count_info, &n);
	assert_int_equal(n, 1);
	p2p_totals(r->p, &t);
	assert_int_equal(t.inbound, 1);
	assert_int_equal(t.outbound, 0);
	assert_true(t.bytes_received > 96);
}

static void odd_user_agents_cleaned(const struct peer_info *info, void *arg)
{
	(void)arg;
	assert_string_equal(info->subver, "/a31mb/");
}

static void user_agent_is_cleaned(void **state)
{
	struct rig *r = *state;
	peer_id id = rig_connect(r, 0);
	struct msg m = { .type = MSG_VERSION };

	m.u.version = (struct msg_version){
		.version = 70016, .user_agent = span_of("/a\033[31mb\n/\0", 11),
	};
	rig_send(r, id, &m);
	p2p_peers_visit(r->p, odd_user_agents_cleaned, NULL);
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int test_p2p_peer(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(outbound_handshake),
		WITH(inbound_waits_for_version),
		WITH(old_peer_not_asked_for_new_things),
		WITH(unwanted_versions),
		WITH(finds_itself),
		WITH(no_negotiation_afterwards),
		WITH(handshake_times_out),
		WITH(pings_and_silence),
		WITH(answers_pings),
		WITH(garbage_and_nonsense),
		WITH(unknown_messages_ignored),
		WITH(served_blocks_and_limits),
		WITH(getdata_beyond_the_limit_waits),
		WITH(getheaders_served),
		WITH(bad_headers_end_it),
		WITH(full_chain_queue_stops_reading),
		WITH(flood_of_questions_waits),
		WITH(info_tells),
		WITH(user_agent_is_cleaned),
	};

	return cmocka_run_group_tests_name("p2p peer", tests, NULL, NULL);
}
