/*
 * Buckets of eight salted hashes of 32 bytes.  A hash belongs into one of
 * two buckets; when both are full, one of their entries, by chance, makes
 * room.  Nobody outside knows the salt, so nobody can choose what collides.
 */
#include "config.h"

#include "validation/script_cache.h"

#include "base/random.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 8
#define BUCKETS_MIN 8

struct entry {
	uint8_t b[32];           /* b[31]: enum state */
};

enum state { STATE_EMPTY, STATE_ERASED, STATE_HELD };

struct script_cache {
	struct sha256 salted;    /* the salt is in */
	size_t buckets, count;
	uint32_t next;           /* whom to push out */
	struct entry *entries;
};

struct script_cache *script_cache_new(size_t bytes)
{
	struct script_cache *c = xcalloc(1, sizeof(*c));
	uint8_t salt[64];

	c->buckets = MAX_OF(bytes / (WAYS * sizeof(struct entry)),
			    (size_t)BUCKETS_MIN);
	c->entries = xcalloc(c->buckets * WAYS, sizeof(struct entry));
	random_bytes(salt, sizeof(salt));
	sha256_init(&c->salted);
	sha256_update(&c->salted, salt, sizeof(salt));
	return c;
}

void script_cache_free(struct script_cache *c)
{
	if (!c)
		return;
	free(c->entries);
	free(c);
}

/* The hash, without the byte that is the state's. */
static struct entry entry_of(const struct script_cache *c,
			     const struct wtxid *id, uint32_t flags)
{
	struct sha256 h = c->salted;
	struct entry e;

	sha256_update(&h, id->b, sizeof(id->b));
	sha256_update(&h, &flags, sizeof(flags));
	sha256_final(&h, e.b);
	e.b[31] = STATE_EMPTY;
	return e;
}

/* One of the two buckets. */
static struct entry *bucket(const struct script_cache *c,
			    const struct entry *e, int which)
{
	uint64_t v;

	memcpy(&v, e->b + 8 * which, sizeof(v));
	return c->entries + v % c->buckets * WAYS;
}

static struct entry *entry_find(const struct script_cache *c,
				const struct entry *want)
{
	for (int which = 0; which < 2; which++) {
		struct entry *e = bucket(c, want, which);

		for (int i = 0; i < WAYS; i++)
			if (e[i].b[31] != STATE_EMPTY &&
			    memcmp(e[i].b, want->b, 31) == 0)
				return &e[i];
	}
	return NULL;
}

/* Where a new one goes: a free place, or an erased one, or anyone's. */
static struct entry *entry_place(struct script_cache *c,
				 const struct entry *want)
{
	struct entry *erased = NULL;

	for (int which = 0; which < 2; which++) {
		struct entry *e = bucket(c, want, which);

		for (int i = 0; i < WAYS; i++) {
			if (e[i].b[31] == STATE_EMPTY)
				return &e[i];
			if (e[i].b[31] == STATE_ERASED)
				erased = &e[i];
		}
	}
	if (erased)
		return erased;
	c->next++;
	return bucket(c, want, (int)(c->next / WAYS % 2)) + c->next % WAYS;
}

void script_cache_insert(struct script_cache *c, const struct wtxid *id,
			 uint32_t flags)
{
	struct entry want = entry_of(c, id, flags);
	struct entry *e = entry_find(c, &want);

	if (!e)
		e = entry_place(c, &want);
	if (e->b[31] != STATE_HELD)
		c->count++;
	want.b[31] = STATE_HELD;
	*e = want;
}

bool script_cache_contains(const struct script_cache *c,
			   const struct wtxid *id, uint32_t flags)
{
	const struct entry want = entry_of(c, id, flags);

	return entry_find(c, &want) != NULL;
}

bool script_cache_erase(struct script_cache *c, const struct wtxid *id,
			uint32_t flags)
{
	const struct entry want = entry_of(c, id, flags);
	struct entry *e = entry_find(c, &want);

	if (e && e->b[31] == STATE_HELD) {
		e->b[31] = STATE_ERASED;
		c->count--;
	}
	return e;
}

size_t script_cache_count(const struct script_cache *c)
{
	return c->count;
}
