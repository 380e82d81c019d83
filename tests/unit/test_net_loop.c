/*
 * The loop: timers, mailboxes, stopping.
 */
#include "config.h"

#include "test_net.h"

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"

struct ticks {
	int count, stop_at;
	struct timer *timer;
	bool done;
};

static void tick(void *arg)
{
	struct ticks *t = arg;

	if (++t->count == t->stop_at) {
		timer_free(t->timer);     /* from inside */
		t->timer = NULL;
		t->done = true;
	}
}

static void timers(void **state)
{
	struct loop *l = loop_new();
	struct ticks once = { 0 }, often = { .stop_at = 3 };
	int64_t began = clock_mono_ms();

	(void)state;
	once.timer = timer_new(l, tick, &once);
	often.timer = timer_new(l, tick, &often);
	assert_false(timer_is_set(once.timer));
	timer_set(once.timer, 1);
	timer_set_every(often.timer, 20);
	assert_true(timer_is_set(once.timer));
	run_until(l, &often.done);
	assert_true(clock_mono_ms() - began >= 55);
	assert_int_equal(often.count, 3);
	assert_int_equal(once.count, 1);
	assert_false(timer_is_set(once.timer));

	timer_set(once.timer, 5);
	timer_unset(once.timer);
	timer_set_every(once.timer, 5);
	timer_unset(once.timer);
	run_for(l, 30);
	assert_int_equal(once.count, 1);
	timer_free(once.timer);
	loop_free(l);
}

static void *stop_soon(void *arg)
{
	usleep(20000);
	loop_stop(arg);
	return NULL;
}

static void stop_from_elsewhere(void **state)
{
	struct loop *l = loop_new();
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, stop_soon, l), 0);
	loop_run(l);
	pthread_join(t, NULL);
	/* For good. */
	loop_run(l);
	assert_false(loop_run_once(l, 1000));
	loop_free(l);
}

static void stop_before_running(void **state)
{
	struct loop *l = loop_new();

	(void)state;
	loop_stop(l);
	loop_run(l);
	loop_free(l);
}

struct letter {
	struct job job;
	bool came;
};

static void letter_done(struct job *job)
{
	CONTAINER_OF(job, struct letter, job)->came = true;
}

static void *post_letter(void *arg)
{
	void **two = arg;

	usleep(10000);
	mailbox_post(two[0], two[1]);
	return NULL;
}

static void mailbox_is_drained(void **state)
{
	struct loop *l = loop_new();
	struct mailbox *m = mailbox_new();
	struct watch *w = watch_mailbox_new(l, m);
	struct letter letter = { .job.done = letter_done };
	void *two[2] = { m, &letter.job };
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, post_letter, two), 0);
	run_until(l, &letter.came);
	pthread_join(t, NULL);
	watch_free(w);
	mailbox_free(m);
	loop_free(l);
}

int test_net_loop(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers),
		cmocka_unit_test(stop_from_elsewhere),
		cmocka_unit_test(stop_before_running),
		cmocka_unit_test(mailbox_is_drained),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
