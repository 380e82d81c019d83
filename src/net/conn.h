/*
 * A connection: a stream of bytes over a descriptor, with bounded buffers on
 * both sides.  What arrives is offered to the owner, who says how much of it
 * was used; the rest is offered again with more behind it.  Loop thread only.
 *
 * Any callback may call any function here, conn_free() too.
 */
#ifndef CLOISTER_NET_CONN_H
#define CLOISTER_NET_CONN_H

#include "base/bytes.h"
#include "base/err.h"

struct bufferevent;
struct conn;
struct loop;

enum conn_end {
	CONN_EOF,            /* the far end closed */
	CONN_ERROR,          /* reading or writing failed */
	CONN_FLUSHED,        /* conn_close_after_flush() is done */
	CONN_OVERFLOW,       /* input buffer full and nothing of it used */
};

struct conn_callbacks {
	/** Bytes from the far end; return how many were used.  If 0 of a
	 * full input buffer, the connection ends with CONN_OVERFLOW. */
	size_t (*on_read)(struct conn *c, struct span in, void *arg);
	/** The output passed the high-water mark (paused), or is below half
	 * of it again.  Optional. */
	void (*on_write_paused)(struct conn *c, bool paused, void *arg);
	/** Called once; no other callback follows.  Free the conn, now or
	 * later. */
	void (*on_end)(struct conn *c, enum conn_end end, void *arg);
	/** The far end closed while reading is paused: on_end follows when
	 * it goes on.  Optional. */
	void (*on_end_held)(struct conn *c, void *arg);
};

struct conn_limits {
	size_t input_max;    /* bytes held unread; 0: 64 KiB */
	size_t output_high;  /* the high-water mark; 0: 1 MiB */
};

struct conn_stats {
	uint64_t bytes_in, bytes_out;      /* out: handed to the system */
	int64_t last_in_ms, last_out_ms;   /* clock_mono_ms(); 0: never */
};

/** Takes fd (made non-blocking).  Reading begins with the next turn of the
 * loop. */
struct conn *conn_new(struct loop *l, TAKES int fd,
		      const struct conn_callbacks *cb,
		      const struct conn_limits *limits, void *arg);
/** The same over a bufferevent that exists (a TLS filter); takes it. */
struct conn *conn_new_over(struct loop *l, TAKES struct bufferevent *bev,
			   const struct conn_callbacks *cb,
			   const struct conn_limits *limits, void *arg);
/**
 * A stream within this process: what is written to one end arrives at the
 * other.  Both begin with reading paused and without an owner: give each one
 * (conn_set_callbacks()) before the loop's next turn.  CONN_FLUSHED on one is
 * CONN_EOF on the other if all was handed over in time; it is CONN_ERROR
 * otherwise, as is conn_free() without it.
 *
 * limits   of each end
 */
void conn_pair_new(struct loop *l, struct conn *out[static 2],
		   const struct conn_limits limits[static 2]);
/** Closes at once what is open; NULL is fine. */
void conn_free(struct conn *c);
/** Hand the connection, with what it holds, to another owner. */
void conn_set_callbacks(struct conn *c, const struct conn_callbacks *cb,
			void *arg);

/** Queue bytes for sending (copied).  Never fails; nothing after the end. */
void conn_write(struct conn *c, struct span out);
/** Bytes queued and not yet handed to the system. */
size_t conn_queued(const struct conn *c);
bool conn_write_paused(const struct conn *c);

/** Stop taking bytes from the far end; what is held stays. */
void conn_pause_reading(struct conn *c);
/** Offers what is held, from the loop, before reading on. */
void conn_resume_reading(struct conn *c);
bool conn_reading_paused(const struct conn *c);

/** Send what is queued, read no more, then end with CONN_FLUSHED (at the
 * latest after timeout_ms). */
void conn_close_after_flush(struct conn *c, int64_t timeout_ms);

const struct conn_stats *conn_stats(const struct conn *c);

#endif
