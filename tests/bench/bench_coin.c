/*
 * Output scripts of the forms that the chain uses, and transactions that
 * spend them with real signatures.
 */
#include "config.h"

#include "tests/bench/bench_coin.h"

#include <sched.h>
#include <stdlib.h>

#include "consensus/script.h"
#include "consensus/sighash.h"
#include "crypto/hash.h"
#include "crypto/secp.h"

/* ---- keys and scripts --------------------------------------------------- */

void bench_keys_init(struct bench_keys *k, uint64_t seed, uint32_t count)
{
	k->list = xcalloc(count, sizeof(*k->list));
	k->count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct bench_key *key = &k->list[i];
		uint64_t in[2] = { seed, i };

		sha256(key->secret, in, sizeof(in));
		CHECK(secp_pubkey_create(key->pubkey, key->secret));
		hash160(key->hash, key->pubkey, sizeof(key->pubkey));
	}
}

void bench_keys_clear(struct bench_keys *k)
{
	free(k->list);
}

static const struct bench_key *key_at(const struct bench_keys *k, uint32_t i)
{
	return &k->list[i % k->count];
}

static struct span finish(struct bytes *b, struct arena *a)
{
	struct span s = arena_copy(a, bytes_span(b));

	bytes_clear(b);
	return s;
}

static struct span p2pkh_script(const struct bench_key *key, struct arena *a)
{
	struct bytes b = { 0 };

	script_push_op(&b, OP_DUP);
	script_push_op(&b, OP_HASH160);
	script_push_data(&b, span_of(key->hash, sizeof(key->hash)));
	script_push_op(&b, OP_EQUALVERIFY);
	script_push_op(&b, OP_CHECKSIG);
	return finish(&b, a);
}

static struct span program(unsigned version, const void *p, size_t n,
			   struct arena *a)
{
	struct bytes b = { 0 };

	script_push_number(&b, (int64_t)version);
	script_push_data(&b, span_of(p, n));
	return finish(&b, a);
}

static struct span p2sh_script(struct span redeem, struct arena *a)
{
	struct bytes b = { 0 };
	uint8_t h[20];

	hash160(h, redeem.p, redeem.n);
	script_push_op(&b, OP_HASH160);
	script_push_data(&b, span_of(h, sizeof(h)));
	script_push_op(&b, OP_EQUAL);
	return finish(&b, a);
}

static struct span multisig_script(const struct bench_keys *k, uint32_t key,
				   struct arena *a)
{
	struct bytes b = { 0 };

	script_push_number(&b, 2);
	for (uint32_t i = 0; i < 3; i++)
		script_push_data(&b, span_of(key_at(k, key + i)->pubkey, 33));
	script_push_number(&b, 3);
	script_push_op(&b, OP_CHECKMULTISIG);
	return finish(&b, a);
}

/* Four bytes that make it one of many, dropped; then true. */
static struct span free_script(uint32_t key, struct arena *a)
{
	struct bytes b = { 0 };

	script_push_data(&b, span_of(&key, sizeof(key)));
	script_push_op(&b, OP_DROP);
	script_push_op(&b, OP_1);
	return finish(&b, a);
}

struct span bench_coin_script(const struct bench_keys *k, enum coin_form form,
			      uint32_t key, struct arena *a)
{
	const struct bench_key *own;
	struct span inner;
	uint8_t h[32];

	if (form == FORM_FREE)
		return free_script(key, a);
	own = key_at(k, key);
	if (form == FORM_P2PKH)
		return p2pkh_script(own, a);
	if (form == FORM_P2TR)
		return program(1, own->pubkey + 1, 32, a);
	if (form == FORM_P2WPKH)
		return program(0, own->hash, 20, a);
	if (form == FORM_P2SH_P2WPKH)
		return p2sh_script(program(0, own->hash, 20, a), a);
	inner = multisig_script(k, key, a);
	sha256(h, inner.p, inner.n);
	return program(0, h, 32, a);
}

void bench_coin_signers(const struct bench_coin *c, unsigned out[static 2])
{
	unsigned absent = c->key % 3;

	out[0] = absent == 0 ? 1 : 0;
	out[1] = absent == 2 ? 1 : 2;
}

void bench_coin_verifications(const struct bench_coin *c, uint64_t *ecdsa,
			      uint64_t *schnorr)
{
	if (c->form == FORM_P2TR)
		*schnorr += 1;
	else if (c->form == FORM_P2WSH)
		*ecdsa += c->key % 3 == 0 ? 2 : 3; /* from the last key on */
	else if (c->form != FORM_FREE)
		*ecdsa += 1;
}

/* ---- signing ------------------------------------------------------------ */

/* One transaction being built. */
struct build {
	const struct bench_tx *plan;
	const struct bench_keys *keys;
	struct arena *a;
	struct tx tx;
	struct tx_out *spent;
	struct span **witness;           /* by input */
	struct sighash_cache cache;
};

static struct span sign_ecdsa(struct build *b, uint32_t in, struct span code,
			      const struct bench_key *key, bool legacy)
{
	const struct spend s = { &b->tx, in, b->spent, &b->cache };
	uint8_t msg[32], sig[73];
	size_t n;

	if (legacy)
		sighash_legacy(msg, &s, code, SIGHASH_ALL);
	else
		sighash_v0(msg, &s, code, SIGHASH_ALL);
	CHECK(secp_ecdsa_sign(sig, &n, msg, key->secret));
	sig[n++] = SIGHASH_ALL;
	return arena_copy(b->a, span_of(sig, n));
}

