/*
 * The network in a box.
 */
#include "config.h"

#include "tests/unit/p2p_sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "consensus/block_check.h"
#include "crypto/hash.h"

#define STEP_MS 20
#define CMDS_PER_STEP 8

enum {
	SIM_KNOWN = 1,               /* header accepted */
	SIM_HAVE = 2,
	SIM_LINKED = 4,              /* have it and all before it */
	SIM_FAILED = 8,
};

enum cmd_type { CMD_HEADERS, CMD_BLOCK, CMD_PLAN, CMD_SERVE_HEADERS,
		CMD_SERVE_BLOCK };

struct sim_cmd {
	enum cmd_type type;
	struct sim_cmd *next;
	peer_id peer;
	struct block_header *h;
	size_t n;
	bool flag;                   /* vouched, requested, with witness */
	struct block_hash hash;
	struct bytes raw;            /* block, locator or plan peers */
	struct block_hash *locator;
	struct plan_peer *peers;
	size_t max;
	int window;
};

/* ---- the world's blocks ---- */

static uint64_t block_key_hash(const void *key, const void *ctx)
{
	uint64_t v;

	(void)ctx;
	memcpy(&v, key, sizeof v);
	return v;
}

static const void *block_key(const void *item)
{
	return &((const struct sim_block *)item)->hash;
}

static bool block_key_eq(const void *item, const void *key)
{
	return block_hash_eq(block_key(item), key);
}

static const struct map_type block_map = { block_key_hash, block_key_eq,
					   block_key };

static struct sim_block *block_get(const struct sim *s,
				   const struct block_hash *hash)
{
	return map_get(&s->by_hash, hash);
}

static int block_add(struct sim *s, struct sim_block *b)
{
	size_t i;

	b->index = (int)s->blocks_n;
	s->blocks = xrealloc(s->blocks,
			     (s->blocks_n + 1) * sizeof(*s->blocks));
	s->blocks[s->blocks_n++] = b;
	map_put(&s->by_hash, b);
	for (i = 0; i < s->nodes_n; i++) {
		s->nodes[i]->status = xrealloc(s->nodes[i]->status,
					       s->blocks_n);
		s->nodes[i]->status[b->index] = 0;
	}
	return b->index;
}

int sim_mine(struct sim *s, int prev, size_t body_bytes)
{
	struct sim_block *b = xcalloc(1, sizeof *b);
	const struct sim_block *p = s->blocks[prev];
	uint8_t *body = xcalloc(body_bytes + 8, 1);
	uint64_t salt = prng_u64(&s->rng);

	memcpy(body, &salt, sizeof salt);
	b->prev = prev;
	b->height = p->height + 1;
	b->header = (struct block_header){
		.version = 4, .prev = p->hash, .bits = p->header.bits,
		.time = (uint32_t)(s->unix0 + s->ms / 1000),
	};
	sha256(b->header.merkle_root, body, body_bytes + 8);
	for (;; b->header.nonce++) {
		block_header_hash(&b->hash, &b->header);
		if (pow_ok(&s->params, &b->hash, b->header.bits))
			break;
	}
	u256_block_work(&b->work, b->header.bits);
	u256_add(&b->work, &b->work, &p->work);
	block_header_write(&b->raw, &b->header);
	bytes_append(&b->raw, body, body_bytes + 8);
	free(body);
	return block_add(s, b);
}

int sim_mine_many(struct sim *s, int prev, int n, size_t body_bytes)
{
	while (n--)
		prev = sim_mine(s, prev, body_bytes);
	return prev;
}

/* ---- chains ---- */

static int ancestor(const struct sim *s, int b, int height)
{
	while (s->blocks[b]->height > height)
		b = s->blocks[b]->prev;
	return b;
}

static int fork_of(const struct sim *s, int a, int b)
{
	a = ancestor(s, a, s->blocks[b]->height);
	b = ancestor(s, b, s->blocks[a]->height);
	while (a != b) {
		a = s->blocks[a]->prev;
		b = s->blocks[b]->prev;
	}
	return a;
}

