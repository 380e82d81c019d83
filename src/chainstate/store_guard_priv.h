/*
 * Opening LevelDB under guard.  An open replaces log and manifest by new
 * ones and deletes the old, with nothing in between that makes the new names
 * durable: a power cut may leave a directory without either.  So what may be
 * deleted is copied first, durably, and put back by the next open if this
 * one was cut short.
 */
#ifndef CLOISTER_CHAINSTATE_STORE_GUARD_PRIV_H
#define CLOISTER_CHAINSTATE_STORE_GUARD_PRIV_H

#include "base/err.h"

/**
 * Before an open: put back what an interrupted one deleted, then copy.
 *
 * wipe     out: an open that was to create the database was interrupted;
 *          nothing in it was ever promised, and it may be in pieces: delete
 *          it, then call again
 */
NODISCARD enum err store_guard_begin(const char *dir, bool *wipe,
				     struct why *why);
/** The interrupted creation has been deleted. */
NODISCARD enum err store_guard_wiped(const char *dir, struct why *why);
/** After it: all names are made durable, then the copies are removed. */
NODISCARD enum err store_guard_end(const char *dir, struct why *why);

#endif
