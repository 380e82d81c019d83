/*
 * Time, as an object that tests can hold still.  Any thread.
 */
#ifndef CLOISTER_BASE_CLOCK_H
#define CLOISTER_BASE_CLOCK_H

#include <stdatomic.h>

#include "base/base.h"

/* {0} is the system's time. */
struct clock {
	_Atomic int64_t mock_unix;   /* seconds; 0: real time */
};

int64_t clock_unix(const struct clock *c);         /* seconds since 1970 */
void clock_set_mock(struct clock *c, int64_t time_unix);

/* Never mocked, never goes back. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/** Like clock_mono_ms, but goes on while the machine sleeps. */
int64_t clock_boot_ms(void);

#endif
