/*
 * Inside trust: members, their doors, conversations.
 *
 * trust.c keeps the records and tells the warden, trust_owner.c does what the
 * owner asks, trust_door.c lets people in, trust_errand.c goes to others'
 * doors, trust_conns.c watches over the engine's connections.
 */
#ifndef CLOISTER_NODE_TRUST_PRIV_H
#define CLOISTER_NODE_TRUST_PRIV_H

#include "base/log.h"
#include "net/listener.h"
#include "node/trust.h"
#include "tls/enrol_msg.h"

#define MEMBER_CONNS_MAX 8       /* of the engine, with one member */
#define GUESTS_MAX 16            /* conversations at one member's doors */
#define RPC_INPUT_MAX (4 << 20)  /* head and body of a call */
#define RPC_GUESTS_MAX 8         /* of them: calls of RPC */
#define CONVERSATION_MS 30000
#define PAUSE_FIRST_MS 1000      /* between tries; doubled, and jitter */
#define PAUSE_MAX_MS (5 * 60 * 1000)
#define STEADY_MS 60000          /* connected so long: failures forgotten */

struct member;

/* One of our doors for a member: the present one or the next. */
struct entrance {
	struct member *member;
	struct link_door state;
	struct listener *listeners[DOOR_PORT_COUNT];
	/* Their arguments: */
	struct gate {
		struct entrance *entrance;
		enum door_port port;
	} gates[DOOR_PORT_COUNT];
};

/* Somebody at a door of ours, until the engine has him. */
struct guest {
	struct guest *next;
	struct member *member;
	struct entrance *entrance;
	enum door_port port;
	struct tls_stream *stream;       /* the handshake */
	struct conn *conn;               /* then the conversation */
	struct timer *timer;
	struct node_id id;
	bool asked;                      /* its one call of RPC */
};

/* Our way to a member's door, to say something. */
struct errand;

struct member {
	struct member *next;
	struct trust *trust;
	struct trust_peer *rec;          /* in the store */
	struct entrance *now, *soon;     /* soon: NULL unless rotating */
	struct guest *guests;
	unsigned guests_n;
	struct errand *errand;
	struct timer *errand_timer, *dial_timer;
	unsigned errand_failures, dial_failures;
	unsigned silences;               /* in answer to our token */
	bool knock;                      /* at their new door, once */
	bool dialling;
	struct {
		peer_id id;
		bool outbound;
		int64_t since_ms;
	} conns[MEMBER_CONNS_MAX];
	peer_id conn_ids[MEMBER_CONNS_MAX];
	size_t conns_n;
	uint8_t token[TRUST_TOKEN_SIZE]; /* of our invite, until it is told */
	bool has_token;
	char problem[200];
	int64_t problem_at;
	int64_t leaf_until;
	char alarm[400];                 /* somebody else has its door's key */
};

struct trust {
	struct trust_options o;
	char *path;
	struct trust_store store;
	struct member *members;
	struct peers *peers;             /* NULL before the start */
	struct timer *tick;
	bool broken;                     /* the file cannot be read */
	bool tor_ready, unsaved;
	char load_problem[400];
	struct log_limit limit;
	/* The last invite of theirs that came to nothing. */
	char refused_name[TRUST_NAME_MAX + 1];
	char refused_why[200];
};

static inline int64_t trust_now(const struct trust *t)
{
	return clock_unix(t->o.clock);
}

/* ---- trust.c ---- */

struct member *member_get(const struct trust *t, const char *name);
struct member *member_get_id(const struct trust *t, const struct node_id *id);
/** A member for a record of the store. */
struct member *member_new(struct trust *t, struct trust_peer *rec);
/** With all that belongs to it, the record too; its door's key is erased. */
void member_remove(struct member *m);
/** Ask the warden for its doors, tell the key to theirs, pin its id. */
void member_wish(struct member *m);
void member_wish_way(struct member *m);
/** Where it went wrong last; goes to the log too. */
void PRINTF_LIKE(2, 3) member_problem(struct member *m, const char *fmt, ...);
NODISCARD enum err trust_save(struct trust *t, struct why *why);
/** Trouble is logged, and tried again at the next tick. */
void trust_save_soon(struct trust *t);
/** A new door record with a pair of keys; false if OpenSSL fails. */
NODISCARD bool trust_door_make(struct trust_door *d);
struct entrance *entrance_new(struct member *m);
void entrance_free(struct entrance *e);          /* NULL is fine */
/** The next door has worked: it is the door. */
void member_moved(struct member *m);
/** 1 s, 2 s, 4 s …, a quarter of chance either way. */
int64_t trust_pause_ms(unsigned failures);

/* ---- trust_door.c ---- */

void door_open(struct entrance *e, enum door_port port, TAKES int fd);
/** With all that it waits for. */
void guest_free(struct guest *g);
void guests_end(struct member *m, const struct entrance *only);

/* ---- trust_rpc.c ---- */

/** What its role lets a member do with our RPC, enum rpc_right. */
int member_rpc_right(const struct member *m);
/** g->conn speaks HTTP: one call. */
void guest_serve_rpc(struct guest *g);

/* ---- trust_errand.c ---- */

/** Is there something to say at their door?  Then go, now or soon. */
void errand_consider(struct member *m);
void errand_end(struct member *m);

/* ---- trust_conns.c ---- */

void conns_consider(struct member *m);
/** End a dial that is under way. */
void conns_give_up(struct member *m);
void conns_close(struct member *m);

#endif
