/*
 * The mempool's rig.
 */
#include "config.h"

#include "mempool_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mempool/linearize.h"
#include "mempool/pick.h"

/* Its witness script is OP_TRUE. */
const uint8_t rig_script[34] = {
	0x00, 0x20, 0x4a, 0xe8, 0x15, 0x72, 0xf0, 0x6e, 0x1b, 0x88, 0xfd,
	0x5c, 0xed, 0x7a, 0x1a, 0x00, 0x09, 0x45, 0x43, 0x2e, 0x83, 0xe1,
	0x55, 0x1e, 0x6f, 0x72, 0x1e, 0xe9, 0xc0, 0x0b, 0x8c, 0xc3, 0x32,
	0x60
};
static const uint8_t op_true[1] = { 0x51 };
static const struct span witness[1] = { { op_true, 1 } };

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[400];

		if (e->d_name[0] == '.' && (!e->d_name[1] ||
					    e->d_name[1] == '.'))
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (e->d_type == DT_DIR)
			remove_dir(path);
		else
			unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

static void on_connected(void *ctx, const struct header_node *n,
			 struct block *b)
{
	struct rig *r = ctx;
	clock_t start = clock();

	(void)n;
	if (r->m)
		mempool_block_connected(r->m, b);
	if (r->connect_ms)
		*r->connect_ms = (double)(clock() - start) * 1e3 /
				 CLOCKS_PER_SEC;
}

static void on_disconnected(void *ctx, const struct header_node *n,
			    struct block *b)
{
	struct rig *r = ctx;

	(void)n;
	if (r->m)
		mempool_block_disconnected(r->m, b);
}

static void on_tip(void *ctx, const struct header_node *tip, bool ibd)
{
	struct rig *r = ctx;
	struct why why;

	(void)tip;
	(void)ibd;
	CHECK(!r->m || !mempool_settle(r->m, &why));
}

static void on_added(void *ctx, const struct mempool_entry *e)
{
	struct rig *r = ctx;

	CHECK(e->sequence + 1 == mempool_sequence(r->m));
	r->added++;
}

static void on_removed(void *ctx, const struct mempool_entry *e,
		       enum mempool_removal reason, uint64_t sequence)
{
	struct rig *r = ctx;

	CHECK(e->tx && sequence <= mempool_sequence(r->m));
	r->removed[reason]++;
}

