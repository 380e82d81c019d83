/*
 * Pauses between starts of tor.
 */
#include "config.h"

#include "tor/patience.h"

#include "base/random.h"

#define WORKED_MS 100                /* doubled with each failure … */
#define WORKED_MAX_MS 2000
#define FAILED_MS 1000               /* … of one that did not work */
#define FAILED_MAX_MS 5000
#define MANY 60                      /* in a row: less often from now on */
#define MANY_MS 30000
#define FORGET_AT 3
#define FORGET_EVERY 30

int64_t patience_pause_ms(struct patience *p, bool *forget, enum tor_end end)
{
	int64_t ms;

	if (end == TOR_END_STEADY)
		p->deaths = 0;
	if (end != TOR_END_FAILED) {
		p->failures = 0;
		ms = WORKED_MS << MIN_OF(p->deaths, 10u);
		ms = MIN_OF(ms, WORKED_MAX_MS);
		p->deaths++;
	} else if (p->failures++ < MANY) {
		ms = FAILED_MS << MIN_OF(p->failures - 1, 10u);
		ms = MIN_OF(ms, FAILED_MAX_MS);
	} else {
		ms = MANY_MS;
	}
	*forget = p->failures == FORGET_AT ||
		  (p->failures && p->failures % FORGET_EVERY == 0);
	return ms + (int64_t)random_below((uint64_t)ms / 4);
}
