/*
 * Inside rpc: the service object and one HTTP exchange.  http.c receives
 * and answers, call.c takes the requests in it through their methods one
 * after another, rpc_wait.c parks those that wait for the tip.  Loop thread.
 */
#ifndef CLOISTER_RPC_SERVER_H
#define CLOISTER_RPC_SERVER_H

#include <event2/event.h>
#include <event2/http.h>

#include "base/log.h"
#include "rpc/auth.h"
#include "rpc/remote.h"
#include "rpc/rpc_priv.h"

struct exchange {
	struct rpc *rpc;
	struct evhttp_request *req;      /* NULL: rpc_take()'s */
	enum rpc_right right;
	rpc_answer_fn *answer;           /* NULL: nobody waits for it */
	void *answer_arg;
	struct exchange *next;           /* of rpc->exchanges */
	struct event *timer;             /* delay of a refusal, or a wait */
	void (*on_timer)(struct exchange *x);
	int64_t started_us;

	struct json_object *root;        /* the body */
	bool batch;
	size_t index, count;             /* of the requests in it */
	struct json_object *reply;       /* the answer, or array of them */
	int status;                      /* HTTP, of a single request */

	struct rpc_request request;      /* the one under way */
	struct rpc_call call;
	struct job job;
	bool running, waiting, stop_after;
	int64_t poll_until_ms;           /* of an RPC_WAIT_POLL */
};

struct rpc {
	struct rpc_ports ports;
	struct event_base *base;
	const struct chain_params *params;
	struct clock *clock;
	struct auth *auth;
	struct evhttp *http;
	struct evhttp_bound_socket *bound[RPC_LISTENERS_MAX];
	size_t bound_count;
	char *log_path, *user_agent;
	char *warmup;                    /* NULL: ready */
	size_t work_queue;
	int64_t start_mono_ms;
	struct actor *chain;
	struct exchange *exchanges;
	size_t exchange_count, jobs;
	struct event *stop_timer;
	atomic_bool stopping;
	struct log_limit auth_log;
	bool tip_known;
	struct block_hash tip_hash;
	int tip_height;
};

/** Begin with the requests of a body, parsed if ok; takes it. */
void exchange_begin(struct exchange *x, struct json_object *root, bool ok);
struct exchange *exchange_new(struct rpc *r, enum rpc_right right);
/** May a caller with this right call it? */
bool rpc_may_call(enum rpc_right right, const struct rpc_method *m);
/** Go through the requests until all are answered or one has to wait. */
void exchange_run(struct exchange *x);
/** The request under way is finished: file its answer, go on. */
void exchange_continue(struct exchange *x);
/** Send x->reply (or nothing) with the status, and free x. */
void exchange_send(struct exchange *x, int status);
/** The same for rpc_take()'s, but x stays. */
void exchange_answer(struct exchange *x, int status);
/** Nobody wants the answer (x->right is RPC_NOTHING): it waits no longer. */
void exchange_hurry(struct exchange *x);
/** After ms, call fn(x); replaces a timer that runs. */
void exchange_after(struct exchange *x, int64_t ms,
		    void (*fn)(struct exchange *x));

/** The method has set call.wait: answer now or once it comes true. */
void exchange_wait(struct exchange *x);
/** What it waited for is there: run the method on the chain once more. */
void exchange_again(struct exchange *x);
/** Look at all waiting ones again; force: end them with the present tip. */
void rpc_wake(struct rpc *r, bool force);

#endif
