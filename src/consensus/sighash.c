/*
 * Messages of ECDSA signatures: the original one and BIP143's.  Everything
 * is streamed into the hash: no copy of the transaction is ever made.
 */
#include "config.h"

#include "consensus/sighash.h"

#include "consensus/hash_field_priv.h"
#include "consensus/script.h"

static bool is_single(uint32_t hash_type)
{
	return (hash_type & 0x1f) == SIGHASH_SINGLE;
}

static bool is_none(uint32_t hash_type)
{
	return (hash_type & 0x1f) == SIGHASH_NONE;
}

static bool anyone_can_pay(uint32_t hash_type)
{
	return hash_type & SIGHASH_ANYONECANPAY;
}

/* ---- the original message -------------------------------------------- */

/*
 * The code without its OP_CODESEPARATORs.  A malformed tail is hashed as far
 * as reading it got: such a script fails anyway, but vectors see the hash.
 */
static void hash_code(struct sha256 *h, struct span code)
{
	struct script_iter it = script_iter_of(code);
	const uint8_t *from = code.p, *stop;
	struct script_op op;
	size_t separators = 0;
	uint8_t t[9];

	while (script_next(&it, &op))
		separators += op.code == OP_CODESEPARATOR;
	stop = it.p;
	sha256_update(h, t, put_compact(t, code.n - separators));
	it = script_iter_of(code);
	while (separators && script_next(&it, &op)) {
		if (op.code != OP_CODESEPARATOR)
			continue;
		sha256_update(h, from, (size_t)(it.p - 1 - from));
		from = it.p;
		separators--;
	}
	if (stop != from)
		sha256_update(h, from, (size_t)(stop - from));
}

static void legacy_inputs(struct sha256 *h, const struct spend *s,
			  struct span code, uint32_t hash_type)
{
	const struct tx *tx = s->tx;
	bool all = !anyone_can_pay(hash_type);
	/* NONE and SINGLE let others change their sequence numbers. */
	bool blank = is_none(hash_type) || is_single(hash_type);
	uint32_t i = all ? 0 : s->in, end = all ? tx->in_count : s->in + 1;
	uint8_t t[41];
	size_t n;

	sha256_update(h, t, put_compact(t, end - i));
	for (; i < end; i++) {
		const struct tx_in *in = &tx->in[i];

		n = put_outpoint(t, &in->prevout);
		if (i == s->in) {
			sha256_update(h, t, n);
			hash_code(h, code);
			hash_u32(h, in->sequence);
			continue;
		}
		t[n++] = 0;     /* an empty script */
		n += put_u32(t + n, blank ? 0 : in->sequence);
		sha256_update(h, t, n);
	}
}

static void legacy_outputs(struct sha256 *h, const struct spend *s,
			   uint32_t hash_type)
{
	static const struct tx_out null_out = { -1, { NULL, 0 } };
	const struct tx *tx = s->tx;
	bool single = is_single(hash_type);
	uint32_t n = is_none(hash_type) ? 0 :
		     single ? s->in + 1 : tx->out_count, i;
	uint8_t t[9];

	sha256_update(h, t, put_compact(t, n));
	for (i = 0; i < n; i++)
		hash_output(h, single && i != s->in ? &null_out : &tx->out[i]);
}

/* All but the hash type. */
static void legacy_start(struct sha256 *h, const struct spend *s,
			 struct span code, uint32_t hash_type)
{
	sha256_init(h);
	hash_u32(h, s->tx->version);
	legacy_inputs(h, s, code, hash_type);
	legacy_outputs(h, s, hash_type);
	hash_u32(h, s->tx->lock_time);
}

/* ---- BIP143 ---------------------------------------------------------- */

static void v0_outputs(uint8_t out[static 32], const struct spend *s,
		       uint32_t hash_type)
{
	struct sha256 h;

	memset(out, 0, 32);
	if (is_single(hash_type)) {
		if (s->in >= s->tx->out_count)
			return;
		sha256_init(&h);
		hash_output(&h, &s->tx->out[s->in]);
		sha256d_final(&h, out);
	} else if (!is_none(hash_type)) {
		memcpy(out, s->cache->outputs_d, 32);
	}
}

/* All but the hash type. */
static void v0_start(struct sha256 *h, const struct spend *s,
		     struct span code, uint32_t hash_type)
{
	const struct sighash_cache *c = s->cache;
	const struct tx_in *in = &s->tx->in[s->in];
	bool all = !anyone_can_pay(hash_type);
	uint8_t t[4 + 32 + 32 + 36], u[8 + 4 + 32 + 4];
	size_t n;

	CHECK(c->has_bip143);
	memset(t, 0, sizeof t);
	put_u32(t, s->tx->version);
	if (all)
		memcpy(t + 4, c->prevouts_d, 32);
	if (all && !is_none(hash_type) && !is_single(hash_type))
		memcpy(t + 36, c->sequences_d, 32);
	put_outpoint(t + 68, &in->prevout);
	sha256_init(h);
	sha256_update(h, t, sizeof t);
	hash_var(h, code);
	n = put_u64(u, (uint64_t)s->spent[s->in].value_sat);
	n += put_u32(u + n, in->sequence);
	v0_outputs(u + n, s, hash_type);
	put_u32(u + n + 32, s->tx->lock_time);
	sha256_update(h, u, sizeof u);
}

/* ---- finishing them -------------------------------------------------- */

/* 2011's off-by-one, consensus ever since: the hash is the number one. */
static bool legacy_quirk(uint8_t out[static 32], const struct spend *s,
			 uint32_t hash_type)
{
	if (!is_single(hash_type) || s->in < s->tx->out_count)
		return false;
	memset(out, 0, 32);
	out[0] = 1;
	return true;
}

static void finish(uint8_t out[static 32], struct sha256 *h,
		   uint32_t hash_type)
{
	hash_u32(h, hash_type);
	sha256d_final(h, out);
}

void sighash_legacy(uint8_t out[static 32], const struct spend *s,
		    struct span code, uint32_t hash_type)
{
	struct sha256 h;

	if (legacy_quirk(out, s, hash_type))
		return;
	legacy_start(&h, s, code, hash_type);
	finish(out, &h, hash_type);
}

void sighash_v0(uint8_t out[static 32], const struct spend *s,
		struct span code, uint32_t hash_type)
{
	struct sha256 h;

	v0_start(&h, s, code, hash_type);
	finish(out, &h, hash_type);
}

void sighash_ecdsa(uint8_t out[static 32], struct sighash_memo *memo,
		   const struct spend *s, enum sig_version version,
		   struct span code, uint32_t hash_type)
{
	unsigned i = (anyone_can_pay(hash_type) ? 3u : 0u) +
		     (is_none(hash_type) ? 1u : is_single(hash_type) ? 2u : 0u);
	struct sha256 h;

	if (version == SIG_BASE && legacy_quirk(out, s, hash_type))
		return;
	if (code.p != memo->code.p || code.n != memo->code.n) {
		memo->code = code;
		memo->have = 0;
	}
	if (!(memo->have & 1u << i)) {
		if (version == SIG_BASE)
			legacy_start(&memo->state[i], s, code, hash_type);
		else
			v0_start(&memo->state[i], s, code, hash_type);
		memo->have = (uint8_t)(memo->have | 1u << i);
	}
	h = memo->state[i];
	finish(out, &h, hash_type);
}
