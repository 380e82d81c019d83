/*
 * One walk from the output's script inwards finds which keys must sign what;
 * for each, a signature that is known already is used, or one is made.
 */
#include "config.h"

#include "rpc/tx_sign.h"

#include <stdlib.h>

#include "address/script_type.h"
#include "base/random.h"
#include "consensus/taproot.h"
#include "crypto/secp.h"

#define STACK_MAX (SCRIPT_MAX_MULTISIG_KEYS + 3)

/* What the walk carries: one input, and the stack it builds. */
struct walk {
	struct tx_signer *s;
	struct spend spend;
	struct span stack[STACK_MAX];
	size_t n;
};

void tx_signer_clear(struct tx_signer *s)
{
	if (s->keys.k)
		bytes_wipe(s->keys.k, s->keys.n * sizeof *s->keys.k);
	free(s->keys.k);
	free(s->keys.pub);
	free(s->known);
	arena_clear(&s->arena);
	*s = (struct tx_signer){ 0 };
}

void tx_signer_add(struct tx_signer *s, struct span known)
{
	s->known = xrealloc(s->known, (s->known_n + 1) * sizeof *s->known);
	s->known[s->known_n++] = arena_copy(&s->arena, known);
}

void tx_signer_add_key(struct tx_signer *s, const struct wif_key *key)
{
	struct secret_keys *k = &s->keys;
	uint8_t pub[65], id[22] = { 0, 20 };
	size_t n = key->compressed ? 33 : 65;
	struct wif_key *longer = xcalloc(k->n + 1, sizeof *longer);

	if (k->n)
		memcpy(longer, k->k, k->n * sizeof *longer);
	longer[k->n] = *key;
	if (k->k)
		bytes_wipe(k->k, k->n * sizeof *k->k);
	free(k->k);
	k->k = longer;
	CHECK(key->compressed ? secp_pubkey_create(pub, key->secret) :
				secp_pubkey_uncompressed(pub, key->secret));
	tx_signer_add(s, span_of(pub, n));
	k->pub = xrealloc(k->pub, (k->n + 1) * sizeof *k->pub);
	k->pub[k->n++] = s->known[s->known_n - 1];
	/* The redeem script of P2SH-P2WPKH needs no telling. */
	hash160(id + 2, pub, n);
	tx_signer_add(s, span_of(id, sizeof id));
}

void tx_signer_learn(struct tx_signer *s, const struct tx_in *in)
{
	struct script_iter it = script_iter_of(in->script_sig);
	struct script_op op;

	while (script_next(&it, &op))
		if (op.code <= OP_PUSHDATA4 && op.data.n)
			tx_signer_add(s, op.data);
	for (uint32_t i = 0; i < in->witness_count; i++)
		if (in->witness[i].n)
			tx_signer_add(s, in->witness[i]);
}

/* ---- finding ---- */

static bool find_by_hash(struct span *out, const struct tx_signer *s,
			 struct span hash)
{
	uint8_t h[32];

	for (size_t i = 0; i < s->known_n; i++) {
		if (hash.n == 20)
			hash160(h, s->known[i].p, s->known[i].n);
		else
			sha256(h, s->known[i].p, s->known[i].n);
		if (memcmp(h, hash.p, hash.n) != 0)
			continue;
		*out = s->known[i];
		return true;
	}
	return false;
}

static void push(struct walk *w, struct span item)
{
	CHECK(w->n < STACK_MAX);
	w->stack[w->n++] = item;
}

/* ---- signatures ---- */

static void message(uint8_t out[static 32], const struct walk *w,
		    enum sig_version v, struct span code, uint8_t type)
{
	if (v == SIG_BASE)
		sighash_legacy(out, &w->spend, code, type);
	else
		sighash_v0(out, &w->spend, code, type);
}

static bool known_signature(struct span *out, const struct walk *w,
			    struct span pub, enum sig_version v,
			    struct span code)
{
	for (size_t i = 0; i < w->s->known_n; i++) {
		struct span sig = w->s->known[i];
		uint8_t msg[32];

		if (sig.n > 73 || !script_signature_is_strict(sig))
			continue;
		message(msg, w, v, code, sig.p[sig.n - 1]);
		if (!secp_ecdsa_verify(msg, span_of(sig.p, sig.n - 1), pub))
			continue;
		*out = sig;
		return true;
	}
	return false;
}