void rig_open(struct rig *r, const struct policy *policy)
{
	struct chain_options chain = {
		.params = &r->params, .dir = r->dir, .clock = &r->clock,
		.dbcache_bytes = 256 << 20, .check_all_scripts = true,
		.events = { .ctx = r, .connected = on_connected,
			    .disconnected = on_disconnected,
			    .tip = on_tip },
	};
	struct why why;

	memset(r, 0, sizeof *r);
	r->opt.clock = &r->clock;
	r->opt.events = (struct mempool_events){ r, on_added, on_removed };
	/* In memory, if there is such a place: nothing here waits for disks. */
	snprintf(r->dir, sizeof r->dir, "%s/cloister-mempool-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	CHECK(mkdtemp(r->dir));
	r->params = chain_params_get(CHAIN_REGTEST);
	clock_set_mock(&r->clock, 1700000000);
	CHECK(!chain_open(&r->chain, &chain, &why));
	r->next_coin = 1;
	for (int i = 0; i < 110; i++)
		rig_mine(r, NULL, 0);
	policy_defaults(&r->opt.policy);
	if (policy)
		r->opt.policy = *policy;
	r->opt.chain = r->chain;
	r->m = mempool_new(&r->opt);
}

void rig_empty(struct rig *r)
{
	mempool_free(r->m);
	r->m = mempool_new(&r->opt);
}

void rig_close(struct rig *r)
{
	mempool_free(r->m);
	chain_close(r->chain);
	r->chain = NULL;
	remove_dir(r->dir);
}

static struct rig *left_open;

static void close_left_open(void)
{
	if (left_open->chain)
		rig_close(left_open);
}

void rig_close_at_exit(struct rig *r)
{
	if (!left_open)
		atexit(close_left_open);
	left_open = r;
}

void rig_mine(struct rig *r, struct shared_tx *const *txs, size_t n)
{
	struct miner_job job = { .script = { rig_script, 34 } };
	struct block_result res;
	struct tx *list = xcalloc(n + 10000, sizeof *list);
	struct pick pick = { 0 };
	struct block *b;
	struct why why;

	clock_set_mock(&r->clock, chain_now(r->chain) + 60);
	for (job.tx_count = 0; job.tx_count < n; job.tx_count++)
		list[job.tx_count] = txs[job.tx_count]->tx;
	if (!txs && r->m) {
		pick_make(&pick, r->m, &pick_defaults);
		for (; job.tx_count < pick.n; job.tx_count++)
			list[job.tx_count] = *entry_tx(pick.v[job.tx_count]);
		job.fees_sat = pick.fee_sat;
	}
	job.txs = list;
	job.extra_nonce = (uint32_t)random_u64();
	CHECK(!miner_build(r->chain, &b, &job, &why));
	CHECK(!chain_submit_block(r->chain, &res, b, &why));
	CHECK(res.finding.verdict == VERDICT_OK);
	block_unref(b);
	free(list);
	pick_clear(&pick);
}

struct header_node *rig_undo(struct rig *r, int blocks)
{
	struct header_node *tip = chain_tip(r->chain), *n;
	struct why why;

	n = chain_at(r->chain, tip->height - blocks + 1);
	CHECK(!chain_invalidate(r->chain, n, &why));
	CHECK(!chain_activate(r->chain, &why));
	return n;
}

struct outpoint rig_coin(struct rig *r, int64_t *value)
{
	struct header_node *n;
	struct outpoint o = { .n = 0 };
	struct block *b;
	struct why why;

	while (chain_tip(r->chain)->height < r->next_coin + 100)
		rig_mine(r, NULL, 0);
	n = chain_at(r->chain, r->next_coin++);
	CHECK(!chain_read_block(r->chain, &b, n, &why));
	o.txid = b->tx[0].txid;
	*value = b->tx[0].out[0].value_sat;
	block_unref(b);
	return o;
}

struct shared_tx *rig_tx(const struct rig_spend *s)
{
	struct tx_in in[20] = { { .sequence = 0 } };
	struct tx_out out[201];
	struct tx tx = { .version = s->version ? s->version : 2,
			 .lock_time = s->lock_time,
			 .in_count = (uint32_t)s->ins, .in = in,
			 .out_count = (uint32_t)s->outs, .out = out,
			 .has_witness = true };
	struct bytes pad = { 0 };
	struct shared_tx *t;

	for (size_t i = 0; i < s->ins; i++)
		in[i] = (struct tx_in){
			.prevout = s->in[i], .witness_count = 1,
			.witness = witness,
			.sequence = s->sequence ? s->sequence : 0xfffffffd };
	for (size_t i = 0; i < s->outs; i++)
		out[i] = (struct tx_out){ s->out[i], { rig_script, 34 } };
	if (s->pad) {
		bytes_reserve(&pad, s->pad);
		memset(pad.p, 0, s->pad);
		pad.p[0] = 0x6a;         /* and OP_0s */
		pad.n = s->pad;
		out[tx.out_count++] = (struct tx_out){ 0, bytes_span(&pad) };
	}
	tx_finish(&tx);
	t = shared_tx_copy(&tx);
	bytes_clear(&pad);
	return t;
}

struct shared_tx *rig_pay(struct outpoint o, int64_t value, int64_t fee)
{
	const struct rig_spend s = { .in = { o }, .ins = 1,
				     .out = { value - fee }, .outs = 1 };

	return rig_tx(&s);
}

const char *rig_accept(struct rig *r, struct shared_tx *tx)
{
	static struct accept_result out;
	const struct accept_options opt = { 0 };
	struct why why;

	CHECK(!mempool_accept(r->m, &out, NULL, tx, &opt, &why));
	CHECK((out.status == ACCEPT_OK) == !out.reject.reason[0]);
	return out.reject.reason;
}

bool rig_has(const struct rig *r, const struct shared_tx *tx)
{
	return mempool_get(r->m, &tx->tx.txid) != NULL;
}

/* ---- what must hold ---- */

static void check_entry(struct rig *r, const struct mempool_entry *e)
{
	const struct tx *tx = entry_tx(e);
	uint64_t parents = 0;
	struct coin coin;
	struct why why;
	bool found;

	CHECK(mempool_get(r->m, &tx->txid) == e);
	CHECK(mempool_get_wtxid(r->m, &tx->wtxid) == e);
	CHECK(cluster_entry(e->cluster, e->slot) == e);
	for (uint32_t i = 0; i < tx->in_count; i++) {
		const struct outpoint *o = &tx->in[i].prevout;
		const struct mempool_entry *p = mempool_get(r->m, &o->txid);

		CHECK(mempool_spender(r->m, o) == e);
		if (p) {
			CHECK(p->cluster == e->cluster);
			CHECK(o->n < entry_tx(p)->out_count);
			parents |= UINT64_C(1) << p->slot;
			continue;
		}
		CHECK(!chain_get_coin(r->chain, &found, &coin, o, &why));
		CHECK(found);
	}
	CHECK(entry_parents(e) == parents);
}

/* The cluster's order: parents first, chunks falling, and no better one is
 * to be had. */
static void check_cluster(const struct cluster *c)
{
	struct linearization line;
	struct depgraph g = { .n = cluster_count(c) };
	uint64_t parents[CLUSTER_TXS_MAX], seen = 0;
	struct feerate rates[CLUSTER_TXS_MAX];
	unsigned i, k, at = 0;

	for (i = 0; i < g.n; i++) {
		const struct mempool_entry *e = cluster_entry(c, i);

		parents[i] = entry_parents(e);
		g.rate[i] = (struct feerate){ entry_modified_fee(e),
					      e->weight_wu };
		e = cluster_at(c, i);
		CHECK(!(entry_parents(e) & ~seen));
		seen |= UINT64_C(1) << e->slot;
	}
	depgraph_close(g.ancestors, parents, g.n);
	for (k = 0; k < cluster_chunk_count(c); k++) {
		const struct chunk *chunk = cluster_chunk(c, k);
		struct feerate sum = { 0, 0 };

		for (i = 0; i < chunk_count(chunk); i++) {
			const struct mempool_entry *e = chunk_tx(chunk, i);

			CHECK(e == cluster_at(c, at++));
			CHECK(entry_chunk(e) == chunk);
			sum = feerate_add(sum, g.rate[e->slot]);
		}
		rates[k] = chunk_feerate(chunk);
		CHECK(sum.fee_sat == rates[k].fee_sat &&
		      sum.weight_wu == rates[k].weight_wu);
		CHECK(k == 0 || feerate_cmp(rates[k - 1], rates[k]) >= 0);
	}
	CHECK(at == g.n);
	linearize(&line, &g);
	CHECK(diagram_cmp(rates, k, line.chunk_rate, line.chunk_count) == 0);
}

void rig_check(struct rig *r)
{
	const struct mempool_entry *e;
	const struct chunk *k, *last = NULL;
	int64_t vsize = 0, fee = 0;
	size_t pos = 0, n = 0, in_chunks = 0;

	while ((e = mempool_next(r->m, &pos))) {
		check_entry(r, e);
		if (e->slot == 0)
			check_cluster(e->cluster);
		vsize += entry_vsize(e);
		fee += e->fee_sat;
		n++;
	}
	for (k = mempool_best_chunk(r->m); k; k = mempool_next_chunk(k)) {
		CHECK(!last || feerate_cmp(chunk_feerate(last),
					   chunk_feerate(k)) >= 0);
		in_chunks += chunk_count(k);
		last = k;
	}
	CHECK(n == mempool_count(r->m) && n == in_chunks);
	CHECK(vsize == mempool_total_vsize(r->m));
	CHECK(fee == mempool_total_fee(r->m));
	CHECK(n || !mempool_best_chunk(r->m));
}
