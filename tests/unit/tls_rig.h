/*
 * Two nodes of one process that speak TLS with each other, or with whatever a
 * test puts at the other end.
 */
#ifndef CLOISTER_TEST_TLS_RIG_H
#define CLOISTER_TEST_TLS_RIG_H

#include "net/loop.h"
#include "tls/signer.h"
#include "tls/tls_stream.h"

#define RIG_NOW INT64_C(1800000000)

/* One side: a node with its signer beside it. */
struct tls_side {
	struct clock clock;
	struct pins *pins;
	struct tls_node *node;
	struct tls_signer *signer;
	struct node_id id;
	unsigned asked, renewed;
	bool mute;               /* the signer does not answer */
};

/* One stream's owner. */
struct tls_end {
	struct tls_stream *stream;       /* NULL when told */
	struct tls_result result;
	bool told;
	struct conn *conn;
	struct bytes got;
	size_t take_max;         /* of one offer; 0: all */
	unsigned pauses;
	bool ended;
	enum conn_end end;
};

/** o: loop, clock, pins and callbacks are filled in; NULL: defaults. */
void tls_side_start(struct tls_side *s, struct loop *l, uint8_t seed,
		    const struct tls_node_options *o,
		    const struct signer_options *so);
/** Run the loop until it has a leaf. */
void tls_side_wait(struct tls_side *s, struct loop *l);
void tls_side_stop(struct tls_side *s);

/** A place for one id. */
struct tls_place tls_place_only(const struct node_id *id);
/** Begin; the end hears what becomes of it. */
void tls_end_accept(struct tls_end *e, struct tls_side *s, TAKES int fd,
		    const struct tls_place *p);
void tls_end_connect(struct tls_end *e, struct tls_side *s, TAKES int fd,
		     const struct tls_place *p);
void tls_end_clear(struct tls_end *e);

/** Run the loop until *flag; fails the test after 20 s. */
void tls_run_until(struct loop *l, const bool *flag);
void tls_run_for(struct loop *l, int64_t ms);
/** A connected pair of sockets. */
void tls_sockets(int fd[static 2]);

#endif
