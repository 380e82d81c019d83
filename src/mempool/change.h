/*
 * A change to the pool's clusters, planned before it is done: some entries
 * are to go, some to come.  Questions about the result are answered without
 * the pool having changed; then it is done, or dropped.
 */
#ifndef CLOISTER_MEMPOOL_CHANGE_H
#define CLOISTER_MEMPOOL_CHANGE_H

#include "mempool/cluster.h"

/** Does tx spend an output of that transaction? */
bool tx_spends_from(const struct tx *tx, const struct txid *id);

/* Entries, each once. */
struct entry_set {
	const struct mempool_entry **v;
	size_t n, cap;
};

void entry_set_add(struct entry_set *s, const struct mempool_entry *e);
bool entry_set_has(const struct entry_set *s, const struct mempool_entry *e);

/* An entry that is to come. */
struct addition {
	struct mempool_entry *e;
	const struct entry_set *parents; /* in the pool */
};

struct change {
	struct mempool *m;
	struct cluster **touched;        /* what is to be made anew */
	size_t touched_n, touched_cap;
	struct addition *adds;           /* parents before children */
	size_t add_n, add_cap;
	struct draft **drafts;           /* what takes their place */
	size_t draft_n, draft_cap;
};

void change_init(struct change *ch, struct mempool *m);
/** Drop what was planned; the entries to be added stay the caller's. */
void change_clear(struct change *ch);

/** e and, if asked, all that spend from it are to go. */
void change_remove(struct change *ch, const struct mempool_entry *e,
		   bool descendants, enum mempool_removal reason);
/** Make c anew, even if nothing in it changes. */
void change_touch(struct change *ch, struct cluster *c);
/** Is e to go? */
bool entry_is_doomed(const struct mempool_entry *e);
size_t change_removed_count(const struct change *ch);
int64_t change_removed_fees(const struct change *ch);
/**
 * e is to come, with these parents of the pool (borrowed); those among
 * earlier additions are found here.  Nothing in the pool may spend from it.
 */
void change_add(struct change *ch, struct mempool_entry *e,
		const struct entry_set *parents);

/** Work out the new clusters; false: one would be too large.  Planned
 * removals and additions stand then. */
NODISCARD bool change_plan(struct change *ch);
/** The diagram of what is touched against the one it would become:
 * diagram_cmp(new, old).  After change_plan(). */
int change_compare(struct change *ch);
/** Do it (after change_plan()): removed entries leave the pool with their
 * events and are freed; added ones are the pool's. */
void change_commit(struct change *ch);

#endif
