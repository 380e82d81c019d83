/*
 * HTTP as clients meet it: statuses, batches, warm-up, limits.
 */
#include "config.h"

#include "test_rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "rpc/remote.h"

static struct answer post_and_check(struct rig *r, const char *body,
				    int status)
{
	struct answer a = rig_post(r, body);

	if (a.status != status)
		fail_msg("%s: status %d, not %d: %s", body, a.status, status,
			 a.body);
	return a;
}

static void check_post(struct rig *r, const char *body, int status,
		       const char *want)
{
	struct answer a = post_and_check(r, body, status);

	assert_string_equal(a.body, want);
	if (*want)
		assert_non_null(strstr(a.head,
				       "Content-Type: application/json\r\n"));
	answer_clear(&a);
}

static void test_versions(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check_post(&r, "{\"method\":\"getblockcount\",\"id\":\"a\"}", 200,
		   "{\"result\":0,\"error\":null,\"id\":\"a\"}\n");
	check_post(&r, "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\","
		   "\"id\":2}", 200,
		   "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":2}\n");
	check_post(&r, "{\"method\":\"nope\",\"id\":1}", 404,
		   "{\"result\":null,\"error\":{\"code\":-32601,\"message\":"
		   "\"Method not found\"},\"id\":1}\n");
	check_post(&r, "{\"jsonrpc\":\"2.0\",\"method\":\"nope\",\"id\":1}",
		   200, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,"
		   "\"message\":\"Method not found\"},\"id\":1}\n");
	check_post(&r, "{\"method\":\"getblockhash\",\"params\":[9],"
		   "\"id\":1}", 500,
		   "{\"result\":null,\"error\":{\"code\":-8,\"message\":"
		   "\"Block height out of range\"},\"id\":1}\n");
	check_post(&r, "{\"id\":3}", 400,
		   "{\"result\":null,\"error\":{\"code\":-32600,\"message\":"
		   "\"Missing method\"},\"id\":3}\n");
	check_post(&r, "{not json", 500,
		   "{\"result\":null,\"error\":{\"code\":-32700,\"message\":"
		   "\"Parse error\"},\"id\":null}\n");
	check_post(&r, "\"text\"", 500,
		   "{\"result\":null,\"error\":{\"code\":-32700,\"message\":"
		   "\"Top-level object parse error\"},\"id\":null}\n");
	check_post(&r, "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}",
		   204, "");
	rig_close(&r);
}

static void test_batches(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check_post(&r, "[]", 200, "[]\n");
	check_post(&r, "[{\"method\":\"getblockcount\",\"id\":1},"
		   "{\"jsonrpc\":\"2.0\",\"method\":\"echo\","
		   "\"params\":[7],\"id\":2},"
		   "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"},"
		   "5,{\"method\":\"nope\",\"id\":3},"
		   "{\"method\":\"getblockhash\",\"params\":[1],\"id\":4}]",
		   200,
		   "[{\"result\":0,\"error\":null,\"id\":1},"
		   "{\"jsonrpc\":\"2.0\",\"result\":[7],\"id\":2},"
		   "{\"result\":null,\"error\":{\"code\":-32600,\"message\":"
		   "\"Invalid Request object\"},\"id\":null},"
		   "{\"result\":null,\"error\":{\"code\":-32601,\"message\":"
		   "\"Method not found\"},\"id\":3},"
		   "{\"result\":null,\"error\":{\"code\":-8,\"message\":"
		   "\"Block height out of range\"},\"id\":4}]\n");
	check_post(&r, "[{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}]", 204,
		   "");
	rig_close(&r);
}

static void check_raw(struct rig *r, const char *request, int status,
		      const char *in_head)
{
	struct answer a = rig_raw(r, request, strlen(request));

	if (a.status != status)
		fail_msg("%s: status %d, not %d", request, a.status, status);
	if (in_head && !strstr(a.head, in_head))
		fail_msg("%s: no %s in %s", request, in_head, a.head);
	answer_clear(&a);
}

static void test_refusals(void **state)
{
	struct rig r;
	struct answer a;
	int64_t start;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check_raw(&r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 405,
		  "Allow: POST\r\n");
	check_raw(&r, "POST /wallet/x HTTP/1.1\r\nHost: x\r\n"
		  "Content-Length: 2\r\n\r\n{}", 404, NULL);
	check_raw(&r, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2"
		  "\r\n\r\n{}", 401,
		  "WWW-Authenticate: Basic realm=\"jsonrpc\"\r\n");
	start = clock_mono_ms();
	a = rig_post_as(&r, "__cookie__:wrong", "{\"method\":\"stop\"}");
	assert_int_equal(a.status, 401);
	assert_true(clock_mono_ms() - start >= 240);
	answer_clear(&a);
	assert_false(r.stopped);
	rig_close(&r);
}

