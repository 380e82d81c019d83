/*
 * A chain to measure with: blocks for regtest that obey every rule, from a
 * fixed seed, so that the same arguments always give the same bytes.
 *
 *   bench_chain sig|nosig|day FILE [SCALE]
 *
 * First a hundred empty blocks; then blocks that split those coinbases into
 * the first coins; then traffic, whose shape is in the tables below.  What it
 * holds is printed as JSON.  SCALE multiplies coins and traffic.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "consensus/block_check.h"
#include "consensus/params.h"
#include "consensus/script.h"
#include "consensus/witness_commitment.h"
#include "crypto/hash.h"
#include "tests/bench/bench_coin.h"

#define SEED UINT64_C(0x636c6f6973746572)
#define KEYS 65536
#define MATURITY 100
#define SPLITS 40                /* at scale 1: blocks that make coins */
#define MAX_WEIGHT_WU (MAX_BLOCK_WEIGHT_WU - 8000)
#define MAX_INPUTS 5
#define MAX_THREADS 64

/* Cumulative, in hundredths. */
struct share {
	unsigned upto, value;
};

static const struct share forms[] = {
	{ 45, FORM_P2WPKH }, { 73, FORM_P2TR }, { 88, FORM_P2PKH },
	{ 94, FORM_P2SH_P2WPKH }, { 100, FORM_P2WSH },
};
static const struct share inputs[] = {
	{ 60, 1 }, { 85, 2 }, { 95, 3 }, { 100, 5 },
};
static const struct share outputs[] = {
	{ 15, 1 }, { 85, 2 }, { 95, 3 }, { 100, 8 },
};

struct kind {
	const char *name;
	bool signatures;
	uint32_t blocks;         /* of traffic, at scale 1 */
	uint32_t txs_per_block;
	uint32_t split_into;
};

static const struct kind kinds[] = {
	{ "sig", true, 106, 1888, 2930 },
	{ "nosig", false, 125, 5600, 9250 },
	{ "day", true, 194, 2000, 2930 },
};

/* Unspent ones, oldest first, with holes that are closed now and then. */
struct live {
	struct bench_coin *list;
	size_t n, cap, holes;
};

struct maker {
	const struct kind *kind;
	struct chain_params params;
	uint64_t random;
	struct bench_keys keys;
	struct live live;
	struct bench_ids ids;
	uint32_t tx_count, tx_cap;
	struct bench_coin coinbases[MATURITY];
	FILE *file;
	uint32_t height;
	struct block_hash tip;
	uint64_t n_in, n_out, n_bytes, n_ecdsa, n_schnorr;
};

/* The transactions of one block. */
struct work {
	struct maker *m;
	struct bench_tx *txs;
	uint32_t count;
	_Atomic uint32_t next;
	int64_t fees;
};

static uint64_t next_random(struct maker *m)
{
	uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t below(struct maker *m, uint64_t n)
{
	return next_random(m) % n;
}

static unsigned draw(struct maker *m, const struct share *s)
{
	uint64_t r = below(m, 100);

	while (r >= s->upto)
		s++;
	return s->value;
}

/* ---- coins -------------------------------------------------------------- */

static void live_add(struct live *l, const struct bench_coin *c)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 4096;
		l->list = xrealloc(l->list, l->cap * sizeof(*l->list));
	}
	l->list[l->n++] = *c;
}

static void live_compact(struct live *l)
{
	size_t to = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].value_sat >= 0)
			l->list[to++] = l->list[i];
	l->n = to;
	l->holes = 0;
}

/* 60 % of spends are of the newest 5 % of coins, the rest of any. */
static struct bench_coin live_take(struct maker *m)
{
	struct live *l = &m->live;
	bool recent = below(m, 100) < 60;
	struct bench_coin c;
	size_t i;

	if (l->holes > l->n / 16)
		live_compact(l);
	CHECK(l->n > l->holes + 100);
	do {
		size_t span = recent ? l->n / 20 + 1 : l->n;

		i = l->n - 1 - below(m, span);
		recent = recent && below(m, 64) != 0;
	} while (l->list[i].value_sat < 0);
	c = l->list[i];
	l->list[i].value_sat = -1;
	l->holes++;
	return c;
}

