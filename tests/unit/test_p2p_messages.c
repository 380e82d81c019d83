/*
 * Payloads: foreign vectors, limits, round trips.
 */
#include "config.h"

#include "test_p2p.h"

#include <json-c/json.h>

#include "p2p/messages.h"
#include "p2p/onion.h"
#include "p2p/wire.h"
#include "tests/unit/vectors.h"

static const uint8_t main_magic[4] = { 0xf9, 0xbe, 0xb4, 0xd9 };

/* Frame, read, write: the same bytes. */
static void check_message(const char *name, const char *hex)
{
	struct bytes raw = { 0 }, out = { 0 };
	struct wire_reader w = { 0 };
	struct msg m;
	struct span in;
	size_t used = 0;

	assert_true(hex_append(&raw, hex));
	in = bytes_span(&raw);
	if (wire_feed(&w, &in, main_magic) != WIRE_MESSAGE)
		fail_msg("%s: not a message", name);
	if (!msg_read(&m, &used, w.type, bytes_span(&w.payload)))
		fail_msg("%s: refused", name);
	msg_write(&out, &m);
	if (!span_eq(span_of(w.payload.p, used), bytes_span(&out)) ||
	    used != w.payload.n || msg_size(&m) != used)
		fail_msg("%s: written otherwise than read", name);
	if (strcmp(name, "alert") && strcmp(name, "reject") &&
	    strncmp(name, "filter", 6) && strcmp(name, "merkleblock"))
		assert_int_not_equal(w.type, MSG_UNKNOWN);
	wire_clear(&w);
	bytes_clear(&raw);
	bytes_clear(&out);
}

static void bitcore_vectors(void **state)
{
	static const char file[] = "core/bitcore_p2p_messages.json";
	struct json_object *all = vector_json(file), *msg;
	unsigned n = 0;

	(void)state;
	if (!all)
		skip();
	json_object_object_foreach(all, name, val) {
		if (!json_object_object_get_ex(val, "message", &msg))
			continue;
		check_message(name, json_object_get_string(msg));
		n++;
	}
	assert_int_equal(n, 21);
	vector_report(file, n, n);
	json_object_put(all);
}

/* A count, then as many items as said. */
static bool list_ok(enum msg_type type, size_t before, size_t n,
		    size_t stride, size_t after)
{
	struct bytes b = { 0 };
	uint8_t zeros[256] = { 0 };
	struct msg m;
	size_t i;
	bool ok;

	bytes_append(&b, zeros, before);
	write_compact(&b, n);
	for (i = 0; i < n; i++)
		bytes_append(&b, zeros, stride);
	bytes_append(&b, zeros, after);
	ok = msg_read(&m, NULL, type, bytes_span(&b));
	bytes_clear(&b);
	return ok;
}

