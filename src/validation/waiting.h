/*
 * Blocks that came before their parents' blocks: kept by parent until that
 * one comes.
 */
#ifndef CLOISTER_VALIDATION_WAITING_H
#define CLOISTER_VALIDATION_WAITING_H

#include "base/map.h"
#include "validation/header_tree.h"

struct waiting {
	struct map by_parent;
};

/* The children of one parent, as waiting_take() hands them out. */
struct waiting_kids {
	const struct header_node *parent;
	struct header_node **nodes;
	size_t count, cap;
};

void waiting_init(struct waiting *w);
void waiting_clear(struct waiting *w);
/** n->prev lacks its block or waits itself. */
void waiting_add(struct waiting *w, struct header_node *n);
/** Those that waited for parent; NULL if none did.  waiting_kids_free(). */
struct waiting_kids *waiting_take(struct waiting *w,
				  const struct header_node *parent);
void waiting_kids_free(struct waiting_kids *k);

#endif
