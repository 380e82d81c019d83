/*
 * The address book: onion addresses heard of, bounded, with what became of
 * them.  No source may fill more than its share.  Loop thread.
 */
#ifndef CLOISTER_P2P_ADDRBOOK_H
#define CLOISTER_P2P_ADDRBOOK_H

#include "p2p/onion.h"

#define ADDRBOOK_MAX 10000

struct book_entry {
	struct onion onion;
	uint64_t services;
	int64_t seen;            /* unix: last heard of */
	int64_t last_try;        /* unix, 0: never */
	int64_t last_success;
	uint32_t failures;       /* tries since the last success */
	uint32_t source;         /* keyed hash of who told us; 0: ourselves */
};

typedef void random_fn(void *ctx, void *out, size_t n);

struct addrbook;
/** max entries (0: ADDRBOOK_MAX); random is called with ctx. */
struct addrbook *addrbook_new(size_t max, random_fn *random, void *ctx);
void addrbook_free(struct addrbook *b);

/**
 * Add, or refresh what is known.
 *
 * source   the teller's address, or NULL for ourselves and our owner
 * return   true if it is new
 */
bool addrbook_add(struct addrbook *b, const struct onion *o,
		  uint64_t services, int64_t seen_unix,
		  const struct onion *source);
/**
 * An address worth trying now, at random, one that worked before with even
 * odds; untried: only one never reached.  skip (may be NULL) says which not.
 */
typedef bool book_skip_fn(const struct onion *o, void *arg);
NODISCARD bool addrbook_pick(struct addrbook *b, struct onion *out,
			     int64_t now_unix, bool untried,
			     book_skip_fn *skip, void *arg);
/** We dial it; it did a handshake; it broke the rules. */
void addrbook_attempt(struct addrbook *b, const struct onion *o,
		      int64_t now_unix);
void addrbook_good(struct addrbook *b, const struct onion *o,
		   uint64_t services, int64_t now_unix);
void addrbook_remove(struct addrbook *b, const struct onion *o);

size_t addrbook_count(const struct addrbook *b);
/** Up to max different entries, at random, without hopeless ones. */
size_t addrbook_sample(struct addrbook *b, struct book_entry *out,
		       size_t max, int64_t now_unix);

/** Changed since the last write or read? */
bool addrbook_changed(const struct addrbook *b);
void addrbook_write(struct addrbook *b, struct bytes *out);
/** Entries are added to the book; false: not ours or damaged, none taken. */
NODISCARD bool addrbook_read(struct addrbook *b, struct span data);

#endif
