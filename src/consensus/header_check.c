/*
 * The rules of a header in its place.
 */
#include "config.h"

#include "consensus/block_check.h"

#define FUTURE_LIMIT_S (2 * 60 * 60)
#define TIMEWARP_LIMIT_S 600         /* BIP94 */

/* A retarget period may not begin long before the last one ended. */
static bool is_timewarp(const struct chain_params *p,
			const struct block_header *h,
			const struct header_context *ctx)
{
	if (!p->enforce_bip94 || ctx->height % difficulty_interval(p) != 0)
		return false;
	return (int64_t)h->time <
	       (int64_t)ctx->prev_time - TIMEWARP_LIMIT_S;
}

/* Each of three soft forks outlawed the versions before its own. */
static bool is_version_outdated(const struct chain_params *p,
				const struct block_header *h, int height)
{
	int32_t version = (int32_t)h->version;

	return (version < 2 && buried_active(p, BURIED_BIP34, height)) ||
	       (version < 3 && buried_active(p, BURIED_BIP66, height)) ||
	       (version < 4 && buried_active(p, BURIED_BIP65, height));
}

/* Core ContextualCheckBlockHeader, in its order. */
void header_check(struct finding *f, const struct chain_params *p,
		  const struct block_header *h,
		  const struct header_context *ctx)
{
	finding_set(f, VERDICT_OK);
	if (h->bits != ctx->expected_bits) {
		f->verdict = VERDICT_BAD_DIFFBITS;
	} else if ((int64_t)h->time <= ctx->median_time_past) {
		f->verdict = VERDICT_TIME_TOO_OLD;
	} else if (is_timewarp(p, h, ctx)) {
		f->verdict = VERDICT_TIME_TIMEWARP;
	} else if (ctx->now_unix != 0 &&
		   (int64_t)h->time > ctx->now_unix + FUTURE_LIMIT_S) {
		f->verdict = VERDICT_TIME_TOO_NEW;
	} else if (is_version_outdated(p, h, ctx->height)) {
		f->verdict = VERDICT_BAD_VERSION;
		f->version = h->version;
	}
}
