/*
 * What mutual TLS costs on top of the stream that carries it: both ends in
 * one thread, over a pair of unix sockets, once plain and once through
 * tls_stream.  Prints a table.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"
#include "tls/signer.h"
#include "tls/tls_stream.h"

#define HANDSHAKES 300
#define ROUND_TRIPS 5000
#define BULK (UINT64_C(256) << 20)
#define CHUNK 65536

struct end {
	struct tls_node *node;
	struct tls_signer *signer;
	struct pins *pins;
	struct clock clock;
	struct node_id id;
	struct conn *conn;
	uint64_t got;
	bool echo;
};

struct bench {
	struct loop *loop;
	struct end v[2];         /* server, client */
};

/* ---- two nodes ----------------------------------------------------------- */

static void on_request(void *ctx, struct span request)
{
	struct end *e = ctx;
	struct bytes answer = {0};
	struct why why;

	CHECK(tls_sign(e->signer, &answer, request, clock_unix(&e->clock)) ==
	      SIGN_OK);
	CHECK(tls_node_answer(e->node, bytes_span(&answer), &why) ==
	      ERR_NONE);
	bytes_clear(&answer);
}

static void end_make(struct bench *b, struct end *e, uint8_t seed)
{
	struct tls_node_options o = { .loop = b->loop, .clock = &e->clock,
				      .request = on_request, .ctx = e };
	struct secret s = {0};
	struct identity who;

	secret_init(&s, IDENTITY_SEED_SIZE);
	memset(s.p, seed, IDENTITY_SEED_SIZE);
	s.n = IDENTITY_SEED_SIZE;
	CHECK(identity_from_seed(&who, &s));
	e->id = who.id;
	e->signer = tls_signer_new(&who, NULL);
	e->pins = o.pins = pins_new();
	e->node = tls_node_new(&o);
	identity_clear(&who);
	secret_clear(&s);
}

static void end_free(struct end *e)
{
	conn_free(e->conn);
	tls_node_free(e->node);
	tls_signer_free(e->signer);
	pins_free(e->pins);
}

/* ---- connections --------------------------------------------------------- */

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct end *e = arg;

	e->got += in.n;
	if (e->echo)
		conn_write(c, in);
	return in.n;
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	(void)c;
	(void)end;
	(void)arg;
}

static const struct conn_callbacks callbacks = {
	.on_read = on_read, .on_end = on_end,
};

static void on_done(const struct tls_result *r, void *arg)
{
	struct end *e = arg;

	CHECK(r->fail == TLS_OK);
	e->conn = r->conn;
	conn_set_callbacks(e->conn, &callbacks, e);
	conn_resume_reading(e->conn);
}

static void hang_up(struct bench *b)
{
	for (int i = 0; i < 2; i++) {
		conn_free(b->v[i].conn);
		b->v[i].conn = NULL;
		b->v[i].got = 0;
		b->v[i].echo = false;
	}
	for (int i = 0; i < 4; i++)
		loop_run_once(b->loop, 0);
}

static void sockets(int fd[static 2])
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
			 SOCK_NONBLOCK, 0, fd) == 0);
}

static void meet(struct bench *b, bool tls)
{
	struct tls_place p[2];
	struct tls_stream *s;
	int fd[2];

	sockets(fd);
	for (int i = 0; i < 2; i++) {
		struct end *e = &b->v[i];

		if (!tls) {
			e->conn = conn_new(b->loop, fd[i], &callbacks, NULL,
					   e);
			continue;
		}
		p[i] = (struct tls_place){ .who = TLS_ONLY,
					   .only = b->v[!i].id };
		s = i ? tls_stream_connect(e->node, fd[i], &p[i], on_done, e)
		      : tls_stream_accept(e->node, fd[i], &p[i], on_done, e);
		CHECK(s);
	}
	while (!b->v[0].conn || !b->v[1].conn)
		loop_run_once(b->loop, 100);
}

/* ---- what is measured ---------------------------------------------------- */

/* Milliseconds each. */
static double handshakes(struct bench *b, bool tls)
{
	int64_t us = clock_mono_us();

	for (int i = 0; i < HANDSHAKES; i++) {
		meet(b, tls);
		hang_up(b);
	}
	return (double)(clock_mono_us() - us) / 1000 / HANDSHAKES;
}

/* Microseconds each. */
static double round_trips(struct bench *b, bool tls)
{
	uint8_t ping[100] = { 0 };
	int64_t us;

	meet(b, tls);
	b->v[0].echo = true;
	us = clock_mono_us();
	for (uint64_t i = 1; i <= ROUND_TRIPS; i++) {
		conn_write(b->v[1].conn, span_of(ping, sizeof ping));
		while (b->v[1].got < i * sizeof ping)
			loop_run_once(b->loop, 100);
	}
	us = clock_mono_us() - us;
	hang_up(b);
	return (double)us / ROUND_TRIPS;
}

/* MB/s, one way. */
static double bulk(struct bench *b, bool tls)
{
	uint8_t *chunk = xcalloc(1, CHUNK);
	uint64_t sent = 0;
	int64_t us;

	meet(b, tls);
	us = clock_mono_us();
	while (b->v[0].got < BULK) {
		while (sent < BULK && !conn_write_paused(b->v[1].conn)) {
			conn_write(b->v[1].conn, span_of(chunk, CHUNK));
			sent += CHUNK;
		}
		loop_run_once(b->loop, 100);
	}
	us = clock_mono_us() - us;
	hang_up(b);
	free(chunk);
	return (double)BULK / (double)us;
}

static void row(const char *what, double plain, double tls)
{
	printf("| %s | %.2f | %.2f | %.2f |\n", what, plain, tls,
	       tls / plain);
}

int main(void)
{
	struct bench b = { .loop = loop_new() };
	double plain;

	end_make(&b, &b.v[0], 1);
	end_make(&b, &b.v[1], 2);
	pins_set(b.v[0].pins, &b.v[1].id, PIN_TRUSTED, "client");
	pins_set(b.v[1].pins, &b.v[0].id, PIN_TRUSTED, "server");
	while (!tls_node_ready(b.v[0].node) || !tls_node_ready(b.v[1].node))
		loop_run_once(b.loop, 100);
	printf("| both ends in one thread | plain | mutual TLS | ratio |\n"
	       "|---|---|---|---|\n");
	plain = handshakes(&b, false);
	row("connecting, ms", plain, handshakes(&b, true));
	plain = round_trips(&b, false);
	row("round trip of 100 bytes, us", plain, round_trips(&b, true));
	plain = bulk(&b, false);
	row("one way, MB/s", plain, bulk(&b, true));
	end_free(&b.v[0]);
	end_free(&b.v[1]);
	loop_free(b.loop);
	return 0;
}