static void test_body_limit(void **state)
{
	struct rig r;
	char *body = xmalloc(5001);

	(void)state;
	rig_open(&r, true);
	r.options.max_body_bytes = 4000;
	rig_start(&r);
	memset(body, ' ', 5000);
	body[5000] = 0;
	memcpy(body, "{\"method\":\"uptime\"}", 19);
	check_raw(&r, "POST / HTTP/1.1\r\nHost: x\r\n"
		  "Content-Length: 5000\r\n\r\n", 413, NULL);
	body[3000] = 0;
	check_post(&r, body, 200,
		   "{\"result\":0,\"error\":null,\"id\":null}\n");
	free(body);
	rig_close(&r);
}

/* A keep-alive connection takes one request after another. */
static void test_keep_alive(void **state)
{
	const char *call = "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: "
			   "Basic bWU6czplY3JldA==\r\nContent-Length: 18"
			   "\r\n\r\n{\"method\":\"uptime\"";
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, true);
	r.options.user = "me";
	r.options.password = "s:ecret";
	r.options.cookie_path = NULL;
	rig_start(&r);
	assert_false(file_exists(r.cookie));
	fd = rig_connect(&r);
	for (int i = 0; i < 3; i++) {
		struct answer a;

		rig_write(&r, fd, call, strlen(call));
		a = rig_read(&r, fd);
		assert_int_equal(a.status, 500);   /* one brace is missing */
		answer_clear(&a);
	}
	close(fd);
	rig_close(&r);
}

