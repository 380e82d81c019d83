/*
 * SHA-256's compression function with the SHA extensions of x86: one stream,
 * and two at once for the double hashes of a merkle level, where one alone
 * would wait for the latency of sha256rnds2.
 */
#include "config.h"

#include "crypto/sha256_priv.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define NI __attribute__((target("sha,sse4.1,ssse3")))
#define NI_INLINE static inline __attribute__((always_inline)) NI

/* The state in the order the instructions want: {a b e f}, {c d g h}. */
struct lane {
	__m128i abef, cdgh;
};

NI_INLINE __m128i swap_bytes(__m128i x)
{
	return _mm_shuffle_epi8(x, _mm_set_epi64x(0x0c0d0e0f08090a0b,
						  0x0405060700010203));
}

NI_INLINE __m128i load(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

NI_INLINE void store(void *p, __m128i x)
{
	_mm_storeu_si128((__m128i *)p, x);
}

NI_INLINE struct lane lane_load(const uint32_t s[static 8])
{
	__m128i cdab = _mm_shuffle_epi32(load(s), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(load(s + 4), 0x1b);

	return (struct lane){ _mm_alignr_epi8(cdab, efgh, 8),
			      _mm_blend_epi16(efgh, cdab, 0xf0) };
}

/* The state again as words a to d, and e to h. */
NI_INLINE void lane_words(__m128i out[static 2], struct lane l)
{
	__m128i feba = _mm_shuffle_epi32(l.abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(l.cdgh, 0xb1);

	out[0] = _mm_blend_epi16(feba, dchg, 0xf0);
	out[1] = _mm_alignr_epi8(dchg, feba, 8);
}

NI_INLINE struct lane lane_add(struct lane x, struct lane y)
{
	return (struct lane){ _mm_add_epi32(x.abef, y.abef),
			      _mm_add_epi32(x.cdgh, y.cdgh) };
}

/* Four rounds with the message words w, from round i on. */
NI_INLINE void rounds_4(struct lane *l, __m128i w, int i)
{
	__m128i t = _mm_add_epi32(w, load(sha256_k + i));

	l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, t);
	t = _mm_shuffle_epi32(t, 0x0e);
	l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, t);
}

/* The four message words after the sixteen in a, b, c, d. */
NI_INLINE __m128i words_next(__m128i a, __m128i b, __m128i c, __m128i d)
{
	__m128i t = _mm_add_epi32(_mm_sha256msg1_epu32(a, b),
				  _mm_alignr_epi8(d, c, 4));

	return _mm_sha256msg2_epu32(t, d);
}

/* Rounds i to i + 15 on words w of each of n lanes, which move on to the
 * next sixteen words first, except in the first call. */
#define ROUNDS_16(l, w, n, i) do { \
	EACH(n, if (i) w[k][0] = words_next(w[k][0], w[k][1], w[k][2], \
					    w[k][3]); \
		rounds_4(&l[k], w[k][0], i)); \
	EACH(n, if (i) w[k][1] = words_next(w[k][1], w[k][2], w[k][3], \
					    w[k][0]); \
		rounds_4(&l[k], w[k][1], i + 4)); \
	EACH(n, if (i) w[k][2] = words_next(w[k][2], w[k][3], w[k][0], \
					    w[k][1]); \
		rounds_4(&l[k], w[k][2], i + 8)); \
	EACH(n, if (i) w[k][3] = words_next(w[k][3], w[k][0], w[k][1], \
					    w[k][2]); \
		rounds_4(&l[k], w[k][3], i + 12)); \
} while (0)

/* n is 1 or 2, a constant. */
#define EACH(n, what) do { \
	{ enum { k = 0 }; what; } \
	if (n == 2) { enum { k = n - 1 }; what; } \
} while (0)

#define ROUNDS_64(l, w, n) do { \
	ROUNDS_16(l, w, n, 0); \
	ROUNDS_16(l, w, n, 16); \
	ROUNDS_16(l, w, n, 32); \
	ROUNDS_16(l, w, n, 48); \
} while (0)

NI_INLINE void words_load(__m128i w[static 4], const uint8_t *p)
{
	w[0] = swap_bytes(load(p));
	w[1] = swap_bytes(load(p + 16));
	w[2] = swap_bytes(load(p + 32));
	w[3] = swap_bytes(load(p + 48));
}

static NI void ni_blocks(uint32_t s[static 8], const uint8_t *p, size_t n)
{
	struct lane l[1] = { lane_load(s) }, before;
	__m128i w[1][4], out[2];

	for (; n; n--, p += 64) {
		before = l[0];
		words_load(w[0], p);
		ROUNDS_64(l, w, 1);
		l[0] = lane_add(l[0], before);
	}
	lane_words(out, l[0]);
	store(s, out[0]);
	store(s + 4, out[1]);
}

/* The message words after 64 bytes, and after 32: one bit, length in bits. */
NI_INLINE void words_pad_64(__m128i w[static 4])
{
	w[0] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
	w[1] = _mm_setzero_si128();
	w[2] = _mm_setzero_si128();
	w[3] = _mm_set_epi32(512, 0, 0, 0);
}

NI_INLINE void words_after_32(__m128i w[static 4])
{
	w[2] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
	w[3] = _mm_set_epi32(256, 0, 0, 0);
}

NI_INLINE void digest_store(uint8_t *out, struct lane l)
{
	__m128i words[2];

	lane_words(words, l);
	store(out, swap_bytes(words[0]));
	store(out + 16, swap_bytes(words[1]));
}

#define DOUBLE_64(out, in, n) do { \
	const struct lane start = lane_load(sha256_start); \
	struct lane l[n], mid[n]; \
	__m128i w[n][4]; \
\
	EACH(n, l[k] = start; words_load(w[k], (in) + 64 * k)); \
	ROUNDS_64(l, w, n); \
	EACH(n, mid[k] = l[k] = lane_add(l[k], start); words_pad_64(w[k])); \
	ROUNDS_64(l, w, n); \
	EACH(n, l[k] = lane_add(l[k], mid[k]); lane_words(w[k], l[k]); \
		words_after_32(w[k]); l[k] = start); \
	ROUNDS_64(l, w, n); \
	EACH(n, digest_store((out) + 32 * k, lane_add(l[k], start))); \
} while (0)

static NI void ni_double_64(uint8_t *out, const uint8_t *in, size_t n)
{
	for (; n >= 2; n -= 2, in += 128, out += 64)
		DOUBLE_64(out, in, 2);
	if (n)
		DOUBLE_64(out, in, 1);
}

static const struct sha256_kernel sha256_ni = {
	"sha-ni", ni_blocks, ni_double_64
};

const struct sha256_kernel *sha256_ni_get(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) ||
	    !(c & bit_SSE4_1))
		return NULL;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA))
		return NULL;
	return &sha256_ni;
}

#else

const struct sha256_kernel *sha256_ni_get(void)
{
	return NULL;
}

#endif
