/*
 * Time: the system's, or the one a test set.
 */
#include "config.h"

#include "base/clock.h"

#include <time.h>

int64_t clock_unix(const struct clock *c)
{
	int64_t mock = atomic_load_explicit(&c->mock_unix,
					    memory_order_relaxed);

	return mock ? mock : (int64_t)time(NULL);
}

void clock_set_mock(struct clock *c, int64_t time_unix)
{
	atomic_store_explicit(&c->mock_unix, time_unix, memory_order_relaxed);
}

static int64_t read_us(clockid_t id)
{
	struct timespec t;

	CHECK(clock_gettime(id, &t) == 0);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}
