/*
 * Headers pre-synchronisation, in the spirit of the reference node's: its
 * period and buffer were chosen so that an attacker needs more work than the
 * memory is worth.
 */
#include "config.h"

#include "p2p/headers_presync.h"

#include "base/writer.h"
#include "crypto/hash.h"

#include <stdlib.h>

/* More than six blocks a second cannot follow the median time rule. */
#define BLOCKS_PER_SECOND_MAX 6
#define FUTURE_LIMIT_S 7200

#define VERSION_BYTES 4
#define HELD_BYTES (BLOCK_HEADER_BYTES - 32)

struct presync {
	struct presync_options opt;
	bool again;              /* the second pass */
	/* where this pass stands */
	struct block_hash last_hash;
	uint32_t last_bits, last_time;
	int height;
	struct u256 work;
	/* bits: written by the first pass, read by the second */
	struct bytes bits;
	size_t bit_count, bit_next, bit_max;
	/* second pass: headers held back, without their parents' hashes */
	struct bytes held;
	struct block_hash released_hash; /* of the last one released */
	size_t held_at;          /* bytes of held already released */
	bool release_all;
};

static void rewind_to_start(struct presync *s)
{
	s->last_hash = s->opt.start.hash;
	s->last_bits = s->opt.start_bits;
	s->last_time = 0;
	s->height = s->opt.start.height;
	s->work = s->opt.start.work;
}

struct presync *presync_new(const struct presync_options *opt)
{
	struct presync *s = xcalloc(1, sizeof *s);
	int64_t seconds;

	s->opt = *opt;
	if (!s->opt.period)
		s->opt.period = PRESYNC_PERIOD;
	if (!s->opt.buffer)
		s->opt.buffer = PRESYNC_BUFFER;
	s->opt.offset %= s->opt.period;
	seconds = MAX_OF(opt->now_unix - opt->start_mtp + FUTURE_LIMIT_S,
			 (int64_t)0);
	s->bit_max = (size_t)(BLOCKS_PER_SECOND_MAX * seconds /
			      s->opt.period);
	s->released_hash = opt->start.hash;
	rewind_to_start(s);
	return s;
}

void presync_free(struct presync *s)
{
	if (!s)
		return;
	bytes_clear(&s->bits);
	bytes_clear(&s->held);
	free(s);
}

static bool commitment(const struct presync *s, const struct block_hash *h)
{
	return siphash_u256(s->opt.salt[0], s->opt.salt[1], h->b) & 1;
}

static void bit_push(struct presync *s, bool bit)
{
	if (s->bit_count % 8 == 0)
		write_u8(&s->bits, 0);
	if (bit)
		s->bits.p[s->bit_count / 8] |=
			(uint8_t)(1u << (s->bit_count % 8));
	s->bit_count++;
}

static const char *first_pass(struct presync *s, const struct block_hash *h)
{
	if ((unsigned)s->height % s->opt.period != s->opt.offset)
		return NULL;
	if (s->bit_count >= s->bit_max)
		return "more headers than time allows";
	bit_push(s, commitment(s, h));
	return NULL;
}

static void hold(struct presync *s, const struct block_header *h)
{
	write_u32(&s->held, h->version);
	bytes_append(&s->held, h->merkle_root, sizeof h->merkle_root);
	write_u32(&s->held, h->time);
	write_u32(&s->held, h->bits);
	write_u32(&s->held, h->nonce);
}

/* Write the next held header in full: its parent is the one before it. */
static void release_one(struct presync *s, struct bytes *out)
{
	const uint8_t *from = s->held.p + s->held_at;
	size_t at = out->n;

	bytes_append(out, from, VERSION_BYTES);
	bytes_append(out, s->released_hash.b, sizeof s->released_hash.b);
	bytes_append(out, from + VERSION_BYTES, HELD_BYTES - VERSION_BYTES);
	sha256d(s->released_hash.b, out->p + at, BLOCK_HEADER_BYTES);
	s->held_at += HELD_BYTES;
}

static const char *second_pass(struct presync *s,
			       const struct block_header *header,
			       const struct block_hash *h)
{
	bool expected;

	if (u256_cmp(&s->work, &s->opt.minimum_work) >= 0)
		s->release_all = true;
	if (!s->release_all &&
	    (unsigned)s->height % s->opt.period == s->opt.offset) {
		if (s->bit_next >= s->bit_count)
			return "more headers than the first time";
		expected = s->bits.p[s->bit_next / 8] >>
			   (s->bit_next % 8) & 1;
		s->bit_next++;
		if (commitment(s, h) != expected)
			return "other headers than the first time";
	}
	hold(s, header);
	return NULL;
}

/* One header of either pass. */
static const char *take_one(struct presync *s, const struct block_header *h)
{
	struct block_hash hash;
	struct u256 work;

	if (!block_hash_eq(&h->prev, &s->last_hash))
		return "headers do not follow the last ones";
	if (!difficulty_step_ok(s->opt.params, s->height + 1, s->last_bits,
				h->bits))
		return "difficulty changes more than it can";
	block_header_hash(&hash, h);
	u256_block_work(&work, h->bits);
	u256_add(&s->work, &s->work, &work);
	s->last_hash = hash;
	s->last_bits = h->bits;
	s->last_time = h->time;
	s->height++;
	return s->again ? second_pass(s, h, &hash) : first_pass(s, &hash);
}

static size_t held_count(const struct presync *s)
{
	return (s->held.n - s->held_at) / HELD_BYTES;
}

static void release(struct presync *s, struct bytes *out)
{
	size_t have = held_count(s), n = 0;

	if (s->release_all)
		n = have;
	else if (have > s->opt.buffer)
		n = have - s->opt.buffer;
	while (n--)
		release_one(s, out);
	/* Close the gap in front now and then. */
	if (s->held_at > s->held.n / 2) {
		bytes_consume(&s->held, s->held_at);
		s->held_at = 0;
	}
}

static bool enough(const struct presync *s)
{
	return u256_cmp(&s->work, &s->opt.minimum_work) >= 0;
}

enum presync_result presync_take(struct presync *s, struct bytes *released,
				 const struct block_header *h, size_t n,
				 bool full, const char **why)
{
	size_t i;

	*why = n ? NULL : "the peer has no more headers";
	for (i = 0; i < n && !*why; i++) {
		*why = take_one(s, &h[i]);
		/* The rest of the message comes again in the second pass. */
		if (!*why && !s->again && enough(s)) {
			s->again = true;
			rewind_to_start(s);
			return PRESYNC_MORE;
		}
	}
	if (*why)
		return PRESYNC_FAILED;
	if (s->again) {
		release(s, released);
		if (s->release_all)
			return PRESYNC_COMPLETE;
	}
	if (full)
		return PRESYNC_MORE;
	*why = s->again ? "fewer headers than the first time"
			: "headers end with too little work";
	return PRESYNC_FAILED;
}

struct block_hash presync_next(const struct presync *s)
{
	return s->last_hash;
}

struct block_hash presync_start(const struct presync *s)
{
	return s->opt.start.hash;
}

int presync_height(const struct presync *s)
{
	return s->height;
}

uint32_t presync_time(const struct presync *s)
{
	return s->last_time;
}

bool presync_redownloading(const struct presync *s)
{
	return s->again;
}

size_t presync_size_bytes(const struct presync *s)
{
	return sizeof *s + s->bits.cap + s->held.cap;
}
