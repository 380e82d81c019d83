/*
 * A backup: all keys of a node in one file, a keybox of kind "backup".  What
 * is in it, addresses too, is known only to who has the passphrase.  Warden
 * only.
 */
#ifndef CLOISTER_KEYS_BACKUP_H
#define CLOISTER_KEYS_BACKUP_H

#include "keys/keybox.h"

#define BACKUP_KEYS_MAX 8
#define BACKUP_SEED_MAX 64

struct backup_key {
	char kind[KEYBOX_KIND_MAX + 1];    /* "onion-seed" */
	char name[KEYBOX_KIND_MAX + 1];    /* "public": which of that kind */
	char label[KEYBOX_LABEL_MAX + 1];  /* its address */
	struct secret seed;
};

struct backup {
	struct backup_key v[BACKUP_KEYS_MAX];
	size_t n;
};

/** The next one, empty; there must be room (CHECK). */
struct backup_key *backup_add(struct backup *b);
void backup_clear(struct backup *b);

/** A file (0600) that was not there, whole or not at all. */
NODISCARD enum err backup_file_new(const char *path, struct span s,
				   struct why *why);
/** Write a new file (0600), whole or not at all.  ERR_INPUT if there is
 * something of that name already. */
NODISCARD enum err backup_write(const char *path, const struct backup *b,
				const struct secret *passphrase,
				struct why *why);
/** The owner clears *out in any case.  ERR_INPUT: not a backup, damaged,
 * newer, wrong passphrase. */
NODISCARD enum err backup_read(struct backup *out, const char *path,
			       const struct secret *passphrase,
			       struct why *why);
/** Is this file a backup, as far as is seen without its passphrase?  Asked
 * before a person is asked for it. */
NODISCARD enum err backup_check(const char *path, struct why *why);

/* What is sealed, for tests and fuzzers: read gives false for anything that
 * write would not have written. */
void backup_payload_write(struct secret *out, const struct backup *b);
NODISCARD bool backup_payload_read(struct backup *out, struct span s);

#endif
