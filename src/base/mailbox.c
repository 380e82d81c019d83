/*
 * The mailbox: a list under a lock, and an eventfd that is readable while
 * the list holds something.
 */
#include "config.h"

#include "base/actor.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	pthread_mutex_t lock;
	struct job *head, **tail;
	int fd;
};

struct mailbox *mailbox_new(void)
{
	struct mailbox *m = xcalloc(1, sizeof(*m));

	CHECK(pthread_mutex_init(&m->lock, NULL) == 0);
	m->tail = &m->head;
	m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(m->fd >= 0);
	return m;
}

void mailbox_free(struct mailbox *m)
{
	if (!m)
		return;
	while (mailbox_drain(m))
		;
	close(m->fd);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

int mailbox_fd(const struct mailbox *m)
{
	return m->fd;
}

bool mailbox_drain(struct mailbox *m)
{
	struct job *job, *next;
	uint64_t count;

	pthread_mutex_lock(&m->lock);
	job = m->head;
	m->head = NULL;
	m->tail = &m->head;
	if (job)
		CHECK(read(m->fd, &count, sizeof(count)) == sizeof(count));
	pthread_mutex_unlock(&m->lock);
	if (!job)
		return false;
	for (; job; job = next) {
		next = job->next;
		job->next = NULL;
		job->done(job);
	}
	return true;
}

void mailbox_post(struct mailbox *m, struct job *job)
{
	uint64_t one = 1;

	CHECK(job->done);
	job->next = NULL;
	pthread_mutex_lock(&m->lock);
	/* Under the lock: m may be freed as soon as job is seen in it. */
	if (!m->head)
		CHECK(write(m->fd, &one, sizeof(one)) == sizeof(one));
	*m->tail = job;
	m->tail = &job->next;
	pthread_mutex_unlock(&m->lock);
}
