/*
 * Envelopes and JSON text.
 */
#include "config.h"

#include "test_rpc.h"

#include <string.h>

#include "rpc/jsonrpc.h"

static void test_numbers(void **state)
{
	static const struct {
		int64_t sat;
		const char *text;
	} amounts[] = {
		{ 0, "0.00000000" }, { 1, "0.00000001" },
		{ 5000000000, "50.00000000" }, { -1, "-0.00000001" },
		{ 2100000000000000, "21000000.00000000" },
	};
	static const struct {
		double v;
		const char *text;
	} doubles[] = {
		{ 1, "1" }, { 4.6565423739069247e-10, "4.656542373906925e-10" },
		{ 0.1, "0.1" }, { 83148355189239.77, "83148355189239.77" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		struct json_object *o = json_amount(amounts[i].sat);

		assert_json(o, amounts[i].text);
		json_object_put(o);
	}
	for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
		struct json_object *o = json_double(doubles[i].v);

		assert_json(o, doubles[i].text);
		json_object_put(o);
	}
}

static bool parses(const char *text)
{
	bool ok;

	json_object_put(json_parse(span_of(text, strlen(text)), &ok));
	return ok;
}

static void test_parse(void **state)
{
	char deep[300];

	(void)state;
	assert_true(parses("{}"));
	assert_true(parses(" [1, \"a\", null]\r\n"));
	assert_true(parses("null"));
	assert_true(parses("12"));
	assert_true(parses("true\n"));
	assert_false(parses(""));
	assert_false(parses("  "));
	assert_false(parses("{"));
	assert_false(parses("{} x"));
	assert_false(parses("{}{}"));
	assert_false(parses("['a']"));
	assert_false(parses("[1,]"));
	assert_false(parses("[\"\xff\"]"));
	assert_false(parses("nul"));
	memset(deep, '[', sizeof deep);
	memset(deep + 150, ']', 150);
	deep[299] = 0;
	assert_false(parses(deep));
}

/* What a request amounts to: "V2 id=1 method=x", or its error. */
static void check_request(const char *text, int code, const char *want)
{
	struct rpc_request q;
	struct rpc_error e = { 0 };
	struct json_object *o = json_tokener_parse(text);
	bool ok = rpc_request_read(&q, &e, o);

	assert_int_equal(e.code, code);
	assert_int_equal(ok, code == 0);
	assert_string_equal(ok ? q.method : e.message, want);
	rpc_error_clear(&e);
	json_object_put(o);
}

static void test_request(void **state)
{
	(void)state;
	check_request("{\"method\":\"a\"}", 0, "a");
	check_request("{\"method\":\"a\",\"params\":{}}", 0, "a");
	check_request("{\"method\":\"a\",\"params\":null}", 0, "a");
	check_request("{\"jsonrpc\":\"1.0\",\"method\":\"a\"}", 0, "a");
	check_request("{\"jsonrpc\":\"2.0\",\"method\":\"a\"}", 0, "a");
	check_request("{\"jsonrpc\":\"2.1\",\"method\":\"a\"}", -32600,
		      "JSON-RPC version not supported");
	check_request("{\"jsonrpc\":2,\"method\":\"a\"}", -32600,
		      "jsonrpc field must be a string");
	check_request("{}", -32600, "Missing method");
	check_request("{\"method\":1}", -32600, "Method must be a string");
	check_request("{\"method\":\"a\\u0000b\"}", -32600,
		      "Method must be a string");
	check_request("{\"method\":\"a\",\"params\":3}", -32600,
		      "Params must be an array or object");
	check_request("[1]", -32600, "Invalid Request object");
}

static void check_reply(const char *request, int code, const char *want)
{
	struct rpc_request q;
	struct rpc_error e = { 0 };
	struct json_object *o = json_tokener_parse(request), *reply;

	assert_true(rpc_request_read(&q, &e, o));
	if (code)
		rpc_error_set(&e, code, "no %d", 7);
	reply = rpc_reply_new(&q, json_object_new_int(5), &e);
	json_object_put(o);
	assert_json(reply, want);
	json_object_put(reply);
	rpc_error_clear(&e);
}

static void test_reply(void **state)
{
	(void)state;
	check_reply("{\"method\":\"a\",\"id\":\"x\"}", 0,
		    "{\"result\":5,\"error\":null,\"id\":\"x\"}");
	check_reply("{\"method\":\"a\",\"id\":\"x\"}", -8,
		    "{\"result\":null,\"error\":{\"code\":-8,"
		    "\"message\":\"no 7\"},\"id\":\"x\"}");
	check_reply("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":[1]}", 0,
		    "{\"jsonrpc\":\"2.0\",\"result\":5,\"id\":[1]}");
	check_reply("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":1}", -8,
		    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-8,"
		    "\"message\":\"no 7\"},\"id\":1}");
	assert_int_equal(rpc_error_http_status(-32600), 400);
	assert_int_equal(rpc_error_http_status(-32601), 404);
	assert_int_equal(rpc_error_http_status(-28), 500);
}

int test_rpc_json(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_reply),
	};

	return cmocka_run_group_tests_name("rpc_json", tests, NULL, NULL);
}