static struct header_point point(const struct sim *s, int b)
{
	return (struct header_point){ s->blocks[b]->hash,
				      s->blocks[b]->height,
				      s->blocks[b]->work };
}

static size_t locator(const struct sim *s, int b,
		      struct block_hash out[static LOCATOR_MAX])
{
	int step = 1, height;
	size_t n = 0;

	for (;;) {
		out[n++] = s->blocks[b]->hash;
		height = s->blocks[b]->height;
		if (!height)
			return n;
		if (n > 10)
			step *= 2;
		b = ancestor(s, b, MAX_OF(height - step, 0));
	}
}

static void tell_tip(struct sim_node *n, int old_tip)
{
	struct sim *s = n->sim;
	struct block_hash loc[LOCATOR_MAX];
	struct block_header connected[P2P_ANNOUNCE_MAX];
	struct tip_event e = { .initial_download = n->ibd };
	int fork = fork_of(s, old_tip, n->tip), b = n->tip;
	size_t i;

	e.tip = point(s, n->tip);
	e.best_header = point(s, n->best);
	e.best_header_time = s->blocks[n->best]->header.time;
	e.locator = loc;
	e.locator_n = locator(s, n->best, loc);
	e.connected_n = (size_t)MIN_OF(s->blocks[b]->height -
				       s->blocks[fork]->height,
				       P2P_ANNOUNCE_MAX);
	for (i = e.connected_n; i > 0; i--) {
		connected[i - 1] = s->blocks[b]->header;
		b = s->blocks[b]->prev;
	}
	e.connected = connected;
	p2p_on_tip(n->p, &e);
}

static bool better(const struct sim *s, int a, int b)
{
	return u256_cmp(&s->blocks[a]->work, &s->blocks[b]->work) > 0;
}

static void fail_from(struct sim_node *n, int bad)
{
	struct sim *s = n->sim;
	size_t i;

	/* Blocks come after their parents in the world's list. */
	n->status[bad] |= SIM_FAILED;
	for (i = (size_t)bad + 1; i < s->blocks_n; i++)
		if (n->status[s->blocks[i]->prev] & SIM_FAILED)
			n->status[i] |= SIM_FAILED;
	n->best = n->tip;
	for (i = 0; i < s->blocks_n; i++)
		if ((n->status[i] & SIM_KNOWN) &&
		    !(n->status[i] & SIM_FAILED) &&
		    better(s, (int)i, n->best))
			n->best = (int)i;
	p2p_on_block_checked(n->p, &s->blocks[bad]->hash, VERDICT_SCRIPT,
			     "block-script-verify-flag-failed");
}

/* Link what can be linked, and move the tip. */
static void activate(struct sim_node *n, int from)
{
	struct sim *s = n->sim;
	int old = n->tip, old_best = n->best, i, prev;

	for (i = from; i < (int)s->blocks_n; i++) {
		prev = s->blocks[i]->prev;
		if (!(n->status[i] & SIM_HAVE) ||
		    !(n->status[prev] & SIM_LINKED) ||
		    (n->status[i] & (SIM_LINKED | SIM_FAILED)))
			continue;
		if (s->blocks[i]->bad) {
			fail_from(n, i);
			continue;
		}
		n->status[i] |= SIM_LINKED;
		if (better(s, i, n->tip))
			n->tip = i;
	}
	if (n->tip != old && n->tip == n->best)
		n->ibd = false;
	if (n->tip != old || n->best != old_best)
		tell_tip(n, old);
}

void sim_give(struct sim_node *n, int block)
{
	struct sim *s = n->sim;
	int b, old = n->tip;

	for (b = block; b; b = s->blocks[b]->prev)
		n->status[b] |= SIM_KNOWN | SIM_HAVE | SIM_LINKED;
	if (better(s, block, n->tip))
		n->tip = block;
	if (better(s, block, n->best))
		n->best = block;
	n->ibd = false;
	tell_tip(n, old);
}

/* ---- commands ---- */

