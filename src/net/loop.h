/*
 * The event loop: descriptors, timers and mailboxes of one thread.  All calls
 * are for that thread, loop_stop() apart.
 */
#ifndef CLOISTER_NET_LOOP_H
#define CLOISTER_NET_LOOP_H

#include "base/actor.h"

struct event_base;

struct loop;
struct loop *loop_new(void);
/** Timers and watches are freed before. */
void loop_free(struct loop *l);
/** For libevent's other users (the HTTP server, SOCKS). */
struct event_base *loop_event_base(struct loop *l);

/** Run until loop_stop().  loop_new() has the process ignore SIGPIPE. */
void loop_run(struct loop *l);
/** Run what is ready, waiting at most wait_ms for something (tests).  False
 * after loop_stop(). */
bool loop_run_once(struct loop *l, int64_t wait_ms);
/** Any thread, and signal handlers: loop_run() returns soon, for good. */
void loop_stop(struct loop *l);

/* A timer, one-shot or periodic.  Its callback may set it again or free it. */
struct timer;
typedef void timer_fn(void *arg);
struct timer *timer_new(struct loop *l, timer_fn *fn, void *arg);
/** Once, after_ms from now; replaces what was set. */
void timer_set(struct timer *t, int64_t after_ms);
/** Every interval_ms until timer_unset(). */
void timer_set_every(struct timer *t, int64_t interval_ms);
void timer_unset(struct timer *t);
bool timer_is_set(const struct timer *t);
void timer_free(struct timer *t);           /* NULL is fine */

/* A descriptor watched for being readable (level-triggered). */
struct watch;
typedef void watch_fn(int fd, void *arg);
struct watch *watch_new(struct loop *l, int fd, watch_fn *fn, void *arg);
void watch_free(struct watch *w);           /* fd stays open; NULL is fine */
/** Drain m whenever something waits in it. */
struct watch *watch_mailbox_new(struct loop *l, struct mailbox *m);

#endif
