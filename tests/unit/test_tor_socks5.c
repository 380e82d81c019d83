/*
 * The SOCKS5 machine, fed whole, byte by byte, and with nonsense.
 */
#include "config.h"

#include "test_tor.h"

#include "base/base.h"
#include "tor/socks5.h"

static const uint8_t ok_ipv4[] = { 5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
/* as a unix socket of tor answers: address type 4 */
static const uint8_t ok_ipv6[] = {
	5, 2, 1, 0, 5, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0,
};
static const uint8_t ok_name[] = {
	5, 2, 1, 0, 5, 0, 0, 3, 3, 'a', '.', 'b', 0, 80,
};

/* Feed everything at once, with "xyz" of the peer's behind it. */
static void check_whole(const uint8_t *in, size_t n)
{
	struct bytes out = {0}, all = {0};
	struct socks5 s;
	size_t used;

	socks5_start(&s, &out, "host.onion", 8333, "u", "pw");
	bytes_append(&all, in, n);
	bytes_append(&all, "xyz", 3);
	assert_int_equal(socks5_feed(&s, &used, &out, bytes_span(&all)),
			 SOCKS5_DONE);
	assert_int_equal(used, n);
	assert_int_equal(out.n, 3 + 1 + 2 + 3 + 4 + 11 + 2);
	assert_memory_equal(out.p, "\x05\x01\x02" "\x01\x01u\x02pw"
			    "\x05\x01\x00\x03\x0ahost.onion\x20\x8d", out.n);
	bytes_clear(&out);
	bytes_clear(&all);
}

/* Read as the transport does: only what is wanted, never past the end. */
static void check_exact(const uint8_t *in, size_t n)
{
	struct bytes out = {0};
	struct socks5 s;
	enum socks5_status st = SOCKS5_MORE;
	size_t from = 0, have = 0, used;

	socks5_start(&s, &out, "host.onion", 8333, "u", "pw");
	while (st == SOCKS5_MORE) {
		size_t want = socks5_wants(&s, span_of(in + from, have));

		assert_true(want > 0);
		assert_true(from + have + want <= n);
		have += want;
		st = socks5_feed(&s, &used, &out, span_of(in + from, have));
		from += used;
		have -= used;
	}
	assert_int_equal(st, SOCKS5_DONE);
	assert_int_equal(from, n);
	assert_int_equal(have, 0);
	bytes_clear(&out);
}

static void check_bytewise(const uint8_t *in, size_t n)
{
	struct bytes out = {0};
	struct socks5 s;
	size_t from = 0, to, used;

	socks5_start(&s, &out, "host.onion", 8333, "u", "pw");
	for (to = 1; to <= n; to++) {
		enum socks5_status st = socks5_feed(&s, &used, &out,
						    span_of(in + from,
							    to - from));

		assert_int_equal(st, to == n ? SOCKS5_DONE : SOCKS5_MORE);
		from += used;
	}
	assert_int_equal(from, n);
	bytes_clear(&out);
}

static void test_replies_of_every_length(void **state)
{
	(void)state;
	check_whole(ok_ipv4, sizeof ok_ipv4);
	check_whole(ok_ipv6, sizeof ok_ipv6);
	check_whole(ok_name, sizeof ok_name);
	check_exact(ok_ipv4, sizeof ok_ipv4);
	check_exact(ok_ipv6, sizeof ok_ipv6);
	check_exact(ok_name, sizeof ok_name);
	check_bytewise(ok_ipv4, sizeof ok_ipv4);
	check_bytewise(ok_ipv6, sizeof ok_ipv6);
	check_bytewise(ok_name, sizeof ok_name);
}

static enum socks5_error error_of(const void *in, size_t n)
{
	struct bytes out = {0};
	struct socks5 s;
	size_t used;
	enum socks5_status st;

	socks5_start(&s, &out, "h", 1, "u", "p");
	st = socks5_feed(&s, &used, &out, span_of(in, n));
	bytes_clear(&out);
	assert_int_equal(st, SOCKS5_FAILED);
	return s.error;
}

static void test_reply_codes(void **state)
{
	static const struct {
		uint8_t code;
		enum socks5_error error;
	} table[] = {
		{ 0x01, SOCKS5_GENERAL }, { 0x02, SOCKS5_NOT_ALLOWED },
		{ 0x03, SOCKS5_NET_UNREACHABLE },
		{ 0x04, SOCKS5_HOST_UNREACHABLE }, { 0x05, SOCKS5_REFUSED },
		{ 0x06, SOCKS5_TTL_EXPIRED }, { 0x07, SOCKS5_BAD_COMMAND },
		{ 0x08, SOCKS5_BAD_ADDRESS_TYPE },
		{ 0x09, SOCKS5_UNKNOWN_REPLY },
		{ 0xef, SOCKS5_UNKNOWN_REPLY },
		{ 0xf0, SOCKS5_ONION_NOT_FOUND },
		{ 0xf1, SOCKS5_ONION_BAD_DESC },
		{ 0xf2, SOCKS5_ONION_INTRO }, { 0xf3, SOCKS5_ONION_REND },
		{ 0xf4, SOCKS5_ONION_NEED_AUTH },
		{ 0xf5, SOCKS5_ONION_BAD_AUTH },
		{ 0xf6, SOCKS5_ONION_BAD_ADDRESS },
		{ 0xf7, SOCKS5_ONION_INTRO_TIMEOUT },
		{ 0xf8, SOCKS5_UNKNOWN_REPLY },
		{ 0xff, SOCKS5_UNKNOWN_REPLY },
	};
	uint8_t in[sizeof ok_ipv4];
	size_t i;

	(void)state;
	memcpy(in, ok_ipv4, sizeof in);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		in[5] = table[i].code;
		assert_int_equal(error_of(in, sizeof in), table[i].error);
		assert_true(strlen(socks5_error_text(table[i].error)) > 0);
	}
}

static void test_not_socks5(void **state)
{
	(void)state;
	assert_int_equal(error_of("\x04\x02", 2), SOCKS5_PROTOCOL);
	/* no authentication: circuits would be shared */
	assert_int_equal(error_of("\x05\x00", 2), SOCKS5_PROTOCOL);
	assert_int_equal(error_of("\x05\xff", 2), SOCKS5_PROTOCOL);
	assert_int_equal(error_of("\x05\x02\x01\x01", 4), SOCKS5_PROTOCOL);
	assert_int_equal(error_of("\x05\x02\x05\x00", 4), SOCKS5_PROTOCOL);
	assert_int_equal(error_of("\x05\x02\x01\x00\x04", 5),
			 SOCKS5_PROTOCOL);
	assert_int_equal(error_of("\x05\x02\x01\x00\x05\x00\x00\x02", 8),
			 SOCKS5_PROTOCOL);
}

static void test_credentials_are_forgotten(void **state)
{
	struct bytes out = {0};
	struct socks5 s;

	(void)state;
	socks5_start(&s, &out, "h", 1, "user", "pass");
	socks5_clear(&s);
	assert_string_equal(s.user, "");
	assert_string_equal(s.pass, "");
	bytes_clear(&out);
}

int test_tor_socks5(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies_of_every_length),
		cmocka_unit_test(test_reply_codes),
		cmocka_unit_test(test_not_socks5),
		cmocka_unit_test(test_credentials_are_forgotten),
	};

	return cmocka_run_group_tests_name("tor: socks5", tests, NULL, NULL);
}
