/*
 * The actor: a queue of jobs, and one thread that runs them in order; or no
 * thread, and the poster runs them.
 */
#include "config.h"

#include "base/actor.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct actor {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *head, **tail;
	_Atomic size_t queued;
	size_t capacity;
	bool (*idle)(void *owner);
	bool stopping;          /* the thread ends when the queue is empty */
	bool running;           /* inline: somebody is in run_inline() */
	bool threaded;          /* the thread has not been joined */
	pthread_t thread;
	char name[16];
	void *owner;
	struct mailbox *mailbox;
};

static struct job *queue_pop(struct actor *a)
{
	struct job *job = a->head;

	if (!job)
		return NULL;
	a->head = job->next;
	if (!a->head)
		a->tail = &a->head;
	job->next = NULL;
	atomic_fetch_sub(&a->queued, 1);
	return job;
}

static void job_run(struct actor *a, struct job *job)
{
	if (job->run)
		job->run(job, a->owner);
	mailbox_post(a->mailbox, job);
}

/* Wait for a job; NULL if there is idle work instead, or an end. */
static struct job *next_job(struct actor *a, bool may_idle,
			    bool (**idle)(void *owner))
{
	struct job *job;

	pthread_mutex_lock(&a->lock);
	while (!a->head && !a->stopping && !(may_idle && a->idle))
		pthread_cond_wait(&a->wake, &a->lock);
	job = queue_pop(a);
	*idle = a->stopping ? NULL : a->idle;
	pthread_mutex_unlock(&a->lock);
	return job;
}

static void *actor_main(void *arg)
{
	struct actor *a = arg;
	bool (*idle)(void *owner);
	bool may_idle = true;

	pthread_setname_np(pthread_self(), a->name);
	for (;;) {
		struct job *job = next_job(a, may_idle, &idle);

		if (job) {
			job_run(a, job);
			may_idle = true;
		} else if (idle) {
			may_idle = idle(a->owner);
		} else {
			return NULL;
		}
	}
}

struct actor *actor_new(const char *name, void *owner, struct mailbox *m,
			size_t capacity, bool threaded)
{
	struct actor *a = xcalloc(1, sizeof(*a));

	CHECK(m);
	CHECK(pthread_mutex_init(&a->lock, NULL) == 0);
	CHECK(pthread_cond_init(&a->wake, NULL) == 0);
	a->tail = &a->head;
	a->capacity = capacity;
	a->owner = owner;
	a->mailbox = m;
	a->threaded = threaded;
	if (threaded) {
		snprintf(a->name, sizeof(a->name), "%s", name);
		CHECK(pthread_create(&a->thread, NULL, actor_main, a) == 0);
	}
	return a;
}

/* Inline: run what is queued, and the idle work, unless that goes on already
 * further up this stack. */
static void run_inline(struct actor *a)
{
	struct job *job;

	if (a->running)
		return;
	a->running = true;
	do {
		while ((job = queue_pop(a)))
			job_run(a, job);
	} while (!a->stopping && a->idle && (a->idle(a->owner) || a->head));
	a->running = false;
}

static bool post(struct actor *a, struct job *job, size_t capacity)
{
	bool taken, threaded;

	CHECK(job->done);
	pthread_mutex_lock(&a->lock);
	threaded = a->threaded;
	taken = atomic_load(&a->queued) < capacity;
	if (taken) {
		job->next = NULL;
		*a->tail = job;
		a->tail = &job->next;
		atomic_fetch_add(&a->queued, 1);
		pthread_cond_signal(&a->wake);
	}
	pthread_mutex_unlock(&a->lock);
	if (taken && !threaded)
		run_inline(a);
	return taken;
}

bool actor_post(struct actor *a, struct job *job)
{
	return post(a, job, a->capacity);
}

void actor_post_urgent(struct actor *a, struct job *job)
{
	CHECK(post(a, job, SIZE_MAX));
}

size_t actor_queued(const struct actor *a)
{
	return atomic_load(&a->queued);
}

void actor_set_idle(struct actor *a, bool (*idle)(void *owner))
{
	pthread_mutex_lock(&a->lock);
	a->idle = idle;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
}

void actor_stop(struct actor *a)
{
	bool join;

	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	join = a->threaded;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	if (!join)
		return;
	CHECK(!pthread_equal(pthread_self(), a->thread));
	pthread_join(a->thread, NULL);
	/* From now on the poster runs the jobs: the owner has no thread. */
	pthread_mutex_lock(&a->lock);
	a->threaded = false;
	pthread_mutex_unlock(&a->lock);
	run_inline(a);
}

void actor_free(struct actor *a)
{
	if (!a)
		return;
	actor_stop(a);
	CHECK(!a->head);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
