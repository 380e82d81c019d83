/*
 * The interpreter's stacks.
 */
#include "config.h"

#include "consensus/script_stack_priv.h"

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
	uint32_t *at = &s->main[s->n - i], moved = *at;

	memmove(at, at + 1, (i - 1) * sizeof *at);
	s->main[s->n - 1] = moved;
}

void stack_sink(struct stack *s, uint32_t i)
{
	uint32_t *at = &s->main[s->n - i], moved = s->main[s->n - 1];

	memmove(at + 1, at, (i - 1) * sizeof *at);
	*at = moved;
}

void stack_to_alt(struct stack *s)
{
	s->alt[s->alt_n++] = s->main[--s->n];
}

void stack_from_alt(struct stack *s)
{
	s->main[s->n++] = s->alt[--s->alt_n];
}

void stack_drop_alt(struct stack *s)
{
	while (s->alt_n)
		s->free[s->free_n++] = s->alt[--s->alt_n];
}

bool element_is_true(struct span v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (v.p[i])
			return i + 1 < v.n || v.p[i] != 0x80;
	return false;
}
