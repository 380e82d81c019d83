/*
 * One job type per question.  run() is on the chain thread, done() on the
 * loop thread.
 */
#include "config.h"

#include "node/chain_port_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* A block off the active chain may be shown while it is this young. */
#define STALE_BLOCK_AGE_S (30 * 24 * 3600)
/* A peer may not have heard of our newest blocks. */
#define PRUNED_SERVE_SLACK 2

struct chain_port *chain_port_new(struct actor *actor)
{
	struct chain_port *cp = xcalloc(1, sizeof *cp);

	cp->actor = actor;
	cp->refs = 1;
	return cp;
}

void chain_port_set_engine(struct chain_port *cp, struct p2p *p2p)
{
	cp->p2p = p2p;
}

void chain_port_unref(struct chain_port *cp)
{
	if (cp && --cp->refs == 0)
		free(cp);
}

bool chain_port_post(struct chain_port *cp, struct port_job *j, peer_id peer)
{
	j->port = cp;
	j->peer = peer;
	if (!actor_post(cp->actor, &j->job))
		return false;
	cp->refs++;
	return true;
}

/* ---- headers ---- */

struct headers_job {
	struct port_job base;
	struct block_header *headers;
	size_t n;
	bool vouched;
	bool answered;
	struct headers_reply reply;
	char reason[160];
};

static void headers_run(struct job *job, void *owner)
{
	struct headers_job *j = CONTAINER_OF(job, struct headers_job, base.job);
	struct chain_owner *o = owner;
	struct headers_reply *r = &j->reply;
	struct headers_result res;
	struct header_node *start;
	struct why why;
	bool more;

	if (!chain_usable(o))
		return;
	if (chain_accept_headers(o->chain, &res, j->headers, j->n, j->vouched,
				 &why)) {
		chain_owner_trouble(o, &why);
		return;
	}
	r->peer = j->base.peer;
	r->verdict = res.finding.verdict;
	finding_text(j->reason, &res.finding, true);
	r->reason = j->reason;
	r->given = j->n;
	r->accepted = res.accepted;
	r->new_headers = res.new_headers;
	start = chain_lookup(o->chain, &j->headers[0].prev);
	if (start) {
		r->has_start = true;
		header_point_of(&r->start, start);
		r->start_bits = start->bits;
		r->start_mtp = header_node_mtp(start);
	}
	if (res.last) {
		header_point_of(&r->last, res.last);
		r->common_height = header_node_fork(
			res.last, chain_best_header(o->chain))->height;
	}
	j->answered = true;
	chain_owner_step(o, &more);
	chain_owner_tell(o, true);
}

static void headers_done(struct job *job)
{
	struct headers_job *j = CONTAINER_OF(job, struct headers_job, base.job);

	if (j->answered && j->base.port->p2p)
		p2p_on_headers_result(j->base.port->p2p, &j->reply);
	chain_port_unref(j->base.port);
	free(j->headers);
	free(j);
}

bool chain_port_headers(struct chain_port *cp, peer_id peer,
			const struct block_header *h, size_t n, bool vouched)
{
	struct headers_job *j = xcalloc(1, sizeof *j);

	CHECK(n > 0);
	j->base.job.run = headers_run;
	j->base.job.done = headers_done;
	j->headers = xmemdup(h, n * sizeof *h);
	j->n = n;
	j->vouched = vouched;
	if (chain_port_post(cp, &j->base, peer))
		return true;
	free(j->headers);
	free(j);
	return false;
}

/* ---- a block ---- */

struct block_job {
	struct port_job base;
	struct bytes raw;
	bool requested;
	bool answered;
	struct block_reply reply;
	char reason[160];
};

static void block_accept(struct block_job *j, struct chain_owner *o)
{
	struct block *b = block_decode(&j->raw);
	struct block_reply *r = &j->reply;
	struct block_result res;
	struct why why;
	bool more;

	r->height = -1;
	if (!b) {
		r->verdict = VERDICT_MALFORMED;
		r->reason = verdict_reason(VERDICT_MALFORMED);
		j->answered = true;
		return;
	}
	if (chain_accept_block(o->chain, &res, b, j->requested, &why)) {
		chain_owner_trouble(o, &why);
		goto out;
	}
	r->hash = b->hash;
	r->verdict = res.finding.verdict;
	finding_text(j->reason, &res.finding, true);
	r->reason = j->reason;
	r->is_new = res.is_new;
	if (res.node)
		r->height = res.node->height;
	j->answered = true;
	/* One step for one block, so that connecting keeps pace. */
	chain_owner_step(o, &more);
out:
	block_unref(b);
}

static void block_run(struct job *job, void *owner)
{
	struct block_job *j = CONTAINER_OF(job, struct block_job, base.job);
	struct chain_owner *o = owner;

	j->reply.peer = j->base.peer;
	if (chain_usable(o))
		block_accept(j, o);
}

static void block_done(struct job *job)
{
	struct block_job *j = CONTAINER_OF(job, struct block_job, base.job);

	if (j->answered && j->base.port->p2p)
		p2p_on_block_result(j->base.port->p2p, &j->reply);
	chain_port_unref(j->base.port);
	bytes_clear(&j->raw);
	free(j);
}

