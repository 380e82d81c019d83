/*
 * A chain in a directory of its own, for tests, and a workbench for blocks
 * that keep or break one rule at a time.
 */
#ifndef CLOISTER_TESTS_VALIDATION_FIX_H
#define CLOISTER_TESTS_VALIDATION_FIX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "validation/chain.h"
#include "validation/miner.h"

struct fix {
	char dir[200];
	struct chain_params params;
	struct clock clock;
	struct workers *workers;
	struct chain *chain;
	struct why why;
	bool check_all, stop;
	size_t dbcache;
	/* what the events told */
	int connected, disconnected, tips, best_headers;
	int checked_ok, checked_bad;
	struct finding last_bad;
	const struct header_node *last_tip;
};

/** A new empty directory, a chain opened in it; threads for the pool. */
void fix_open(struct fix *f, enum chain_id id, unsigned threads);
/** Close as a crash would (nothing flushed), and open again. */
void fix_crash(struct fix *f);
/** The same after a flush. */
void fix_restart(struct fix *f);
/** Close and remove the directory. */
void fix_close(struct fix *f);
/** fix_crash's halves, for tests that touch the files in between. */
void fix_shut(struct fix *f);
enum err fix_start(struct fix *f);

/** Fails the test, with the reason's text, unless e is ERR_NONE. */
void fix_ok(struct fix *f, enum err e);
/** MuHash of the coins as the world shows it; valid till the next call. */
const char *fix_muhash(struct fix *f);
const char *fix_serialized(struct fix *f);

/** A path in the vectors, or skip() if it is not there; free() it. */
char *vector_path(const char *rel);
void remove_tree(const char *dir);

/* ---- blocks ---- */

#define DRAFT_TXS 64

/* A block being made: change what you like before draft_seal(). */
struct draft {
	struct fix *f;
	const struct header_node *parent;
	struct block_header h;
	struct tx txs[DRAFT_TXS];        /* [0]: the coinbase */
	size_t n;
	int height;
	bool no_commitment;              /* leave out, segwit or not */
	bool raw_coinbase;               /* do not touch the coinbase */
	bool raw_root;                   /* nor the merkle root */
	bool raw_pow;                    /* nor the nonce */
	struct arena a;
};

/** On parent (NULL: the tip), paying `subsidy` to OP_TRUE. */
void draft_init(struct draft *d, struct fix *f,
		const struct header_node *parent);
/** Clears the draft; one reference. */
struct block *draft_seal(struct draft *d);
/** A copy of script that lives as long as the draft. */
struct span draft_script(struct draft *d, const char *hex);

/** A transaction with one input and one output, both to OP_TRUE. */
struct tx tx_pay(struct arena *a, const struct outpoint *o, int64_t value);
/** Adds it to the draft, finished. */
struct tx *draft_pay(struct draft *d, const struct outpoint *o,
		     int64_t value);
struct outpoint coinbase_out(struct fix *f, int height);

/** Submit: the reject reason, "" if it is fine.  Drops the reference. */
const char *fix_submit(struct fix *f, struct block *b);
/** Mine n blocks on the tip; they pay to OP_TRUE. */
void fix_mine(struct fix *f, int n);
/** Accept without connecting n empty blocks on parent; the last one. */
struct header_node *fix_fork(struct fix *f, const struct header_node *parent,
			     int n, uint32_t salt);

#endif
