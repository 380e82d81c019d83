/*
 * The mempool's costs, as JSON on one line:
 *
 *   bench_mempool [TRANSACTIONS [MEGABYTES]]
 *
 * Signed transactions (P2WPKH, 1 to 3 inputs) are decoded and accepted on
 * one thread: CPU time over verifications * T.  A block of 4000 of them is
 * connected.  Then a pool of so many megabytes (unsigned, 2 kB each) is
 * filled, flooded with replacements, and a block is picked from it.  All
 * times are CPU time of the one thread that does it.
 */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "consensus/script.h"
#include "consensus/sighash.h"
#include "crypto/hash.h"
#include "crypto/secp.h"
#include "mempool/pick.h"
#include "tests/unit/mempool_rig.h"

#define FAN 20000                /* coins a block makes */
#define COIN_VALUE 100000
#define BLOCK_TXS 4000
#define REPLACEMENTS 20000

static const uint8_t key[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* One ECDSA verification on this thread. */
static double measure_t(void)
{
	uint8_t msg[32] = { 9 }, pub[33], sig[73];
	double us[9], start;
	size_t n;

	CHECK(secp_pubkey_create(pub, key));
	CHECK(secp_ecdsa_sign(sig, &n, msg, key));
	for (int r = 0; r < 9; r++) {
		start = cpu_us();
		for (int i = 0; i < 500; i++)
			CHECK(secp_ecdsa_verify(msg, span_of(sig, n),
						span_of(pub, 33)));
		us[r] = (cpu_us() - start) / 500;
	}
	qsort(us, 9, sizeof *us, by_value);
	return us[4];
}

/* ---- coins ---- */

struct coins_list {
	struct txid *txids;              /* of transactions of FAN outputs */
	size_t n;                        /* coins */
};

static struct outpoint coin_at(const struct coins_list *l, size_t i)
{
	return (struct outpoint){ l->txids[i / FAN], (uint32_t)(i % FAN) };
}

/* A block with one transaction of FAN outputs of this script. */
static struct txid make_fan(struct rig *r, struct span script)
{
	static const uint8_t op_true[1] = { 0x51 };
	const struct span witness = { op_true, 1 };
	struct tx_in in = { .sequence = 0xffffffff, .witness_count = 1,
			    .witness = &witness };
	struct tx_out *out = xcalloc(FAN, sizeof *out);
	struct tx tx = { .version = 2, .in_count = 1, .in = &in,
			 .out_count = FAN, .out = out, .has_witness = true };
	struct shared_tx *t;
	struct txid id;
	int64_t value;

	in.prevout = rig_coin(r, &value);
	for (size_t i = 0; i < FAN; i++)
		out[i] = (struct tx_out){ COIN_VALUE, script };
	tx_finish(&tx);
	t = shared_tx_copy(&tx);
	rig_mine(r, &t, 1);
	id = t->tx.txid;
	shared_tx_unref(t);
	free(out);
	return id;
}

static struct coins_list make_coins(struct rig *r, struct span script,
				    size_t n)
{
	size_t fans = (n + FAN - 1) / FAN;
	struct coins_list l = { xcalloc(fans, sizeof *l.txids), fans * FAN };

	for (size_t i = 0; i < fans; i++)
		l.txids[i] = make_fan(r, script);
	return l;
}

/* ---- signed ---- */

struct raws {
	struct bytes *v;
	size_t n, inputs;
};

static void sign(struct spend *s, struct span code, struct span *w,
		 uint8_t sig[static 73], const uint8_t pub[static 33])
{
	uint8_t msg[32];
	size_t n;

	sighash_v0(msg, s, code, SIGHASH_ALL);
	CHECK(secp_ecdsa_sign(sig, &n, msg, key));
	sig[n++] = SIGHASH_ALL;
	w[0] = span_of(sig, n);
	w[1] = span_of(pub, 33);
	s->tx->in[s->in].witness = w;
	s->tx->in[s->in].witness_count = 2;
}

/* The raw bytes of one that spends `ins` coins from the at-th on. */
static void make_signed(struct bytes *out, const struct coins_list *l,
			size_t at, size_t ins, struct span script)
{
	struct tx_in in[3] = { { .sequence = 0 } };
	struct tx_out spent[3], to = { 0, script };
	struct tx tx = { .version = 2, .in_count = (uint32_t)ins, .in = in,
			 .out_count = 1, .out = &to, .has_witness = true };
	struct span w[3][2];
	uint8_t sig[3][73], pub[33], code[25] = { OP_DUP, OP_HASH160, 20 };
	struct sighash_cache cache;
	struct spend s = { .tx = &tx, .spent = spent, .cache = &cache };

	CHECK(secp_pubkey_create(pub, key));
	hash160(code + 3, pub, sizeof pub);
	code[23] = OP_EQUALVERIFY;
	code[24] = OP_CHECKSIG;
	for (size_t i = 0; i < ins; i++) {
		in[i] = (struct tx_in){ .prevout = coin_at(l, at + i),
					.sequence = 0xfffffffd };
		in[i].witness_count = 1; /* so that its hashes are made */
		in[i].witness = w[i];
		w[i][0] = span_of(pub, 1);
		spent[i] = (struct tx_out){ COIN_VALUE, script };
	}
	to.value_sat = COIN_VALUE * (int64_t)ins - 500 -
		       (int64_t)(at * 7919 % 5000);
	sighash_cache_init(&cache, &tx, spent);
	for (s.in = 0; s.in < ins; s.in++)
		sign(&s, span_of(code, sizeof code), w[s.in], sig[s.in],
		     pub);
	tx_write(out, &tx, true);
}

static struct raws make_all_signed(struct rig *r, size_t n)
{
	uint8_t script[22] = { OP_0, 20 }, pub[33];
	struct raws raws = { xcalloc(n, sizeof *raws.v), n, 0 };
	struct coins_list l;

	CHECK(secp_pubkey_create(pub, key));
	hash160(script + 2, pub, sizeof pub);
	l = make_coins(r, span_of(script, 22), 2 * n);
	for (size_t i = 0; i < n; i++) {
		size_t ins = i % 20 < 12 ? 1 : i % 20 < 17 ? 2 : 3;

		make_signed(&raws.v[i], &l, raws.inputs, ins,
			    span_of(script, 22));
		raws.inputs += ins;
	}
	free(l.txids);
	return raws;
}

static size_t heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Decoding and scripts alone: what acceptance cannot do without. */
static double bare_us(const struct raws *raws)
{
	uint8_t script[22] = { OP_0, 20 }, pub[33];
	struct tx_out spent[3];
	double start = cpu_us();

	CHECK(secp_pubkey_create(pub, key));
	hash160(script + 2, pub, sizeof pub);
	for (int i = 0; i < 3; i++)
		spent[i] = (struct tx_out){ COIN_VALUE, { script, 22 } };
	for (size_t i = 0; i < raws->n; i++) {
		struct shared_tx *t =
			shared_tx_decode(bytes_span(&raws->v[i]));
		struct sighash_cache cache;
		enum script_error e;

		sighash_cache_init(&cache, &t->tx, spent);
		for (uint32_t k = 0; k < t->tx.in_count; k++)
			CHECK(script_verify(&t->tx, k, spent,
					    POLICY_SCRIPT_FLAGS, &cache,
					    &e));
		shared_tx_unref(t);
	}
	return (cpu_us() - start) / (double)raws->n;
}

static void bench_accept(struct rig *r, size_t n)
{
	struct raws raws = make_all_signed(r, n);
	const struct accept_options opt = { 0 };
	static struct accept_result out;
	double bare = bare_us(&raws), t = measure_t(), start, spent;
	size_t heap = heap_bytes();
	struct why why;

	start = cpu_us();
	for (size_t i = 0; i < n; i++) {
		struct shared_tx *tx =
			shared_tx_decode(bytes_span(&raws.v[i]));

		CHECK(!mempool_accept(r->m, &out, NULL, tx, &opt, &why));
		if (out.status != ACCEPT_OK) {
			fprintf(stderr, "%s\n", out.reject.reason);
			exit(1);
		}
		shared_tx_unref(tx);
	}
	spent = cpu_us() - start;
	t = (t + measure_t()) / 2;
	printf("{\"txs\": %zu, \"inputs\": %zu, \"t_us\": %.2f, "
	       "\"accept_us_per_tx\": %.2f, \"bare_us_per_tx\": %.2f, "
	       "\"ratio\": %.3f, "
	       "\"memory_per_tx\": %zu, \"heap_per_tx\": %zu, ",
	       n, raws.inputs, t, spent / (double)n, bare,
	       spent / ((double)raws.inputs * t), mempool_memory(r->m) / n,
	       (heap_bytes() - heap) / n);
	for (size_t i = 0; i < n; i++)
		bytes_clear(&raws.v[i]);
	free(raws.v);
}

/* ---- a block of what is known ---- */

static double connect_ms;        /* what the event took, of the last block */

static void bench_block(struct rig *r)
{
	struct miner_job job = { .script = { rig_script, 34 } };
	struct tx *txs = xcalloc(BLOCK_TXS, sizeof *txs);
	struct pick pick;
	struct block_result res;
	struct bytes raw = { 0 };
	struct block *b;
	struct why why;
	double start;

	pick_make(&pick, r->m, &pick_defaults);
	for (; job.tx_count < MIN_OF(pick.n, (size_t)BLOCK_TXS);
	     job.tx_count++) {
		txs[job.tx_count] = *entry_tx(pick.v[job.tx_count]);
		job.fees_sat += pick.v[job.tx_count]->fee_sat;
	}
	job.txs = txs;
	CHECK(!miner_build(r->chain, &b, &job, &why));
	bytes_append(&raw, b->raw.p, b->raw.n);
	block_unref(b);
	start = cpu_us();
	b = block_decode(&raw);
	CHECK(!chain_submit_block(r->chain, &res, b, &why));
	CHECK(res.finding.verdict == VERDICT_OK);
	printf("\"block_txs\": %zu, \"block_ms\": %.1f, "
	       "\"block_mempool_ms\": %.2f, ", job.tx_count,
	       (cpu_us() - start) / 1e3, connect_ms);
	block_unref(b);
	free(txs);
	pick_clear(&pick);
}

/* ---- full, and flooded ---- */

static struct shared_tx *padded(struct outpoint o, int64_t fee)
{
	struct rig_spend s = { .in = { o }, .ins = 1, .outs = 1,
			       .out = { COIN_VALUE - fee }, .pad = 2000 };

	return rig_tx(&s);
}

static double timed_accept(struct rig *r, struct shared_tx *tx)
{
	double start = cpu_us();

	(void)rig_accept(r, tx);
	return (cpu_us() - start) / 1e3;
}

static void bench_flood(struct rig *r, const struct coins_list *l, size_t n)
{
	double *ms = xcalloc(REPLACEMENTS, sizeof *ms);
	struct prng p;
	size_t replaced = r->removed[REMOVED_REPLACED];

	prng_seed(&p, 5);
	for (size_t i = 0; i < REPLACEMENTS; i++) {
		struct shared_tx *t = padded(coin_at(l, prng_below(&p, n)),
					     10000 + 2 * (int64_t)i);

		ms[i] = timed_accept(r, t);
		shared_tx_unref(t);
	}
	qsort(ms, REPLACEMENTS, sizeof *ms, by_value);
	printf("\"replaced\": %zu, \"evicted\": %zu, \"flood_p50_ms\": %.3f, "
	       "\"flood_p99_ms\": %.3f, \"flood_max_ms\": %.2f, ",
	       r->removed[REMOVED_REPLACED] - replaced,
	       r->removed[REMOVED_SIZE_LIMIT], ms[REPLACEMENTS / 2],
	       ms[REPLACEMENTS * 99 / 100], ms[REPLACEMENTS - 1]);
	free(ms);
}

/* Chains of 64, each replaced from its middle: the costliest clusters. */
static void bench_chains(struct rig *r, const struct coins_list *l,
			 size_t from, size_t chains)
{
	double *ms = xcalloc(chains * 64, sizeof *ms);
	size_t n = 0;

	for (size_t c = 0; c < chains; c++) {
		struct outpoint o = coin_at(l, from + c);
		int64_t value = COIN_VALUE;

		for (int i = 0; i < 64; i++) {
			int64_t fee = 1000 + (i * 613 % 97) * 4;
			struct shared_tx *t = rig_pay(o, value, fee);

			ms[n++] = timed_accept(r, t);
			o = rig_out(t, 0);
			value -= fee;
			shared_tx_unref(t);
		}
	}
	qsort(ms, n, sizeof *ms, by_value);
	printf("\"chain_p99_ms\": %.3f, \"chain_max_ms\": %.3f, ",
	       ms[n * 99 / 100], ms[n - 1]);
	free(ms);
}

static void bench_full(struct rig *r, size_t megabytes)
{
	size_t n = megabytes * 1000000 / 2500, i;
	struct coins_list l = make_coins(r, span_of(rig_script, 34), n + 200);
	struct pick pick;
	size_t heap = heap_bytes();
	double start;

	for (i = 0; i < n; i++) {
		struct shared_tx *t = padded(coin_at(&l, i), 3000 +
					     (int64_t)(i * 31 % 4001));

		(void)rig_accept(r, t);
		shared_tx_unref(t);
	}
	printf("\"full_txs\": %zu, \"full_mb\": %zu, \"full_heap_mb\": %zu, ",
	       mempool_count(r->m), mempool_memory(r->m) / 1000000,
	       (heap_bytes() - heap) / 1000000);
	bench_flood(r, &l, n);
	bench_chains(r, &l, n, 100);
	start = cpu_us();
	pick_make(&pick, r->m, &pick_defaults);
	printf("\"pick_ms\": %.2f, \"picked\": %zu}\n",
	       (cpu_us() - start) / 1e3, pick.n);
	pick_clear(&pick);
	rig_check(r);
	free(l.txids);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	size_t mb = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;
	struct rig r;

	if (n < BLOCK_TXS) {
		fprintf(stderr, "usage: bench_mempool [TRANSACTIONS (at "
			"least %d) [MEGABYTES]]\n", BLOCK_TXS);
		return 2;
	}
	rig_open(&r, NULL);
	r.connect_ms = &connect_ms;
	bench_accept(&r, n);
	bench_block(&r);
	fflush(stdout);
	rig_empty(&r);
	bench_full(&r, mb);
	rig_close(&r);
	return 0;
}