bool chain_port_block(struct chain_port *cp, peer_id peer,
		      const struct block_hash *hash, struct bytes *raw,
		      bool requested)
{
	struct block_job *j = xcalloc(1, sizeof *j);

	j->base.job.run = block_run;
	j->base.job.done = block_done;
	j->reply.hash = *hash;
	j->requested = requested;
	j->raw = *raw;
	if (!chain_port_post(cp, &j->base, peer)) {
		free(j);
		return false;
	}
	memset(raw, 0, sizeof *raw);
	return true;
}

/* ---- what to download next ---- */

struct plan_job {
	struct port_job base;
	size_t max;
	int window;
	bool answered;
	struct plan_peer *peers;
	struct plan_block *blocks;
	struct plan_reply reply;
};

static void plan_peer_fill(struct plan_peer *p, struct chain *c)
{
	struct header_node *n = chain_lookup(c, &p->best);

	p->known = n != NULL;
	if (!n)
		return;
	header_point_of(&p->point, n);
	p->common_height = header_node_fork(n, chain_best_header(c))->height;
}

/* Blocks on branches of peers, for all of them together. */
#define BRANCH_BLOCKS_MAX 64
#define BRANCH_PEER_MAX 16

static bool is_planned(const struct plan_block *list, size_t n,
		       const struct header_node *node)
{
	while (n-- > 0)
		if (block_hash_eq(&list[n].hash, &node->hash))
			return true;
	return false;
}

/*
 * The best header's blocks may be withheld, or may be no good in a way that
 * says nothing against the header: a peer's other branch is worth having if
 * it would be no step back.
 */
static size_t plan_branch(struct chain *c, const struct plan_peer *p,
			  struct plan_block *out, size_t n)
{
	struct header_node *nodes[BRANCH_PEER_MAX];
	const struct header_node *best = chain_best_header(c);
	const struct header_node *at = chain_lookup(c, &p->best);
	size_t i, count, first = n;

	if (!at || header_node_is_ancestor(at, best) ||
	    u256_cmp(&at->chain_work, &chain_tip(c)->chain_work) < 0)
		return 0;
	count = chain_missing_towards(c, at, nodes, BRANCH_PEER_MAX,
				      BRANCH_PEER_MAX);
	for (i = 0; i < count && n < BRANCH_BLOCKS_MAX; i++) {
		if (header_node_is_ancestor(nodes[i], best) ||
		    is_planned(out, n, nodes[i]))
			continue;
		out[n].hash = nodes[i]->hash;
		out[n].height = nodes[i]->height;
		out[n++].only = p->peer;
	}
	return n - first;
}

static void plan_run(struct job *job, void *owner)
{
	struct plan_job *j = CONTAINER_OF(job, struct plan_job, base.job);
	struct chain_owner *o = owner;
	struct header_node **nodes;
	size_t n, branches = 0;

	if (!chain_usable(o))
		return;
	nodes = xcalloc(j->max + 1, sizeof(*nodes));
	n = chain_missing_blocks(o->chain, nodes, j->max, j->window);
	j->blocks = xcalloc(n + BRANCH_BLOCKS_MAX, sizeof *j->blocks);
	for (size_t i = 0; i < n; i++) {
		j->blocks[i].hash = nodes[i]->hash;
		j->blocks[i].height = nodes[i]->height;
	}
	free(nodes);
	for (size_t i = 0; i < j->reply.peer_count; i++) {
		plan_peer_fill(&j->peers[i], o->chain);
		branches += plan_branch(o->chain, &j->peers[i], j->blocks + n,
					branches);
	}
	header_point_of(&j->reply.best_header, chain_best_header(o->chain));
	j->reply.blocks = j->blocks;
	j->reply.block_count = n + branches;
	j->reply.peers = j->peers;
	j->answered = true;
}

static void plan_done(struct job *job)
{
	struct plan_job *j = CONTAINER_OF(job, struct plan_job, base.job);

	if (j->answered && j->base.port->p2p)
		p2p_on_plan(j->base.port->p2p, &j->reply);
	chain_port_unref(j->base.port);
	free(j->peers);
	free(j->blocks);
	free(j);
}

bool chain_port_plan(struct chain_port *cp, const struct plan_request *req)
{
	struct plan_job *j = xcalloc(1, sizeof *j);

	j->base.job.run = plan_run;
	j->base.job.done = plan_done;
	j->max = req->max;
	j->window = req->window;
	j->peers = xcalloc(req->peer_count + 1, sizeof *j->peers);
	if (req->peer_count)
		memcpy(j->peers, req->peers,
		       req->peer_count * sizeof *j->peers);
	j->reply.peer_count = req->peer_count;
	if (chain_port_post(cp, &j->base, 0))
		return true;
	free(j->peers);
	free(j);
	return false;
}

/* ---- headers for a peer ---- */

struct serve_headers_job {
	struct port_job base;
	struct block_hash *locator;
	size_t n;
	struct block_hash stop;
	size_t max;
	struct bytes raw;
	size_t count;
};

