/*
 * Another passphrase for all keys of a node, or none.  Warden only; nothing
 * else may use the directory meanwhile.
 */
#ifndef CLOISTER_KEYS_REPASS_H
#define CLOISTER_KEYS_REPASS_H

#include "base/err.h"
#include "base/secret.h"

/** How many keys there are, and how many of them are encrypted. */
NODISCARD enum err repass_count(unsigned *all, unsigned *encrypted,
				const char *dir, struct why *why);
/**
 * Put every DIR/NAME.key that is encrypted under another passphrase.  First
 * all of them are opened: if one cannot be, none is changed.  Cut short it can
 * be done again: what is under the new one already is left as it is.
 *
 * new      empty: they shall not be encrypted any more
 * changed  out: how many were written, also on failure
 */
NODISCARD enum err repass_all(unsigned *changed, const char *dir,
			      const struct secret *old,
			      const struct secret *new, struct why *why);

#endif
