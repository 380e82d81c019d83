/*
 * Our leaf: asked for, taken into use, renewed at two thirds of its life.
 * Handshakes under way go on with the context they began with.
 */
#include "config.h"

#include "tls/tls_node.h"

#include <stdlib.h>
#include <string.h>

#include "tls/signer.h"
#include "tls/tls_ca_priv.h"
#include "tls/tls_node_priv.h"

#define HANDSHAKE_MS 30000
#define CLOSE_MS 5000
#define HANDSHAKES_MAX 64
#define LOOK_MAX_MS 60000
#define LOOK_MIN_MS 200

/* ---- asking -------------------------------------------------------------- */

static void ask(struct tls_node *n)
{
	uint8_t public_key[32];
	struct bytes request = {0};

	if (!n->asked)
		n->asked = tls_key_new();
	tls_key_public(public_key, n->asked);
	sign_request_write(&request, public_key);
	n->opt.request(n->opt.ctx, bytes_span(&request));
	bytes_clear(&request);
}

/* Who passed by the CA's old list is judged by the new one: all come again. */
static void look_at_list(struct tls_node *n)
{
	unsigned reads = tls_ca_list_reads(n->opt.ca);
	struct tls_stream *s = n->streams, *next;

	if (reads == n->list_reads)
		return;
	n->list_reads = reads;
	for (; s; s = next) {
		next = tls_stream_next(s);
		if (tls_stream_by_ca(s))
			tls_stream_end(s, TLS_DROPPED);
	}
}

/* The clock is looked at, not a long timer set: machines sleep, and owners
 * set clocks. */
void tls_node_look(struct tls_node *n)
{
	timer_set(n->timer, n->look_ms);
	if (n->opt.ca)
		look_at_list(n);
	if (n->ctx && clock_unix(n->opt.clock) >= n->until_unix &&
	    log_limit_ok(&n->said_late, 1, 3600 * 1000, NULL))
		log_warn(LOG_TLS, "our certificate has expired and the new "
			 "one is not there: trusted peers will refuse us");
	if (!n->ctx || clock_unix(n->opt.clock) >= n->renew_unix)
		ask(n);
}

static void on_timer(void *arg)
{
	tls_node_look(arg);
}

struct tls_node *tls_node_new(const struct tls_node_options *o)
{
	struct tls_node *n = xcalloc(1, sizeof *n);

	n->opt = *o;
	if (!n->opt.handshake_ms)
		n->opt.handshake_ms = HANDSHAKE_MS;
	if (!n->opt.close_ms)
		n->opt.close_ms = CLOSE_MS;
	if (!n->opt.skew_s)
		n->opt.skew_s = CERT_SKEW_S;
	n->opt.skew_s = MAX_OF(n->opt.skew_s, 0);
	if (!n->opt.handshakes_max)
		n->opt.handshakes_max = HANDSHAKES_MAX;
	n->look_ms = LOOK_MAX_MS;
	n->timer = timer_new(o->loop, on_timer, n);
	timer_set(n->timer, 0);
	return n;
}

/* ---- the answer ---------------------------------------------------------- */

static enum err check_answer(const struct tls_node *n, struct cert_facts *f,
			     const struct sign_answer *a, struct why *why)
{
	const struct cert_rules rules = {
		.now_unix = clock_unix(n->opt.clock),
		.skew_s = n->opt.skew_s,
	};
	const struct span chain[] = { a->leaf, a->root };
	uint8_t ours[32];
	enum tls_fail bad;

	if (!n->asked)
		return why_set(why, ERR_INPUT, "a certificate that nobody "
			       "asked for");
	tls_key_public(ours, n->asked);
	if (memcmp(ours, a->public_key, sizeof ours) != 0)
		return why_set(why, ERR_INPUT, "a certificate for another "
			       "key than ours");
	bad = cert_check(f, chain, ARRAY_SIZE(chain), &rules);
	if (bad)
		return why_set(why, ERR_INPUT, "our own certificate: %s",
			       tls_fail_text(bad));
	if (n->ctx && !node_id_eq(&f->id, &n->id))
		return why_set(why, ERR_INPUT, "our own certificate is of "
			       "another identity than before");
	return ERR_NONE;
}

static void use(struct tls_node *n, const struct sign_answer *a,
		const struct cert_facts *f)
{
	int64_t now = clock_unix(n->opt.clock);
	int64_t life = MAX_OF(f->until_unix - now, 1);
	SSL_CTX *ctx = tls_ctx_new(n->asked, a->leaf, a->root);

	SSL_CTX_free(n->ctx);
	n->ctx = ctx;
	tls_key_free(n->asked);
	n->asked = NULL;
	n->id = f->id;
	n->until_unix = f->until_unix;
	n->renew_unix = now + life * 2 / 3;
	n->look_ms = MIN_OF(MAX_OF(life * 1000 / 20, LOOK_MIN_MS),
			    LOOK_MAX_MS);
	timer_set(n->timer, n->look_ms);
}

enum err tls_node_answer(struct tls_node *n, struct span answer,
			 struct why *why)
{
	struct sign_answer a;
	struct cert_facts f;
	enum err e;

	if (!sign_answer_read(&a, answer))
		return why_set(why, ERR_INPUT, "not an answer of the signer");
	e = check_answer(n, &f, &a, why);
	if (e)
		return e;
	use(n, &a, &f);
	log_debug(LOG_TLS, "new leaf certificate, good until %lld",
		  (long long)n->until_unix);
	if (n->opt.renewed)
		n->opt.renewed(n->opt.ctx);
	return ERR_NONE;
}

bool tls_node_ready(const struct tls_node *n)
{
	return n->ctx != NULL;
}

const struct node_id *tls_node_id(const struct tls_node *n)
{
	return n->ctx ? &n->id : NULL;
}

int64_t tls_node_leaf_until(const struct tls_node *n)
{
	return n->until_unix;
}

void tls_node_free(struct tls_node *n)
{
	if (!n)
		return;
	while (n->streams)
		tls_stream_cancel(n->streams);
	timer_free(n->timer);
	tls_key_free(n->asked);
	SSL_CTX_free(n->ctx);
	free(n);
}

/* ---- streams ------------------------------------------------------------- */

size_t tls_node_drop(struct tls_node *n, const struct node_id *id)
{
	struct tls_stream *s = n->streams, *next;
	size_t dropped = 0;

	for (; s; s = next) {
		next = tls_stream_next(s);
		if (!tls_stream_concerns(s, id))
			continue;
		tls_stream_end(s, TLS_DROPPED);
		dropped++;
	}
	return dropped;
}

const uint64_t *tls_node_counts(const struct tls_node *n)
{
	return n->counts;
}
