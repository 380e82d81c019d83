/*
 * The most expensive transactions and blocks that the rules let anybody
 * make, built in memory: for bench_worst, which times them, and for the unit
 * tests, which look only at the answers.
 */
#ifndef CLOISTER_TESTS_BENCH_WORST_CASE_H
#define CLOISTER_TESTS_BENCH_WORST_CASE_H

#include "consensus/script_error.h"
#include "consensus/tx.h"
#include "consensus/verdict.h"

struct worst {
	struct arena arena;
	struct bytes raw;                /* a transaction, or a block */
	bool is_block;
	enum verdict verdict;            /* of a block, by itself */
	struct tx_out *spent;            /* by each input of a transaction */
	uint32_t flags;
	enum script_error err;           /* of each input */
	uint64_t inputs;                 /* of the transaction */
};

struct worst_kind {
	const char *name;
	const char *what;                /* a line for people */
	/** Build it with about so many bytes (or the work they may cause). */
	void (*build)(struct worst *w, size_t size);
	size_t full;                     /* as large as a block allows */
	bool quadratic;                  /* by the protocol itself */
};

extern const struct worst_kind worst_kinds[];
extern const size_t worst_kind_count;

/** Decode and check it; are all answers what they must be? */
bool worst_check(const struct worst *w);
void worst_clear(struct worst *w);

#endif