static bool enough_work(const struct sim_node *n, const struct sim_cmd *c,
			const struct sim_block *start)
{
	struct u256 work = start->work, one;
	size_t i;

	for (i = 0; i < c->n; i++) {
		u256_block_work(&one, c->h[i].bits);
		u256_add(&work, &work, &one);
	}
	return u256_cmp(&work, &n->minimum) >= 0;
}

static void accept_headers(struct sim_node *n, const struct sim_cmd *c,
			   struct headers_reply *r)
{
	struct sim *s = n->sim;
	struct block_hash hash;
	struct sim_block *b;
	int old_best = n->best;

	for (; r->accepted < c->n; r->accepted++) {
		block_header_hash(&hash, &c->h[r->accepted]);
		b = block_get(s, &hash);
		CHECK(b);    /* a test mines all headers there are */
		if (n->status[b->index] & SIM_FAILED ||
		    n->status[b->prev] & SIM_FAILED) {
			r->verdict = VERDICT_BAD_PREV;
			r->reason = "bad-prevblk";
			break;
		}
		r->new_headers += !(n->status[b->index] & SIM_KNOWN);
		n->status[b->index] |= SIM_KNOWN;
		if (better(s, b->index, n->best))
			n->best = b->index;
		r->last = point(s, b->index);
	}
	if (n->best != old_best)
		tell_tip(n, n->tip);
	b = block_get(s, &r->last.hash);
	if (r->accepted)
		r->common_height = s->blocks[fork_of(s, b->index, n->best)]
					   ->height;
}

static void do_headers(struct sim_node *n, struct sim_cmd *c)
{
	struct sim_block *start = block_get(n->sim, &c->h[0].prev);
	struct headers_reply r = { .peer = c->peer, .given = c->n,
				   .reason = "" };

	n->headers_cmds++;
	if (!start || !(n->status[start->index] & SIM_KNOWN)) {
		r.verdict = VERDICT_PREV_NOT_FOUND;
		r.reason = "prev-blk-not-found";
	} else {
		r.has_start = true;
		r.start = point(n->sim, start->index);
		r.start_bits = start->header.bits;
		r.start_mtp = start->header.time;
		if (!c->flag && !enough_work(n, c, start)) {
			n->low_work++;
			r.verdict = VERDICT_TOO_LITTLE_CHAINWORK;
			r.reason = "too-little-chainwork";
		} else {
			accept_headers(n, c, &r);
		}
	}
	p2p_on_headers_result(n->p, &r);
}

static void do_block(struct sim_node *n, struct sim_cmd *c)
{
	struct sim_block *b = block_get(n->sim, &c->hash);
	struct block_reply r = { .peer = c->peer, .hash = c->hash,
				 .reason = "", .height = -1 };
	int old_best = n->best;

	CHECK(b);
	n->unrequested += !c->flag;
	if (!span_eq(bytes_span(&c->raw), bytes_span(&b->raw))) {
		r.verdict = VERDICT_BAD_MERKLE_ROOT;
		r.reason = "bad-txnmrklroot";
	} else if (!(n->status[b->prev] & SIM_KNOWN)) {
		r.verdict = VERDICT_PREV_NOT_FOUND;
		r.reason = "prev-blk-not-found";
	} else {
		r.height = b->height;
		r.is_new = !(n->status[b->index] & SIM_HAVE);
		n->blocks_in += r.is_new;
		n->blocks_dup += !r.is_new;
		n->status[b->index] |= SIM_KNOWN | SIM_HAVE;
		if (better(n->sim, b->index, n->best))
			n->best = b->index;
	}
	p2p_on_block_result(n->p, &r);
	if (r.is_new)
		activate(n, b->index);
	else if (n->best != old_best)
		tell_tip(n, n->tip);
}

static size_t missing(struct sim_node *n, const struct sim_cmd *c,
		      struct plan_block *out)
{
	struct sim *s = n->sim;
	int *path, b = n->best, i, from;
	size_t count = 0;

