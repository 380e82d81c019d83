/*
 * How much work a block must show: nBits from the blocks before it.
 */
#include "config.h"

#include "consensus/block_check.h"

static int64_t clamp_timespan(const struct chain_params *p, int64_t span_s)
{
	return MIN_OF(MAX_OF(span_s, p->target_timespan_s / 4),
		      p->target_timespan_s * 4);
}

/* target * span / timespan, at most the limit. */
static void target_scale(struct u256 *target, const struct chain_params *p,
			 int64_t span_s)
{
	struct u256 timespan = { { (uint64_t)p->target_timespan_s } };

	u256_mul_u32(target, target, (uint32_t)span_s);
	u256_div(target, target, &timespan);
	if (u256_cmp(target, &p->pow_limit) > 0)
		*target = p->pow_limit;
}

/* Core SetCompact: whatever the bits say, right or wrong. */
static void target_of(struct u256 *out, uint32_t bits)
{
	bool proper = u256_from_compact(out, bits);

	(void)proper;
}

/* Core CalculateNextWorkRequired: a period is one block short (2015 spans),
 * since 2009. */
static uint32_t retarget(const struct chain_params *p,
			 const struct block_header *prev,
			 const struct block_header *first)
{
	int64_t span_s = (int64_t)prev->time - (int64_t)first->time;
	struct u256 target;

	if (p->no_retargeting)
		return prev->bits;
	/* BIP94: a minimum-difficulty block at the end of the period does
	 * not reset the difficulty. */
	target_of(&target, p->enforce_bip94 ? first->bits : prev->bits);
	target_scale(&target, p, clamp_timespan(p, span_s));
	return u256_to_compact(&target);
}

/*
 * Inside a period on test networks: after 20 minutes without a block the
 * minimum will do; otherwise the last difficulty that was not such a minimum.
 */
static uint32_t min_difficulty_bits(const struct chain_params *p,
				    const struct block_header *prev,
				    int prev_height, uint32_t new_time,
				    ancestor_fn *ancestor, void *arg)
{
	uint32_t limit = u256_to_compact(&p->pow_limit);
	struct block_header h = *prev;
	int height = prev_height;

	if ((int64_t)new_time > (int64_t)prev->time + 2 * p->target_spacing_s)
		return limit;
	while (height > 0 && height % difficulty_interval(p) != 0 &&
	       h.bits == limit)
		CHECK(ancestor(&h, --height, arg));
	return h.bits;
}

uint32_t next_bits(const struct chain_params *p,
		   const struct block_header *prev, int prev_height,
		   uint32_t new_time, ancestor_fn *ancestor, void *arg)
{
	int64_t interval = difficulty_interval(p);
	struct block_header first;

	if ((prev_height + 1) % interval != 0) {
		if (!p->allow_min_difficulty)
			return prev->bits;
		return min_difficulty_bits(p, prev, prev_height, new_time,
					   ancestor, arg);
	}
	CHECK(ancestor(&first, (int)(prev_height - (interval - 1)), arg));
	return retarget(p, prev, &first);
}

/* The target that a whole period's deviation gives, as nBits round it. */
static void extreme_target(struct u256 *out, const struct chain_params *p,
			   uint32_t old_bits, int64_t span_s)
{
	target_of(out, old_bits);
	target_scale(out, p, span_s);
	target_of(out, u256_to_compact(out));
}

bool difficulty_step_ok(const struct chain_params *p, int height,
			uint32_t old_bits, uint32_t bits)
{
	struct u256 seen, easiest, hardest;

	if (p->allow_min_difficulty)
		return true;
	if (height % difficulty_interval(p) != 0)
		return old_bits == bits;
	target_of(&seen, bits);
	extreme_target(&easiest, p, old_bits, p->target_timespan_s * 4);
	extreme_target(&hardest, p, old_bits, p->target_timespan_s / 4);
	return u256_cmp(&easiest, &seen) >= 0 &&
	       u256_cmp(&hardest, &seen) <= 0;
}

bool pow_ok(const struct chain_params *p, const struct block_hash *hash,
	    uint32_t bits)
{
	struct u256 target, number;

	if (!u256_from_compact(&target, bits) ||
	    u256_cmp(&target, &p->pow_limit) > 0)
		return false;
	u256_from_le(&number, hash->b);
	return u256_cmp(&number, &target) <= 0;
}
