/*
 * Unit tests of src/net, on socket pairs and loopback.
 */
#include "config.h"

#include "test_net.h"

#include "base/clock.h"

void run_until(struct loop *l, const bool *flag)
{
	int64_t end = clock_mono_ms() + 10000;

	while (!*flag && clock_mono_ms() < end)
		loop_run_once(l, 100);
	assert_true(*flag);
}

void run_for(struct loop *l, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (clock_mono_ms() < end)
		loop_run_once(l, end - clock_mono_ms());
}

int main(void)
{
	return test_net_loop() + test_net_conn() + test_net_listener() +
	       test_net_loopback() + test_net_pair() != 0;
}
