/*
 * The interpreter's stacks.
 */
#include "config.h"

#include "consensus/script_stack_priv.h"

#include <stdlib.h>

void stack_init(struct stack *s, uint32_t n)
{
	size_t cap = STACK_SLOTS;
	uint32_t i;

	s->heap = NULL;
	s->order = s->fixed_order;
	s->slot = s->fixed_slot;
	if (n > SCRIPT_MAX_STACK) {
		/* Bounded: each element took a byte of the transaction. */
		cap = (size_t)n + 8;
		s->heap = xcalloc(cap, sizeof *s->slot + sizeof *s->order);
		s->slot = s->heap;
		s->order = (uint32_t *)(s->slot + cap);
	}
	for (i = 0; i < cap; i++)
		s->order[i] = i;
	s->cap = (uint32_t)cap;
	s->n = s->alt_n = 0;
}

void stack_clear(struct stack *s)
{
	free(s->heap);
	s->heap = NULL;
}

void stack_push_own(struct stack *s, const void *p, size_t n)
{
	struct element *e = stack_grow(s);

	CHECK(n <= sizeof e->own);
	e->p = NULL;
	e->n = (uint32_t)n;
	memcpy(e->own, p, n);
}

void stack_push_number(struct stack *s, int64_t v)
{
	struct element *e = stack_grow(s);

	e->p = NULL;
	e->n = (uint32_t)script_number_write(e->own, v);
}

void stack_push_bool(struct stack *s, bool v)
{
	stack_push_number(s, v);
}

void stack_push_copy(struct stack *s, uint32_t i)
{
	const struct element *from = stack_element(s, i);

	*stack_grow(s) = *from;
}

void stack_raise(struct stack *s, uint32_t i)
{
	uint32_t *at = &s->order[s->n - i], moved = *at;

	memmove(at, at + 1, (i - 1) * sizeof *at);
	s->order[s->n - 1] = moved;
}

void stack_sink(struct stack *s, uint32_t i)
{
	uint32_t *at = &s->order[s->n - i], moved = s->order[s->n - 1];

	memmove(at + 1, at, (i - 1) * sizeof *at);
	*at = moved;
}

static void swap_slots(uint32_t *a, uint32_t *b)
{
	uint32_t t = *a;

	*a = *b;
	*b = t;
}

void stack_to_alt(struct stack *s)
{
	s->n--;
	s->alt_n++;
	swap_slots(&s->order[s->n], &s->order[s->cap - s->alt_n]);
}

void stack_from_alt(struct stack *s)
{
	swap_slots(&s->order[s->n], &s->order[s->cap - s->alt_n]);
	s->n++;
	s->alt_n--;
}

bool element_is_true(struct span v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (v.p[i])
			return i + 1 < v.n || v.p[i] != 0x80;
	return false;
}
