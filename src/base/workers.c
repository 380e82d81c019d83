/*
 * The pool.  One lock guards the list of batches and what each still has to
 * give out.  A thread claims several items at once, fewer as a batch nears
 * its end, and reports them done when it claims the next, so the lock is
 * taken once per claim and not per item.
 */
#include "config.h"

#include "base/workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CLAIM_ITEMS 64        /* at most, in one claim */
#define CLAIM_RANGES 16

/* Some items of an array. */
struct range {
	uint8_t *items;
	size_t n, stride;
};

/* What one thread has taken, and not yet reported done. */
struct claim {
	struct batch *batch;
	struct range ranges[CLAIM_RANGES];
	unsigned n_ranges;
	size_t n_items;
};

struct batch {
	struct workers *w;
	batch_fn *fn;
	void *ctx;
	struct range *ranges;         /* [head, count) not given out yet */
	size_t head, count, cap;
	size_t unclaimed;             /* items in those */
	_Atomic size_t pending;       /* items not done; written under lock */
	_Atomic bool cancelled;
	bool listed;
	unsigned waiting;             /* threads in batch_wait() */
	pthread_cond_t done;
	struct batch *next;           /* of w->first, while listed */
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct batch *first, **last;  /* batches with unclaimed items */
	bool stopping;
	unsigned n_threads, n_asleep;
	pthread_t threads[];
};

/* ---- under the lock ---------------------------------------------------- */

static void list_add(struct workers *w, struct batch *b)
{
	if (b->listed)
		return;
	b->next = NULL;
	*w->last = b;
	w->last = &b->next;
	b->listed = true;
}

static void list_remove(struct workers *w, struct batch *b)
{
	struct batch **at = &w->first;

	if (!b->listed)
		return;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (w->last == &b->next)
		w->last = at;
	b->listed = false;
}

/* How much to take: a share of what is left, so that all end together. */
static size_t claim_size(const struct batch *b)
{
	size_t share = b->unclaimed / (4 * ((size_t)b->w->n_threads + 1));

	if (share == 0)
		return 1;
	return MIN_OF(share, (size_t)CLAIM_ITEMS);
}

static void claim_take(struct claim *c, struct batch *b)
{
	size_t want = claim_size(b);

	c->batch = b;
	c->n_ranges = 0;
	c->n_items = 0;
	while (c->n_items < want && b->head < b->count &&
	       c->n_ranges < CLAIM_RANGES) {
		struct range *r = &b->ranges[b->head];
		size_t n = MIN_OF(r->n, want - c->n_items);

		c->ranges[c->n_ranges++] =
			(struct range){ r->items, n, r->stride };
		c->n_items += n;
		r->items += n * r->stride;
		r->n -= n;
		if (r->n == 0)
			b->head++;
	}
	b->unclaimed -= c->n_items;
	if (b->unclaimed == 0) {
		b->head = 0;
		b->count = 0;
		list_remove(b->w, b);
	}
}

static void pending_sub(struct batch *b, size_t n)
{
	size_t left = atomic_load_explicit(&b->pending,
					   memory_order_relaxed) - n;

	atomic_store_explicit(&b->pending, left, memory_order_release);
	if (left == 0 && b->waiting)
		pthread_cond_broadcast(&b->done);
}

static void claim_done(struct claim *c)
{
	if (c->batch)
		pending_sub(c->batch, c->n_items);
	c->batch = NULL;
}

/* ---- without it --------------------------------------------------------- */

static void claim_run(const struct claim *c)
{
	const struct batch *b = c->batch;
	unsigned i;
	size_t k;

	for (i = 0; i < c->n_ranges; i++) {
		const struct range *r = &c->ranges[i];

		for (k = 0; k < r->n; k++) {
			if (atomic_load_explicit(&b->cancelled,
						 memory_order_relaxed))
				return;
			b->fn(r->items + k * r->stride, b->ctx);
		}
	}
}