static struct bench_coin coin_new(struct maker *m, uint32_t tx, uint32_t n,
				  int64_t value_sat)
{
	return (struct bench_coin){
		.value_sat = value_sat, .tx = tx, .n = (uint16_t)n,
		.key = (uint32_t)next_random(m),
		.form = m->kind->signatures ? (uint8_t)draw(m, forms)
					    : FORM_FREE,
	};
}

/* ---- plans -------------------------------------------------------------- */

static uint32_t number_next(struct maker *m)
{
	CHECK(m->tx_count < m->tx_cap);
	return m->tx_count++;
}

/* Share out what the inputs hold, less a fee; all parts may be spent. */
static void plan_outputs(struct work *w, struct bench_tx *t, uint32_t count)
{
	struct maker *m = w->m;
	int64_t left = 0, fee = (int64_t)below(m, 1000);

	for (uint32_t i = 0; i < t->in_count; i++)
		left += t->in[i].value_sat;
	fee = MIN_OF(fee, left / 50);
	w->fees += fee;
	left -= fee;
	t->out = xcalloc(count, sizeof(*t->out));
	t->out_count = count;
	for (uint32_t i = 0; i < count; i++) {
		int64_t even = left / (count - i), part = left;

		if (i + 1 < count)
			part = even / 2 + (int64_t)below(m, (uint64_t)even + 1);
		part = MIN_OF(part, left);
		t->out[i] = coin_new(m, t->number, i, part);
		left -= part;
	}
}

static void count_tx(struct maker *m, const struct bench_tx *t)
{
	m->n_in += t->in_count;
	for (uint32_t i = 0; i < t->in_count; i++)
		bench_coin_verifications(&t->in[i], &m->n_ecdsa,
					 &m->n_schnorr);
}

static void plan_tx(struct work *w, struct bench_tx *t)
{
	struct maker *m = w->m;

	t->number = number_next(m);
	t->in_count = draw(m, inputs);
	t->in = xcalloc(t->in_count, sizeof(*t->in));
	for (uint32_t i = 0; i < t->in_count; i++)
		t->in[i] = live_take(m);
	plan_outputs(w, t, draw(m, outputs));
	for (uint32_t i = 0; i < t->out_count; i++)
		live_add(&m->live, &t->out[i]);
	count_tx(m, t);
}

/* A coinbase, now mature, into many coins. */
static void plan_split(struct work *w, struct bench_tx *t)
{
	struct maker *m = w->m;

	t->number = number_next(m);
	t->in_count = 1;
	t->in = xmemdup(&m->coinbases[m->height % MATURITY], sizeof(*t->in));
	plan_outputs(w, t, m->kind->split_into);
	for (uint32_t i = 0; i < t->out_count; i++)
		live_add(&m->live, &t->out[i]);
	count_tx(m, t);
}

/* ---- blocks ------------------------------------------------------------- */

/* Transactions are begun in order, so nobody waits for one not begun. */
static void *build_some(void *arg)
{
	struct work *w = arg;
	uint32_t i;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->count) {
		struct arena a = { 0 };

		bench_tx_build(&w->txs[i], &w->m->keys, &w->m->ids, &a);
		arena_clear(&a);
	}
	return NULL;
}

