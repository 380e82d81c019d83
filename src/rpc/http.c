/*
 * HTTP: listeners, who may speak, what comes in and what goes out.  A
 * request stays evhttp's while its exchange is under way; exchange_send()
 * gives it back.
 */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/log.h"
#include "rpc/server.h"

#define MAX_HEADERS_BYTES 8192
#define MAX_BODY_BYTES ((size_t)32 << 20)
#define AUTH_DELAY_MS 250

static void exchange_free(struct exchange *x)
{
	struct exchange **at = &x->rpc->exchanges;

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->rpc->exchange_count--;
	if (x->timer)
		event_free(x->timer);
	rpc_call_clear(&x->call);
	json_object_put(x->root);
	json_object_put(x->reply);
	free(x);
}

static void header(struct evhttp_request *req, const char *name,
		   const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), name,
			  value);
}

static void send_plain(struct evhttp_request *req, int status,
		       const char *text)
{
	struct evbuffer *b = evhttp_request_get_output_buffer(req);

	header(req, "Content-Type", "text/plain; charset=utf-8");
	evbuffer_add(b, text, strlen(text));
	evhttp_send_reply(req, status, NULL, NULL);
}

static void stop_soon(struct evhttp_request *req, void *arg)
{
	struct rpc *r = arg;

	(void)req;
	event_active(r->stop_timer, EV_TIMEOUT, 0);
}

void exchange_send(struct exchange *x, int status)
{
	struct evhttp_request *req = x->req;
	struct timeval half_s = { 0, 500000 };

	if (!req) {
		if (x->stop_after)
			event_add(x->rpc->stop_timer, &half_s);
		exchange_answer(x, status);
		exchange_free(x);
		return;
	}
	if (x->reply) {
		struct span text = json_text(x->reply);
		struct evbuffer *b = evhttp_request_get_output_buffer(req);

		header(req, "Content-Type", "application/json");
		evbuffer_add(b, text.p, text.n);
		evbuffer_add(b, "\n", 1);
	}
	/* The node stops when the caller has its answer, or soon anyway. */
	if (x->stop_after) {
		header(req, "Connection", "close");
		evhttp_request_set_on_complete_cb(req, stop_soon, x->rpc);
		event_add(x->rpc->stop_timer, &half_s);
	}
	exchange_free(x);
	evhttp_send_reply(req, status, NULL, NULL);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct exchange *x = arg;

	(void)fd, (void)what;
	event_free(x->timer);
	x->timer = NULL;
	x->on_timer(x);
}

void exchange_after(struct exchange *x, int64_t ms,
		    void (*fn)(struct exchange *x))
{
	struct timeval tv = { .tv_sec = ms / 1000,
			      .tv_usec = ms % 1000 * 1000 };

	if (x->timer)
		event_free(x->timer);
	x->on_timer = fn;
	x->timer = evtimer_new(x->rpc->base, on_timer, x);
	CHECK(x->timer && event_add(x->timer, &tv) == 0);
}

static void refuse(struct exchange *x)
{
	struct evhttp_request *req = x->req;

	exchange_free(x);
	header(req, "WWW-Authenticate", "Basic realm=\"jsonrpc\"");
	send_plain(req, 401, "");
}

/* Loopback and unix sockets only. */
static bool peer_allowed(struct evhttp_request *req)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;
	const struct in6_addr *a6;

	if (getpeername(bufferevent_getfd(
		    evhttp_connection_get_bufferevent(c)),
			(struct sockaddr *)&ss, &n) != 0)
		return false;
	if (ss.ss_family == AF_UNIX)
		return true;
	if (ss.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *)&ss)->sin_addr.s_addr)
		       >> 24 == 127;
	if (ss.ss_family != AF_INET6)
		return false;
	a6 = &((struct sockaddr_in6 *)&ss)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(a6) ||
	       (IN6_IS_ADDR_V4MAPPED(a6) && a6->s6_addr[12] == 127);
}

struct exchange *exchange_new(struct rpc *r, enum rpc_right right)
{
	struct exchange *x = xcalloc(1, sizeof *x);

	x->rpc = r;
	x->right = right;
	x->next = r->exchanges;
	x->started_us = clock_mono_us();
	r->exchanges = x;
	r->exchange_count++;
	return x;
}

/* The body's outermost form decides: one request, several, or an error. */
void exchange_begin(struct exchange *x, struct json_object *root, bool ok)
{
	struct rpc_error e = { 0 };

	x->root = root;
	if (json_object_is_type(x->root, json_type_object)) {
		x->count = 1;
	} else if (json_object_is_type(x->root, json_type_array)) {
		x->batch = true;
		x->count = json_object_array_length(x->root);
		x->reply = json_object_new_array();
	} else {
		rpc_error_set(&e, RPC_PARSE_ERROR, "%s",
			      ok ? "Top-level object parse error" :
				   "Parse error");
		x->reply = rpc_reply_new(&x->request, NULL, &e);
		rpc_error_clear(&e);
		exchange_send(x, 500);
		return;
	}
	exchange_run(x);
}

static void begin(struct exchange *x)
{
	struct evbuffer *b = evhttp_request_get_input_buffer(x->req);
	size_t n = evbuffer_get_length(b);
	struct json_object *root;
	bool ok;

	root = json_parse(span_of(evbuffer_pullup(b, -1), n), &ok);
	evbuffer_drain(b, n);
	exchange_begin(x, root, ok);
}

static struct exchange *of_owner(struct rpc *r, struct evhttp_request *req)
{
	struct exchange *x = exchange_new(r, RPC_OWNER);

	x->req = req;
	return x;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct rpc *r = arg;
	struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *auth = evhttp_find_header(in, "Authorization");
	struct exchange *x;

