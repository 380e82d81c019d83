/*
 * Candidates for the tip: nodes whose blocks we have all the way down, the
 * best first.  A heap; what has failed since it was put in is dropped when
 * it comes to the top, what has fallen behind the tip by trim.
 */
#ifndef CLOISTER_VALIDATION_CANDIDATES_H
#define CLOISTER_VALIDATION_CANDIDATES_H

#include "validation/header_tree.h"

struct candidates {
	struct header_node **heap;
	size_t count, cap;
	size_t trim_at;
};

void candidates_clear(struct candidates *c);
void candidates_add(struct candidates *c, struct header_node *n);
/** The best that has not failed; NULL if there is none. */
struct header_node *candidates_best(struct candidates *c);
/** Forget those with less work than the tip, now and then. */
void candidates_trim(struct candidates *c, const struct header_node *tip);
/** Is a the better tip?  More work, then first come. */
bool candidate_better(const struct header_node *a,
		      const struct header_node *b);

static inline bool header_node_failed(const struct header_node *n)
{
	return n->status & (BLOCK_FAILED | BLOCK_FAILED_CHILD);
}

#endif
