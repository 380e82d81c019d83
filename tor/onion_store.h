/*
 * Where the key of an onion service is kept.  Warden only.
 *
 * keys/onion_NAME.key is the key (keys/key_file.h), keys/onion_NAME.addr the
 * address it had when it was made, so that a lost or damaged key is noticed
 * instead of replaced: an address that others know is not lost by mistake.
 */
#ifndef CLOISTER_TOR_ONION_STORE_H
#define CLOISTER_TOR_ONION_STORE_H

#include "base/err.h"
#include "keys/key_store.h"
#include "tor/onion_key.h"

/* For whoever deals in keys of all sorts: the file of NAME is
 * keys/onion_NAME.key. */
extern const struct key_sort onion_key_sort;

struct onion_store {
	const char *dir;          /* chain data directory */
	const char *name;         /* "public" */
	const struct secret *passphrase;   /* the key is or shall be under;
					    * NULL or empty: none */
	bool keep_plain;          /* it is for reading only */
};

/**
 * Read the key as it is; nothing is written.  *k is overwritten; clear it in
 * any case; k->encrypted is right in any case. ERR_INPUT, with what to do: missing, damaged, of another address
 * than the recorded one, wrong or no passphrase, readable by others.
 */
NODISCARD enum err onion_store_load(const struct onion_store *s,
				    struct onion_key *k, struct why *why);
/**
 * The same, but a key is made if neither it nor a recorded address is there,
 * and a plain one is encrypted if there is a passphrase.
 */
NODISCARD enum err onion_store_open(const struct onion_store *s,
				    struct onion_key *k, struct why *why);
/** Rename what is there, key and address, to NAME.old-DATE-TIME: nothing is
 * deleted, and the next onion_store_open() makes a new one. */
NODISCARD enum err onion_store_set_aside(const struct onion_store *s,
					 struct why *why);

/** Overwrite and remove key and address: nobody shall have it again. */
void onion_store_erase(const struct onion_store *s);

/**
 * Put a key in its place, encrypted if there is a passphrase.  What stands
 * there and is of the same address is set aside; what is of another, or
 * cannot be told, is ERR_INPUT unless force.
 *
 * changed      out: false if the same key was there, which is left as it is
 */
NODISCARD enum err onion_store_restore(const struct onion_store *s,
				       bool *changed,
				       const struct onion_key *k, bool force,
				       struct why *why);

#endif
