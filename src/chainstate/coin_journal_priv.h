/*
 * The flush journal: a file beside the database that holds all changes of
 * one large flush.  It is complete and synced before the first change is
 * applied, and applied in batches of bounded size; coins_open finishes what
 * a crash has interrupted.  So a flush of any size is atomic and needs a few
 * MiB of memory.
 */
#ifndef CLOISTER_CHAINSTATE_COIN_JOURNAL_PRIV_H
#define CLOISTER_CHAINSTATE_COIN_JOURNAL_PRIV_H

#include "chainstate/store.h"
#include "consensus/ids.h"

struct journal;
/** Begin a new file; an old one is overwritten. */
NODISCARD enum err journal_begin(struct journal **out, const char *dir,
				 uint64_t number,
				 const struct block_hash *tip,
				 struct why *why);
/** Trouble is kept for journal_end.  value.p NULL: the key is deleted. */
void journal_put(struct journal *j, struct span key, struct span value);
/** Finish, sync and free. */
NODISCARD enum err journal_end(struct journal *j TAKES, struct why *why);

/** Write all changes and the new tip record to s, in batches of about
 * step_bytes, then remove the file. */
NODISCARD enum err journal_apply(struct store *s, size_t step_bytes,
				 struct why *why);

/**
 * Look for a journal at start.
 *
 * number   out: its flush; 0: there is none, or an unfinished one (removed)
 */
NODISCARD enum err journal_check(uint64_t *number, const char *dir,
				 struct why *why);
NODISCARD enum err journal_remove(const char *dir, struct why *why);

#endif
