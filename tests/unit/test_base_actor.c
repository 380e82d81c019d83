/*
 * Actors and mailboxes, with a thread and without.
 */
#include "config.h"

#include "test_base.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/actor.h"

#define SENDERS 4
#define EACH 2000

/* What the actor owns: only its thread touches it. */
struct ledger {
	int runs, last[SENDERS], idle_left;
	_Atomic int idles;
	bool out_of_order;
	pthread_t seen_on;
};

struct note {
	struct job job;
	int sender, number;
	int *done_count;
};

static void note_run(struct job *job, void *owner)
{
	struct note *n = CONTAINER_OF(job, struct note, job);
	struct ledger *l = owner;

	l->runs++;
	if (n->number <= l->last[n->sender])
		l->out_of_order = true;
	l->last[n->sender] = n->number;
	l->seen_on = pthread_self();
}

static void note_done(struct job *job)
{
	struct note *n = CONTAINER_OF(job, struct note, job);

	++*n->done_count;
	free(n);
}

static struct job *note_new(int sender, int number, int *done_count)
{
	struct note *n = xcalloc(1, sizeof(*n));

	n->job.run = note_run;
	n->job.done = note_done;
	n->sender = sender;
	n->number = number;
	n->done_count = done_count;
	return &n->job;
}

static bool readable(const struct mailbox *m)
{
	struct pollfd p = { mailbox_fd(m), POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

static void wait_readable(const struct mailbox *m)
{
	struct pollfd p = { mailbox_fd(m), POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 20000), 1);
}

static void mailbox_signals(void **state)
{
	struct mailbox *m = mailbox_new();
	int done = 0;

	(void)state;
	assert_false(readable(m));
	assert_false(mailbox_drain(m));
	mailbox_post(m, note_new(0, 1, &done));
	mailbox_post(m, note_new(0, 2, &done));
	assert_true(readable(m));
	assert_true(mailbox_drain(m));
	assert_int_equal(done, 2);
	assert_false(readable(m));
	mailbox_post(m, note_new(0, 3, &done));
	mailbox_free(m);
	assert_int_equal(done, 3);
}

struct sender {
	struct actor *actor;
	int id, *done_count;
	int refused;
};

static void *sender_main(void *arg)
{
	struct sender *s = arg;
	int i;

	for (i = 1; i <= EACH; i++) {
		struct job *job = note_new(s->id, i, s->done_count);

		while (!actor_post(s->actor, job))
			s->refused++;
	}
	return NULL;
}

static void many_senders_one_owner(void **state)
{
	struct mailbox *m = mailbox_new();
	struct ledger l = { 0 };
	struct actor *a = actor_new("ledger", &l, m, 16, true);
	struct sender s[SENDERS];
	pthread_t t[SENDERS];
	int done = 0, i;

	(void)state;
	for (i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){ a, i, &done, 0 };
		assert_int_equal(pthread_create(&t[i], NULL, sender_main,
						&s[i]), 0);
	}
	while (done < SENDERS * EACH) {
		wait_readable(m);
		mailbox_drain(m);
	}
	for (i = 0; i < SENDERS; i++)
		pthread_join(t[i], NULL);
	actor_stop(a);
	assert_int_equal(l.runs, SENDERS * EACH);
	assert_false(l.out_of_order);
	assert_false(pthread_equal(l.seen_on, pthread_self()));
	assert_int_equal(actor_queued(a), 0);
	/* Stopped: what is posted now runs here. */
	assert_true(actor_post(a, note_new(0, EACH + 1, &done)));
	assert_true(pthread_equal(l.seen_on, pthread_self()));
	actor_free(a);
	mailbox_free(m);
	assert_int_equal(done, SENDERS * EACH + 1);
}

/* A job that holds the actor until the test lets go. */
struct gate {
	struct job job;
	pthread_mutex_t lock;
};

