/*
 * One stream: ciphertext on the wire's side, plain bytes on the inner side,
 * and the library between them, over two memory BIOs.
 *
 *     far end <-> wire (conn) <-> SSL <-> inner | plain (conn pair) <-> owner
 *
 * Backpressure goes through: a slow owner pauses the wire, a slow wire pauses
 * the inner end.  A stream frees itself when both sides are done.
 */
#include "config.h"

#include "tls/tls_stream.h"

#include <stdlib.h>
#include <string.h>

#include "tls/tls_ca_priv.h"
#include "tls/tls_node_priv.h"

#define WIRE_INPUT_MAX (64 * 1024)
#define WIRE_OUTPUT_HIGH (256 * 1024)
#define HANDSHAKE_BYTES_MAX (64 * 1024)
#define PLAIN_STEP 16384         /* one TLS record */

enum stage {
	STAGE_HANDSHAKE,
	STAGE_OPEN,
	STAGE_LAST,              /* the owner is done; the wire is slow */
	STAGE_FAILED,            /* `done` is still to be told */
	STAGE_CLOSING,           /* the last bytes go out on either side */
};

struct tls_stream {
	struct tls_node *node;
	struct tls_stream *next, **prev;
	struct conn *wire, *inner;
	SSL *ssl;
	BIO *from_wire, *to_wire;        /* the SSL's */
	struct timer *timer;
	struct tls_place place;
	tls_done_fn *done;
	void *arg;
	struct cert_facts facts;
	enum stage stage;
	enum tls_fail fail;
	bool server;
};

/* ---- beginning and end --------------------------------------------------- */

static void stream_free(struct tls_stream *s)
{
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	conn_free(s->wire);
	conn_free(s->inner);
	timer_free(s->timer);
	SSL_free(s->ssl);
	free(s);
}

struct tls_stream *tls_stream_next(const struct tls_stream *s)
{
	return s->next;
}

enum tls_purpose tls_stream_purpose(const struct tls_stream *s)
{
	return s->place.purpose;
}

static const char *id_text(char out[static NODE_ID_TEXT_SIZE],
			   const struct tls_stream *s)
{
	if (!s->facts.has_id)
		return "somebody unnamed";
	node_id_write(out, &s->facts.id);
	return out;
}

/* Strangers can trigger it: each cause has a limit of its own. */
static void log_fail(struct tls_stream *s)
{
	char id[NODE_ID_TEXT_SIZE];
	const char *name = s->facts.has_id ? pins_get(s->node->opt.pins,
						      &s->facts.id)->name : "";
	unsigned dropped;

	if (!log_limit_ok(&s->node->said[s->fail], 5, 60000, &dropped))
		return;
	log_info(LOG_TLS, "%s: no TLS with %s%s%s%s: %s%s", s->place.name,
		 id_text(id, s), *name ? " (" : "", name, *name ? ")" : "",
		 tls_fail_text(s->fail),
		 dropped ? " (and others that are not told)" : "");
}

/* What the library wants sent. */
static void flush(struct tls_stream *s)
{
	char *p;
	long n = BIO_get_mem_data(s->to_wire, &p);

	if (n <= 0 || !s->wire)
		return;
	conn_write(s->wire, span_of(p, (size_t)n));
	(void)BIO_reset(s->to_wire);
}

static void cut_wire(struct tls_stream *s)
{
	conn_free(s->wire);
	s->wire = NULL;
}

/* Of a handshake: its owner hears of it from the loop's next turn. */
static void fail(struct tls_stream *s, enum tls_fail why)
{
	s->stage = STAGE_FAILED;
	s->fail = why;
	timer_set(s->timer, 0);
	if (why == TLS_CLOSED || why == TLS_DROPPED || why == TLS_BUSY ||
	    why == TLS_NOT_READY)
		cut_wire(s);
	if (!s->wire)
		return;
	flush(s);                       /* the alert */
	conn_close_after_flush(s->wire, s->node->opt.close_ms);
}

void tls_stream_end(struct tls_stream *s, enum tls_fail why)
{
	switch (s->stage) {
	case STAGE_HANDSHAKE:
		fail(s, why);
		break;
	case STAGE_FAILED:
		cut_wire(s);
		break;
	case STAGE_OPEN:
	case STAGE_LAST:
	case STAGE_CLOSING:
		stream_free(s);
		break;
	}
}

void tls_stream_cancel(struct tls_stream *s)
{
	if (s)
		stream_free(s);
}

