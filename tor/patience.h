/*
 * How long to wait before tor is started again.  One that worked, or that
 * somebody killed, is started at once; the pause grows with each failure, but
 * for the first minutes not beyond a few seconds, so that peers are back soon
 * after the cause has gone.
 */
#ifndef CLOISTER_TOR_PATIENCE_H
#define CLOISTER_TOR_PATIENCE_H

#include "base/base.h"

/* {0}: nothing has failed yet. */
struct patience {
	unsigned failures;        /* in a row, without getting ready */
	unsigned deaths;          /* in a row, soon after getting ready */
};

enum tor_end {
	TOR_END_FAILED,           /* it never got ready */
	TOR_END_WORKED,           /* it was ready, or was killed from outside */
	TOR_END_STEADY,           /* it was ready for a good while */
};

/** The pause, in ms; *forget: start without what tor remembers, for perhaps
 * it chokes on that. */
int64_t patience_pause_ms(struct patience *p, bool *forget, enum tor_end end);

#endif
