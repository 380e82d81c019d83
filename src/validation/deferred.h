/*
 * Blocks that an import met before their parents: where they stand in the
 * files, by parent.  Bounded.
 */
#ifndef CLOISTER_VALIDATION_DEFERRED_H
#define CLOISTER_VALIDATION_DEFERRED_H

#include "base/map.h"
#include "consensus/ids.h"
#include "validation/block_scan.h"

#define DEFERRED_MAX 200000

struct deferred_block {
	struct block_hash parent;
	struct deferred_block *next;     /* of the same parent, or ready */
	size_t file;
	struct scan_record rec;
};

struct deferred {
	struct map by_parent;
	struct deferred_block *ready;    /* their parent has come */
	size_t count;
	uint64_t salt[2];
};

void deferred_init(struct deferred *d);
void deferred_clear(struct deferred *d);
/** False when full: forgotten. */
NODISCARD bool deferred_add(struct deferred *d,
			    const struct block_hash *parent, size_t file,
			    struct scan_record rec);
/** This block has come: its children are ready. */
void deferred_release(struct deferred *d, const struct block_hash *parent);
/** One that is ready; free() it; NULL if there is none. */
struct deferred_block *deferred_take(struct deferred *d);

#endif
