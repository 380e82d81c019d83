/*
 * The pool: pure work on immutable input, spread over threads.  The thread
 * that waits for a batch helps with it.  Several batches may be in flight.
 */
#ifndef CLOISTER_BASE_WORKERS_H
#define CLOISTER_BASE_WORKERS_H

#include "base/base.h"

struct workers;
/** n_threads extra threads; 0 does all work in batch_wait(). */
struct workers *workers_new(unsigned n_threads);
void workers_free(struct workers *w);
unsigned workers_count(const struct workers *w);

/*
 * A batch of items.  fn(item, ctx) is called once for each, on any thread,
 * in any order; what it finds it writes into the item.  The item arrays must
 * live until batch_wait() returns.
 */
struct batch;
typedef void batch_fn(void *item, void *ctx);
struct batch *batch_new(struct workers *w, batch_fn *fn, void *ctx);
/** Hand over n items of `stride` bytes each, at once available to workers. */
void batch_add(struct batch *b, void *items, size_t n, size_t stride);
/** Skip items not begun yet (a failure makes the rest pointless). */
void batch_cancel(struct batch *b);
/** True when nothing is left to do; does not block. */
bool batch_finished(const struct batch *b);
/**
 * Help with some items, for who has other things to do in between.
 *
 * return   every item is done
 */
bool batch_help(struct batch *b);
/** Help until every item is done. */
void batch_wait(struct batch *b);
void batch_free(struct batch *b);          /* waits first */

#endif
