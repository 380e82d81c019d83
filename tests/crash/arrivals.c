/*
 * The generated chain: a hundred coinbases, then blocks full of coins made
 * and spent, and every now and then a branch that overtakes, or does not.
 */
#include "config.h"

#include "tests/crash/workload.h"
#include "tests/unit/validation_fix.h"

#include "base/file.h"
#include "base/random.h"
#include "base/reader.h"
#include "base/writer.h"

#include <stdio.h>

#define MATURE 100
#define SPENDS 24
#define OUTPUTS 40
#define DATA_BYTES 220

/* An output of the chain being made, by the heights it lives at. */
struct coin_made {
	struct outpoint o;
	int64_t value;
	int made, spent;         /* spent 0: not yet */
	bool coinbase;
};

struct maker {
	struct fix f;
	struct prng rng;
	struct coin_made *coins;
	size_t n;
	struct header_node *tip; /* of the chain that will win */
	struct bytes out;
	uint32_t salt;
};

static void coin_note(struct maker *m, const struct tx *tx, uint32_t n,
		      int height, bool coinbase)
{
	struct coin_made c = { .o = { tx->txid, n },
			       .value = tx->out[n].value_sat,
			       .made = height, .coinbase = coinbase };

	m->coins = xrealloc(m->coins, (m->n + 1) * sizeof(*m->coins));
	m->coins[m->n++] = c;
}

static void roll_back(struct maker *m, int height)
{
	while (m->n && m->coins[m->n - 1].made > height)
		m->n--;
	for (size_t i = 0; i < m->n; i++)
		if (m->coins[i].spent > height)
			m->coins[i].spent = 0;
}

static struct coin_made *coin_pick(struct maker *m, int height,
				   bool coinbase)
{
	for (int tries = 0; m->n && tries < 400; tries++) {
		struct coin_made *c = &m->coins[prng_below(&m->rng, m->n)];

		if (!c->spent && c->coinbase == coinbase &&
		    c->made <= height - (coinbase ? MATURE : 1)) {
			c->spent = height;
			return c;
		}
	}
	return NULL;
}

/* A coinbase becomes many outputs with a long script each. */
static void add_fan_out(struct maker *m, struct draft *d)
{
	struct coin_made *c = coin_pick(m, d->height, true);
	uint8_t script[DATA_BYTES + 4] = { 0x4c, DATA_BYTES };
	struct tx *tx;

	if (!c)
		return;
	tx = draft_pay(d, &c->o, c->value);
	for (size_t i = 0; i < DATA_BYTES; i++)
		script[2 + i] = (uint8_t)prng_u64(&m->rng);
	script[DATA_BYTES + 2] = 0x75;
	script[DATA_BYTES + 3] = 0x51;
	tx->out = arena_calloc(&d->a, OUTPUTS, sizeof(*tx->out));
	tx->out_count = OUTPUTS;
	for (size_t i = 0; i < OUTPUTS; i++) {
		tx->out[i].value_sat = c->value / OUTPUTS;
		tx->out[i].script_pubkey =
			arena_copy(&d->a, span_of(script, sizeof(script)));
	}
	tx_finish(tx);
}

static void add_spends(struct maker *m, struct draft *d)
{
	for (int i = 0; i < SPENDS; i++) {
		struct coin_made *c = coin_pick(m, d->height, false);

		if (c)
			draft_pay(d, &c->o, c->value);
	}
}

static void note_outputs(struct maker *m, const struct block *b, int height)
{
	for (uint32_t t = 0; t < b->tx_count; t++)
		for (uint32_t n = 0; n < b->tx[t].out_count; n++)
			if (b->tx[t].out[n].value_sat)
				coin_note(m, &b->tx[t], n, height, t == 0);
}

static struct header_node *make_block(struct maker *m,
				      struct header_node *parent, bool full)
{
	struct block_result res;
	struct draft d;
	struct block *b;

	draft_init(&d, &m->f, parent);
	d.txs[0].lock_time = ++m->salt;
	if (full) {
		add_fan_out(m, &d);
		add_spends(m, &d);
	}
	b = draft_seal(&d);
	fix_ok(&m->f, chain_accept_block(m->f.chain, &res, b, true,
					 &m->f.why));
	assert_int_equal(res.finding.verdict, VERDICT_OK);
	bytes_append(&m->out, m->f.params.magic, 4);
	write_u32(&m->out, (uint32_t)b->raw.n);
	bytes_append(&m->out, b->raw.p, b->raw.n);
	if (full)
		note_outputs(m, b, res.node->height);
	block_unref(b);
	fix_ok(&m->f, chain_activate(m->f.chain, &m->f.why));
	return res.node;
}

static void make_branch(struct maker *m, bool overtakes)
{
	int depth = 1 + (int)prng_below(&m->rng, 7);
	struct header_node *fork, *n;

	fork = chain_at(m->f.chain, m->tip->height - depth);
	n = fork;
	if (overtakes)
		roll_back(m, fork->height);
	for (int i = 0; i < depth + (overtakes ? 1 : 0); i++)
		n = make_block(m, n, overtakes);
	if (overtakes)
		m->tip = n;
}

static void write_whole(const char *dir, const char *name, struct span data)
{
	char *path = path_join(dir, name);
	struct why why;

	if (file_replace(path, data, 0600, &why))
		fail_msg("%s", why.text);
	free(path);
}

void arrivals_make(const char *dir, uint64_t seed, int blocks)
{
	struct maker m = { .salt = 0 };
	char expect[130];

	fix_open(&m.f, CHAIN_REGTEST, 0);
	prng_seed(&m.rng, seed);
	m.tip = chain_tip(m.f.chain);
	for (int i = 0; i < blocks; i++) {
		m.tip = make_block(&m, m.tip, true);
		if (i > MATURE && prng_below(&m.rng, 12) == 0)
			make_branch(&m, prng_below(&m.rng, 3) > 0);
	}
	assert_ptr_equal(chain_tip(m.f.chain), m.tip);
	hash_to_rpc_hex(expect, m.tip->hash.b);
	expect[64] = ' ';
	memcpy(expect + 65, fix_muhash(&m.f), 65);
	write_whole(dir, "blocks.dat", bytes_span(&m.out));
	write_whole(dir, "expect", span_of(expect, 129));
	bytes_clear(&m.out);
	free(m.coins);
	fix_close(&m.f);
}

static void read_whole(struct bytes *out, const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	struct why why;

	if (file_read(out, path, (size_t)1 << 30, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(2);
	}
	free(path);
}

void arrivals_load(struct arrivals *a, const char *dir)
{
	struct bytes all = { 0 }, expect = { 0 };
	struct reader r;

	memset(a, 0, sizeof(*a));
	read_whole(&all, dir, "blocks.dat");
	read_whole(&expect, dir, "expect");
	r = reader_of(bytes_span(&all));
	while (reader_left(&r)) {
		struct bytes own = { 0 };
		struct span raw;

		read_u32(&r);            /* magic */
		raw = read_span(&r, read_u32(&r));
		bytes_append(&own, raw.p, raw.n);
		a->list = xrealloc(a->list,
				   (a->n + 1) * sizeof(struct block *));
		a->list[a->n] = block_decode(&own);
		CHECK(a->list[a->n++]);
	}
	expect.p[64] = '\0';
	CHECK(hash_from_rpc_hex(a->tip.b, (const char *)expect.p));
	memcpy(a->muhash, expect.p + 65, 64);
	a->muhash[64] = '\0';
	bytes_clear(&all);
	bytes_clear(&expect);
}