static const struct wif_key *key_of(const struct tx_signer *s,
				    struct span pub)
{
	for (size_t i = 0; i < s->keys.n; i++)
		if (span_eq(s->keys.pub[i], pub))
			return &s->keys.k[i];
	return NULL;
}

/* SIGHASH_SINGLE without an output of its own would sign the number one. */
static bool may_sign(const struct walk *w, int type)
{
	return (type & 0x1f) != SIGHASH_SINGLE ||
	       w->spend.in < w->spend.tx->out_count;
}

static bool signature(struct span *out, struct walk *w, struct span pub,
		      enum sig_version v, struct span code)
{
	const struct wif_key *key = key_of(w->s, pub);
	int type = w->s->hash_type == TX_SIGN_DEFAULT ||
		   w->s->hash_type == SIGHASH_DEFAULT ? SIGHASH_ALL :
						       w->s->hash_type;
	uint8_t msg[32], sig[73];
	size_t n;

	if (known_signature(out, w, pub, v, code))
		return true;
	if (!key || !may_sign(w, type) ||
	    (v == SIG_WITNESS_V0 && !key->compressed))
		return false;
	message(msg, w, v, code, (uint8_t)type);
	if (!secp_ecdsa_sign(sig, &n, msg, key->secret))
		return false;
	sig[n++] = (uint8_t)type;
	*out = arena_copy(&w->s->arena, span_of(sig, n));
	return true;
}

/* ---- scripts ---- */

static bool solve_key(struct walk *w, struct span pub, enum sig_version v,
		      struct span code, bool show_key)
{
	struct span sig;

	if (!signature(&sig, w, pub, v, code))
		return false;
	push(w, sig);
	if (show_key)
		push(w, pub);
	return true;
}

static bool solve_keyhash(struct walk *w, struct span hash,
			  enum sig_version v)
{
	struct bytes b = { 0 };
	struct span pub, code;

	if (!find_by_hash(&pub, w->s, hash))
		return false;
	script_write_p2pkh(&b, hash.p);
	code = arena_copy(&w->s->arena, bytes_span(&b));
	bytes_clear(&b);
	return solve_key(w, pub, v, code, true);
}

/* As many signatures as there are, in the order of the keys. */
static bool solve_multisig(struct walk *w, const struct script_solution *m,
			   enum sig_version v, struct span code)
{
	size_t have = 0;
	struct span sig;

	push(w, span_of(NULL, 0));
	for (size_t i = 0; i < m->count && have < m->required; i++) {
		if (!signature(&sig, w, m->parts[i], v, code))
			continue;
		push(w, sig);
		have++;
	}
	/* A place for each that is missing, as in the reference node. */
	for (size_t i = have; have && i < m->required; i++)
		push(w, span_of(NULL, 0));
	return have > 0;
}

/* All but hashes of scripts and Taproot. */
static bool solve_plain(struct walk *w, struct span script, enum sig_version v)
{
	struct script_solution m;

	script_solve(&m, script);
	switch (m.type) {
	case SCRIPT_TYPE_PUBKEY:
		return solve_key(w, m.parts[0], v, script, false);
	case SCRIPT_TYPE_PUBKEYHASH:
		return solve_keyhash(w, m.parts[0], v);
	case SCRIPT_TYPE_MULTISIG:
		return solve_multisig(w, &m, v, script);
	case SCRIPT_TYPE_NONSTANDARD:
	case SCRIPT_TYPE_SCRIPTHASH:
	case SCRIPT_TYPE_NULLDATA:
	case SCRIPT_TYPE_ANCHOR:
	case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
	case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
	case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
	case SCRIPT_TYPE_WITNESS_UNKNOWN:
		break;
	}
	return false;
}

/* ---- Taproot, by key ---- */

/* A signature for this output key: by the key itself, or as the internal
 * key without scripts (BIP86). */
static bool taproot_secret(uint8_t out[static 32], const struct walk *w,
			   struct span output)
{
	for (size_t i = 0; i < w->s->keys.n; i++) {
		const uint8_t *secret = w->s->keys.k[i].secret;
		uint8_t x[32], tweak[32], tweaked[32];
		int parity;

		if (!secp_xonly_create(x, secret))
			continue;
		memcpy(out, secret, 32);
		if (memcmp(x, output.p, 32) == 0)
			return true;
		taproot_tweak(tweak, x, NULL);
		if (secp_xonly_tweak_add(tweaked, &parity, x, tweak) &&
		    memcmp(tweaked, output.p, 32) == 0)
			return secp_seckey_tweak_taproot(out, secret, tweak);
	}
	return false;
}

