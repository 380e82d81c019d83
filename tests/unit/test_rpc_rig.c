/*
 * The RPC service as a test drives it: one thread plays client, loop and
 * chain.
 */
#include "config.h"

#include "test_rpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

static struct mempool *mempool_of(void *owner)
{
	struct rig *r = owner;

	return r->mempool;
}

static struct chain *chain_of(void *owner)
{
	return ((struct rig *)owner)->chain;
}

static int tip_height(void *ctx)
{
	return chain_tip(((struct rig *)ctx)->chain)->height;
}

static void on_stop(void *ctx)
{
	((struct rig *)ctx)->stopped = true;
}

static void on_tip(void *ctx, const struct header_node *tip, bool ibd)
{
	struct rig *r = ctx;

	(void)ibd;
	if (r->rpc)
		rpc_tip_changed(r->rpc, &tip->hash, tip->height);
}

static int listen_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(strlen(path) < sizeof un.sun_path);
	strcpy(un.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static int listen_tcp(uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t n = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

void rig_open(struct rig *r, bool chain)
{
	struct why why = { 0 };

	memset(r, 0, sizeof *r);
	strcpy(r->dir, "/tmp/test_rpc.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->sock, sizeof r->sock, "%s/rpc.sock", r->dir);
	snprintf(r->cookie, sizeof r->cookie, "%s/.cookie", r->dir);
	r->params = chain_params_get(CHAIN_REGTEST);
	r->base = event_base_new();
	r->mailbox = mailbox_new();
	if (chain) {
		struct chain_options opt = {
			.params = &r->params, .dir = r->dir,
			.clock = &r->clock, .dbcache_bytes = 8 << 20,
			.check_all_scripts = true,
			.events = { .ctx = r, .tip = on_tip },
		};
		struct mempool_options pool = { .clock = &r->clock };

		assert_int_equal(chain_open(&r->chain, &opt, &why), 0);
		policy_defaults(&pool.policy);
		pool.chain = r->chain;
		r->mempool = mempool_new(&pool);
		r->actor = actor_new("chain", r, r->mailbox, 64, false);
	}
	r->ports = (struct rpc_ports){ .ctx = r, .stop = on_stop,
				       .chain_of = chain_of,
				       .mempool_of = mempool_of,
				       .tip_height = tip_height };
	r->options = (struct rpc_options){
		.base = r->base, .params = &r->params, .clock = &r->clock,
		.cookie_path = r->cookie, .warmup = "Loading block index…",
		.log_path = "/tmp/debug.log",
	};
}

void rig_start(struct rig *r)
{
	struct bytes cookie = { 0 };
	struct why why = { 0 };
	int fds[2];

	fds[0] = listen_unix(r->sock);
	fds[1] = listen_tcp(&r->tcp_port);
	r->options.listen_fds = fds;
	r->options.listen_count = 2;
	assert_int_equal(rpc_new(&r->rpc, &r->options, &r->ports, &why), 0);
	if (r->chain)
		rpc_set_ready(r->rpc, r->actor);
	if (r->options.cookie_path) {
		assert_int_equal(file_read(&cookie, r->cookie, 100, &why), 0);
		memcpy(r->auth, cookie.p, cookie.n);
		bytes_clear(&cookie);
	}
}

void rig_close(struct rig *r)
{
	char *cmd = xasprintf("rm -rf '%s'", r->dir);

	if (r->rpc)
		rpc_stop(r->rpc);
	actor_free(r->actor);
	mailbox_drain(r->mailbox);
	rpc_free(r->rpc);
	mailbox_free(r->mailbox);
	mempool_free(r->mempool);
	chain_close(r->chain);
	event_base_free(r->base);
	assert_int_equal(system(cmd), 0);
	free(cmd);
}

/* ---- the client ---- */

int rig_connect(struct rig *r)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, r->sock);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void turn(struct rig *r)
{
	event_base_loop(r->base, EVLOOP_NONBLOCK);
	mailbox_drain(r->mailbox);
	usleep(200);
}

void rig_write(struct rig *r, int fd, const char *request, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = send(fd, request + done, n - done, MSG_NOSIGNAL);

		if (w > 0)
			done += (size_t)w;
		else if (errno != EAGAIN)
			return;
		turn(r);
	}
}

/* Whole answer in the buffer?  *body: where it starts. */
static bool complete(const char *p, size_t n, bool eof, size_t *body)
{
	const char *end = strstr(p, "\r\n\r\n"), *len;

	if (!end)
		return eof;
	*body = (size_t)(end - p) + 4;
	len = strcasestr(p, "\r\nContent-Length:");
	if (strncmp(p + 9, "204", 3) == 0)
		return true;
	if (!len || len > end)
		return eof;
	return n >= *body + strtoul(len + 17, NULL, 10);
}

struct answer rig_read(struct rig *r, int fd)
{
	struct answer a = { 0 };
	struct bytes b = { 0 };
	char buf[65536];
	size_t body = 0;
	bool eof = false;
	int64_t end_ms = clock_mono_ms() + 20000;

	bytes_append(&b, "", 1);
	b.n--;
	while (!complete((char *)b.p, b.n, eof, &body) && !eof) {
		ssize_t got = recv(fd, buf, sizeof buf, 0);

		assert_true(clock_mono_ms() < end_ms);
		if (got > 0) {
			bytes_append(&b, buf, (size_t)got);
			bytes_append(&b, "", 1);
			b.n--;
			continue;
		}
		eof = got == 0;
		turn(r);
	}
	if (b.n > 12)
		a.status = atoi((char *)b.p + 9);
	a.head = strndup((char *)b.p, body);
	a.body = strdup((char *)b.p + body);
	a.body_n = b.n - body;
	a.json = json_tokener_parse(a.body);
	bytes_clear(&b);
	return a;
}

struct answer rig_raw(struct rig *r, const char *request, size_t n)
{
	int fd = rig_connect(r);
	struct answer a;

	rig_write(r, fd, request, n);
	a = rig_read(r, fd);
	close(fd);
	return a;
}

static void base64(char *out, const char *s)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				    "opqrstuvwxyz0123456789+/";
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)s[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)(uint8_t)s[i + 1] << 8;
		if (i + 2 < n)
			v |= (uint8_t)s[i + 2];
		*out++ = digit[v >> 18];
		*out++ = digit[v >> 12 & 63];
		*out++ = i + 1 < n ? digit[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digit[v & 63] : '=';
	}
	*out = 0;
}

