/*
 * Inside rpc: a call, a method, and how methods read their arguments.
 *
 * A method's function runs on the thread its row names.  On the chain's
 * thread it may use call->chain, call->params and the argument helpers, and
 * nothing of struct rpc.
 */
#ifndef CLOISTER_RPC_RPC_PRIV_H
#define CLOISTER_RPC_RPC_PRIV_H

#include <stdatomic.h>

#include "rpc/jsonrpc.h"
#include "rpc/rpc.h"

struct rpc_call;

enum rpc_type {
	RPC_STR,
	RPC_NUM,
	RPC_BOOL,
	RPC_ARR,
	RPC_OBJ,
	RPC_ANY,         /* checked by the method itself */
};

struct rpc_arg {
	const char *names;       /* "verbosity|verbose"; NULL ends the list */
	enum rpc_type type;
	bool required;
	const char *help;
};

enum rpc_thread { RPC_ON_LOOP, RPC_ON_CHAIN };

enum {
	RPC_HIDDEN = 1,          /* not listed by help */
	RPC_REGTEST = 2,         /* refused on other chains */
	RPC_WARNINGS = 4,        /* wants call->warnings */
	RPC_EARLY = 8,           /* served during warm-up too */
};

#define RPC_ARGS_MAX 10

struct rpc_method {
	const char *name, *category;
	enum rpc_thread thread;
	unsigned flags;
	void (*run)(struct rpc_call *call);
	const char *help;        /* sentences; may hold newlines */
	struct rpc_arg args[RPC_ARGS_MAX];
};

struct rpc_methods {
	const struct rpc_method *m;
	size_t n;
};

#define RPC_GROUPS_MAX 24

struct rpc_methods rpc_methods_addr(void);
struct rpc_methods rpc_methods_chain(void);
struct rpc_methods rpc_methods_block(void);
struct rpc_methods rpc_methods_coins(void);
struct rpc_methods rpc_methods_control(void);
struct rpc_methods rpc_methods_fees(void);
struct rpc_methods rpc_methods_index(void);
struct rpc_methods rpc_methods_mempool(void);
struct rpc_methods rpc_methods_mempool_file(void);
struct rpc_methods rpc_methods_descriptor(void);
struct rpc_methods rpc_methods_mining(void);
struct rpc_methods rpc_methods_net(void);
struct rpc_methods rpc_methods_snapshot(void);
struct rpc_methods rpc_methods_storage(void);
struct rpc_methods rpc_methods_trust(void);
struct rpc_methods rpc_methods_send(void);
struct rpc_methods rpc_methods_rawtx(void);
struct rpc_methods rpc_methods_sign(void);
struct rpc_methods rpc_methods_template(void);
struct rpc_methods rpc_methods_tx(void);
struct rpc_methods rpc_methods_wait(void);

/* A method that waits: for the tip to change, or for its own poll to come
 * true (rpc_wait.c). */
enum rpc_wait_kind {
	RPC_WAIT_NONE = 0,
	RPC_WAIT_CHANGE,         /* any tip but `hash` */
	RPC_WAIT_HASH,           /* the tip is `hash` */
	RPC_WAIT_HEIGHT,         /* the tip is at `height` or above */
	RPC_WAIT_POLL,           /* poll() is true; on the loop */
};

struct rpc_wait {
	enum rpc_wait_kind kind;
	struct block_hash hash;
	int height;
	int64_t timeout_ms;      /* 0: for ever */
	bool again;              /* then run the method once more */
	/* Sets result or error and returns true, or is asked again.  At the
	 * end of the time: with last, which must be the last word. */
	bool (*poll)(struct rpc_call *call, bool last);
};

struct rpc_call {
	const struct rpc_method *method;
	struct json_object *args;        /* owned array, positional */
	const struct chain_params *params;
	const struct rpc_ports *ports;
	atomic_bool *stopping;           /* give up long work */
	struct json_object *warnings;    /* owned, for RPC_WARNINGS */
	struct rpc *rpc;                 /* loop thread only */
	struct chain *chain;             /* chain thread only */
	struct mempool *mempool;         /* the same */
	void *owner;                     /* the same: the actor's owner */