	path = xcalloc((size_t)s->blocks[b]->height + 1, sizeof *path);
	for (; b; b = s->blocks[b]->prev)
		path[s->blocks[b]->height] = b;
	from = -1;
	for (i = 1; i <= s->blocks[n->best]->height && count < c->max; i++) {
		if (n->status[path[i]] & SIM_HAVE)
			continue;
		if (from < 0)
			from = i;
		if (i > from + c->window)
			break;
		out[count++] = (struct plan_block){
			.hash = s->blocks[path[i]]->hash,
			.height = i };
	}
	free(path);
	return count;
}

static void do_plan(struct sim_node *n, struct sim_cmd *c)
{
	struct sim *s = n->sim;
	struct plan_block *blocks = xcalloc(c->max + 1, sizeof *blocks);
	struct plan_reply r = { .best_header = point(s, n->best),
				.blocks = blocks, .peers = c->peers,
				.peer_count = c->n };
	struct sim_block *b;
	size_t i;

	r.block_count = missing(n, c, blocks);
	for (i = 0; i < c->n; i++) {
		b = block_get(s, &c->peers[i].best);
		CHECK(b && (n->status[b->index] & SIM_KNOWN));
		c->peers[i].known = true;
		c->peers[i].point = point(s, b->index);
		c->peers[i].common_height =
			s->blocks[fork_of(s, b->index, n->best)]->height;
	}
	p2p_on_plan(n->p, &r);
	free(blocks);
}

static void do_serve_headers(struct sim_node *n, struct sim_cmd *c)
{
	struct sim *s = n->sim;
	struct bytes raw = { 0 };
	struct sim_block *b;
	int at = 0, tip = s->blocks[n->tip]->height, end, *path;
	size_t i, count = 0;

	for (i = 0; i < c->n; i++) {
		b = block_get(s, &c->locator[i]);
		if (!b || ancestor(s, n->tip, b->height) != b->index)
			continue;
		at = b->height;
		break;
	}
	end = MIN_OF(at + (int)c->max, tip);
	path = xcalloc((size_t)(end - at) + 1, sizeof *path);
	path[end - at] = ancestor(s, n->tip, end);
	for (i = (size_t)(end - at); i > 0; i--)
		path[i - 1] = s->blocks[path[i]]->prev;
	while (count < (size_t)(end - at)) {
		b = s->blocks[path[++count]];
		block_header_write(&raw, &b->header);
		if (block_hash_eq(&b->hash, &c->hash))
			break;
	}
	free(path);
	p2p_on_served_headers(n->p, c->peer, bytes_span(&raw), count);
	bytes_clear(&raw);
}

static void do_serve_block(struct sim_node *n, struct sim_cmd *c)
{
	struct sim_block *b = block_get(n->sim, &c->hash);
	struct bytes raw = { 0 };

	if (n->withholds)
		return;
	if (b && (n->status[b->index] & SIM_HAVE)) {
		bytes_append(&raw, b->raw.p, b->raw.n);
		if (n->corrupts)
			raw.p[raw.n - 1] ^= 1;
		n->blocks_served++;
	}
	p2p_on_served_block(n->p, c->peer, &c->hash, &raw);
}

static void cmd_free(struct sim_cmd *c)
{
	free(c->h);
	free(c->locator);
	free(c->peers);
	bytes_clear(&c->raw);
	free(c);
}

static void cmd_run(struct sim_node *n, struct sim_cmd *c)
{
	switch (c->type) {
	case CMD_HEADERS:
		do_headers(n, c);
		break;
	case CMD_BLOCK:
		do_block(n, c);
		break;
	case CMD_PLAN:
		do_plan(n, c);
		break;
	case CMD_SERVE_HEADERS:
		do_serve_headers(n, c);
		break;
	case CMD_SERVE_BLOCK:
		do_serve_block(n, c);
		break;
	}
	cmd_free(c);
}

static struct sim_cmd *cmd_take(struct sim_node *n)
{
	struct sim_cmd *c = n->first;

	if (!c)
		return NULL;
	n->first = c->next;
	if (!n->first)
		n->last = &n->first;
	n->queued--;
	return c;
}

