/*
 * The files that a start of tor needs, below the chain's directory: tor/ with
 * torrc and the onion's key, keys/, run/.  Warden only.
 */
#ifndef CLOISTER_TOR_TOR_FILES_H
#define CLOISTER_TOR_TOR_FILES_H

#include "base/err.h"
#include "tor/tor_process.h"

struct tor_files {
	char *data_dir;           /* DIR/tor */
	char *torrc;
	char *onion_dir;          /* tor/public, or in memory; NULL: none */
	char address[64];         /* of the onion; "" without one */
	struct why onion_trouble; /* why there is none although wanted */
};

/**
 * Make directories, the onion's key and torrc.  A key that cannot be used is
 * no error: the onion is left out, see onion_trouble.  The owner clears *f in
 * every case.
 */
NODISCARD enum err tor_files_prepare(struct tor_files *f,
				     const struct tor_process_options *o,
				     struct why *why);
/** The command that gives tor its onion service again; NULL: it has none. */
char *tor_files_setconf(const struct tor_files *f,
			const struct tor_process_options *o);
/** Tor has ended: remove its copy of the onion's key. */
void tor_files_hide(const struct tor_process_options *o);
/** Remove what tor remembers (state, cached directory), never keys; the next
 * start begins anew. */
void tor_files_forget(const struct tor_process_options *o);
void tor_files_clear(struct tor_files *f);

#endif
