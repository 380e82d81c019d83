/*
 * The test bench.
 */
#include "config.h"

#include "tests/unit/p2p_rig.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- ports ---- */

static struct rig_peer *rp(struct rig *r, peer_id id)
{
	CHECK(id && id < RIG_PEERS);
	return &r->peers[id];
}

static void port_send(void *ctx, peer_id id, struct bytes *data TAKES)
{
	struct rig_peer *peer = rp(ctx, id);

	CHECK(!peer->closed);
	bytes_append(&peer->sent, data->p, data->n);
	bytes_clear(data);
}

static size_t port_queued(void *ctx, peer_id id)
{
	return rp(ctx, id)->queued;
}

static void port_close(void *ctx, peer_id id, enum close_reason reason,
		       const char *text)
{
	struct rig_peer *peer = rp(ctx, id);

	CHECK(!peer->closed);
	peer->closed = true;
	peer->reason = reason;
	snprintf(peer->text, sizeof peer->text, "%s", text);
}

static void port_refresh(void *ctx, const char *host)
{
	struct rig *r = ctx;

	r->refreshes_n++;
	snprintf(r->refreshed, sizeof r->refreshed, "%s", host);
}

static void port_close_circuit(void *ctx, uint32_t circuit)
{
	struct rig *r = ctx;

	r->cut_circuit = circuit;
	r->cuts_n++;
}

static void port_set_reading(void *ctx, peer_id id, bool on)
{
	struct rig_peer *peer = rp(ctx, id);

	CHECK(!peer->closed && peer->stopped == on);
	peer->stopped = !on;
}

static void port_dial(void *ctx, const struct dial_request *req)
{
	struct rig *r = ctx;
	struct rig_dial *d = &r->dials[r->dials_n++];

	CHECK(r->dials_n < RIG_DIALS);
	d->id = req->id;
	snprintf(d->host, sizeof d->host, "%s", req->host);
	d->port = req->port;
	d->type = req->type;
	d->seed_name = req->seed_name;
	d->timeout_ms = req->timeout_ms;
}

static void port_random(void *ctx, void *out, size_t n)
{
	struct rig *r = ctx;
	uint8_t *b = out;

	while (n--)
		*b++ = (uint8_t)prng_u64(&r->rng);
}

static bool port_headers(void *ctx, peer_id peer,
			 const struct block_header *h, size_t n, bool vouched)
{
	struct rig *r = ctx;

	(void)h;
	if (r->refuse)
		return false;
	r->headers_n++;
	r->headers_peer = peer;
	r->headers_count = n;
	r->headers_vouched = vouched;
	return true;
}

static bool port_block(void *ctx, peer_id peer, const struct block_hash *hash,
		       struct bytes *raw, bool requested)
{
	struct rig *r = ctx;

	(void)peer;
	if (r->refuse)
		return false;
	r->blocks_n++;
	r->block_hash = *hash;
	r->block_requested = requested;
	bytes_clear(raw);
	return true;
}

static bool port_plan(void *ctx, const struct plan_request *req)
{
	struct rig *r = ctx;

	(void)req;
	r->plans_n += !r->refuse;
	return !r->refuse;
}

static bool port_serve_headers(void *ctx, peer_id peer,
			       const struct block_hash *locator, size_t n,
			       const struct block_hash *stop, size_t max)
{
	struct rig *r = ctx;

	(void)peer;
	(void)locator;
	(void)stop;
	if (r->refuse)
		return false;
	r->serve_headers_n++;
	r->serve_locator_n = n;
	r->serve_max = max;
	return true;
}

static bool port_serve_block(void *ctx, peer_id peer,
			     const struct block_hash *hash, bool with_witness)
{
	struct rig *r = ctx;

	(void)peer;
	if (r->refuse)
		return false;
	r->serve_block_n++;
	r->serve_hash = *hash;
	r->serve_witness = with_witness;
	return true;
}

/* ---- the bench ---- */

struct rig *rig_new(const struct p2p_options *opt)
{
	struct rig *r = xcalloc(1, sizeof *r);
	struct p2p_options o = opt ? *opt : (struct p2p_options){ 0 };
	struct p2p_ports ports = {
		.ctx = r, .send = port_send, .queued = port_queued,
		.close = port_close, .close_circuit = port_close_circuit,
		.refresh = port_refresh,
		.set_reading = port_set_reading,
		.dial = port_dial, .random = port_random,
		.chain_headers = port_headers, .chain_block = port_block,
		.chain_plan = port_plan,
		.chain_serve_headers = port_serve_headers,
		.chain_serve_block = port_serve_block,
	};

	r->params = chain_params_get(CHAIN_REGTEST);
	o.params = &r->params;
	prng_seed(&r->rng, 12345);
	r->p = p2p_new(&o, &ports);
	r->ms = 1000;
	r->unix = 1700000000;
	p2p_set_time(r->p, r->ms, r->unix);
	return r;
}