	/*
	 * Long work on the chain's thread is done in slices, so that others
	 * are answered in between: run() sets these, and slice() is called,
	 * as a job of its own each time, until it says false.  The state must
	 * bear that the chain is closed between two slices; it is freed on
	 * the chain's thread, or when that has ended.
	 */
	bool (*slice)(struct rpc_call *call);
	void *state;
	void (*state_free)(void *state);

	/* A chain method's second part, on the loop's thread. */
	void (*then)(struct rpc_call *call);
	struct block_hash then_block;    /* what it is about */

	struct json_object *result;      /* owned */
	struct rpc_error error;
	struct rpc_wait wait;            /* asked for by the method */
	bool waited;                     /* the method's own note */
	bool wants_stop;                 /* stop the node once answered */
};

/** The table; NULL for an unknown name. */
const struct rpc_method *rpc_method_get(const char *name);
/** All methods, grouped by subject. */
size_t rpc_method_groups(struct rpc_methods *out, size_t max);
size_t rpc_method_arg_count(const struct rpc_method *m);
/** New string: usage line, text, arguments. */
char *rpc_method_help(const struct rpc_method *m);
/** New string: `getblock "blockhash" ( verbosity )`. */
char *rpc_method_usage(const struct rpc_method *m);
/**
 * Put params (array, object or NULL; borrowed) into call->args in order, and
 * check count and types.  False: call->error says what is wrong.
 */
NODISCARD bool rpc_call_bind(struct rpc_call *call,
			     struct json_object *params);
void rpc_call_clear(struct rpc_call *call);

/* ---- for methods ---- */

#define rpc_fail(call, ...) rpc_error_set(&(call)->error, __VA_ARGS__)
/** Trouble from the chain: the node is told, the caller gets an error. */
void rpc_fail_trouble(struct rpc_call *call, const struct why *why);
/** The answer to a wrong use: the help text, as error -1. */
void rpc_fail_help(struct rpc_call *call);

/** The i-th argument; NULL when absent or null. */
struct json_object *rpc_arg(const struct rpc_call *call, size_t i);
static inline bool rpc_has_arg(const struct rpc_call *call, size_t i)
{
	return rpc_arg(call, i) != NULL;
}
/* These set the error and return false when the argument does not fit.
 * An absent one leaves *out as it is (and is fine). */
NODISCARD bool rpc_arg_str(struct rpc_call *call, size_t i,
			   const char **out);
NODISCARD bool rpc_arg_int(struct rpc_call *call, size_t i, int *out);
NODISCARD bool rpc_arg_i64(struct rpc_call *call, size_t i, int64_t *out);
NODISCARD bool rpc_arg_bool(struct rpc_call *call, size_t i, bool *out);
/** A number, or a boolean that counts as 0 or 1. */
NODISCARD bool rpc_arg_verbosity(struct rpc_call *call, size_t i, int *out);
/** 64 hex digits, reversed. */
NODISCARD bool rpc_arg_hash(struct rpc_call *call, size_t i,
			    uint8_t out[static 32]);

/** An amount in bitcoins, number or text, from 0 to the maximum; otherwise
 * the call has its error. */
NODISCARD bool rpc_amount_read(struct rpc_call *call, int64_t *sat,
			       struct json_object *o);
/** {"txid", "vout"}; otherwise the call has its error. */
NODISCARD bool rpc_outpoint_read(struct rpc_call *call, struct outpoint *out,
				 struct json_object *o);

/* ---- between the loop's parts ---- */

struct rpc;
/** The ports' sentences as an array. */
struct json_object *rpc_warnings(struct rpc *r);
/** Seconds since the start. */
int64_t rpc_uptime_s(const struct rpc *r);
/** Array of {method, duration}. */
struct json_object *rpc_active_calls(struct rpc *r);
const char *rpc_log_path(const struct rpc *r);
const char *rpc_user_agent(const struct rpc *r);
struct clock *rpc_clock(struct rpc *r);

#endif