static void limits_hold(void **state)
{
	static const struct {
		enum msg_type type;
		size_t before, stride, after, max;
	} lists[] = {
		{ MSG_INV, 0, 36, 0, 50000 },
		{ MSG_GETDATA, 0, 36, 0, 50000 },
		{ MSG_NOTFOUND, 0, 36, 0, 50000 },
		{ MSG_ADDR, 0, 30, 0, 1000 },
		{ MSG_HEADERS, 0, 81, 0, 2000 },
		{ MSG_GETHEADERS, 4, 32, 32, 101 },
		{ MSG_GETBLOCKS, 4, 32, 32, 101 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		size_t b = lists[i].before, s = lists[i].stride,
		       a = lists[i].after, n = lists[i].max;

		assert_true(list_ok(lists[i].type, b, 0, s, a));
		assert_true(list_ok(lists[i].type, b, n, s, a));
		assert_false(list_ok(lists[i].type, b, n + 1, s, a));
		assert_false(list_ok(lists[i].type, b, 5, s - 1, a));
	}
}

static bool addrv2_ok(uint8_t net, size_t addr_n, size_t count)
{
	static const uint8_t zeros[1024];
	struct addrv2_item item = { .net = net,
				    .addr = span_of(zeros, addr_n) };
	struct bytes b = { 0 };
	struct msg m;
	size_t i;
	bool ok;

	write_compact(&b, count);
	for (i = 0; i < count; i++)
		addrv2_item_write(&b, &item);
	ok = msg_read(&m, NULL, MSG_ADDRV2, bytes_span(&b));
	bytes_clear(&b);
	return ok;
}

static void addrv2_lengths(void **state)
{
	(void)state;
	assert_true(addrv2_ok(NET_TORV3, 32, 1));
	assert_true(addrv2_ok(NET_TORV3, 32, 1000));
	assert_false(addrv2_ok(NET_TORV3, 32, 1001));
	assert_false(addrv2_ok(NET_TORV3, 31, 1));
	assert_false(addrv2_ok(NET_TORV3, 33, 1));
	assert_true(addrv2_ok(NET_IPV4, 4, 1));
	assert_false(addrv2_ok(NET_IPV4, 16, 1));
	assert_true(addrv2_ok(NET_TORV2, 10, 1));
	assert_true(addrv2_ok(77, 0, 1));        /* unknown: any length */
	assert_true(addrv2_ok(77, 512, 1));
	assert_false(addrv2_ok(77, 513, 1));
}

static void version_forms(void **state)
{
	struct msg m = { .type = MSG_VERSION }, in;
	static const char agent[USER_AGENT_MAX + 2] = "/x/";
	struct bytes b = { 0 };
	size_t n;

	(void)state;
	m.u.version = (struct msg_version){
		.version = 70016, .services = 9, .time_unix = -5,
		.nonce = 77, .user_agent = span_of(agent, 3),
		.start_height = -1, .has_relay = true, .relay = true,
	};
	msg_write(&b, &m);
	n = b.n;
	assert_true(msg_read(&in, NULL, MSG_VERSION, bytes_span(&b)));
	assert_int_equal(in.u.version.start_height, -1);
	assert_int_equal(in.u.version.time_unix, -5);
	assert_true(in.u.version.has_relay);
	/* Without the last byte: an old form, which means true. */
	assert_true(msg_read(&in, NULL, MSG_VERSION, span_of(b.p, n - 1)));
	assert_false(in.u.version.has_relay);
	assert_true(in.u.version.relay);
	assert_false(msg_read(&in, NULL, MSG_VERSION, span_of(b.p, n - 2)));
	bytes_clear(&b);
	m.u.version.user_agent.n = USER_AGENT_MAX;
	msg_write(&b, &m);
	assert_true(msg_read(&in, NULL, MSG_VERSION, bytes_span(&b)));
	bytes_clear(&b);
	m.u.version.user_agent.n = USER_AGENT_MAX + 1;
	msg_write(&b, &m);
	assert_false(msg_read(&in, NULL, MSG_VERSION, bytes_span(&b)));
	bytes_clear(&b);
}

static void headers_with_txs_refused(void **state)
{
	uint8_t raw[1 + HEADERS_ITEM_BYTES] = { 1 };
	struct msg m;

	(void)state;
	assert_true(msg_read(&m, NULL, MSG_HEADERS,
			     span_of(raw, sizeof raw)));
	raw[sizeof raw - 1] = 1;
	assert_false(msg_read(&m, NULL, MSG_HEADERS,
			      span_of(raw, sizeof raw)));
}

static void onion_addresses(void **state)
{
	static const char good[] =
		"2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
		".onion";
	char text[ONION_TEXT_SIZE], bad[ONION_TEXT_SIZE + 1];
	uint8_t key[ONION_KEY_BYTES];
	size_t i;

	(void)state;
	assert_true(onion_parse(key, good));
	onion_format(text, key);
	assert_string_equal(text, good);
	for (i = 0; i < 56; i++) {
		memcpy(bad, good, sizeof good);
		bad[i] = bad[i] == 'a' ? 'b' : 'a';
		assert_false(onion_parse(key, bad));
	}
	memcpy(bad, good, sizeof good);
	bad[3] = '1';
	assert_false(onion_parse(key, bad));
	assert_false(onion_parse(key, "127.0.0.1"));
	assert_false(onion_parse(key, ""));
	assert_false(onion_parse(key, "expyuzz4wqqyqhjn.onion"));
}

int test_p2p_messages(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bitcore_vectors),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(addrv2_lengths),
		cmocka_unit_test(version_forms),
		cmocka_unit_test(headers_with_txs_refused),
		cmocka_unit_test(onion_addresses),
	};

	return cmocka_run_group_tests_name("p2p messages", tests, NULL, NULL);
}