static struct sim_cmd *cmd_new(struct sim_node *n, enum cmd_type type,
			       peer_id peer)
{
	struct sim_cmd *c;

	if (n->queued >= n->queue_max) {
		n->refused++;
		return NULL;
	}
	c = xcalloc(1, sizeof *c);
	c->type = type;
	c->peer = peer;
	*n->last = c;
	n->last = &c->next;
	n->queued++;
	return c;
}

/* ---- ports ---- */

static bool port_headers(void *ctx, peer_id peer,
			 const struct block_header *h, size_t n, bool vouched)
{
	struct sim_cmd *c = cmd_new(ctx, CMD_HEADERS, peer);

	if (!c)
		return false;
	c->h = xmemdup(h, n * sizeof *h);
	c->n = n;
	c->flag = vouched;
	return true;
}

static bool port_block(void *ctx, peer_id peer, const struct block_hash *hash,
		       struct bytes *raw, bool requested)
{
	struct sim_cmd *c = cmd_new(ctx, CMD_BLOCK, peer);

	if (!c)
		return false;
	c->hash = *hash;
	c->raw = *raw;
	*raw = (struct bytes){ 0 };
	c->flag = requested;
	return true;
}

static bool port_plan(void *ctx, const struct plan_request *req)
{
	struct sim_cmd *c = cmd_new(ctx, CMD_PLAN, 0);

	if (!c)
		return false;
	c->max = req->max;
	c->window = req->window;
	c->n = req->peer_count;
	c->peers = xcalloc(c->n + 1, sizeof(*c->peers));
	if (c->n)
		memcpy(c->peers, req->peers, c->n * sizeof(*c->peers));
	return true;
}

static bool port_serve_headers(void *ctx, peer_id peer,
			       const struct block_hash *loc, size_t n,
			       const struct block_hash *stop, size_t max)
{
	struct sim_cmd *c = cmd_new(ctx, CMD_SERVE_HEADERS, peer);

	if (!c)
		return false;
	c->locator = xcalloc(n + 1, sizeof *loc);
	if (n)
		memcpy(c->locator, loc, n * sizeof *loc);
	c->n = n;
	c->hash = *stop;
	c->max = max;
	return true;
}

static bool port_serve_block(void *ctx, peer_id peer,
			     const struct block_hash *hash, bool with_witness)
{
	struct sim_cmd *c = cmd_new(ctx, CMD_SERVE_BLOCK, peer);

	if (!c)
		return false;
	c->hash = *hash;
	c->flag = with_witness;
	return true;
}

static struct sim_conn *conn_of(struct sim_node *n, peer_id id, int *side)
{
	struct sim *s = n->sim;
	size_t i;

	for (i = 0; i < s->conns_n; i++)
		for (*side = 0; *side < 2; ++*side)
			if (s->conns[i].node[*side] == n &&
			    s->conns[i].id[*side] == id)
				return &s->conns[i];
	return NULL;
}

static void port_send(void *ctx, peer_id id, struct bytes *data TAKES)
{
	struct sim_node *n = ctx;
	struct sim *s = n->sim;
	struct sim_chunk *c;
	struct sim_pipe *pipe;
	size_t rate = s->node_rate[n->index] ? s->node_rate[n->index]
					     : s->bytes_per_ms;
	int side;
	struct sim_conn *conn = conn_of(n, id, &side);

	CHECK(conn && conn->open);
	if (n->deaf) {
		bytes_clear(data);
		return;
	}
	pipe = &conn->pipe[!side];
	c = xcalloc(1, sizeof *c);
	pipe->free_ms = MAX_OF(pipe->free_ms, s->ms) +
			(int64_t)(data->n / rate);
	c->due_ms = pipe->free_ms + s->latency_ms;
	c->data = *data;
	*data = (struct bytes){ 0 };
	pipe->queued += c->data.n;
	*pipe->last = c;
	pipe->last = &c->next;
}

static size_t port_queued(void *ctx, peer_id id)
{
	int side;
	struct sim_conn *conn = conn_of(ctx, id, &side);

	return conn ? conn->pipe[!side].queued : 0;
}