struct answer rig_post_as(struct rig *r, const char *auth, const char *body)
{
	char b64[512];
	struct answer a;
	char *request;

	base64(b64, auth);
	request = xasprintf("POST / HTTP/1.1\r\nHost: x\r\n"
			    "Authorization: Basic %s\r\n"
			    "Content-Length: %zu\r\n\r\n%s", b64,
			    strlen(body), body);
	a = rig_raw(r, request, strlen(request));
	free(request);
	return a;
}

struct answer rig_post(struct rig *r, const char *body)
{
	return rig_post_as(r, r->auth, body);
}

void answer_clear(struct answer *a)
{
	free(a->head);
	free(a->body);
	json_object_put(a->json);
	memset(a, 0, sizeof *a);
}

static struct answer call_raw(struct rig *r, const char *method,
			      const char *params)
{
	char *body = xasprintf("{\"id\":1,\"method\":\"%s\",\"params\":%s}",
			       method, params);
	struct answer a = rig_post(r, body);

	free(body);
	return a;
}

struct json_object *rig_call(struct rig *r, const char *method,
			     const char *params)
{
	struct answer a = call_raw(r, method, params);
	struct json_object *result, *error;

	assert_non_null(a.json);
	error = field(a.json, "error");
	if (error)
		fail_msg("%s: %s", method, json_object_to_json_string(error));
	assert_int_equal(a.status, 200);
	result = json_object_get(field(a.json, "result"));
	answer_clear(&a);
	return result;
}

int rig_fail(struct rig *r, const char *method, const char *params,
	     char text[static 512])
{
	struct answer a = call_raw(r, method, params);
	struct json_object *error;
	int code;

	assert_non_null(a.json);
	error = field(a.json, "error");
	if (!error)
		fail_msg("%s %s did not fail: %s", method, params, a.body);
	code = (int)field_int(error, "code");
	snprintf(text, 512, "%s", field_str(error, "message"));
	answer_clear(&a);
	return code;
}

struct json_object *field(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(o, key, &v))
		fail_msg("no field %s in %s", key,
			 json_object_to_json_string(o));
	return v;
}

const char *field_str(struct json_object *o, const char *key)
{
	return json_object_get_string(field(o, key));
}

int64_t field_int(struct json_object *o, const char *key)
{
	assert_true(json_object_is_type(field(o, key), json_type_int));
	return json_object_get_int64(field(o, key));
}
