/*
 * Whom we trust, and whom we have invited: the file node/trusted, and the
 * records in memory.  No I/O but in load and save.  Loop thread only.
 *
 * The file is text: a first line with the version, then a line for each
 * peer, "peer CHECKSUM BYTES" in hex.  A line that is damaged is told and
 * left out; the others count.  Nothing is taken from a damaged line.
 */
#ifndef CLOISTER_TLS_TRUST_STORE_H
#define CLOISTER_TLS_TRUST_STORE_H

#include "base/err.h"
#include "crypto/onion_address.h"
#include "tls/node_id.h"
#include "tls/roles.h"

#define TRUST_PEERS_MAX 48
#define TRUST_NAME_MAX 32        /* [a-z0-9-], no "-" at either end */
#define TRUST_DOOR_NAME_SIZE 12  /* as on the link, with a NUL; "": none */
#define TRUST_KEY_SIZE 32
#define TRUST_TOKEN_SIZE 16
#define TRUST_HASH_SIZE 32
#define TRUST_FILE_MAX (64 * 1024)

enum trust_state {
	TRUST_INVITED,     /* our invite is out; nobody has redeemed it */
	TRUST_ACCEPTING,   /* their invite is here; not yet welcomed */
	TRUST_MEMBER,
	TRUST_STATE_COUNT,
};

/* A door of ours for one peer. */
struct trust_door {
	char name[TRUST_DOOR_NAME_SIZE];
	uint8_t client[TRUST_KEY_SIZE];   /* X25519: the public half … */
	uint8_t secret[TRUST_KEY_SIZE];   /* … and the private one, for as
					   * long as they have not got it */
	char told[ONION_TEXT_SIZE];       /* the address they know; or "" */
};

/* The door of theirs that we knock at. */
struct trust_way {
	char onion[ONION_TEXT_SIZE];      /* "": they have none for us */
	uint8_t key[TRUST_KEY_SIZE];      /* X25519, private */
};

struct trust_peer {
	char name[TRUST_NAME_MAX + 1];
	enum trust_state state;
	uint8_t roles;
	struct node_id id;                /* not while TRUST_INVITED */
	struct trust_way way;
	struct trust_door door;
	struct trust_door next;           /* takes its place when it works */
	uint8_t token[TRUST_TOKEN_SIZE];        /* TRUST_ACCEPTING */
	uint8_t token_hash[TRUST_HASH_SIZE];    /* of our invite, or zero */
	int64_t created, expires, enrolled, last_seen;  /* unix; 0: not */
};

struct trust_store {
	struct trust_peer *v[TRUST_PEERS_MAX];    /* in order of arrival */
	size_t n;
};

void trust_store_clear(struct trust_store *s);

bool trust_name_ok(const char *name);
struct trust_peer *trust_get(const struct trust_store *s, const char *name);
/** Of those that have an id. */
struct trust_peer *trust_get_id(const struct trust_store *s,
				const struct node_id *id);
/** A new, empty record; NULL if it is full. */
struct trust_peer *trust_add(struct trust_store *s);
void trust_remove(struct trust_store *s, struct trust_peer *p);

/** SHA-256 of a token, tagged. */
void trust_token_hash(uint8_t out[static TRUST_HASH_SIZE],
		      const uint8_t token[static TRUST_TOKEN_SIZE]);

/** Append the whole file. */
void trust_store_write(struct bytes *out, const struct trust_store *s);
/**
 * Read what can be read.
 *
 * bad      lines that are damaged, double, or too many
 * return   false if it is no such file at all, or a newer one: nothing was
 *          read
 */
NODISCARD bool trust_store_read(struct trust_store *out, unsigned *bad,
				struct span file);

/**
 * Load a file; none is an empty store.  With damaged lines, the file is kept
 * beside as PATH.damaged, the rest is loaded, and *why says so (why->err is
 * ERR_NONE otherwise).  Other trouble: nothing is loaded.
 */
NODISCARD enum err trust_store_load(struct trust_store *out, const char *path,
				    struct why *why);
NODISCARD enum err trust_store_save(const struct trust_store *s,
				    const char *path, struct why *why);

#endif
