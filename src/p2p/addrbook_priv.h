/*
 * The address book's insides, shared by its three files.
 */
#ifndef CLOISTER_P2P_ADDRBOOK_PRIV_H
#define CLOISTER_P2P_ADDRBOOK_PRIV_H

#include "base/map.h"
#include "p2p/addrbook.h"

#define BOOK_DAY_S INT64_C(86400)
#define BOOK_BUCKET_SIZE 64
#define BOOK_NEW_BUCKETS 1024
#define BOOK_TRIED_BUCKETS 256
#define BOOK_REFS_MAX 8          /* places of one address in new */
#define BOOK_PENDING_MAX 16      /* waiting for a place in tried */

struct book_addr {
	struct book_entry e;
	int64_t last_counted;        /* unix: last failure that counted */
	bool tried;
	uint8_t refs;                /* places in new; 0 if tried */
	uint16_t bucket[BOOK_REFS_MAX];
	size_t at;                   /* in all */
};

struct book_table {
	struct book_addr **slots;    /* BOOK_BUCKET_SIZE a bucket */
	uint8_t *used;               /* slots, by bucket */
	size_t buckets, filled;      /* filled: not empty */
};

struct addrbook {
	random_fn *random;
	void *random_ctx;
	uint64_t secret[2];
	int64_t now, last_good;
	struct book_table fresh, tried;
	struct book_addr **all;
	size_t count, cap, tried_count;
	struct map by_onion;
	struct onion pending[BOOK_PENDING_MAX];
	size_t pending_n;
	bool changed;
};

size_t book_below(struct addrbook *b, size_t bound);
struct book_addr *book_get(const struct addrbook *b, const struct onion *o);
/** Not worth a place that another wants, nor telling others of. */
bool book_hopeless(const struct addrbook *b, const struct book_entry *e);
/** The slot of an address in the tried table. */
struct book_addr **book_tried_slot(struct addrbook *b, const struct onion *o);
/** Out of new, into tried; whoever is there goes back to new. */
void book_make_tried(struct addrbook *b, struct book_addr *a);
/** An entry of the file: give it the places it says; false: none is free. */
NODISCARD bool book_restore(struct addrbook *b, const struct book_addr *in);
/** Forget everything but the secret. */
void book_empty(struct addrbook *b);

#endif