static bool known_schnorr(struct span *out, const struct walk *w,
			  struct span output)
{
	for (size_t i = 0; i < w->s->known_n; i++) {
		struct sighash_tap tap = { 0 };
		struct span sig = w->s->known[i];
		uint8_t msg[32];

		if (sig.n != 64 && sig.n != 65)
			continue;
		if (!sighash_taproot(msg, &w->spend, &tap,
				     sig.n == 65 ? sig.p[64] : 0) ||
		    !secp_schnorr_verify(msg, sig.p, output.p))
			continue;
		*out = sig;
		return true;
	}
	return false;
}

static bool solve_taproot(struct walk *w, struct span output)
{
	int type = w->s->hash_type == TX_SIGN_DEFAULT ? SIGHASH_DEFAULT :
						       w->s->hash_type;
	struct sighash_tap tap = { 0 };
	uint8_t secret[32], msg[32], aux[32], sig[65];
	struct span old;
	bool ok;

	if (!w->spend.cache->has_bip341)
		return false;
	if (known_schnorr(&old, w, output)) {
		push(w, old);
		return true;
	}
	random_bytes(aux, sizeof aux);
	ok = taproot_secret(secret, w, output) &&
	     sighash_taproot(msg, &w->spend, &tap, (uint8_t)type) &&
	     secp_schnorr_sign(sig, msg, secret, aux);
	bytes_wipe(secret, sizeof secret);
	sig[64] = (uint8_t)type;
	if (ok)
		push(w, arena_copy(&w->s->arena,
				   span_of(sig, type ? 65 : 64)));
	return ok;
}

/* ---- the input ---- */

/* The witness for a program; false: none can be made. */
static bool solve_program(struct walk *w, unsigned version,
			  struct span program)
{
	struct span script;

	if (version == 1 && program.n == 32)
		return solve_taproot(w, program);
	if (version != 0)
		return false;
	if (program.n == 20)
		return solve_keyhash(w, program, SIG_WITNESS_V0);
	if (program.n != 32 || !find_by_hash(&script, w->s, program) ||
	    !solve_plain(w, script, SIG_WITNESS_V0))
		return false;
	push(w, script);
	return true;
}

static void write_script_sig(struct walk *w, struct tx_in *in,
			     const struct span *items, size_t n)
{
	struct bytes b = { 0 };

	for (size_t i = 0; i < n; i++)
		script_push_data(&b, items[i]);
	in->script_sig = arena_copy(&w->s->arena, bytes_span(&b));
	bytes_clear(&b);
}

static void write_witness(struct walk *w, struct tx_in *in)
{
	struct span *items = arena_calloc(&w->s->arena, w->n, sizeof *items);

	memcpy(items, w->stack, w->n * sizeof *items);
	in->witness = items;
	in->witness_count = (uint32_t)w->n;
}

bool tx_sign_input(struct tx_signer *s, struct tx *tx, uint32_t in,
		   const struct tx_out *spent,
		   const struct sighash_cache *cache)
{
	struct walk w = {
		.s = s,
		.spend = { .tx = tx, .in = in, .spent = spent,
			   .cache = cache },
	};
	struct span script = spent[in].script_pubkey, redeem = { 0 }, program;
	unsigned version;

	if (script_is_p2sh(script)) {
		if (!find_by_hash(&redeem, s, span_of(script.p + 2, 20)))
			return false;
		script = redeem;
	}
	if (script_is_witness_program(script, &version, &program)) {
		if (!solve_program(&w, version, program))
			return false;
		write_witness(&w, &tx->in[in]);
		write_script_sig(&w, &tx->in[in], &redeem, redeem.p != NULL);
		return true;
	}
	if (!solve_plain(&w, script, SIG_BASE))
		return false;
	if (redeem.p)
		push(&w, redeem);
	write_script_sig(&w, &tx->in[in], w.stack, w.n);
	tx->in[in].witness_count = 0;
	return true;
}