static void report(struct tls_stream *s)
{
	const struct tls_result r = {
		.fail = s->fail, .id = s->facts.id, .has_id = s->facts.has_id,
	};
	tls_done_fn *done = s->done;
	void *arg = s->arg;

	log_fail(s);
	s->node->counts[s->fail]++;
	if (s->wire)
		s->stage = STAGE_CLOSING;
	else
		stream_free(s);
	done(&r, arg);
}

/* ---- who may be here ----------------------------------------------------- */

static enum tls_fail place_check(const struct tls_stream *s)
{
	const struct node_id *id = &s->facts.id;
	enum pin_state pin = pins_get(s->node->opt.pins, id)->state;
	bool is_it = node_id_eq(id, &s->place.only);

	if (pin == PIN_REVOKED)
		return TLS_REVOKED;
	if (s->facts.by_ca)
		pin = PIN_TRUSTED;
	switch (s->place.who) {
	case TLS_ANYONE:
		return TLS_OK;
	case TLS_EXACTLY:
		if (is_it)
			return TLS_OK;
		break;
	case TLS_ONLY:
		if (is_it && pin == PIN_TRUSTED)
			return TLS_OK;
		break;
	case TLS_PINNED:
		is_it = true;
		if (pin == PIN_TRUSTED)
			return TLS_OK;
		break;
	}
	return pin == PIN_TRUSTED && !is_it ? TLS_WRONG_DOOR : TLS_UNKNOWN_ID;
}

static void log_skew(struct tls_stream *s)
{
	char id[NODE_ID_TEXT_SIZE];

	if (s->facts.skew_used_s > 0 &&
	    log_limit_ok(&s->node->said_skew, 5, 600000, NULL))
		log_warn(LOG_TLS, "%s: the certificate of %s is valid only "
			 "because %lld s of difference between clocks are "
			 "tolerated: one of the two clocks is wrong",
			 s->place.name, id_text(id, s),
			 (long long)s->facts.skew_used_s);
}

/* No chain of the pinned sort: it may be the CA's. */
static void ask_ca(struct tls_stream *s, X509 *const *chain, size_t n,
		   const struct cert_rules *rules)
{
	struct cert_facts facts;
	enum tls_fail f;

	if (!n)
		return;
	f = tls_ca_check(s->node->opt.ca, &facts, chain, n, rules);
	if (f != TLS_UNKNOWN_ID) {
		s->fail = f;
		s->facts = facts;
	}
}

enum tls_fail tls_stream_judge(struct tls_stream *s, X509 *const *chain,
			       size_t n)
{
	const struct cert_rules rules = {
		.now_unix = clock_unix(s->node->opt.clock),
		.skew_s = s->node->opt.skew_s,
	};
	enum tls_fail who;

	s->fail = cert_check_x509(&s->facts, chain, n, &rules);
	if (s->node->opt.ca && s->fail)
		ask_ca(s, chain, n, &rules);
	/* Whoever is not wanted here is so with any certificate. */
	who = s->facts.has_id ? place_check(s) : TLS_OK;
	if (who)
		s->fail = who;
	if (!s->fail)
		log_skew(s);
	return s->fail;
}

bool tls_stream_concerns(const struct tls_stream *s,
			 const struct node_id *id)
{
	if (s->facts.has_id && node_id_eq(&s->facts.id, id))
		return true;
	return s->stage == STAGE_HANDSHAKE &&
	       (s->place.who == TLS_ONLY || s->place.who == TLS_EXACTLY) &&
	       node_id_eq(&s->place.only, id);
}

bool tls_stream_by_ca(const struct tls_stream *s)
{
	return s->facts.by_ca;
}

/* ---- open: bytes both ways ----------------------------------------------- */

/* The far end is gone: the owner reads what came, then its end. */
static void far_end(struct tls_stream *s)
{
	cut_wire(s);
	s->stage = STAGE_CLOSING;
	conn_close_after_flush(s->inner, s->node->opt.close_ms);
}

/* The library gives up: a forged record, or an alert in place of data. */
static void broken(struct tls_stream *s)
{
	s->fail = tls_fail_of_library();
	s->node->counts[s->fail]++;
	log_fail(s);
	stream_free(s);
}

/* From the wire to the owner, as far as he takes it. */
static void pump(struct tls_stream *s)
{
	uint8_t buf[PLAIN_STEP];
	int n = 1, e;

	ERR_clear_error();
	while (!conn_write_paused(s->inner)) {
		n = SSL_read(s->ssl, buf, sizeof buf);
		if (n <= 0)
			break;
		conn_write(s->inner, span_of(buf, (size_t)n));
	}
	e = n > 0 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, n);
	flush(s);
	if (e == SSL_ERROR_NONE)
		conn_pause_reading(s->wire);
	else if (e == SSL_ERROR_WANT_READ)
		conn_resume_reading(s->wire);
	else if (e == SSL_ERROR_ZERO_RETURN)
		far_end(s);
	else
		broken(s);
}

