/*
 * Where a key is kept that others know by a public name: keys/NAME.key is the
 * key (key_file.h), keys/NAME.RECORD the public name that it had when it was
 * made, so that a lost or damaged key is noticed instead of replaced.  Warden
 * only.
 */
#ifndef CLOISTER_KEYS_KEY_STORE_H
#define CLOISTER_KEYS_KEY_STORE_H

#include "keys/key_file.h"

/* A sort of key, and the words about it. */
struct key_sort {
	const char *kind;        /* of its file: "onion-seed" */
	const char *record;      /* "addr" */
	const char *noun;        /* what others know it by: "address" */
	const char *whose;       /* "our onion address" */
	const char *made_when;   /* "the node first starts …" */
	const char *renew;       /* instead of putting it back: "start …" */
	/** The public name that a seed has; false if the library fails. */
	bool (*label)(char out[static KEYBOX_LABEL_MAX + 1],
		      const struct secret *seed);
	bool (*is_label)(const char *text);
};

struct key_store {
	const struct key_sort *sort;
	const char *dir;          /* chain data directory */
	const char *name;
	const struct secret *passphrase;   /* the key is or shall be under;
					    * NULL or empty: none */
	bool keep_plain;          /* it is for reading only */
};

/**
 * Read the key as it is; nothing is written.  *k is overwritten; clear it in
 * any case; k->encrypted is right in any case.  ERR_INPUT, with what to do:
 * missing, damaged, of another public name than the recorded one, wrong or no
 * passphrase, readable by others.
 */
NODISCARD enum err key_store_load(const struct key_store *s,
				  struct key_file *k, struct why *why);
/**
 * The same, but a key is made if neither it nor a record is there, and a
 * plain one is encrypted if there is a passphrase.
 */
NODISCARD enum err key_store_open(const struct key_store *s,
				  struct key_file *k, struct why *why);
/** Is there a key, or was there one? */
bool key_store_exists(const struct key_store *s);
/** Rename what is there, key and record, to NAME.old-DATE-TIME: nothing is
 * deleted, and the next key_store_open() makes a new one. */
NODISCARD enum err key_store_set_aside(const struct key_store *s,
				       struct why *why);
/** Overwrite and remove key and record: nobody shall have it again. */
void key_store_erase(const struct key_store *s);

/**
 * Put a key in its place, encrypted if there is a passphrase.  What stands
 * there and has the same public name is set aside; what has another, or
 * cannot be told, is ERR_INPUT unless force.
 *
 * k            its label is derived here
 * changed      out: false if the same key was there, which is left as it is
 */
NODISCARD enum err key_store_restore(const struct key_store *s, bool *changed,
				     struct key_file *k, bool force,
				     struct why *why);

#endif
