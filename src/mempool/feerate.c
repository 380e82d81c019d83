/*
 * Fractions of fee and weight, compared by cross products in 128 bits; rates
 * per 1000 virtual bytes; diagrams.
 */
#include "config.h"

#include "mempool/feerate.h"

__extension__ typedef __int128 wide;

int feerate_cmp(struct feerate a, struct feerate b)
{
	wide x = (wide)a.fee_sat * b.weight_wu;
	wide y = (wide)b.fee_sat * a.weight_wu;

	return (x > y) - (x < y);
}

int64_t fee_at_rate(int64_t rate_sat_kvb, int64_t vsize)
{
	wide p = (wide)rate_sat_kvb * vsize;

	return (int64_t)((p + 999) / 1000);
}

int64_t rate_of_fee(int64_t fee_sat, int64_t vsize)
{
	wide p = (wide)fee_sat * 1000;

	if (vsize <= 0)
		return 0;
	/* Towards minus infinity. */
	return (int64_t)(p >= 0 ? p / vsize : -((-p + vsize - 1) / vsize));
}

/* A walk along a diagram's corners, from (0, 0). */
struct walk {
	const struct feerate *v;
	size_t n, i;
	struct feerate at;       /* the sum of those passed */
};

static struct feerate walk_next(const struct walk *w)
{
	return feerate_add(w->at, w->v[w->i]);
}

/* Where p lies above (1), on (0) or below (-1) the line from w->at to the
 * next corner; past the end the line is level. */
static int above(const struct walk *w, struct feerate p)
{
	struct feerate rise = { 0, 1 };
	wide x, y;

	if (w->i < w->n)
		rise = w->v[w->i];
	x = (wide)(p.fee_sat - w->at.fee_sat) * rise.weight_wu;
	y = (wide)rise.fee_sat * (p.weight_wu - w->at.weight_wu);
	return (x > y) - (x < y);
}

int diagram_cmp(const struct feerate *a, size_t a_n,
		const struct feerate *b, size_t b_n)
{
	struct walk wa = { a, a_n, 0, { 0, 0 } }, wb = { b, b_n, 0, { 0, 0 } };
	bool a_up = false, b_up = false;

	/* Each corner of one is held against the other's line there. */
	while (wa.i < wa.n || wb.i < wb.n) {
		bool step_a = wb.i == wb.n ||
			(wa.i < wa.n && walk_next(&wa).weight_wu <=
					walk_next(&wb).weight_wu);
		struct walk *step = step_a ? &wa : &wb;
		int side = above(step_a ? &wb : &wa, walk_next(step));

		if (side)
			*((side > 0) == step_a ? &a_up : &b_up) = true;
		step->at = walk_next(step);
		step->i++;
	}
	if (a_up && b_up)
		return -2;
	return a_up - b_up;
}