static void build_all(struct work *w)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[MAX_THREADS];
	size_t n = (size_t)MIN_OF(MAX_OF(cores, 1), MAX_THREADS);

	atomic_store(&w->next, 0);
	for (size_t i = 1; i < n; i++)
		CHECK(!pthread_create(&threads[i], NULL, build_some, w));
	build_some(w);
	for (size_t i = 1; i < n; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

static void commitment(struct span *out, const struct work *w,
		       struct arena *a)
{
	uint8_t (*leaves)[32] = xcalloc(w->count + 1, 32);
	uint8_t both[64] = { 0 };
	uint8_t *s = arena_alloc(a, WITNESS_COMMITMENT_BYTES);

	for (uint32_t i = 0; i < w->count; i++)
		memcpy(leaves[i + 1], w->txs[i].wtxid.b, 32);
	merkle_root(both, (const uint8_t (*)[32])leaves, w->count + 1);
	free(leaves);
	memcpy(s, "\x6a\x24\xaa\x21\xa9\xed", 6);
	sha256d(s + 6, both, sizeof(both));
	*out = span_of(s, WITNESS_COMMITMENT_BYTES);
}

static void coinbase_build(struct maker *m, struct tx *tx,
			   const struct work *w, struct arena *a)
{
	static const uint8_t nonce[32];
	static const struct span witness = { nonce, sizeof(nonce) };
	struct bench_coin *c = &m->coinbases[m->height % MATURITY];
	struct bytes sig = { 0 };

	memset(tx, 0, sizeof(*tx));
	tx->version = 1;
	tx->in = arena_calloc(a, 1, sizeof(*tx->in));
	tx->in_count = 1;
	tx->in[0].prevout.n = UINT32_MAX;
	tx->in[0].sequence = TX_SEQUENCE_FINAL;
	tx->in[0].witness = &witness;
	tx->in[0].witness_count = 1;
	script_push_number(&sig, m->height);
	script_push_op(&sig, OP_0);      /* at least two bytes */
	tx->in[0].script_sig = arena_copy(a, bytes_span(&sig));
	bytes_clear(&sig);
	*c = coin_new(m, number_next(m), 0,
		      block_subsidy_sat(&m->params, (int)m->height) +
		      w->fees);
	tx->out = arena_calloc(a, 2, sizeof(*tx->out));
	tx->out_count = 2;
	tx->out[0].value_sat = c->value_sat;
	tx->out[0].script_pubkey = bench_coin_script(&m->keys, c->form,
						     c->key, a);
	commitment(&tx->out[1].script_pubkey, w, a);
	tx_finish(tx);
	m->ids.list[c->tx] = tx->txid;
	atomic_store(&m->ids.ready[c->tx], 1);
}

static void header_mine(struct maker *m, struct block_header *h,
			const struct work *w, const struct tx *coinbase)
{
	uint8_t (*leaves)[32] = xcalloc(w->count + 1, 32);

	memcpy(leaves[0], coinbase->txid.b, 32);
	for (uint32_t i = 0; i < w->count; i++)
		memcpy(leaves[i + 1], m->ids.list[w->txs[i].number].b, 32);
	merkle_root(h->merkle_root, (const uint8_t (*)[32])leaves,
		    w->count + 1);
	free(leaves);
	h->version = 0x20000000;
	h->prev = m->tip;
	h->time = m->params.genesis.time + 600 * m->height;
	h->bits = m->params.genesis.bits;
	for (h->nonce = 0;; h->nonce++) {
		block_header_hash(&m->tip, h);
		if (pow_ok(&m->params, &m->tip, h->bits))
			break;
	}
}

static void block_append(struct maker *m, const struct bytes *b)
{
	struct bytes head = { 0 };

	bytes_append(&head, m->params.magic, 4);
	write_u32(&head, (uint32_t)b->n);
	if (fwrite(head.p, 1, head.n, m->file) != head.n ||
	    fwrite(b->p, 1, b->n, m->file) != b->n) {
		fprintf(stderr, "bench_chain: writing: %s\n",
			strerror(errno));
		exit(1);
	}
	m->n_bytes += head.n + b->n;
	bytes_clear(&head);
}

static void block_finish(struct work *w)
{
	struct maker *m = w->m;
	struct bytes b = { 0 };
	struct arena a = { 0 };
	struct block_header h = { 0 };
	struct tx coinbase;
	uint64_t weight = 0;

	build_all(w);
	coinbase_build(m, &coinbase, w, &a);
	header_mine(m, &h, w, &coinbase);
	block_header_write(&b, &h);
	write_compact(&b, w->count + 1);
	tx_write(&b, &coinbase, true);
	for (uint32_t i = 0; i < w->count; i++) {
		weight += w->txs[i].weight_wu;
		m->n_out += w->txs[i].out_count;
		write_span(&b, bytes_span(&w->txs[i].raw));
	}
	CHECK(weight < MAX_WEIGHT_WU);
	m->n_out += 1;
	block_append(m, &b);
	bytes_clear(&b);
	arena_clear(&a);
}

/* txs traffic, after a split if there is one. */
static void block_make(struct maker *m, bool split, uint32_t txs)
{
	struct work w = { .m = m, .count = txs + split };

	m->height++;
	w.txs = xcalloc((size_t)w.count + 1, sizeof(*w.txs));
	if (split)
		plan_split(&w, &w.txs[0]);
	for (uint32_t i = split; i < w.count; i++)
		plan_tx(&w, &w.txs[i]);
	block_finish(&w);
	for (uint32_t i = 0; i < w.count; i++) {
		free(w.txs[i].in);
		free(w.txs[i].out);
		bytes_clear(&w.txs[i].raw);
	}
	free(w.txs);
}

/* ---- the whole ---------------------------------------------------------- */

static void make_chain(struct maker *m, uint32_t scale)
{
	uint32_t blocks = m->kind->blocks * scale, i;

	m->tip = m->params.genesis_hash;
	for (i = 0; i < MATURITY; i++)
		block_make(m, false, 0);
	for (i = 0; i < SPLITS * scale; i++)
		block_make(m, true, 0);
	for (i = 0; i < blocks; i++)
		block_make(m, false, m->kind->txs_per_block);
}

static void print_facts(const struct maker *m, uint32_t scale)
{
	char tip[65];

	hash_to_rpc_hex(tip, m->tip.b);
	printf("{\"kind\": \"%s\", \"scale\": %u, \"blocks\": %u, "
	       "\"txs\": %u, \"inputs\": %llu, \"outputs\": %llu, "
	       "\"coins\": %zu, \"bytes\": %llu, \"ecdsa\": %llu, "
	       "\"schnorr\": %llu, \"tip\": \"%s\"}\n", m->kind->name, scale,
	       m->height, m->tx_count, (unsigned long long)m->n_in,
	       (unsigned long long)m->n_out, m->live.n - m->live.holes,
	       (unsigned long long)m->n_bytes, (unsigned long long)m->n_ecdsa,
	       (unsigned long long)m->n_schnorr, tip);
}

static void make(const struct kind *kind, const char *path, uint32_t scale)
{
	struct maker m = { .kind = kind, .random = SEED };

	m.params = chain_params_get(CHAIN_REGTEST);
	m.tx_cap = (kind->blocks * (kind->txs_per_block + 1) + 2 * SPLITS) *
		   scale + MATURITY;
	m.ids.list = xcalloc(m.tx_cap, sizeof(*m.ids.list));
	m.ids.ready = xcalloc(m.tx_cap, 1);
	m.file = fopen(path, "wb");
	if (!m.file) {
		fprintf(stderr, "bench_chain: %s: %s\n", path,
			strerror(errno));
		exit(1);
	}
	if (kind->signatures)
		bench_keys_init(&m.keys, SEED, KEYS);
	make_chain(&m, scale);
	if (fclose(m.file)) {
		fprintf(stderr, "bench_chain: %s: %s\n", path,
			strerror(errno));
		exit(1);
	}
	print_facts(&m, scale);
	bench_keys_clear(&m.keys);
	free(m.live.list);
	free(m.ids.list);
	free((void *)m.ids.ready);
}

int main(int argc, char **argv)
{
	long scale = argc == 4 ? strtol(argv[3], NULL, 10) : 1;
	size_t i;

	for (i = 0; argc >= 3 && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			break;
	if (argc < 3 || argc > 4 || i == ARRAY_SIZE(kinds) || scale < 1 ||
	    scale > 64) {
		fprintf(stderr, "usage: bench_chain sig|nosig|day FILE [SCALE]\n"
			"SCALE: 1 to 64\n");
		return 2;
	}
	make(&kinds[i], argv[2], (uint32_t)scale);
	return 0;
}
