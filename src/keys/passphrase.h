/*
 * Where the owner's passphrase comes from: a file, a descriptor, a systemd
 * credential, or a terminal.  Never the command line or the environment.
 * Warden only.
 */
#ifndef CLOISTER_KEYS_PASSPHRASE_H
#define CLOISTER_KEYS_PASSPHRASE_H

#include "base/err.h"
#include "base/secret.h"

#define PASSPHRASE_MAX 1024
#define PASSPHRASE_CREDENTIAL "cloister.keypass"

/* For texts that ask for one. */
#define PASSPHRASE_WAYS "-keypassfile=FILE, -keypassfd=N or the systemd " \
	"credential " PASSPHRASE_CREDENTIAL

struct passphrase_source {
	const char *file;        /* NULL: none */
	int fd;                  /* -1: none; it is read to its end */
};

/**
 * Read it, without the end of its line.  Nothing given, and no credential:
 * out stays {0}.  The owner clears it in any case.
 */
NODISCARD enum err passphrase_read(struct secret *out,
				   const struct passphrase_source *s,
				   struct why *why);
/**
 * Ask on the terminal that standard input is, without showing what is typed;
 * twice: again, to be sure.  ERR_STATE if there is no terminal.
 */
NODISCARD enum err passphrase_ask(struct secret *out, const char *prompt,
				  bool twice, struct why *why);

static inline bool passphrase_given(const struct secret *s)
{
	return s && s->n;
}

#endif
