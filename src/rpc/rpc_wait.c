/*
 * Methods that wait for the tip: they look on the chain's thread, and if
 * what they wait for is not there yet, park on the loop until
 * rpc_tip_changed() brings it or the time is over.  A tip event posted after
 * the look comes back through the same mailbox after it, so none is missed.
 */
#include "config.h"

#include <stdlib.h>

#include "rpc/server.h"
#include "validation/chain.h"

#define POLL_MS 50

static struct json_object *tip_result(const struct block_hash *hash,
				      int height)
{
	struct json_object *o = json_object_new_object();

	json_add_hash(o, "hash", hash->b);
	json_add_int(o, "height", height);
	return o;
}

static bool fulfilled(const struct rpc_wait *w, const struct block_hash *tip,
		      int height)
{
	switch (w->kind) {
	case RPC_WAIT_NONE:
		return true;
	case RPC_WAIT_CHANGE:
		return !block_hash_eq(&w->hash, tip);
	case RPC_WAIT_HASH:
		return block_hash_eq(&w->hash, tip);
	case RPC_WAIT_HEIGHT:
		return height >= w->height;
	case RPC_WAIT_POLL:
		return false;
	}
	return true;
}

/* ---- the chain's side ---- */

static bool read_timeout(struct rpc_call *call, size_t i, int64_t *ms)
{
	*ms = 0;
	if (!rpc_arg_i64(call, i, ms))
		return false;
	if (*ms >= 0)
		return true;
	rpc_fail(call, RPC_MISC_ERROR, "Negative timeout");
	return false;
}

static void look(struct rpc_call *call, struct rpc_wait w)
{
	const struct header_node *tip = chain_tip(call->chain);

	call->result = tip_result(&tip->hash, tip->height);
	if (!fulfilled(&w, &tip->hash, tip->height))
		call->wait = w;
}

static void waitfornewblock(struct rpc_call *call)
{
	struct rpc_wait w = { .kind = RPC_WAIT_CHANGE };

	w.hash = chain_tip(call->chain)->hash;
	if (read_timeout(call, 0, &w.timeout_ms) &&
	    rpc_arg_hash(call, 1, w.hash.b))
		look(call, w);
}

static void waitforblock(struct rpc_call *call)
{
	struct rpc_wait w = { .kind = RPC_WAIT_HASH };

	if (rpc_arg_hash(call, 0, w.hash.b) &&
	    read_timeout(call, 1, &w.timeout_ms))
		look(call, w);
}

static void waitforblockheight(struct rpc_call *call)
{
	struct rpc_wait w = { .kind = RPC_WAIT_HEIGHT };

	if (rpc_arg_int(call, 0, &w.height) &&
	    read_timeout(call, 1, &w.timeout_ms))
		look(call, w);
}

/* ---- the loop's side: polls ---- */

static void poll_again(struct exchange *x)
{
	int64_t now = clock_mono_ms();
	bool last = now >= x->poll_until_ms || atomic_load(&x->rpc->stopping);

	if (!x->call.wait.poll(&x->call, last) && !last) {
		exchange_after(x, POLL_MS, poll_again);
		return;
	}
	if (x->timer)
		event_free(x->timer);
	x->timer = NULL;
	exchange_continue(x);
}

/* ---- the loop's side: the tip ---- */

static void finish(struct exchange *x)
{
	struct rpc *r = x->rpc;

	if (x->timer)
		event_free(x->timer);
	x->timer = NULL;
	x->waiting = false;
	if (x->call.wait.again && !atomic_load(&r->stopping) &&
	    x->right != RPC_NOTHING) {
		exchange_again(x);
		return;
	}
	if (x->call.wait.again) {
		rpc_fail(&x->call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
	} else if (r->tip_known) {
		json_object_put(x->call.result);
		x->call.result = tip_result(&r->tip_hash, r->tip_height);
	}
	exchange_continue(x);
}

void exchange_wait(struct exchange *x)
{
	if (x->call.wait.kind == RPC_WAIT_POLL) {
		x->poll_until_ms = clock_mono_ms() + x->call.wait.timeout_ms;
		exchange_after(x, POLL_MS, poll_again);
		return;
	}
	if (atomic_load(&x->rpc->stopping) || x->right == RPC_NOTHING) {
		finish(x);
		return;
	}
	x->waiting = true;
	if (x->call.wait.timeout_ms)
		exchange_after(x, x->call.wait.timeout_ms, finish);
}

void exchange_hurry(struct exchange *x)
{
	if (x->waiting)
		exchange_after(x, 0, finish);
}

void rpc_wake(struct rpc *r, bool force)
{
	struct exchange *x = r->exchanges, *next;

	for (; x; x = next) {
		next = x->next;
		if (x->waiting && (force || fulfilled(&x->call.wait,
						      &r->tip_hash,
						      r->tip_height)))
			finish(x);
	}
}

void rpc_tip_changed(struct rpc *r, const struct block_hash *hash,
		     int height)
{
	r->tip_known = true;
	r->tip_hash = *hash;
	r->tip_height = height;
	rpc_wake(r, false);
}

static const struct rpc_method methods[] = {
	{ .name = "waitfornewblock", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = waitfornewblock,
	  .help = "Wait until the tip is another block than it is now (or "
		  "than current_tip), and say\nwhich.",
	  .args = { { "timeout", RPC_NUM, false,
		      "Milliseconds; 0, the default, waits for ever" },
		    { "current_tip", RPC_STR, false,
		      "Answer at once if the tip is not this" } } },
	{ .name = "waitforblock", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = waitforblock,
	  .help = "Wait until this block is the tip.",
	  .args = { { "blockhash", RPC_STR, true, "The block" },
		    { "timeout", RPC_NUM, false,
		      "Milliseconds; 0, the default, waits for ever" } } },
	{ .name = "waitforblockheight", .category = "Blockchain",
	  .thread = RPC_ON_CHAIN, .run = waitforblockheight,
	  .help = "Wait until the tip is at this height or above.",
	  .args = { { "height", RPC_NUM, true, "The height" },
		    { "timeout", RPC_NUM, false,
		      "Milliseconds; 0, the default, waits for ever" } } },
};

struct rpc_methods rpc_methods_wait(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
