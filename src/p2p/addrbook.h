/*
 * The address book: onion addresses heard of, and what became of them.
 *
 * Two tables of buckets.  "New" holds what was told and never reached, "tried"
 * what did a handshake with us.  The bucket of an address depends on a secret
 * of this node, on the address and, in the new table, on who told it: one
 * source can reach 64 of its 1024 buckets, whatever it invents.  An address
 * in the tried table is displaced only after it was tested and failed.
 *
 * Loop thread.  It has no clock: addrbook_set_time() first.
 */
#ifndef CLOISTER_P2P_ADDRBOOK_H
#define CLOISTER_P2P_ADDRBOOK_H

#include "p2p/onion.h"

struct book_entry {
	struct onion onion;
	uint64_t services;
	int64_t seen;            /* unix: last heard of */
	int64_t last_try;        /* unix, 0: never */
	int64_t last_success;
	int64_t not_before;      /* unix: leave it in peace until then */
	uint32_t failures;       /* that count, since the last success */
	uint8_t source;          /* group of who told us first */
	bool common;             /* told by a second one, or by our owner */
};

typedef void random_fn(void *ctx, void *out, size_t n);

struct addrbook;
/** random is called with ctx; it makes the book's secret, too. */
struct addrbook *addrbook_new(random_fn *random, void *ctx);
void addrbook_free(struct addrbook *b);
void addrbook_set_time(struct addrbook *b, int64_t now_unix);

/**
 * Add, or refresh what is known.
 *
 * source   the teller's address; NULL: our owner
 * return   true if it is new and was given a place
 */
bool addrbook_add(struct addrbook *b, const struct onion *o,
		  uint64_t services, int64_t seen_unix,
		  const struct onion *source);
/**
 * An address worth trying now, at random: with even odds one that worked
 * before; each failure lowers the odds.  untried: only one never reached.
 * skip (may be NULL) says which not.
 */
typedef bool book_skip_fn(const struct onion *o, void *arg);
NODISCARD bool addrbook_pick(struct addrbook *b, struct onion *out,
			     bool untried, book_skip_fn *skip, void *arg);
/** One whose place in the tried table another would like: test it. */
NODISCARD bool addrbook_pick_test(struct addrbook *b, struct onion *out,
				  book_skip_fn *skip, void *arg);

/**
 * A dial failed: leave it in peace for pause_s, doubled with each failure up
 * to max_s.  The failure counts only if something else worked since its last
 * one, so that a time without Tor condemns nobody.
 */
void addrbook_failed(struct addrbook *b, const struct onion *o,
		     int64_t pause_s, int64_t max_s);
/** It did a handshake. */
void addrbook_good(struct addrbook *b, const struct onion *o,
		   uint64_t services);
/** A connection to it ended in peace: it was there until now. */
void addrbook_left(struct addrbook *b, const struct onion *o);
void addrbook_remove(struct addrbook *b, const struct onion *o);
/** Settle who keeps a place in the tried table; call it now and then. */
void addrbook_settle(struct addrbook *b);

size_t addrbook_count(const struct addrbook *b);
size_t addrbook_tried_count(const struct addrbook *b);
/** NULL if it is not there; *tried: in that table.  Borrowed until a change. */
const struct book_entry *addrbook_find(const struct addrbook *b, bool *tried,
				       const struct onion *o);
/** Up to max different entries, at random, without hopeless ones; common: of
 * those alone. */
size_t addrbook_sample(struct addrbook *b, struct book_entry *out,
		       size_t max, bool common);
size_t addrbook_common_count(const struct addrbook *b);

/** Changed since the last write or read? */
bool addrbook_changed(const struct addrbook *b);
/** Append the bytes of peers.dat (docs/storage.md), secret included. */
void addrbook_write(struct addrbook *b, struct bytes *out);

enum book_read {
	BOOK_READ_OK,
	BOOK_READ_DAMAGED,
	BOOK_READ_VERSION,       /* ours, but of another version */
};
/** The book becomes what was written; on failure it is left as it was. */
NODISCARD enum book_read addrbook_read(struct addrbook *b, struct span data);

#endif