static void serve_one_header(struct serve_headers_job *j,
			     const struct header_node *n)
{
	struct block_header h;

	header_node_header(&h, n);
	block_header_write(&j->raw, &h);
	j->count++;
}

static void serve_headers_run(struct job *job, void *owner)
{
	struct serve_headers_job *j =
		CONTAINER_OF(job, struct serve_headers_job, base.job);
	struct chain_owner *o = owner;
	struct header_node *n;

	if (!chain_usable(o))
		return;
	if (j->n == 0) {
		n = chain_lookup(o->chain, &j->stop);
		if (n && chain_contains(o->chain, n))
			serve_one_header(j, n);
		return;
	}
	n = chain_find_locator(o->chain, j->locator, j->n);
	while (j->count < j->max &&
	       (n = chain_at(o->chain, n->height + 1)) != NULL) {
		serve_one_header(j, n);
		if (block_hash_eq(&n->hash, &j->stop))
			break;
	}
}

static void serve_headers_done(struct job *job)
{
	struct serve_headers_job *j =
		CONTAINER_OF(job, struct serve_headers_job, base.job);

	if (j->base.port->p2p)
		p2p_on_served_headers(j->base.port->p2p, j->base.peer,
				      bytes_span(&j->raw), j->count);
	chain_port_unref(j->base.port);
	bytes_clear(&j->raw);
	free(j->locator);
	free(j);
}

bool chain_port_serve_headers(struct chain_port *cp, peer_id peer,
			      const struct serve_headers_request *req)
{
	struct serve_headers_job *j = xcalloc(1, sizeof *j);

	j->base.job.run = serve_headers_run;
	j->base.job.done = serve_headers_done;
	if (req->n)
		j->locator = xmemdup(req->locator,
				     req->n * sizeof *req->locator);
	j->n = req->n;
	j->stop = *req->stop;
	j->max = req->max;
	if (chain_port_post(cp, &j->base, peer))
		return true;
	free(j->locator);
	free(j);
	return false;
}

/* ---- a block for a peer ---- */

struct serve_block_job {
	struct port_job base;
	struct block_hash hash;
	bool with_witness;
	struct bytes raw;
};

/* As in the reference node, so that old side branches are no fingerprint. */
static bool may_show(struct chain *c, const struct header_node *n)
{
	const struct header_node *best = chain_best_header(c);

	if (!(n->status & BLOCK_HAVE_DATA))
		return false;
	/* What is left below is no business of others, nor promised. */
	if (chain_prune_mode(c) &&
	    chain_tip(c)->height - n->height > CHAIN_PRUNE_KEEP +
					       PRUNED_SERVE_SLACK)
		return false;
	if (chain_contains(c, n))
		return true;
	return (n->status & BLOCK_VALID_MASK) >= BLOCK_VALID_SCRIPTS &&
	       !(n->status & (BLOCK_FAILED | BLOCK_FAILED_CHILD)) &&
	       (int64_t)best->time - n->time < STALE_BLOCK_AGE_S;
}

/* The block as peers without BIP144 know it. */
static enum err read_stripped(struct bytes *raw, struct chain *c,
			      const struct header_node *n, struct why *why)
{
	struct block *b;
	enum err e = chain_read_block(c, &b, n, why);

	if (e)
		return e;
	block_header_write(raw, &b->header);
	write_compact(raw, b->tx_count);
	for (uint32_t i = 0; i < b->tx_count; i++)
		tx_write(raw, &b->tx[i], false);
	block_unref(b);
	return ERR_NONE;
}

static void serve_block_run(struct job *job, void *owner)
{
	struct serve_block_job *j =
		CONTAINER_OF(job, struct serve_block_job, base.job);
	struct chain_owner *o = owner;
	struct header_node *n;
	struct why why;

	if (!chain_usable(o))
		return;
	n = chain_lookup(o->chain, &j->hash);
	if (!n || !may_show(o->chain, n))
		return;
	if (j->with_witness ? chain_read_raw(o->chain, &j->raw, n, &why)
			    : read_stripped(&j->raw, o->chain, n, &why)) {
		bytes_clear(&j->raw);
		/* A damaged one can be had again, not by this peer now. */
		if (why.err != ERR_STATE)
			chain_owner_trouble(o, &why);
	}
}

static void serve_block_done(struct job *job)
{
	struct serve_block_job *j =
		CONTAINER_OF(job, struct serve_block_job, base.job);

	if (j->base.port->p2p)
		p2p_on_served_block(j->base.port->p2p, j->base.peer, &j->hash,
				    &j->raw);
	chain_port_unref(j->base.port);
	bytes_clear(&j->raw);
	free(j);
}

bool chain_port_serve_block(struct chain_port *cp, peer_id peer,
			    const struct block_hash *hash, bool with_witness)
{
	struct serve_block_job *j = xcalloc(1, sizeof *j);

	j->base.job.run = serve_block_run;
	j->base.job.done = serve_block_done;
	j->hash = *hash;
	j->with_witness = with_witness;
	if (chain_port_post(cp, &j->base, peer))
		return true;
	free(j);
	return false;
}
