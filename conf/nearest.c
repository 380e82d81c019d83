/*
 * The known option most like a mistyped one: edit distance in which a swap of
 * two neighbours counts as one change.
 */
#include "config.h"

#include "conf/options.h"

#include <string.h>

#define NAME_MAX_CHARS 40

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = MIN_OF(a, b);

	return MIN_OF(m, c);
}

static unsigned distance(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned d[NAME_MAX_CHARS + 1][NAME_MAX_CHARS + 1];

	for (size_t i = 0; i <= an; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= bn; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		for (size_t j = 1; j <= bn; j++) {
			unsigned change = a[i - 1] != b[j - 1];

			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = MIN_OF(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[an][bn];
}

const char *option_nearest(const char *name, unsigned who)
{
	size_t n = strlen(name);
	const char *best = NULL;
	unsigned best_distance = 0;

	if (n == 0 || n > NAME_MAX_CHARS)
		return NULL;
	for (size_t i = 0; i < option_count; i++) {
		const char *known = option_table[i].name;
		unsigned d;

		if (!(option_table[i].flags & who))
			continue;
		d = distance(name, n, known, strlen(known));
		if (!best || d < best_distance) {
			best = known;
			best_distance = d;
		}
	}
	/* A name with nothing in common is no help. */
	return best_distance <= (n < 4 ? 1 : 1 + n / 3) ? best : NULL;
}