static void test_warmup(void **state)
{
	struct rig r;
	struct answer a;
	char text[512];

	(void)state;
	rig_open(&r, false);
	rig_start(&r);
	assert_int_equal(rig_fail(&r, "getblockcount", "[]", text), -28);
	assert_string_equal(text, "Loading block index…");
	assert_int_equal(rig_fail(&r, "nope", "[]", text), -28);
	rpc_set_warmup(r.rpc, "Verifying blocks…");
	assert_int_equal(rig_fail(&r, "getblockcount", "[]", text), -28);
	assert_string_equal(text, "Verifying blocks…");
	a = rig_post(&r, "{\"method\":\"stop\",\"id\":1}");
	assert_string_equal(a.body, "{\"result\":\"Cloister stopping\","
			    "\"error\":null,\"id\":1}\n");
	answer_clear(&a);
	for (int i = 0; i < 2000 && !r.stopped; i++) {
		event_base_loop(r.base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	assert_true(r.stopped);
	assert_true(file_exists(r.cookie));
	rpc_stop(r.rpc);
	assert_false(file_exists(r.cookie));
	rig_close(&r);
}

static void send_call(struct rig *r, int fd, const char *body)
{
	char *s = xasprintf("POST / HTTP/1.1\r\nHost: x\r\nAuthorization: "
			    "Basic bWU6czplY3JldA==\r\nContent-Length: %zu"
			    "\r\n\r\n%s", strlen(body), body);

	rig_write(r, fd, s, strlen(s));
	free(s);
}

/* Two calls wait for a block; a third finds the queue full. */
static void test_waiting(void **state)
{
	struct rig r;
	struct answer a;
	int fd[3];

	(void)state;
	rig_open(&r, true);
	r.options.user = "me";
	r.options.password = "s:ecret";
	r.options.work_queue = 2;
	rig_start(&r);
	for (int i = 0; i < 3; i++)
		fd[i] = rig_connect(&r);
	send_call(&r, fd[0], "{\"method\":\"waitforblockheight\","
		  "\"params\":[2]}");
	send_call(&r, fd[1], "{\"method\":\"waitfornewblock\"}");
	for (int i = 0; i < 100 && rpc_busy(r.rpc) < 2; i++) {
		event_base_loop(r.base, EVLOOP_NONBLOCK);
		mailbox_drain(r.mailbox);
		usleep(1000);
	}
	assert_int_equal(rpc_busy(r.rpc), 2);
	send_call(&r, fd[2], "{\"method\":\"uptime\"}");
	a = rig_read(&r, fd[2]);
	assert_int_equal(a.status, 503);
	assert_string_equal(a.body, "Work queue depth exceeded");
	answer_clear(&a);
	rpc_tip_changed(r.rpc, &r.params.bip34_hash, 1);
	a = rig_read(&r, fd[1]);
	assert_int_equal(field_int(field(a.json, "result"), "height"), 1);
	answer_clear(&a);
	assert_int_equal(rpc_busy(r.rpc), 1);
	/* The end of the service ends the wait, with what is known. */
	rpc_stop(r.rpc);
	a = rig_read(&r, fd[0]);
	assert_int_equal(field_int(field(a.json, "result"), "height"), 1);
	answer_clear(&a);
	assert_int_equal(rpc_busy(r.rpc), 0);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	rig_close(&r);
}

static void on_remote(int status, struct span body, void *arg)
{
	(void)body;
	*(int *)arg = status;
}

static void take_remote(struct rig *r, const char *body, int *status)
{
	*status = 0;
	rpc_take(r->rpc, span_of(body, strlen(body)), RPC_READ, on_remote,
		 status);
}

/* Callers from doors leave places to the owner, and those that go take their
 * waiting calls with them, parked or not yet. */
static void test_remote_callers_wait(void **state)
{
	static const char wait[] = "{\"method\":\"waitforblockheight\","
				   "\"params\":[2]}";
	int first, second;
	struct rig r;

	(void)state;
	rig_open(&r, true);
	r.options.work_queue = 2;
	rig_start(&r);
	for (int parked = 0; parked < 2; parked++) {
		take_remote(&r, wait, &first);
		assert_int_equal(rpc_busy(r.rpc), 1);
		take_remote(&r, wait, &second);
		assert_int_equal(second, 503);
		for (int i = 0; i < 100 * parked; i++) {
			event_base_loop(r.base, EVLOOP_NONBLOCK);
			mailbox_drain(r.mailbox);
			usleep(1000);
		}
		assert_int_equal(rpc_busy(r.rpc), 1);
		rpc_forget(r.rpc, &first);
		for (int i = 0; i < 2000 && rpc_busy(r.rpc); i++) {
			event_base_loop(r.base, EVLOOP_NONBLOCK);
			mailbox_drain(r.mailbox);
			usleep(1000);
		}
		assert_int_equal(rpc_busy(r.rpc), 0);
		assert_int_equal(first, 0);
	}
	rig_close(&r);
}

static void test_wait_timeout(void **state)
{
	struct rig r;
	struct json_object *o;
	int64_t start = clock_mono_ms();
	char text[512];

	(void)state;
	rig_open(&r, true);
	r.options.timeout_s = 1;
	rig_start(&r);
	/* The connection's own time limit does not cut a call short. */
	o = rig_call(&r, "waitfornewblock", "[1300]");
	assert_true(clock_mono_ms() - start >= 1290);
	assert_int_equal(field_int(o, "height"), 0);
	json_object_put(o);
	assert_int_equal(rig_fail(&r, "waitfornewblock", "[-1]", text), -1);
	assert_string_equal(text, "Negative timeout");
	/* Another tip than the caller believes: no waiting. */
	o = rig_call(&r, "waitfornewblock", "[0,\"00000000000000000000000000"
		     "00000000000000000000000000000000000001\"]");
	json_object_put(o);
	rig_close(&r);
}

/* A caller that leaves early takes nothing down. */
static void test_hang_up(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, true);
	r.options.user = "me";
	r.options.password = "s:ecret";
	rig_start(&r);
	fd = rig_connect(&r);
	send_call(&r, fd, "{\"method\":\"waitfornewblock\"}");
	for (int i = 0; i < 50; i++)
		event_base_loop(r.base, EVLOOP_NONBLOCK);
	mailbox_drain(r.mailbox);
	close(fd);
	for (int i = 0; i < 50; i++)
		event_base_loop(r.base, EVLOOP_NONBLOCK);
	rpc_tip_changed(r.rpc, &r.params.bip34_hash, 1);
	for (int i = 0; i < 50; i++)
		event_base_loop(r.base, EVLOOP_NONBLOCK);
	assert_int_equal(rpc_busy(r.rpc), 0);
	/* One that still waits when the service ends. */
	fd = rig_connect(&r);
	send_call(&r, fd, "{\"method\":\"uptime\"}");
	rig_close(&r);
	close(fd);
}

int test_rpc_http(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_warmup),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_remote_callers_wait),
		cmocka_unit_test(test_wait_timeout),
		cmocka_unit_test(test_hang_up),
	};

	return cmocka_run_group_tests_name("rpc_http", tests, NULL, NULL);
}
