/*
 * Nodes for tests of TLS.
 */
#include "config.h"

#include "tests/unit/tls_rig.h"

#include "tests/unit/test_tls.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void tls_run_until(struct loop *l, const bool *flag)
{
	int64_t end = clock_mono_ms() + 20000;

	while (!*flag && clock_mono_ms() < end)
		loop_run_once(l, 100);
	assert_true(*flag);
}

void tls_run_for(struct loop *l, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (clock_mono_ms() < end)
		loop_run_once(l, end - clock_mono_ms());
}

void tls_sockets(int fd[static 2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
				    SOCK_NONBLOCK, 0, fd), 0);
}

/* ---- sides --------------------------------------------------------------- */

static void on_request(void *ctx, struct span request)
{
	struct tls_side *s = ctx;
	struct bytes answer = {0};
	struct why why;

	s->asked++;
	if (s->mute)
		return;
	assert_int_equal(tls_sign(s->signer, &answer, request,
				  clock_unix(&s->clock)), SIGN_OK);
	if (tls_node_answer(s->node, bytes_span(&answer), &why))
		fail_msg("%s", why.text);
	bytes_clear(&answer);
}

static void on_renewed(void *ctx)
{
	((struct tls_side *)ctx)->renewed++;
}

void tls_side_start(struct tls_side *s, struct loop *l, uint8_t seed,
		    const struct tls_node_options *o,
		    const struct signer_options *so)
{
	struct tls_node_options opt = { 0 };
	struct secret bytes = {0};
	struct identity who;

	memset(s, 0, sizeof *s);
	secret_init(&bytes, IDENTITY_SEED_SIZE);
	memset(bytes.p, seed, IDENTITY_SEED_SIZE);
	bytes.n = IDENTITY_SEED_SIZE;
	assert_true(identity_from_seed(&who, &bytes));
	s->id = who.id;
	s->signer = tls_signer_new(&who, so);
	identity_clear(&who);
	secret_clear(&bytes);
	clock_set_mock(&s->clock, RIG_NOW);
	s->pins = pins_new();
	if (o)
		opt = *o;
	opt.loop = l;
	opt.clock = &s->clock;
	opt.pins = s->pins;
	opt.request = on_request;
	opt.renewed = on_renewed;
	opt.ctx = s;
	s->node = tls_node_new(&opt);
}

void tls_side_wait(struct tls_side *s, struct loop *l)
{
	for (int i = 0; i < 100 && !tls_node_ready(s->node); i++)
		loop_run_once(l, 100);
	assert_true(tls_node_ready(s->node));
}

void tls_side_stop(struct tls_side *s)
{
	tls_node_free(s->node);
	tls_signer_free(s->signer);
	pins_free(s->pins);
}

/* ---- ends ---------------------------------------------------------------- */

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct tls_end *e = arg;
	size_t n = e->take_max ? MIN_OF(in.n, e->take_max) : in.n;

	(void)c;
	bytes_append(&e->got, in.p, n);
	return n;
}

static void on_paused(struct conn *c, bool paused, void *arg)
{
	(void)c;
	((struct tls_end *)arg)->pauses += paused;
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	struct tls_end *e = arg;

	(void)c;
	assert_false(e->ended);
	e->ended = true;
	e->end = end;
}

static const struct conn_callbacks callbacks = {
	.on_read = on_read, .on_write_paused = on_paused, .on_end = on_end,
};

static void on_done(const struct tls_result *r, void *arg)
{
	struct tls_end *e = arg;

	assert_false(e->told);
	e->told = true;
	e->stream = NULL;
	e->result = *r;
	e->conn = r->conn;
	assert_int_equal(r->conn != NULL, r->fail == TLS_OK);
	if (!r->conn)
		return;
	conn_set_callbacks(r->conn, &callbacks, e);
	conn_resume_reading(r->conn);
}

struct tls_place tls_place_only(const struct node_id *id)
{
	return (struct tls_place){
		.purpose = TLS_P2P, .who = TLS_ONLY, .only = *id,
		.name = "door test",
	};
}

void tls_end_accept(struct tls_end *e, struct tls_side *s, TAKES int fd,
		    const struct tls_place *p)
{
	memset(e, 0, sizeof *e);
	e->stream = tls_stream_accept(s->node, fd, p, on_done, e);
}

void tls_end_connect(struct tls_end *e, struct tls_side *s, TAKES int fd,
		     const struct tls_place *p)
{
	memset(e, 0, sizeof *e);
	e->stream = tls_stream_connect(s->node, fd, p, on_done, e);
}

void tls_end_clear(struct tls_end *e)
{
	tls_stream_cancel(e->stream);
	conn_free(e->conn);
	bytes_clear(&e->got);
	memset(e, 0, sizeof *e);
}