	if (!peer_allowed(req)) {
		send_plain(req, 403, "");
	} else if (evhttp_request_get_command(req) != EVHTTP_REQ_POST) {
		header(req, "Allow", "POST");
		send_plain(req, 405,
			   "JSONRPC server handles only POST requests");
	} else if (strcmp(evhttp_request_get_uri(req), "/") != 0) {
		send_plain(req, 404, "");
	} else if (r->exchange_count >= r->work_queue) {
		send_plain(req, 503, "Work queue depth exceeded");
	} else if (!auth) {
		header(req, "WWW-Authenticate", "Basic realm=\"jsonrpc\"");
		send_plain(req, 401, "");
	} else if (!auth_check(r->auth, auth)) {
		if (log_limit_ok(&r->auth_log, 10, 1000, NULL))
			log_warn(LOG_RPC, "a caller gave a wrong user or "
				 "password");
		x = of_owner(r, req);
		exchange_after(x, AUTH_DELAY_MS, refuse);
	} else if (atomic_load(&r->stopping)) {
		send_plain(req, 503, "Shutting down");
	} else {
		begin(of_owner(r, req));
	}
}

/* ---- the service ---- */

static void on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
	struct rpc *r = arg;

	(void)fd, (void)what;
	event_del(r->stop_timer);
	if (r->ports.stop)
		r->ports.stop(r->ports.ctx);
}

static enum err add_listeners(struct rpc *r, const struct rpc_options *opt,
			      struct why *why)
{
	for (size_t i = 0; i < opt->listen_count; i++) {
		int fd = opt->listen_fds[i];
		struct evhttp_bound_socket *b;

		if (evutil_make_socket_nonblocking(fd) != 0)
			return why_errno(why, "RPC listener %d", fd);
		b = evhttp_accept_socket_with_handle(r->http, fd);
		if (!b)
			return why_set(why, ERR_IO, "cannot accept on RPC "
				       "listener %d", fd);
		r->bound[r->bound_count++] = b;
	}
	return ERR_NONE;
}

static void http_setup(struct rpc *r, const struct rpc_options *opt)
{
	size_t body = opt->max_body_bytes ? opt->max_body_bytes :
					    MAX_BODY_BYTES;

	r->http = evhttp_new(r->base);
	r->stop_timer = evtimer_new(r->base, on_stop_timer, r);
	CHECK(r->http && r->stop_timer);
	evhttp_set_timeout(r->http, opt->timeout_s ? opt->timeout_s : 30);
	evhttp_set_max_headers_size(r->http, MAX_HEADERS_BYTES);
	evhttp_set_max_body_size(r->http, (ev_ssize_t)body);
	evhttp_set_allowed_methods(r->http, EVHTTP_REQ_GET |
				   EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
				   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
				   EVHTTP_REQ_OPTIONS);
	evhttp_set_gencb(r->http, on_request, r);
}

static char *copy_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

enum err rpc_new(struct rpc **out, const struct rpc_options *opt,
		 const struct rpc_ports *ports, struct why *why)
{
	struct rpc *r = xcalloc(1, sizeof *r);
	struct json_object *first;
	enum err e;

	CHECK(opt->listen_count <= RPC_LISTENERS_MAX);
	r->ports = *ports;
	r->base = opt->base;
	r->params = opt->params;
	r->clock = opt->clock;
	r->log_path = copy_or_null(opt->log_path);
	r->user_agent = xstrdup(opt->user_agent ? opt->user_agent :
				"/Cloister:" PACKAGE_VERSION "/");
	r->warmup = xstrdup(opt->warmup ? opt->warmup : "RPC warming up");
	r->work_queue = opt->work_queue ? opt->work_queue : 64;
	r->start_mono_ms = opt->start_mono_ms ? opt->start_mono_ms :
						clock_mono_ms();
	/* json-c seeds its hash tables at the first object: before walls. */
	first = json_object_new_object();
	json_object_object_add(first, "seed", NULL);
	json_object_put(first);
	http_setup(r, opt);
	e = auth_new(&r->auth, opt->cookie_path, opt->user, opt->password,
		     why);
	for (size_t i = 0; !e && i < opt->rpcauth_count; i++)
		e = auth_add_rpcauth(r->auth, opt->rpcauth[i], why);
	if (!e)
		e = add_listeners(r, opt, why);
	if (e) {
		rpc_free(r);
		r = NULL;
	}
	*out = r;
	return e;
}

void rpc_set_warmup(struct rpc *r, const char *text)
{
	char *copy = xstrdup(text);

	free(r->warmup);
	r->warmup = copy;
}

void rpc_set_ready(struct rpc *r, struct actor *chain)
{
	r->chain = chain;
	free(r->warmup);
	r->warmup = NULL;
}

void rpc_stop(struct rpc *r)
{
	if (atomic_exchange(&r->stopping, true))
		return;
	for (size_t i = 0; i < r->bound_count; i++)
		evhttp_del_accept_socket(r->http, r->bound[i]);
	r->bound_count = 0;
	auth_remove_cookie(r->auth);
	rpc_wake(r, true);
}

size_t rpc_busy(const struct rpc *r)
{
	return r->exchange_count;
}

void rpc_free(struct rpc *r)
{
	if (!r)
		return;
	CHECK(r->jobs == 0);
	while (r->exchanges) {
		struct evhttp_request *req = r->exchanges->req;

		/* One whose connection is gone is ours alone. */
		if (req && !evhttp_request_get_connection(req))
			evhttp_request_free(req);
		exchange_free(r->exchanges);
	}
	if (r->http)
		evhttp_free(r->http);
	if (r->stop_timer)
		event_free(r->stop_timer);
	auth_free(r->auth);
	free(r->log_path);
	free(r->user_agent);
	free(r->warmup);
	free(r);
}
