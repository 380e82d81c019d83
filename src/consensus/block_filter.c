/*
 * The Golomb-coded set of BIP158: each element is hashed to a number below
 * N * M; the sorted numbers' differences are written as a quotient by 2^P in
 * unary and a remainder of P bits.
 */
#include "config.h"

#include "consensus/block_filter.h"

#include <stdlib.h>

#include "consensus/opcode.h"
#include "crypto/hash.h"

#define FILTER_P 19
#define FILTER_M UINT64_C(784931)

__extension__ typedef unsigned __int128 wide;

struct bit_writer {
	struct bytes *out;
	unsigned count;          /* bits waiting in `waiting` */
	uint8_t waiting;
};

static void put_bits(struct bit_writer *w, uint64_t bits, unsigned n)
{
	while (n-- > 0) {
		w->waiting = (uint8_t)((unsigned)w->waiting << 1 |
				       (bits >> n & 1));
		if (++w->count == 8) {
			write_u8(w->out, w->waiting);
			w->count = 0;
		}
	}
}

static void put_golomb(struct bit_writer *w, uint64_t v)
{
	uint64_t q = v >> FILTER_P;

	for (; q; q--)
		put_bits(w, 1, 1);
	put_bits(w, 0, 1);
	put_bits(w, v, FILTER_P);
}

static void put_end(struct bit_writer *w)
{
	if (w->count)
		put_bits(w, 0, 8 - w->count);
}

struct bit_reader {
	struct reader r;
	unsigned count;          /* bits left in `byte` */
	uint8_t byte;
};

static unsigned take_bit(struct bit_reader *b)
{
	if (b->count == 0) {
		b->byte = read_u8(&b->r);
		b->count = 8;
	}
	return b->byte >> --b->count & 1;
}

static uint64_t take_golomb(struct bit_reader *b)
{
	uint64_t q = 0, rest = 0;

	while (take_bit(b))      /* past the end there are zeros */
		q++;
	for (unsigned i = 0; i < FILTER_P; i++)
		rest = rest << 1 | take_bit(b);
	return (q << FILTER_P) + rest;
}

/* The hash's first half and second half are SipHash's key. */
static uint64_t hash_to_range(struct span script, const struct block_hash *h,
			      uint64_t range)
{
	struct reader r = reader_of(span_of(h->b, sizeof h->b));
	uint64_t k0 = read_u64(&r), k1 = read_u64(&r);

	return (uint64_t)((wide)siphash(k0, k1, script.p, script.n) * range
			  >> 64);
}

/* Neither is empty. */
static int span_cmp(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->p, y->p, x->n);
}

static int number_cmp(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static size_t count_outputs(const struct block *b)
{
	size_t n = 0;

	for (uint32_t i = 0; i < b->tx_count; i++)
		n += b->tx[i].out_count;
	return n;
}

/* Every script but empty ones and outputs that begin with OP_RETURN; each
 * once.  Returns how many. */
static size_t collect_scripts(struct span *set, const struct block *b,
			      const struct span *spent, size_t spent_n)
{
	size_t n = 0, unique = 0;

	for (uint32_t i = 0; i < b->tx_count; i++) {
		for (uint32_t k = 0; k < b->tx[i].out_count; k++) {
			struct span s = b->tx[i].out[k].script_pubkey;

			if (s.n && s.p[0] != OP_RETURN)
				set[n++] = s;
		}
	}
	for (size_t i = 0; i < spent_n; i++) {
		if (spent[i].n)
			set[n++] = spent[i];
	}
	qsort(set, n, sizeof *set, span_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !span_eq(set[i], set[i - 1]))
			set[unique++] = set[i];
	}
	return unique;
}

static uint64_t *hash_set(const struct span *set, size_t n, uint64_t range,
			  const struct block_hash *h)
{
	uint64_t *numbers = xcalloc(n + 1, sizeof *numbers);

	for (size_t i = 0; i < n; i++)
		numbers[i] = hash_to_range(set[i], h, range);
	qsort(numbers, n, sizeof *numbers, number_cmp);
	return numbers;
}

void block_filter_write(struct bytes *out, const struct block *b,
			const struct span *spent, size_t spent_n)
{
	struct span *set = xcalloc(count_outputs(b) + spent_n + 1,
				   sizeof *set);
	size_t n = collect_scripts(set, b, spent, spent_n);
	uint64_t *numbers = hash_set(set, n, n * FILTER_M, &b->hash);
	struct bit_writer w = { .out = out };
	uint64_t last = 0;

	write_compact(out, n);
	for (size_t i = 0; i < n; i++) {
		put_golomb(&w, numbers[i] - last);
		last = numbers[i];
	}
	put_end(&w);
	free(numbers);
	free(set);
}

void block_filter_hash(uint8_t out[static 32], struct span filter)
{
	sha256d(out, filter.p, filter.n);
}

void block_filter_header(uint8_t out[static 32], struct span filter,
			 const uint8_t prev[static 32])
{
	uint8_t pair[64];

	block_filter_hash(pair, filter);
	memcpy(pair + 32, prev, 32);
	sha256d_64(out, pair, 1);
}

bool block_filter_match(bool *match, struct span filter,
			const struct block_hash *hash,
			const struct span *scripts, size_t n)
{
	struct bit_reader bits = { .r = reader_of(filter) };
	uint64_t count = read_compact(&bits.r), value = 0;
	uint64_t *wanted;
	size_t at = 0;

	*match = false;
	/* Each element takes more than P bits. */
	if (bits.r.failed || count > reader_left(&bits.r) * 8 / (FILTER_P + 1))
		return false;
	wanted = hash_set(scripts, n, count * FILTER_M, hash);
	for (uint64_t i = 0; i < count; i++) {
		value += take_golomb(&bits);
		while (at < n && wanted[at] < value)
			at++;
		if (at < n && wanted[at] == value)
			*match = true;
	}
	free(wanted);
	return !bits.r.failed && reader_left(&bits.r) == 0;
}
