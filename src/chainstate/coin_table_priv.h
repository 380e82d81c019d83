/*
 * The coins in memory: an open-addressing table of 8-byte slots over entries
 * in a slab.  A slot holds 32 bits of the outpoint's keyed hash, which place
 * it, and the entry's name; so growing, removing and most misses never touch
 * an entry.  An entry is 48 bytes and what of the script is not a template:
 * 72 bytes for the common kinds of 20 bytes, 80 for those of 32.
 */
#ifndef CLOISTER_CHAINSTATE_COIN_TABLE_PRIV_H
#define CLOISTER_CHAINSTATE_COIN_TABLE_PRIV_H

#include "chainstate/coin_slab_priv.h"
#include "chainstate/coins.h"

/* entry.meta: amount, script kind, flags, age. */
#define META_VALUE ((UINT64_C(1) << 51) - 1)
#define META_KIND_SHIFT 51
#define META_KIND (UINT64_C(7) << META_KIND_SHIFT)
#define META_DIRTY (UINT64_C(1) << 54)   /* differs from the disk */
#define META_FRESH (UINT64_C(1) << 55)   /* the disk knows nothing of it */
#define META_SPENT (UINT64_C(1) << 56)   /* gone; the disk still has it */
#define META_GEN_SHIFT 57
#define GENERATIONS 128

struct coin_entry {
	uint8_t txid[32];
	uint32_t n;
	uint32_t code;           /* height * 2 + coinbase */
	uint64_t meta;
	uint8_t script[];        /* as the kind says */
};

struct coin_table {
	uint64_t *slots;         /* hash << 32 | ref; 0: empty */
	size_t cap, count;
	size_t dirty;            /* entries with META_DIRTY */
	uint64_t k0, k1;
	struct coin_slab slab;
	size_t big_bytes;        /* long scripts, outside the slab */
	unsigned gen;            /* given to new entries */
	size_t gen_bytes, gen_step;
	size_t live_bytes[GENERATIONS];  /* of unspent entries, slots too */
	bool huge;
};

/** limit_bytes: about how large it will grow. */
void coin_table_init(struct coin_table *t, size_t limit_bytes);
void coin_table_clear(struct coin_table *t);       /* empty; usable */

uint32_t coin_table_hash(const struct coin_table *t,
			 const struct outpoint *o);
/** The entry, or NULL and *pos is where it would go. */
struct coin_entry *coin_table_find(const struct coin_table *t, size_t *pos,
				   const struct outpoint *o, uint32_t hash);
/** Have the processor fetch where an outpoint's slot would be. */
void coin_table_touch(const struct coin_table *t, uint32_t hash);
/** The same for the entry, once the slot is there. */
void coin_table_touch_entry(const struct coin_table *t, uint32_t hash);
/**
 * Put a new entry at *pos, as coin_table_find left it; flags: META_DIRTY, …
 * coin NULL: a spent marker.  False when the system gives no memory.
 */
NODISCARD bool coin_table_insert(struct coin_table *t, size_t pos,
				 const struct outpoint *o, uint32_t hash,
				 const struct coin *coin, uint64_t flags);
/** Exchange the content of the entry at pos. */
NODISCARD bool coin_table_replace(struct coin_table *t, size_t pos,
				  const struct coin *coin, uint64_t flags);
void coin_table_remove(struct coin_table *t, size_t pos);
/** Make room for a table of n more coins at once. */
NODISCARD bool coin_table_reserve(struct coin_table *t, size_t n);

/** Forget each entry for which keep() says no; all that is left. */
typedef bool coin_keep_fn(struct coin_entry *e, void *arg);
void coin_table_filter(struct coin_table *t, coin_keep_fn *keep, void *arg);

/* The script of templates is put into buf. */
#define SCRIPT_TEMPLATE_MAX 34
void coin_entry_read(const struct coin_entry *e, struct coin *out,
		     uint8_t buf[static SCRIPT_TEMPLATE_MAX]);
/** Memory of one entry, its long script included. */
size_t coin_entry_bytes(const struct coin_entry *e);
/** Generations since it was put there or changed, modulo GENERATIONS. */
static inline unsigned coin_entry_age(const struct coin_table *t,
				      const struct coin_entry *e)
{
	return (t->gen - (unsigned)(e->meta >> META_GEN_SHIFT)) % GENERATIONS;
}
/** How many of the youngest generations take at most so many bytes. */
unsigned coin_table_young(const struct coin_table *t, size_t bytes);

static inline struct coin_entry *coin_table_at(const struct coin_table *t,
					       uint64_t slot)
{
	return slab_at(&t->slab, (uint32_t)slot);
}

/** All memory. */
size_t coin_table_bytes(const struct coin_table *t);
/** The same less what lies in free lists. */
size_t coin_table_live_bytes(const struct coin_table *t);

#endif