static void port_close(void *ctx, peer_id id, enum close_reason reason,
		       const char *text)
{
	int side;
	struct sim_conn *conn = conn_of(ctx, id, &side);

	(void)text;
	CHECK(conn && conn->open);
	conn->open = false;
	conn->reason = reason;
	conn->closed_by = side;
}

static void port_set_reading(void *ctx, peer_id id, bool on)
{
	int side;
	struct sim_conn *conn = conn_of(ctx, id, &side);

	CHECK(conn && conn->pipe[side].stopped == on);
	conn->pipe[side].stopped = !on;
}

static void port_dial(void *ctx, const struct dial_request *req)
{
	struct sim_node *n = ctx;
	struct sim *s = n->sim;
	struct sim_conn *c = &s->conns[s->conns_n];
	size_t i;

	CHECK(s->conns_n < SIM_CONNS);
	for (i = 0; i < s->nodes_n; i++)
		if (strcmp(s->nodes[i]->host, req->host) == 0)
			break;
	CHECK(i < s->nodes_n);
	*c = (struct sim_conn){ .node = { n, s->nodes[i] }, .closed_by = -1 };
	c->pipe[0].last = &c->pipe[0].first;
	c->pipe[1].last = &c->pipe[1].first;
	/* Answered in the next step: until then the id is the dial's. */
	c->id[0] = req->id;
	s->conns_n++;
}

static void port_random(void *ctx, void *out, size_t n)
{
	struct sim_node *node = ctx;
	uint8_t *b = out;

	while (n--)
		*b++ = (uint8_t)prng_u64(&node->sim->rng);
}

/* ---- nodes ---- */

struct sim *sim_new(void)
{
	struct sim *s = xcalloc(1, sizeof *s);
	struct sim_block *g = xcalloc(1, sizeof *g);

	s->params = chain_params_get(CHAIN_REGTEST);
	prng_seed(&s->rng, 99);
	s->unix0 = 1700000000;
	s->latency_ms = 200;
	s->last_id = 1000;       /* not to be taken for a dial */
	s->bytes_per_ms = 1000;
	map_init(&s->by_hash, &block_map, NULL);
	g->header = s->params.genesis;
	g->hash = s->params.genesis_hash;
	u256_block_work(&g->work, g->header.bits);
	block_add(s, g);
	return s;
}

struct sim_node *sim_add(struct sim *s, uint32_t min_work_blocks)
{
	struct sim_node *n = xcalloc(1, sizeof *n);
	struct p2p_options o = { .params = &s->params };
	struct p2p_ports ports = {
		.ctx = n, .send = port_send, .queued = port_queued,
		.close = port_close, .set_reading = port_set_reading,
		.dial = port_dial, .random = port_random,
		.chain_headers = port_headers, .chain_block = port_block,
		.chain_plan = port_plan,
		.chain_serve_headers = port_serve_headers,
		.chain_serve_block = port_serve_block,
	};

	u256_block_work(&o.minimum_chain_work, s->params.genesis.bits);
	u256_mul_u32(&o.minimum_chain_work, &o.minimum_chain_work,
		     min_work_blocks);
	n->minimum = o.minimum_chain_work;
	CHECK(s->nodes_n < SIM_NODES);
	n->sim = s;
	n->index = (int)s->nodes_n;
	n->last = &n->first;
	n->queue_max = 64;
	n->ibd = true;
	snprintf(n->host, sizeof n->host, "node%d", n->index);
	n->status = xcalloc(s->blocks_n, 1);
	n->status[0] = SIM_KNOWN | SIM_HAVE | SIM_LINKED;
	s->nodes[s->nodes_n++] = n;
	n->p = p2p_new(&o, &ports);
	p2p_set_time(n->p, s->ms, s->unix0 + s->ms / 1000);
	tell_tip(n, 0);
	return n;
}

static void pipe_clear(struct sim_pipe *pipe)
{
	struct sim_chunk *c;

	while ((c = pipe->first)) {
		pipe->first = c->next;
		bytes_clear(&c->data);
		free(c);
	}
	pipe->last = &pipe->first;
	pipe->queued = 0;
}

