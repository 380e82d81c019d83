/*
 * Transactions whose scripts are known to be good: all inputs, under one set
 * of flags.  A wtxid commits to the inputs, these to the outputs they spend,
 * so the answer is the same in every chain.  The mempool puts in what it has
 * checked; connecting a block asks.  Owned by the chain thread.
 */
#ifndef CLOISTER_VALIDATION_SCRIPT_CACHE_H
#define CLOISTER_VALIDATION_SCRIPT_CACHE_H

#include "base/base.h"
#include "consensus/ids.h"

struct script_cache;
/** bytes: memory it may take; it is touched as the cache fills. */
struct script_cache *script_cache_new(size_t bytes);
void script_cache_free(struct script_cache *c);    /* NULL is fine */

/**
 * All inputs of the transaction passed script_verify() with these flags,
 * against the outputs its prevouts name: the caller vouches for that.  To be
 * of use for the next block, flags are chain_next_script_flags().
 */
void script_cache_insert(struct script_cache *c, const struct wtxid *id,
			 uint32_t flags);
/** False may mean forgotten. */
bool script_cache_contains(const struct script_cache *c,
			   const struct wtxid *id, uint32_t flags);
/** The same; it is in a block now: keep it only until its place is needed. */
bool script_cache_erase(struct script_cache *c, const struct wtxid *id,
			uint32_t flags);
/** Entries that were not erased. */
size_t script_cache_count(const struct script_cache *c);

#endif
