/*
 * What the chain does while its disk is watched: a generated chain with
 * re-organisations arrives block by block, with flushes (by batch and by
 * journal), blocks marked invalid and reconsidered, small files replaced, in
 * several lives that end cleanly or by a kill.  Some seeds have a longer chain
 * in small block files that are pruned.
 */
#ifndef CLOISTER_TESTS_CRASH_WORKLOAD_H
#define CLOISTER_TESTS_CRASH_WORKLOAD_H

#include "validation/chain.h"

#define WORKLOAD_PEERS "node/peers.dat"

bool workload_prunes(uint64_t seed);

/* The blocks in the order of their arrival, and where they lead. */
struct arrivals {
	struct block **list;
	size_t n;
	struct block_hash tip;
	char muhash[65];
};

/** Make a chain so high: blocks.dat (a block file) and expect (tip and
 * MuHash) in dir. */
void arrivals_make(const char *dir, uint64_t seed, int blocks);
void arrivals_load(struct arrivals *a, const char *dir);

/* What is done after a block arrived. */
struct action {
	bool flush, replace, prune;
	int invalidate;          /* so deep below the tip; 0: nothing */
};
struct action workload_action(size_t arrival, uint64_t seed);
/** The bytes of the small file's k-th version. */
void workload_small_file(struct bytes *out, unsigned k);

/* A chain under test; counts the blocks connected and disconnected. */
struct life {
	struct chain *chain;
	struct chain_params params;
	struct clock clock;
	char *dir;
	unsigned moves;
	bool told;               /* marks go to the log of tap.so */
	struct why why;
};
NODISCARD enum err life_open(struct life *l, const char *dir, bool prunes);
void life_close(struct life *l);
/** Blocks up to `to` arrive, those known already being passed over. */
NODISCARD enum err life_feed(struct life *l, const struct arrivals *a,
			     size_t to);
/** Flush, with marks before and after. */
NODISCARD enum err life_flush(struct life *l, size_t arrived);
/** Flush by a journal of many small steps, as large flushes are. */
void life_use_journal(struct life *l);
/** Take back all marks of invalid blocks. */
NODISCARD enum err life_forgive(struct life *l);
NODISCARD enum err life_muhash(struct life *l, char out[static 65]);

enum life_end { LIFE_KILLED, LIFE_CLOSED };
/** A life of the workload: from the arrival `from` to before `to`. */
NODISCARD enum err workload_run(const char *dir, const struct arrivals *a,
				size_t from, size_t to, uint64_t seed,
				bool journal, enum life_end end,
				struct why *why);

void mark(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
