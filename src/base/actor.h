/*
 * Owners and messages, not locks.  An actor is a thread that owns an object
 * (the chain) and runs jobs on it in order, from a bounded queue.  A mailbox
 * brings finished jobs and events back to the loop thread.  A job owns what
 * it carries.
 *
 *   struct job {run, done}:  run(job, owner) on the actor's thread, then
 *   done(job) on the mailbox's thread, which frees the job.
 *
 * An actor made with threaded=false runs each job inside actor_post(); done
 * still waits for mailbox_drain().  Tests and simulations are deterministic.
 */
#ifndef CLOISTER_BASE_ACTOR_H
#define CLOISTER_BASE_ACTOR_H

#include "base/base.h"

struct job {
	void (*run)(struct job *job, void *owner); /* NULL: nothing to run */
	void (*done)(struct job *job);             /* frees the job */
	struct job *next;                          /* of the queue */
};

struct mailbox;
struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *m);      /* calls done() of what is left */
/** Readable (an eventfd) while something waits; for the event loop. */
int mailbox_fd(const struct mailbox *m);
/** Call done() for all that waits; the loop thread only.  False if there was
 * nothing; what those calls post waits for the next drain. */
bool mailbox_drain(struct mailbox *m);
/** Any thread; never blocks; unbounded (senders are bounded by jobs). */
void mailbox_post(struct mailbox *m, struct job *job);

struct actor;
/** owner is handed to run(); replies go to m; at most `capacity` jobs wait. */
struct actor *actor_new(const char *name, void *owner, struct mailbox *m,
			size_t capacity, bool threaded);
/**
 * Queue a job; false when the queue is full: the caller keeps the job and
 * stops reading from whoever sent it.  Any thread.
 */
NODISCARD bool actor_post(struct actor *a, struct job *job);
/** The same past the bound, for the owner's own commands (RPC, stop). */
void actor_post_urgent(struct actor *a, struct job *job);
size_t actor_queued(const struct actor *a);
/** Work to do when no job waits: called on the actor's thread until it says
 * false ("nothing left"); then again after the next job. */
void actor_set_idle(struct actor *a, bool (*idle)(void *owner));
/** Run what is queued, then end the thread; jobs posted later run inline. */
void actor_stop(struct actor *a);
void actor_free(struct actor *a);          /* stops first */

#endif
