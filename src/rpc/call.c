/*
 * Taking the requests of an exchange through their methods, in order.  A
 * loop method runs here and now; a chain method goes out as a job and
 * exchange_continue() picks the thread up when it is back.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/server.h"

static void chain_run(struct job *job, void *owner)
{
	struct exchange *x = CONTAINER_OF(job, struct exchange, job);
	struct rpc_call *call = &x->call;

	call->owner = owner;
	call->chain = call->ports->chain_of(owner);
	call->mempool = call->ports->mempool_of(owner);
	if (!call->chain)
		rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
	else if (!call->slice)
		call->method->run(call);
	else if (!call->slice(call))
		call->slice = NULL;
	if (call->error.code)
		call->slice = NULL;
	if (!call->slice && call->state) {
		call->state_free(call->state);
		call->state = NULL;
	}
	call->chain = NULL;
	call->mempool = NULL;
	call->owner = NULL;
}

static void post(struct exchange *x);

static void chain_done(struct job *job)
{
	struct exchange *x = CONTAINER_OF(job, struct exchange, job);

	x->rpc->jobs--;
	if (x->call.then && !x->call.error.code)
		x->call.then(&x->call);
	if (x->call.slice)
		post(x);
	else if (x->call.wait.kind && !x->call.error.code)
		exchange_wait(x);
	else
		exchange_continue(x);
}

static void post(struct exchange *x)
{
	x->job = (struct job){ .run = chain_run, .done = chain_done };
	x->rpc->jobs++;
	actor_post_urgent(x->rpc->chain, &x->job);
}

void exchange_again(struct exchange *x)
{
	x->call.wait = (struct rpc_wait){ .kind = RPC_WAIT_NONE };
	post(x);
}

/* False: refused, x->call.error says why. */
static bool prepare(struct exchange *x)
{
	struct rpc *r = x->rpc;
	struct rpc_call *call = &x->call;

	call->method = rpc_method_get(x->request.method);
	if (r->warmup && !(call->method && call->method->flags & RPC_EARLY)) {
		rpc_fail(call, RPC_IN_WARMUP, "%s", r->warmup);
		return false;
	}
	if (!call->method) {
		rpc_fail(call, RPC_METHOD_NOT_FOUND, "Method not found");
		return false;
	}
	if (!rpc_may_call(x->right, call->method)) {
		rpc_fail(call, RPC_FORBIDDEN, "%s is not for remote callers "
			 "with your role", call->method->name);
		return false;
	}
	call->params = r->params;
	call->ports = &r->ports;
	call->stopping = &r->stopping;
	call->rpc = r;
	if (!rpc_call_bind(call, x->request.params))
		return false;
	if (call->method->flags & RPC_REGTEST &&
	    r->params->id != CHAIN_REGTEST) {
		rpc_fail(call, RPC_MISC_ERROR, "%s is for regression testing "
			 "(-regtest mode) only", call->method->name);
		return false;
	}
	if (call->method->flags & RPC_WARNINGS)
		/* They name other trusted peers. */
		call->warnings = x->right == RPC_READ ?
			json_object_new_array() : rpc_warnings(r);
	return true;
}

/* File the answer of the request under way. */
static void item_done(struct exchange *x)
{
	struct rpc_call *call = &x->call;
	struct json_object *reply;
	int code = call->error.code;

	x->stop_after |= call->wants_stop;
	if (!x->batch)
		x->status = code && x->request.version == RPC_V1 ?
			    rpc_error_http_status(code) : 200;
	if (rpc_request_is_notification(&x->request)) {
		x->status = 204;
	} else {
		reply = rpc_reply_new(&x->request, call->result,
				      &call->error);
		call->result = NULL;
		if (x->batch)
			json_object_array_add(x->reply, reply);
		else
			x->reply = reply;
	}
	rpc_call_clear(call);
	x->running = false;
	x->index++;
}

/* Start the request at x->index; true when it is finished already. */
static bool item_start(struct exchange *x)
{
	struct json_object *item = x->batch ?
		json_object_array_get_idx(x->root, x->index) : x->root;

	x->running = true;
	if (!rpc_request_read(&x->request, &x->call.error, item) ||
	    !prepare(x))
		return true;
	if (x->call.method->thread == RPC_ON_CHAIN) {
		post(x);
		return false;
	}
	x->call.method->run(&x->call);
	if (!x->call.wait.kind || x->call.error.code)
		return true;
	exchange_wait(x);
	return false;
}

void exchange_run(struct exchange *x)
{
	while (x->index < x->count) {
		if (!item_start(x))
			return;
		item_done(x);
	}
	if (x->batch) {
		bool silent = x->count &&
			      json_object_array_length(x->reply) == 0;

		x->status = silent ? 204 : 200;
		if (silent) {
			json_object_put(x->reply);
			x->reply = NULL;
		}
	}
	exchange_send(x, x->status);
}

void exchange_continue(struct exchange *x)
{
	item_done(x);
	exchange_run(x);
}

/* ---- what methods on the loop ask of the service ---- */

struct json_object *rpc_warnings(struct rpc *r)
{
	struct json_object *a = json_object_new_array();
	const char *text[16];
	size_t n = 0;

	if (r->ports.warnings)
		n = r->ports.warnings(r->ports.ctx, text, ARRAY_SIZE(text));
	for (size_t i = 0; i < n; i++)
		json_object_array_add(a, json_object_new_string(text[i]));
	return a;
}

int64_t rpc_uptime_s(const struct rpc *r)
{
	return (clock_mono_ms() - r->start_mono_ms) / 1000;
}

struct json_object *rpc_active_calls(struct rpc *r)
{
	struct json_object *a = json_object_new_array();

	for (struct exchange *x = r->exchanges; x; x = x->next) {
		struct json_object *o;

		if (!x->running || !x->call.method)
			continue;
		o = json_object_new_object();
		json_add_str(o, "method", x->call.method->name);
		json_add_int(o, "duration",
			     clock_mono_us() - x->started_us);
		json_object_array_add(a, o);
	}
	return a;
}

const char *rpc_log_path(const struct rpc *r)
{
	return r->log_path ? r->log_path : "";
}

const char *rpc_user_agent(const struct rpc *r)
{
	return r->user_agent;
}

struct clock *rpc_clock(struct rpc *r)
{
	return r->clock;
}