static struct span sign_schnorr(struct build *b, uint32_t in,
				const struct bench_key *key)
{
	const struct spend s = { &b->tx, in, b->spent, &b->cache };
	static const uint8_t aux[32];
	struct sighash_tap tap = { 0 };
	uint8_t msg[32], sig[64];

	CHECK(sighash_taproot(msg, &s, &tap, SIGHASH_DEFAULT));
	CHECK(secp_schnorr_sign(sig, msg, key->secret, aux));
	return arena_copy(b->a, span_of(sig, sizeof(sig)));
}

/* Filled with the right number of empty elements before any is signed: the
 * shared hashes depend on which inputs have one. */
static struct span *witness_of(const struct build *b, uint32_t in)
{
	return b->witness[in];
}

static void sign_multisig(struct build *b, uint32_t in,
			  const struct bench_coin *c)
{
	struct span *w = witness_of(b, in);
	unsigned who[2];

	w[3] = multisig_script(b->keys, c->key, b->a);
	bench_coin_signers(c, who);
	for (int i = 0; i < 2; i++)
		w[1 + i] = sign_ecdsa(b, in, w[3],
				      key_at(b->keys, c->key + who[i]), false);
}

static void sign_p2pkh(struct build *b, uint32_t in,
		       const struct bench_key *key)
{
	struct bytes s = { 0 };

	script_push_data(&s, sign_ecdsa(b, in, p2pkh_script(key, b->a), key,
					true));
	script_push_data(&s, span_of(key->pubkey, 33));
	b->tx.in[in].script_sig = finish(&s, b->a);
}

static void sign_p2wpkh(struct build *b, uint32_t in,
			const struct bench_key *key)
{
	struct span *w = witness_of(b, in);

	w[0] = sign_ecdsa(b, in, p2pkh_script(key, b->a), key, false);
	w[1] = span_of(key->pubkey, 33);
}

/* Where a P2SH program is pushed: no signature covers it. */
static void push_redeem(struct build *b, uint32_t in,
			const struct bench_key *key)
{
	struct bytes s = { 0 };

	script_push_data(&s, program(0, key->hash, 20, b->a));
	b->tx.in[in].script_sig = finish(&s, b->a);
}

static void sign_input(struct build *b, uint32_t in)
{
	const struct bench_coin *c = &b->plan->in[in];
	const struct bench_key *key;

	if (c->form == FORM_FREE)
		return;
	key = key_at(b->keys, c->key);
	switch ((enum coin_form)c->form) {
	case FORM_P2SH_P2WPKH:
		push_redeem(b, in, key);
		sign_p2wpkh(b, in, key);
		break;
	case FORM_P2WPKH:
		sign_p2wpkh(b, in, key);
		break;
	case FORM_P2TR:
		witness_of(b, in)[0] = sign_schnorr(b, in, key);
		break;
	case FORM_P2PKH:
		sign_p2pkh(b, in, key);
		break;
	case FORM_P2WSH:
		sign_multisig(b, in, c);
		break;
	case FORM_FREE:
		break;
	}
}

/* ---- a transaction ------------------------------------------------------ */

static const uint32_t witness_counts[] = {
	[FORM_P2WPKH] = 2, [FORM_P2TR] = 1, [FORM_P2PKH] = 0,
	[FORM_P2SH_P2WPKH] = 2, [FORM_P2WSH] = 4, [FORM_FREE] = 0,
};

static void fill_inputs(struct build *b, const struct bench_ids *ids)
{
	const struct bench_tx *p = b->plan;

	b->tx.in = arena_calloc(b->a, p->in_count, sizeof(*b->tx.in));
	b->tx.in_count = p->in_count;
	b->spent = arena_calloc(b->a, p->in_count, sizeof(*b->spent));
	b->witness = arena_calloc(b->a, p->in_count, sizeof(*b->witness));
	for (uint32_t i = 0; i < p->in_count; i++) {
		const struct bench_coin *c = &p->in[i];

		while (!atomic_load_explicit(&ids->ready[c->tx],
					     memory_order_acquire))
			sched_yield();
		b->tx.in[i].prevout.txid = ids->list[c->tx];
		b->tx.in[i].prevout.n = c->n;
		b->tx.in[i].sequence = TX_SEQUENCE_FINAL - 2;
		b->spent[i].value_sat = c->value_sat;
		b->spent[i].script_pubkey =
			bench_coin_script(b->keys, c->form, c->key, b->a);
		b->tx.in[i].witness_count = witness_counts[c->form];
		b->witness[i] = arena_calloc(b->a, witness_counts[c->form],
					     sizeof(*b->witness[i]));
		b->tx.in[i].witness = b->witness[i];
	}
}

static void fill_outputs(struct build *b)
{
	const struct bench_tx *p = b->plan;

	b->tx.out = arena_calloc(b->a, p->out_count, sizeof(*b->tx.out));
	b->tx.out_count = p->out_count;
	for (uint32_t i = 0; i < p->out_count; i++) {
		b->tx.out[i].value_sat = p->out[i].value_sat;
		b->tx.out[i].script_pubkey =
			bench_coin_script(b->keys, p->out[i].form,
					  p->out[i].key, b->a);
	}
}

void bench_tx_build(struct bench_tx *t, const struct bench_keys *k,
		    struct bench_ids *ids, struct arena *a)
{
	struct build b = { .plan = t, .keys = k, .a = a };

	b.tx.version = 2;
	fill_inputs(&b, ids);
	fill_outputs(&b);
	sighash_cache_init(&b.cache, &b.tx, b.spent);
	for (uint32_t i = 0; i < t->in_count; i++)
		sign_input(&b, i);
	tx_finish(&b.tx);
	tx_write(&t->raw, &b.tx, true);
	t->weight_wu = tx_weight(&b.tx);
	t->wtxid = b.tx.wtxid;
	ids->list[t->number] = b.tx.txid;
	atomic_store_explicit(&ids->ready[t->number], 1,
			      memory_order_release);
}