void rig_free(struct rig *r)
{
	size_t i;

	p2p_free(r->p);
	for (i = 0; i < RIG_PEERS; i++) {
		bytes_clear(&r->peers[i].sent);
		wire_clear(&r->peers[i].wire);
	}
	free(r);
}

void rig_tick(struct rig *r, int64_t ms)
{
	int64_t left = ms, step;

	/* In steps, as a loop would; minutes go faster. */
	while (left > 0) {
		step = MIN_OF(left, ms > 10000 ? INT64_C(1000)
					       : INT64_C(100));
		r->ms += step;
		left -= step;
		p2p_tick(r->p, r->ms, r->unix + r->ms / 1000);
	}
}

peer_id rig_connect(struct rig *r, uint64_t dial)
{
	struct peer_conn c = { .id = ++r->last_id, .dial = dial,
			       .addr = "test:1" };

	return p2p_peer_connected(r->p, &c) ? c.id : 0;
}

peer_id rig_knock(struct rig *r, uint32_t circuit)
{
	struct peer_conn c = { .id = ++r->last_id, .circuit = circuit,
			       .addr = "circuit:0" };

	return p2p_peer_connected(r->p, &c) ? c.id : 0;
}

peer_id rig_answer_dial(struct rig *r)
{
	CHECK(r->dials_n);
	return rig_connect(r, r->dials[r->dials_n - 1].id);
}

void rig_bytes(struct rig *r, peer_id id, struct span data)
{
	size_t used;

	p2p_peer_bytes(r->p, id, data, &used);
	CHECK(used == data.n || rp(r, id)->stopped || rp(r, id)->closed);
}

void rig_send(struct rig *r, peer_id id, const struct msg *m)
{
	struct bytes b = { 0 };
	size_t at = wire_begin(&b, r->params.magic, m->type);

	msg_write(&b, m);
	wire_end(&b, at);
	rig_bytes(r, id, bytes_span(&b));
	bytes_clear(&b);
}

void rig_send_plain(struct rig *r, peer_id id, enum msg_type type)
{
	struct msg m = { .type = type };

	rig_send(r, id, &m);
}

bool rig_next(struct rig *r, peer_id id, struct msg *out)
{
	struct rig_peer *peer = rp(r, id);
	struct span in = bytes_span(&peer->sent);

	if (!in.n)
		return false;
	CHECK(wire_feed(&peer->wire, &in, r->params.magic) == WIRE_MESSAGE);
	bytes_consume(&peer->sent, peer->sent.n - in.n);
	CHECK(msg_read(out, NULL, peer->wire.type,
		       bytes_span(&peer->wire.payload)));
	return true;
}

bool rig_find(struct rig *r, peer_id id, enum msg_type type, struct msg *out)
{
	while (rig_next(r, id, out))
		if (out->type == type)
			return true;
	return false;
}

void rig_send_version(struct rig *r, peer_id id, uint32_t version,
		      uint64_t services, uint64_t nonce)
{
	struct msg m = { .type = MSG_VERSION };

	m.u.version = (struct msg_version){
		.version = version, .services = services,
		.time_unix = r->unix, .nonce = nonce,
		.user_agent = span_of("/rig:1/", 7), .has_relay = true,
	};
	rig_send(r, id, &m);
}

void rig_handshake(struct rig *r, peer_id id, uint64_t services)
{
	rig_send_version(r, id, 70016, services, 4711);
	rig_send_plain(r, id, MSG_WTXIDRELAY);
	rig_send_plain(r, id, MSG_SENDADDRV2);
	rig_send_plain(r, id, MSG_VERACK);
}

peer_id rig_inbound(struct rig *r)
{
	peer_id id = rig_connect(r, 0);

	rig_handshake(r, id, SERVICE_NETWORK | SERVICE_WITNESS);
	return id;
}

peer_id rig_outbound(struct rig *r)
{
	char host[32];
	peer_id id;

	snprintf(host, sizeof host, "host%llu",
		 (unsigned long long)r->last_id);
	p2p_try_once(r->p, host, 8333, CONN_MANUAL);
	id = rig_answer_dial(r);
	rig_handshake(r, id, SERVICE_NETWORK | SERVICE_WITNESS);
	return id;
}

void rig_tip_genesis(struct rig *r)
{
	struct tip_event e = { .initial_download = true };

	e.tip.hash = r->params.genesis_hash;
	u256_block_work(&e.tip.work, r->params.genesis.bits);
	e.best_header = e.tip;
	e.best_header_time = r->params.genesis.time;
	e.locator = &r->params.genesis_hash;
	e.locator_n = 1;
	p2p_on_tip(r->p, &e);
}
