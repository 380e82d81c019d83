/*
 * One key in a file of its own: a seed of 32 bytes, either as a line of text,
 * "cloister-KIND-v1 " and 64 hex digits, or in a keybox under a passphrase.
 * Warden only.
 */
#ifndef CLOISTER_KEYS_KEY_FILE_H
#define CLOISTER_KEYS_KEY_FILE_H

#include "keys/keybox.h"

#define KEY_FILE_SEED_SIZE 32

struct key_file {
	struct secret seed;
	char label[KEYBOX_LABEL_MAX + 1];  /* what an encrypted one says */
	bool encrypted;
};

/**
 * Read and check; open it with the passphrase if it is encrypted.  The owner
 * clears *out in any case; on failure it holds no seed, but label and
 * encrypted are right as far as they could be read.  ERR_INPUT tells what to
 * do.
 *
 * passphrase   NULL or empty: none
 */
NODISCARD enum err key_file_read(struct key_file *out, const char *path,
				 const char *kind,
				 const struct secret *passphrase,
				 struct why *why);
/** Which kind of key the file holds, and whether it is encrypted; ERR_INPUT if
 * it is no key file. */
NODISCARD enum err key_file_look(char kind[static KEYBOX_KIND_MAX + 1],
				 bool *encrypted, const char *path,
				 struct why *why);
/** Replace the file atomically (0600): encrypted if there is a passphrase. */
NODISCARD enum err key_file_write(const char *path, const char *kind,
				  const struct key_file *k,
				  const struct secret *passphrase,
				  struct why *why);
/**
 * Put an encrypted one in the place of the plain file it was read from, whose
 * bytes are overwritten (as far as the disk does so in place).
 */
NODISCARD enum err key_file_encrypt(const char *path, const char *kind,
				    const struct key_file *k,
				    const struct secret *passphrase,
				    struct why *why);
void key_file_clear(struct key_file *k);

/** Fill the file with zeros, then remove it; silently if it is not there. */
void key_file_erase(const char *path);

#endif
