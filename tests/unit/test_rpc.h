/*
 * A whole RPC service for tests: event loop, unix and TCP listeners, and if
 * wanted a real regtest chain in a temporary directory, run inline.
 */
#ifndef CLOISTER_TEST_RPC_H
#define CLOISTER_TEST_RPC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "rpc/rpc.h"
#include "mempool/mempool.h"
#include "validation/chain.h"

struct rig {
	char dir[64];
	char sock[96], cookie[96];
	uint16_t tcp_port;
	struct event_base *base;
	struct mailbox *mailbox;
	struct actor *actor;
	struct chain *chain;
	struct mempool *mempool;
	struct chain_params params;
	struct clock clock;
	struct rpc_ports ports;
	struct rpc_options options;
	struct rpc *rpc;
	bool stopped;
	bool inject;            /* what a port saw */
	char auth[128];         /* "user:password" of the cookie */
};

/** chain: with a regtest chain; otherwise it stays in warm-up. */
void rig_open(struct rig *r, bool chain);
/** The service itself, after the options and ports were set. */
void rig_start(struct rig *r);
void rig_close(struct rig *r);

struct answer {
	int status;
	char *head;             /* status line and headers */
	char *body;
	size_t body_n;
	struct json_object *json;
};

/** Send these bytes on a connection of their own and await the answer.
 * fd < 0: connect to the unix socket. */
struct answer rig_raw(struct rig *r, const char *request, size_t n);
int rig_connect(struct rig *r);
void rig_write(struct rig *r, int fd, const char *request, size_t n);
struct answer rig_read(struct rig *r, int fd);
/** POST this body with the cookie. */
struct answer rig_post(struct rig *r, const char *body);
struct answer rig_post_as(struct rig *r, const char *auth, const char *body);
void answer_clear(struct answer *a);

/** One call (1.0, positional params as JSON text): its result, owned. */
struct json_object *rig_call(struct rig *r, const char *method,
			     const char *params);
/** The same, which must fail: the code, and the message in *text. */
int rig_fail(struct rig *r, const char *method, const char *params,
	     char text[static 512]);

struct json_object *field(struct json_object *o, const char *key);
const char *field_str(struct json_object *o, const char *key);
int64_t field_int(struct json_object *o, const char *key);
/** Is the text of the JSON exactly this? */
#define assert_json(o, text) \
	assert_string_equal(json_object_to_json_string_ext(o, \
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), \
		text)

int test_rpc_json(void);
int test_rpc_auth(void);
int test_rpc_http(void);
int test_rpc_chain(void);
int test_rpc_tx(void);
int test_rpc_net(void);

#endif
