/*
 * Does a chain open what a cut left, and go on to where it would have come?
 */
#ifndef CLOISTER_TESTS_CRASH_VERDICT_H
#define CLOISTER_TESTS_CRASH_VERDICT_H

#include "tests/crash/promise.h"
#include "tests/crash/workload.h"

struct verdict_sum {
	unsigned replayed;       /* blocks moved to be where it was cut */
	char text[480];          /* what was wrong; "" nothing */
};

/** p->any false and p->tip_n 0: nothing was promised. */
void state_check(struct verdict_sum *out, const char *dir,
		 const struct arrivals *a, const struct promise *p,
		 bool prunes);

#endif
