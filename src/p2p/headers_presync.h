/*
 * Headers pre-synchronisation: learn whether a peer's headers lead to enough
 * work before storing any of them.  The first pass keeps one salted bit per
 * period; the second asks for the same headers again, checks the bits, and
 * releases headers once a long enough run behind them agreed.  A pure state
 * machine, one per peer; proof of work is checked by the caller.
 */
#ifndef CLOISTER_P2P_HEADERS_PRESYNC_H
#define CLOISTER_P2P_HEADERS_PRESYNC_H

#include "consensus/block_check.h"
#include "p2p/ports.h"

#define PRESYNC_PERIOD 641
#define PRESYNC_BUFFER 15218

struct presync_options {
	const struct chain_params *params;   /* borrowed */
	struct u256 minimum_work;
	struct header_point start;           /* parent of the first header */
	uint32_t start_bits;
	int64_t start_mtp;                   /* unix */
	int64_t now_unix;
	uint64_t salt[2];
	uint32_t offset;                     /* below period */
	unsigned period, buffer;             /* 0: the values above */
};

enum presync_result {
	PRESYNC_MORE,        /* ask for more after presync_next() */
	PRESYNC_COMPLETE,    /* all is released: forget this object */
	PRESYNC_FAILED,      /* not enough work, or not the same headers */
};

struct presync;
struct presync *presync_new(const struct presync_options *opt);
void presync_free(struct presync *s);

/**
 * Take a message's headers, each the parent of the next.
 *
 * released  in/out: headers now known to be worth storing are appended, as
 *           80 bytes each, in order
 * full      the message held as many as a message can
 * why       out: a text for the log when it failed
 */
enum presync_result presync_take(struct presync *s, struct bytes *released,
				 const struct block_header *h, size_t n,
				 bool full, const char **why);
/** The last header it has: ask for what follows. */
struct block_hash presync_next(const struct presync *s);
struct block_hash presync_start(const struct presync *s);
/** Height reached in this pass, and the time of that header. */
int presync_height(const struct presync *s);
uint32_t presync_time(const struct presync *s);
bool presync_redownloading(const struct presync *s);
/** Memory in use, for tests of the bound. */
size_t presync_size_bytes(const struct presync *s);

#endif