static size_t on_inner_read(struct conn *c, struct span in, void *arg)
{
	struct tls_stream *s = arg;

	ERR_clear_error();
	if (SSL_write(s->ssl, in.p, (int)in.n) != (int)in.n) {
		broken(s);
		return in.n;
	}
	flush(s);
	if (conn_write_paused(s->wire))
		conn_pause_reading(c);
	return in.n;
}

static void on_inner_paused(struct conn *c, bool paused, void *arg)
{
	struct tls_stream *s = arg;

	(void)c;
	if (!paused && s->stage == STAGE_OPEN)
		pump(s);
}

static void on_inner_end(struct conn *c, enum conn_end end, void *arg)
{
	struct tls_stream *s = arg;

	(void)c;
	if (end != CONN_EOF || !s->wire) {
		stream_free(s);
		return;
	}
	s->stage = STAGE_CLOSING;
	(void)SSL_shutdown(s->ssl);
	flush(s);
	conn_close_after_flush(s->wire, s->node->opt.close_ms);
}

/* The wire takes nothing now, but may do so for a while. */
static void on_inner_end_held(struct conn *c, void *arg)
{
	struct tls_stream *s = arg;

	(void)c;
	if (s->stage != STAGE_OPEN)
		return;
	s->stage = STAGE_LAST;
	timer_set(s->timer, s->node->opt.close_ms);
}

static const struct conn_callbacks inner_callbacks = {
	.on_read = on_inner_read, .on_write_paused = on_inner_paused,
	.on_end = on_inner_end, .on_end_held = on_inner_end_held,
};

/* The last thing done with s: the owner may do anything. */
static void open_stream(struct tls_stream *s)
{
	const struct conn_limits limits[2] = { { 0 }, s->place.limits };
	struct tls_result r = {
		.fail = TLS_OK, .id = s->facts.id, .has_id = true,
		.leaf_until = s->facts.until_unix,
	};
	char id[NODE_ID_TEXT_SIZE];
	struct conn *pair[2];

	conn_pair_new(s->node->opt.loop, pair, limits);
	s->inner = pair[0];
	r.conn = pair[1];
	conn_set_callbacks(s->inner, &inner_callbacks, s);
	conn_resume_reading(s->inner);
	s->stage = STAGE_OPEN;
	timer_set(s->timer, 0);         /* for what came behind */
	s->node->counts[TLS_OK]++;
	log_debug(LOG_TLS, "%s: TLS with %s, %s", s->place.name,
		  id_text(id, s), SSL_get_cipher(s->ssl));
	s->done(&r, s->arg);
}

/* ---- handshake ----------------------------------------------------------- */

/* Programs like curl cannot ask for our name: RPC's own port will do. */
static bool purpose_ok(const struct tls_stream *s)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(s->ssl, &name, &n);
	return n > 0 || (s->server && s->place.purpose == TLS_RPC);
}

static void handshake(struct tls_stream *s)
{
	int n;

	ERR_clear_error();
	n = SSL_do_handshake(s->ssl);
	if (n == 1) {
		flush(s);
		if (!s->facts.has_id)
			fail(s, TLS_NO_CERT);
		else if (!purpose_ok(s))
			fail(s, TLS_WRONG_PURPOSE);
		else
			open_stream(s);
		return;
	}
	if (SSL_get_error(s->ssl, n) != SSL_ERROR_WANT_READ) {
		enum tls_fail f = tls_fail_of_library();

		fail(s, s->fail ? s->fail : f);
		return;
	}
	flush(s);
	if (conn_stats(s->wire)->bytes_in > HANDSHAKE_BYTES_MAX)
		fail(s, TLS_OVERSIZED);
}

static size_t on_wire_read(struct conn *c, struct span in, void *arg)
{
	struct tls_stream *s = arg;

	(void)c;
	if (s->stage != STAGE_HANDSHAKE && s->stage != STAGE_OPEN)
		return in.n;
	CHECK(BIO_write(s->from_wire, in.p, (int)in.n) == (int)in.n);
	if (s->stage == STAGE_HANDSHAKE)
		handshake(s);
	else
		pump(s);
	return in.n;
}