void sim_free(struct sim *s)
{
	struct sim_cmd *c;
	size_t i;

	for (i = 0; i < s->nodes_n; i++) {
		while ((c = cmd_take(s->nodes[i])))
			cmd_free(c);
		p2p_free(s->nodes[i]->p);
		free(s->nodes[i]->status);
		free(s->nodes[i]);
	}
	for (i = 0; i < s->conns_n; i++) {
		pipe_clear(&s->conns[i].pipe[0]);
		pipe_clear(&s->conns[i].pipe[1]);
	}
	map_clear(&s->by_hash);
	for (i = 0; i < s->blocks_n; i++) {
		bytes_clear(&s->blocks[i]->raw);
		free(s->blocks[i]);
	}
	free(s->blocks);
	free(s);
}

void sim_link(struct sim_node *from, struct sim_node *to)
{
	p2p_try_once(from->p, to->host, 1, CONN_MANUAL);
}

/* ---- time passes ---- */

static void conn_open(struct sim *s, struct sim_conn *c)
{
	struct peer_conn in = { .addr = "in:1" };
	struct peer_conn out = { .addr = "out:1", .dial = c->id[0] };

	out.id = c->id[0] = ++s->last_id;
	in.id = c->id[1] = ++s->last_id;
	c->open = true;
	CHECK(p2p_peer_connected(c->node[0]->p, &out));
	CHECK(p2p_peer_connected(c->node[1]->p, &in));
}

static void pipe_deliver(struct sim *s, struct sim_conn *conn, int side)
{
	struct sim_pipe *pipe = &conn->pipe[side];
	struct sim_chunk *c;
	size_t used;

	while (conn->open && !pipe->stopped && (c = pipe->first) &&
	       c->due_ms <= s->ms) {
		p2p_peer_bytes(conn->node[side]->p, conn->id[side],
			       span_of(c->data.p + c->at, c->data.n - c->at),
			       &used);
		c->at += used;
		pipe->queued -= used;
		if (c->at < c->data.n)
			break;
		pipe->first = c->next;
		if (!pipe->first)
			pipe->last = &pipe->first;
		bytes_clear(&c->data);
		free(c);
		if (conn->open)
			p2p_peer_drained(conn->node[!side]->p,
					 conn->id[!side]);
	}
}

static void conn_step(struct sim *s, struct sim_conn *c)
{
	if (!c->open && c->closed_by < 0) {
		conn_open(s, c);
		return;
	}
	if (c->open) {
		pipe_deliver(s, c, 0);
		pipe_deliver(s, c, 1);
		return;
	}
	if (c->node[!c->closed_by]) {
		p2p_peer_closed(c->node[!c->closed_by]->p,
				c->id[!c->closed_by]);
		c->node[0] = c->node[1] = NULL;
	}
}

static void step(struct sim *s)
{
	struct sim_cmd *c;
	struct sim_node *n;
	size_t i;
	int k;

	s->ms += STEP_MS;
	for (i = 0; i < s->nodes_n; i++)
		p2p_set_time(s->nodes[i]->p, s->ms, s->unix0 + s->ms / 1000);
	for (i = 0; i < s->conns_n; i++)
		conn_step(s, &s->conns[i]);
	for (i = 0; i < s->nodes_n; i++) {
		n = s->nodes[i];
		for (k = 0; k < CMDS_PER_STEP && !n->chain_stopped; k++)
			if ((c = cmd_take(n)))
				cmd_run(n, c);
		if (s->ms % 100 == 0)
			p2p_tick(n->p, s->ms, s->unix0 + s->ms / 1000);
	}
}

void sim_run(struct sim *s, int64_t ms)
{
	int64_t end = s->ms + ms;

	while (s->ms < end)
		step(s);
}

bool sim_until(struct sim_node *n, int block, int64_t ms)
{
	int64_t end = n->sim->ms + ms;

	while (n->tip != block && n->sim->ms < end)
		step(n->sim);
	return n->tip == block;
}

unsigned sim_open(const struct sim_node *n)
{
	struct p2p_totals t;

	p2p_totals(n->p, &t);
	return t.inbound + t.outbound;
}
