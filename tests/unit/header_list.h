/*
 * A branch of headers in an array, for tests: what next_bits() and
 * header_check() need to know of the blocks before.
 */
#ifndef CLOISTER_TESTS_UNIT_HEADER_LIST_H
#define CLOISTER_TESTS_UNIT_HEADER_LIST_H

#include "consensus/block_check.h"

struct header_list {
	struct block_header *h;
	int n;
	int asked;              /* calls of get_ancestor */
};

/** An ancestor_fn; arg is the list. */
bool header_list_get(struct block_header *out, int height, void *arg);
/** Median time past of the block at that height. */
int64_t header_list_mtp(const struct header_list *l, int height);
/** Read headers one after another; free l->h. */
void header_list_read(struct header_list *l, const struct bytes *raw);
/** Check header i of the list, by all rules, as the one at that height. */
bool header_list_ok(const struct chain_params *p, struct header_list *l,
		    int i);

#endif