static void *worker_main(void *arg)
{
	struct workers *w = arg;
	struct claim c = { .batch = NULL };

	pthread_setname_np(pthread_self(), "pool");
	for (;;) {
		pthread_mutex_lock(&w->lock);
		claim_done(&c);
		while (!w->first && !w->stopping) {
			w->n_asleep++;
			pthread_cond_wait(&w->wake, &w->lock);
			w->n_asleep--;
		}
		if (!w->first)
			break;
		claim_take(&c, w->first);
		pthread_mutex_unlock(&w->lock);
		claim_run(&c);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct workers *workers_new(unsigned n_threads)
{
	struct workers *w = xcalloc(1, sizeof(*w) +
				    n_threads * sizeof(w->threads[0]));
	unsigned i;

	CHECK(pthread_mutex_init(&w->lock, NULL) == 0);
	CHECK(pthread_cond_init(&w->wake, NULL) == 0);
	w->last = &w->first;
	w->n_threads = n_threads;
	for (i = 0; i < n_threads; i++)
		CHECK(pthread_create(&w->threads[i], NULL, worker_main,
				     w) == 0);
	return w;
}

void workers_free(struct workers *w)
{
	unsigned i;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	CHECK(!w->first);
	w->stopping = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

unsigned workers_count(const struct workers *w)
{
	return w->n_threads;
}

struct batch *batch_new(struct workers *w, batch_fn *fn, void *ctx)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->w = w;
	b->fn = fn;
	b->ctx = ctx;
	CHECK(pthread_cond_init(&b->done, NULL) == 0);
	return b;
}

void batch_add(struct batch *b, void *items, size_t n, size_t stride)
{
	struct workers *w = b->w;

	if (n == 0 || atomic_load(&b->cancelled))
		return;
	pthread_mutex_lock(&w->lock);
	if (b->count == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 16;
		b->ranges = xrealloc(b->ranges,
				     b->cap * sizeof(*b->ranges));
	}
	b->ranges[b->count++] = (struct range){ items, n, stride };
	b->unclaimed += n;
	atomic_fetch_add_explicit(&b->pending, n, memory_order_relaxed);
	list_add(w, b);
	if (w->n_asleep && n == 1)
		pthread_cond_signal(&w->wake);
	else if (w->n_asleep)
		pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void batch_cancel(struct batch *b)
{
	pthread_mutex_lock(&b->w->lock);
	atomic_store(&b->cancelled, true);
	list_remove(b->w, b);
	b->head = 0;
	b->count = 0;
	pending_sub(b, b->unclaimed);
	b->unclaimed = 0;
	pthread_mutex_unlock(&b->w->lock);
}

bool batch_finished(const struct batch *b)
{
	return atomic_load_explicit(&b->pending, memory_order_acquire) == 0;
}

bool batch_help(struct batch *b)
{
	struct workers *w = b->w;
	struct claim c = { .batch = NULL };

	if (batch_finished(b))
		return true;
	pthread_mutex_lock(&w->lock);
	if (b->unclaimed) {
		claim_take(&c, b);
		pthread_mutex_unlock(&w->lock);
		claim_run(&c);
		pthread_mutex_lock(&w->lock);
		claim_done(&c);
	} else if (!batch_finished(b)) {
		/* Others have the last items: they will not take long. */
		b->waiting++;
		pthread_cond_wait(&b->done, &w->lock);
		b->waiting--;
	}
	pthread_mutex_unlock(&w->lock);
	return batch_finished(b);
}

void batch_wait(struct batch *b)
{
	struct workers *w = b->w;
	struct claim c = { .batch = NULL };

	if (batch_finished(b))
		return;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		claim_done(&c);
		if (b->unclaimed) {
			claim_take(&c, b);
			pthread_mutex_unlock(&w->lock);
			claim_run(&c);
			pthread_mutex_lock(&w->lock);
		} else if (batch_finished(b)) {
			break;
		} else {
			b->waiting++;
			pthread_cond_wait(&b->done, &w->lock);
			b->waiting--;
		}
	}
	pthread_mutex_unlock(&w->lock);
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	batch_wait(b);
	/* The thread that did the last item may still be in pending_sub(). */
	pthread_mutex_lock(&b->w->lock);
	pthread_mutex_unlock(&b->w->lock);
	pthread_cond_destroy(&b->done);
	free(b->ranges);
	free(b);
}
