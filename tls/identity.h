/*
 * The identity key on disk.  Warden only: the node gets certificates, never
 * this key.
 *
 * keys/node_identity.key is the key (keys/key_file.h), keys/node_identity.id
 * the node id it had when it was made, so that a lost key is noticed and not
 * replaced: friends have pinned it.
 */
#ifndef CLOISTER_TLS_IDENTITY_H
#define CLOISTER_TLS_IDENTITY_H

#include "keys/key_store.h"
#include "tls/node_id.h"

/* For whoever deals in keys of all sorts. */
extern const struct key_sort identity_key_sort;
#define IDENTITY_FILE "node_identity"

#define IDENTITY_KEY_KIND "node-identity"
#define IDENTITY_SEED_SIZE 32

struct identity {
	struct secret seed;
	struct node_id id;
	bool encrypted;          /* on disk */
};

struct identity_store {
	const char *dir;                   /* chain data directory */
	const struct secret *passphrase;   /* NULL or empty: none */
	bool keep_plain;                   /* it is for reading only */
};

/** Read; make one if there never was one; encrypt a plain one if there is a
 * passphrase.  The owner clears *out in any case. */
NODISCARD enum err identity_open(const struct identity_store *s,
				 struct identity *out, struct why *why);
/** Read only: ERR_INPUT, with what to do, if it is not there. */
NODISCARD enum err identity_load(const struct identity_store *s,
				 struct identity *out, struct why *why);
/** Put one in its place, as key_store_restore() does (keys/key_store.h). */
NODISCARD enum err identity_restore(const struct identity_store *s,
				    bool *changed,
				    const struct identity *id, bool force,
				    struct why *why);
/** Rename what is there: the next identity_open() makes a new one. */
NODISCARD enum err identity_set_aside(const struct identity_store *s,
				      struct why *why);
/** Has this node an identity, or had it one? */
bool identity_exists(const struct identity_store *s);

/** False if the seed has not 32 bytes, or the library fails.  *out is
 * overwritten; clear it in any case. */
NODISCARD bool identity_from_seed(struct identity *out,
				  const struct secret *seed);
void identity_clear(struct identity *id);

#endif
