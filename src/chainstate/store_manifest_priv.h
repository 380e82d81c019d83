/*
 * The end of LevelDB's manifest.  A power cut can tear the record that was
 * being written there, and LevelDB then refuses the whole database.  Where
 * the state before that record is still all there, the record is cut off.
 */
#ifndef CLOISTER_CHAINSTATE_STORE_MANIFEST_PRIV_H
#define CLOISTER_CHAINSTATE_STORE_MANIFEST_PRIV_H

#include "base/bytes.h"
#include "base/err.h"

/* What the records of a manifest add up to. */
struct manifest {
	struct manifest_table *tables;
	size_t count, room;
	uint64_t log, previous_log;
	unsigned seen;            /* which kinds of field there were */
};

/**
 * Read the manifest's good records, from the front, into *out (to be
 * cleared with manifest_clear in any case); *good is where the last of them
 * ends.  False if what follows is more than one torn record, if a good
 * record makes no sense, or if they do not add up to a whole state.
 */
NODISCARD bool manifest_read(struct manifest *out, size_t *good,
			     struct span file);
void manifest_clear(struct manifest *m);

/**
 * Cut a torn last record off the manifest that CURRENT names, durably.
 * Nothing is changed, and *mended is false, if there is none, if anything
 * else is wrong, or if a file is missing that the records before it name.
 */
NODISCARD enum err store_manifest_mend(const char *dir, bool *mended,
				       struct why *why);

#endif
