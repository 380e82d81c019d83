/*
 * A branch of headers in an array.
 */
#include "config.h"

#include "tests/unit/header_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

bool header_list_get(struct block_header *out, int height, void *arg)
{
	struct header_list *l = arg;

	l->asked++;
	if (height < 0 || height >= l->n)
		return false;
	*out = l->h[height];
	return true;
}

static int time_cmp(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int64_t header_list_mtp(const struct header_list *l, int height)
{
	int64_t t[11];
	int n = 0;

	for (int i = height; i >= 0 && n < 11; i--)
		t[n++] = l->h[i].time;
	qsort(t, (size_t)n, sizeof *t, time_cmp);
	return t[n / 2];
}

void header_list_read(struct header_list *l, const struct bytes *raw)
{
	struct reader r = reader_of(bytes_span(raw));

	l->n = (int)(raw->n / BLOCK_HEADER_BYTES);
	l->h = xcalloc((size_t)l->n, sizeof *l->h);
	for (int i = 0; i < l->n; i++)
		assert_true(block_header_read(&l->h[i], &r));
}

bool header_list_ok(const struct chain_params *p, struct header_list *l,
		      int i)
{
	const struct block_header *prev = &l->h[i - 1];
	struct header_context ctx = { .height = i };
	struct block_hash hash, prev_hash;
	struct finding f;

	block_header_hash(&hash, &l->h[i]);
	block_header_hash(&prev_hash, prev);
	ctx.expected_bits = next_bits(p, prev, i - 1, l->h[i].time,
				      header_list_get, l);
	ctx.median_time_past = header_list_mtp(l, i - 1);
	ctx.prev_time = prev->time;
	ctx.now_unix = l->h[i].time;
	header_check(&f, p, &l->h[i], &ctx);
	return f.verdict == VERDICT_OK && pow_ok(p, &hash, l->h[i].bits) &&
	       block_hash_eq(&prev_hash, &l->h[i].prev) &&
	       difficulty_step_ok(p, i, prev->bits, l->h[i].bits);
}