static void on_wire_paused(struct conn *c, bool paused, void *arg)
{
	struct tls_stream *s = arg;

	(void)c;
	if (!paused && (s->stage == STAGE_OPEN || s->stage == STAGE_LAST))
		conn_resume_reading(s->inner);
}

static void on_wire_end(struct conn *c, enum conn_end end, void *arg)
{
	struct tls_stream *s = arg;

	(void)c;
	(void)end;
	switch (s->stage) {
	case STAGE_HANDSHAKE:
		fail(s, TLS_CLOSED);
		break;
	case STAGE_FAILED:
		cut_wire(s);
		break;
	case STAGE_OPEN:
		far_end(s);
		break;
	case STAGE_LAST:
	case STAGE_CLOSING:
		stream_free(s);
		break;
	}
}

static const struct conn_callbacks wire_callbacks = {
	.on_read = on_wire_read, .on_write_paused = on_wire_paused,
	.on_end = on_wire_end,
};

static void on_timer(void *arg)
{
	struct tls_stream *s = arg;

	switch (s->stage) {
	case STAGE_HANDSHAKE:
		fail(s, TLS_TIMEOUT);
		break;
	case STAGE_FAILED:
		report(s);
		break;
	case STAGE_OPEN:
		pump(s);
		break;
	case STAGE_LAST:
		stream_free(s);
		break;
	case STAGE_CLOSING:
		break;
	}
}

/* ---- new ones ------------------------------------------------------------ */

/* Where too many are at it, the oldest gives way: whoever stalls loses. */
static void make_room(struct tls_node *n, const struct tls_place *place)
{
	struct tls_stream *oldest = NULL;
	unsigned count = 0;

	for (struct tls_stream *s = n->streams; s; s = s->next)
		if (s->stage == STAGE_HANDSHAKE && s->server &&
		    strcmp(s->place.name, place->name) == 0) {
			oldest = s;
			count++;
		}
	if (count >= n->opt.handshakes_max)
		fail(oldest, TLS_BUSY);
}

static struct tls_stream *stream_new(struct tls_node *n, int fd,
				     const struct tls_place *place,
				     tls_done_fn *done, void *arg)
{
	const struct conn_limits limits = { WIRE_INPUT_MAX,
					    WIRE_OUTPUT_HIGH };
	struct tls_stream *s = xcalloc(1, sizeof *s);

	s->node = n;
	s->place = *place;
	s->done = done;
	s->arg = arg;
	s->next = n->streams;
	s->prev = &n->streams;
	if (s->next)
		s->next->prev = &s->next;
	n->streams = s;
	s->timer = timer_new(n->opt.loop, on_timer, s);
	s->wire = conn_new(n->opt.loop, fd, &wire_callbacks, &limits, s);
	if (!n->ctx)
		fail(s, TLS_NOT_READY);
	else
		timer_set(s->timer, n->opt.handshake_ms);
	return s;
}

static void make_ssl(struct tls_stream *s)
{
	s->ssl = SSL_new(s->node->ctx);
	s->from_wire = BIO_new(BIO_s_mem());
	s->to_wire = BIO_new(BIO_s_mem());
	CHECK(s->ssl && s->from_wire && s->to_wire);
	BIO_set_mem_eof_return(s->from_wire, -1);
	BIO_set_mem_eof_return(s->to_wire, -1);
	SSL_set_bio(s->ssl, s->from_wire, s->to_wire);
	SSL_set_app_data(s->ssl, s);
}

struct tls_stream *tls_stream_accept(struct tls_node *n, TAKES int fd,
				     const struct tls_place *place,
				     tls_done_fn *done, void *arg)
{
	struct tls_stream *s;

	make_room(n, place);
	s = stream_new(n, fd, place, done, arg);
	s->server = true;
	if (s->stage == STAGE_HANDSHAKE) {
		make_ssl(s);
		SSL_set_accept_state(s->ssl);
	}
	return s;
}

struct tls_stream *tls_stream_connect(struct tls_node *n, TAKES int fd,
				      const struct tls_place *place,
				      tls_done_fn *done, void *arg)
{
	struct tls_stream *s = stream_new(n, fd, place, done, arg);
	struct span alpn = tls_alpn_of(place->purpose);

	if (s->stage == STAGE_HANDSHAKE) {
		make_ssl(s);
		SSL_set_connect_state(s->ssl);
		CHECK(SSL_set_alpn_protos(s->ssl, alpn.p,
					  (unsigned)alpn.n) == 0);
		handshake(s);
	}
	return s;
}