static void gate_run(struct job *job, void *owner)
{
	struct gate *g = CONTAINER_OF(job, struct gate, job);

	(void)owner;
	pthread_mutex_lock(&g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void gate_done(struct job *job)
{
	(void)job;
}

static void full_queue_refuses(void **state)
{
	struct gate g = { .job = { gate_run, gate_done, NULL } };
	struct mailbox *m = mailbox_new();
	struct ledger l = { 0 };
	struct actor *a = actor_new("ledger", &l, m, 2, true);
	struct job *extra;
	int done = 0;

	(void)state;
	pthread_mutex_init(&g.lock, NULL);
	pthread_mutex_lock(&g.lock);
	actor_post_urgent(a, &g.job);
	while (actor_queued(a))
		;
	assert_true(actor_post(a, note_new(0, 1, &done)));
	assert_true(actor_post(a, note_new(0, 2, &done)));
	extra = note_new(0, 3, &done);
	assert_false(actor_post(a, extra));
	actor_post_urgent(a, extra);
	assert_int_equal(actor_queued(a), 3);
	pthread_mutex_unlock(&g.lock);
	/* Stopping runs what is queued. */
	actor_free(a);
	assert_int_equal(l.runs, 3);
	assert_false(l.out_of_order);
	mailbox_free(m);
	assert_int_equal(done, 3);
	pthread_mutex_destroy(&g.lock);
}

static bool some_idle(void *owner)
{
	struct ledger *l = owner;

	l->idles++;
	return l->idle_left-- > 0;
}

static void idle_work_between_jobs(void **state)
{
	struct mailbox *m = mailbox_new();
	struct ledger l = { .idle_left = 3 };
	struct actor *a = actor_new("ledger", &l, m, 16, true);
	int done = 0, tries;

	(void)state;
	actor_set_idle(a, some_idle);
	assert_true(actor_post(a, note_new(0, 1, &done)));
	wait_readable(m);
	/* Three that found work, and one that did not. */
	for (tries = 0; tries < 20000 && l.idles < 4; tries++)
		usleep(1000);
	actor_stop(a);
	assert_int_equal(l.runs, 1);
	assert_true(l.idles >= 4 && l.idles <= 6);
	actor_free(a);
	mailbox_free(m);
}

static void inline_is_deterministic(void **state)
{
	struct mailbox *m = mailbox_new();
	struct ledger l = { .idle_left = 2 };
	struct actor *a = actor_new("ledger", &l, m, 1, false);
	int done = 0;

	(void)state;
	actor_set_idle(a, some_idle);
	assert_true(actor_post(a, note_new(0, 1, &done)));
	assert_int_equal(l.runs, 1);
	assert_int_equal(l.idles, 3);
	assert_int_equal(done, 0);
	assert_true(readable(m));
	assert_true(actor_post(a, note_new(0, 2, &done)));
	assert_int_equal(l.idles, 4);
	mailbox_drain(m);
	assert_int_equal(done, 2);
	actor_free(a);
	mailbox_free(m);
}

/* A job that posts another while it runs. */
struct parent {
	struct job job;
	struct actor *actor;
	int *done_count;
	int runs_when_back;
};

static void parent_run(struct job *job, void *owner)
{
	struct parent *p = CONTAINER_OF(job, struct parent, job);
	struct ledger *l = owner;

	actor_post_urgent(p->actor, note_new(0, 1, p->done_count));
	p->runs_when_back = l->runs;
}

static void inline_posts_are_not_nested(void **state)
{
	struct mailbox *m = mailbox_new();
	struct ledger l = { 0 };
	struct actor *a = actor_new("ledger", &l, m, 4, false);
	int done = 0;
	struct parent p = { .job = { parent_run, gate_done, NULL },
			    .actor = a, .done_count = &done };

	(void)state;
	assert_true(actor_post(a, &p.job));
	assert_int_equal(p.runs_when_back, 0);
	assert_int_equal(l.runs, 1);
	actor_free(a);
	mailbox_free(m);
	assert_int_equal(done, 1);
}

int test_base_actor(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailbox_signals),
		cmocka_unit_test(many_senders_one_owner),
		cmocka_unit_test(full_queue_refuses),
		cmocka_unit_test(idle_work_between_jobs),
		cmocka_unit_test(inline_is_deterministic),
		cmocka_unit_test(inline_posts_are_not_nested),
	};

	return cmocka_run_group_tests_name("actor", tests, NULL, NULL);
}
