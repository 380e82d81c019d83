/*
 * The interpreter's two stacks in one fixed place: no allocation while a
 * script runs.  Elements pushed by scripts and witnesses are borrowed spans;
 * what operations compute (numbers, truth values, hashes) is at most 32
 * bytes and lies in the element itself.
 *
 * Elements live in slots and stay there; the stacks are arrays of slot
 * numbers, so moving elements about (ROLL, SWAP, the alt stack) moves numbers
 * only.  Nothing is initialised before its first use.
 */
#ifndef CLOISTER_CONSENSUS_SCRIPT_STACK_PRIV_H
#define CLOISTER_CONSENSUS_SCRIPT_STACK_PRIV_H

#include "consensus/script.h"

/* The limit is tested after each operation; none adds more than three
 * elements, and none takes more than CHECKMULTISIG's: two numbers, keys,
 * signatures and one too many. */
#define STACK_MAX_ADDED 3
#define STACK_MAX_TAKEN (3 + 2 * SCRIPT_MAX_MULTISIG_KEYS)

/*
 * Elements that a witness may bring are not limited before BIP342.  Of more
 * than these only the top ones are put on the stack: whatever the first
 * operation is, it leaves more than SCRIPT_MAX_STACK and the script fails.
 */
#define STACK_MAX_START (SCRIPT_MAX_STACK + STACK_MAX_TAKEN + 1)
#define STACK_SLOTS (STACK_MAX_START + STACK_MAX_ADDED)

struct element {
	const uint8_t *p;        /* NULL: the bytes are in own */
	uint32_t n;
	uint8_t own[32];
};

struct stack {
	uint32_t n, alt_n;
	uint32_t used;           /* slots from here on were never used */
	uint32_t free_n;         /* of the used ones, those free again */
	uint32_t main[STACK_SLOTS], alt[STACK_SLOTS], free[STACK_SLOTS];
	struct element slot[STACK_SLOTS];
};

static inline void stack_init(struct stack *s)
{
	s->n = s->alt_n = s->used = s->free_n = 0;
}

static inline struct span element_span(const struct element *e)
{
	return span_of(e->p ? e->p : e->own, e->n);
}

/* The i-th from the top; 1 is the top.  The caller knows it is there. */
static inline struct element *stack_element(struct stack *s, uint32_t i)
{
	return &s->slot[s->main[s->n - i]];
}

static inline struct span stack_top(const struct stack *s, uint32_t i)
{
	return element_span(&s->slot[s->main[s->n - i]]);
}

static inline void stack_drop(struct stack *s, uint32_t n)
{
	while (n--)
		s->free[s->free_n++] = s->main[--s->n];
}

static inline struct element *stack_grow(struct stack *s)
{
	uint32_t i = s->free_n ? s->free[--s->free_n] : s->used++;

	CHECK(i < STACK_SLOTS);
	s->main[s->n++] = i;
	return &s->slot[i];
}

/** Push borrowed bytes. */
static inline void stack_push(struct stack *s, struct span v)
{
	struct element *e = stack_grow(s);

	e->p = v.p;
	e->n = (uint32_t)v.n;
}

/** Push a copy of at most 32 bytes. */
void stack_push_own(struct stack *s, const void *p, size_t n);
void stack_push_number(struct stack *s, int64_t v);
void stack_push_bool(struct stack *s, bool v);
/** Push a copy of the i-th from the top. */
void stack_push_copy(struct stack *s, uint32_t i);
/** Move the i-th from the top to the top. */
void stack_raise(struct stack *s, uint32_t i);
/** Move the top down, to be the i-th from the top. */
void stack_sink(struct stack *s, uint32_t i);
void stack_to_alt(struct stack *s);
void stack_from_alt(struct stack *s);
void stack_drop_alt(struct stack *s);            /* all of it */

/** False: empty, zeros, or zeros with a sign (0x80 last). */
bool element_is_true(struct span v);

#endif
