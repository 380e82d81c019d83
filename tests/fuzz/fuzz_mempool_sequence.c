/*
 * Transactions into a pool on a real chain, in any shape and order, with
 * blocks, steps back, priorities, packages and the clock between them; after
 * each step everything that must hold is counted anew.
 *
 * Input: a byte for what to do, then what that needs.
 */
#include "config.h"

#include <stdlib.h>

#include "base/reader.h"
#include "tests/unit/mempool_rig.h"

#define TXS_MAX 48
#define STEPS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct world {
	struct rig r;
	bool may_move;                   /* this input may move the chain */
	bool moved;                      /* the chain is not as at first */
	struct shared_tx *tx[TXS_MAX];   /* whatever was made */
	size_t n;
	struct outpoint coin[4];
	int64_t value[4];
};

/* An output of some transaction made before, or one of four coins. */
static struct outpoint some_output(struct world *w, struct reader *in,
				   int64_t *value)
{
	unsigned which = read_u8(in), i;

	if (!w->n || which < 40) {
		*value = w->value[which % 4];
		return w->coin[which % 4];
	}
	i = which % (unsigned)w->n;
	which = read_u8(in) % w->tx[i]->tx.out_count;
	*value = w->tx[i]->tx.out[which].value_sat;
	return rig_out(w->tx[i], which);
}

static struct shared_tx *make_tx(struct world *w, struct reader *in)
{
	struct rig_spend s = { .ins = 1 + read_u8(in) % 3,
			       .outs = 1 + read_u8(in) % 3 };
	uint8_t kind = read_u8(in);
	int64_t sum = 0, value;

	for (size_t i = 0; i < s.ins; i++) {
		s.in[i] = some_output(w, in, &value);
		sum += value;
	}
	sum -= (int64_t)read_u16(in) * (kind & 1 ? 1 : 16);
	s.version = kind & 2 ? 3 : 2;
	s.pad = kind & 4 ? (size_t)read_u16(in) % 3000 + 2 : 0;
	s.sequence = kind & 8 ? read_u8(in) % 8 + 1u : 0;
	s.lock_time = kind & 16 ? 105 + read_u8(in) % 8u : 0;
	for (size_t i = 0; i < s.outs; i++)
		s.out[i] = kind & 32 && i ? (int64_t)read_u8(in) * 4
					  : MAX_OF(sum / (int64_t)s.outs, 0);
	return rig_tx(&s);
}

static void keep(struct world *w, struct shared_tx *tx)
{
	if (w->n < TXS_MAX)
		w->tx[w->n++] = tx;
	else
		shared_tx_unref(tx);
}

static void submit(struct world *w, struct reader *in)
{
	struct shared_tx *txs[3];
	struct accept_options opt = { .test = read_u8(in) & 1 };
	struct package_result out;
	struct tx_list gone = { 0 };
	size_t n = 1 + read_u8(in) % 3, i;
	uint64_t before = mempool_sequence(w->r.m);
	struct why why;

	for (i = 0; i < n; i++) {
		txs[i] = make_tx(w, in);
		keep(w, shared_tx_ref(txs[i]));
	}
	CHECK(!mempool_accept_package(w->r.m, &out, &gone, txs, n, &opt,
				      &why));
	for (i = 0; i < n; i++) {
		if (out.tx[i].status == ACCEPT_OK && !opt.test)
			CHECK(rig_has(&w->r, txs[i]));
		shared_tx_unref(txs[i]);
	}
	CHECK(!opt.test || before == mempool_sequence(w->r.m));
	package_result_clear(&out);
	tx_list_clear(&gone);
}

static void step(struct world *w, struct reader *in)
{
	struct shared_tx *tx;

	switch (read_u8(in) % 10) {
	case 0:
		if (!w->may_move)
			break;
		w->moved = true;
		rig_mine(&w->r, NULL, 0);
		break;
	case 1:
		if (!w->may_move)
			break;
		w->moved = true;
		if (chain_tip(w->r.chain)->height > 104)
			rig_undo(&w->r, 1 + read_u8(in) % 2);
		break;
	case 2:
		if (w->n)
			mempool_prioritise(w->r.m,
				&w->tx[read_u8(in) % w->n]->tx.txid,
				(int64_t)read_u64(in));
		break;
	case 3:
		clock_set_mock(&w->r.clock, chain_now(w->r.chain) +
			       read_u16(in));
		mempool_limit(w->r.m);
		break;
	case 4:
		submit(w, in);
		break;
	case 5:
		if (w->n)
			(void)rig_accept(&w->r,
					 w->tx[read_u8(in) % w->n]);
		break;
	default:
		tx = make_tx(w, in);
		(void)rig_accept(&w->r, tx);
		keep(w, tx);
	}
	rig_check(&w->r);
}

/* A chain is made anew only where the last input moved it. */
static void prepare(struct world *w, const struct policy *policy)
{
	if (w->r.chain && w->moved)
		rig_close(&w->r);
	if (!w->r.chain || w->moved) {
		rig_open(&w->r, policy);
		for (int i = 0; i < 4; i++)
			w->coin[i] = rig_coin(&w->r, &w->value[i]);
		rig_close_at_exit(&w->r);
	}
	w->moved = false;
	w->r.opt.policy = *policy;
	rig_empty(&w->r);
	clock_set_mock(&w->r.clock, chain_tip(w->r.chain)->time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader in = reader_of(span_of(data, n));
	static struct world w;
	struct policy policy;

	policy_defaults(&policy);
	policy.max_memory_bytes = 20000 + 500 * (size_t)read_u8(&in);
	policy.expiry_s = 4 * 3600;
	policy.cluster_count = 1 + read_u8(&in) % 12;
	/* Few do: a new chain takes a hundred times as long as the rest. */
	w.may_move = read_u8(&in) % 8 == 0;
	prepare(&w, &policy);
	for (int i = 0; i < STEPS_MAX && reader_left(&in); i++)
		step(&w, &in);
	while (w.n)
		shared_tx_unref(w.tx[--w.n]);
	return 0;
}
