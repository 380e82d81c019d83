/*
 * Where a mistyped Bech32 text is wrong.  The code is linear: an error of
 * value e at a place adds a number that depends on place and e alone, so one
 * error's number is the residue, and two errors' numbers add up to it.
 */
#include "config.h"

#include "crypto/bech32_priv.h"

#include <stdlib.h>

/* Places count from the last symbol. */
struct found {
	size_t n;
	size_t place[2];
};

/* What each error value 1 to 31 adds at each place. */
static void error_numbers(uint32_t (*out)[32], size_t n)
{
	for (uint8_t e = 0; e < 32; e++) {
		uint32_t c = e;

		for (size_t i = 0; i < n; i++) {
			out[i][e] = c;
			c = bech32_step(c, 0);
		}
	}
}

static bool find_one(struct found *f, uint32_t (*numbers)[32], size_t from,
		     size_t n, uint32_t residue)
{
	for (size_t i = from; i < n; i++) {
		for (int e = 1; e < 32; e++) {
			if (numbers[i][e] == residue) {
				f->place[f->n++] = i;
				return true;
			}
		}
	}
	return false;
}

static struct found find_errors(uint32_t residue, size_t n)
{
	uint32_t numbers[BECH32_MAX_CHARS][32];
	struct found f = { 0 };

	error_numbers(numbers, n);
	if (find_one(&f, numbers, 0, n, residue))
		return f;
	for (size_t i = 0; i < n; i++) {
		for (int e = 1; e < 32; e++) {
			if (find_one(&f, numbers, i + 1, n,
				     residue ^ numbers[i][e])) {
				f.place[f.n++] = i;
				return f;
			}
		}
	}
	return f;
}

/* For the kind that needs fewer changes. */
static struct found find_fewest(enum bech32_kind *kind, uint32_t residue,
				size_t n)
{
	struct found a = find_errors(residue ^ BECH32_RESIDUE, n);
	struct found b = find_errors(residue ^ BECH32M_RESIDUE, n);
	bool first = a.n && (!b.n || a.n <= b.n);

	*kind = first ? BECH32 : b.n ? BECH32M : BECH32_NONE;
	return first ? a : b;
}

const char *bech32_checksum_reason(uint32_t residue, size_t n)
{
	enum bech32_kind kind;

	find_fewest(&kind, residue, n);
	return kind == BECH32 ? "Invalid Bech32 checksum" :
	       kind == BECH32M ? "Invalid Bech32m checksum" :
	       "Invalid checksum";
}

static size_t mixed_places(size_t *out, const char *text)
{
	bool upper = false, lower = false;
	size_t n = 0;

	for (size_t i = 0; text[i]; i++) {
		bool is_upper = text[i] >= 'A' && text[i] <= 'Z';
		bool is_lower = text[i] >= 'a' && text[i] <= 'z';

		if (text[i] < 33 || text[i] > 126 || (is_upper && lower) ||
		    (is_lower && upper)) {
			out[n++] = i;
			continue;
		}
		upper |= is_upper;
		lower |= is_lower;
	}
	return n;
}

static size_t checksum_places(size_t *out, const struct bech32 *b,
			      const char *values)
{
	uint32_t c = bech32_start(b->hrp);
	size_t n = strlen(values);
	enum bech32_kind kind;
	struct found f;

	for (size_t i = 0; i < n; i++) {
		int v = bech32_value(values[i]);

		if (v < 0) {
			out[0] = i;
			return 1;
		}
		c = bech32_step(c, (uint8_t)v);
	}
	if (c == BECH32_RESIDUE || c == BECH32M_RESIDUE)
		return 0;
	f = find_fewest(&kind, c, n);
	for (size_t i = 0; i < f.n; i++)         /* from the left */
		out[i] = n - 1 - f.place[i];
	return f.n;
}

size_t *bech32_error_places(size_t *n, const char *text)
{
	size_t len = strlen(text);
	size_t *out = xcalloc(len + 2, sizeof *out);
	const char *mark = strrchr(text, '1');
	struct bech32 b;

	*n = 0;
	if (len > BECH32_MAX_CHARS) {
		for (size_t i = BECH32_MAX_CHARS; i < len; i++)
			out[(*n)++] = i;
		return out;
	}
	*n = mixed_places(out, text);
	if (*n || !mark)
		return out;
	if (mark == text || (size_t)(mark - text) + 1 + BECH32_CHECKSUM_N >
			    len) {
		out[(*n)++] = (size_t)(mark - text);
		return out;
	}
	if (bech32_decode(&b, text, NULL))
		return out;
	*n = checksum_places(out, &b, mark + 1);
	for (size_t i = 0; i < *n; i++)
		out[i] += (size_t)(mark - text) + 1;
	return out;
}
