/*
 * Which blocks' scripts are taken for valid without looking: those below the
 * block that the software's authors vouch for, where that one is in the best
 * header chain and buried under two weeks' work.
 */
#include "config.h"

#include "validation/flight.h"

#define BURIED_SECONDS (INT64_C(14) * 24 * 60 * 60)

/* Would the work between n and best have taken that long at best's pace? */
static bool buried_deep(const struct chain_params *p,
			const struct header_node *n,
			const struct header_node *best)
{
	struct u256 between, proof, seconds, limit = { { 0 } };

	u256_sub(&between, &best->chain_work, &n->chain_work);
	u256_mul_u32(&between, &between, (uint32_t)p->target_spacing_s);
	u256_block_work(&proof, best->bits);
	u256_div(&seconds, &between, &proof);
	limit.w[0] = BURIED_SECONDS;
	return u256_cmp(&seconds, &limit) > 0;
}

bool scripts_assumed_valid(const struct chain *c,
			   const struct header_node *n)
{
	const struct chain_params *p = c->opt.params;
	const struct header_node *av, *best = c->best_header;

	if (c->opt.check_all_scripts || hash_is_zero(p->assume_valid.b))
		return false;
	av = header_tree_get(&c->tree, &p->assume_valid);
	return av && header_node_is_ancestor(n, av) &&
	       header_node_is_ancestor(n, best) &&
	       u256_cmp(&best->chain_work, &p->minimum_chain_work) >= 0 &&
	       buried_deep(p, n, best);
}
