/*
 * Any bytes as a header and what is before it: it is written back as it was,
 * and next_bits() always gives a target that its own rules allow.
 */
#include "config.h"

#include "consensus/block_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool any_ancestor(struct block_header *out, int height, void *arg)
{
	*out = *(const struct block_header *)arg;
	out->time -= (uint32_t)height;
	return true;
}

static void check_bits(const struct chain_params *p,
		       const struct block_header *prev, int height,
		       uint32_t time)
{
	struct block_header copy = *prev;
	struct u256 target;
	uint32_t bits = next_bits(p, prev, height, time, any_ancestor, &copy);

	if (!u256_from_compact(&target, prev->bits) ||
	    u256_cmp(&target, &p->pow_limit) > 0)
		return;
	CHECK(difficulty_step_ok(p, height + 1, prev->bits, bits));
	/* The hardest of targets may round to nothing. */
	if (u256_from_compact(&target, bits))
		CHECK(u256_cmp(&target, &p->pow_limit) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader r = reader_of(span_of(data, n));
	struct header_context ctx = { 0 };
	struct block_header h, prev;
	struct bytes out = { 0 };
	struct chain_params p;
	struct finding f;
	struct u256 work;

	if (!block_header_read(&h, &r) || !block_header_read(&prev, &r))
		return 0;
	block_header_write(&out, &h);
	CHECK(out.n == BLOCK_HEADER_BYTES &&
	      memcmp(out.p, data, out.n) == 0);
	bytes_clear(&out);

	p = chain_params_get((enum chain_id)(read_u8(&r) % 5));
	ctx.height = (int)(read_u32(&r) & 0x7ffffff) + 4096;
	ctx.expected_bits = next_bits(&p, &prev, ctx.height - 1, h.time,
				      any_ancestor, &prev);
	ctx.median_time_past = read_u32(&r);
	ctx.prev_time = prev.time;
	ctx.now_unix = read_u32(&r);
	header_check(&f, &p, &h, &ctx);
	check_bits(&p, &prev, ctx.height - 1, h.time);
	pow_ok(&p, &prev.prev, h.bits);
	u256_block_work(&work, h.bits);
	return 0;
}
