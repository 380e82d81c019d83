/*
 * Messages of Schnorr signatures: BIP341, "Common signature message", with
 * the extension of BIP342.
 */
#include "config.h"

#include "consensus/sighash.h"

#include "consensus/hash_field_priv.h"

static bool tap_hash_type_ok(uint8_t t)
{
	return t <= SIGHASH_SINGLE ||
	       (t >= (SIGHASH_ANYONECANPAY | SIGHASH_ALL) &&
		t <= (SIGHASH_ANYONECANPAY | SIGHASH_SINGLE));
}

/* The input being signed: whole, or its index where all are committed to. */
static void tap_input(struct sha256 *h, const struct spend *s,
		      uint8_t hash_type)
{
	const struct tx_in *in = &s->tx->in[s->in];
	uint8_t t[36];

	if (!(hash_type & SIGHASH_ANYONECANPAY)) {
		hash_u32(h, s->in);
		return;
	}
	sha256_update(h, t, put_outpoint(t, &in->prevout));
	hash_output(h, &s->spent[s->in]);
	hash_u32(h, in->sequence);
}

static bool tap_single_output(struct sha256 *h, const struct spend *s,
			      struct sighash_tap *t)
{
	struct sha256 one;

	if (s->in >= s->tx->out_count)
		return false;
	if (!t->has_single) {
		sha256_init(&one);
		hash_output(&one, &s->tx->out[s->in]);
		sha256_final(&one, t->single);
		t->has_single = true;
	}
	sha256_update(h, t->single, 32);
	return true;
}

bool sighash_taproot(uint8_t out[static 32], const struct spend *s,
		     struct sighash_tap *t, uint8_t hash_type)
{
	const struct sighash_cache *c = s->cache;
	uint8_t head[2] = { 0, hash_type };  /* epoch, hash type */
	uint8_t spend_type = (uint8_t)((t->has_leaf ? 2 : 0) |
				       (t->has_annex ? 1 : 0));
	uint8_t key_version = 0;
	struct sha256 h;

	if (!tap_hash_type_ok(hash_type))
		return false;
	CHECK(c->has_bip341);
	sha256_tagged_init(&h, "TapSighash");
	sha256_update(&h, head, sizeof head);
	hash_u32(&h, s->tx->version);
	hash_u32(&h, s->tx->lock_time);
	if (!(hash_type & SIGHASH_ANYONECANPAY)) {
		sha256_update(&h, c->prevouts_sha, 32);
		sha256_update(&h, c->amounts_sha, 32);
		sha256_update(&h, c->scripts_sha, 32);
		sha256_update(&h, c->sequences_sha, 32);
	}
	if ((hash_type & 3) != SIGHASH_NONE &&
	    (hash_type & 3) != SIGHASH_SINGLE)
		sha256_update(&h, c->outputs_sha, 32);
	sha256_update(&h, &spend_type, 1);
	tap_input(&h, s, hash_type);
	if (t->has_annex)
		sha256_update(&h, t->annex_hash, 32);
	if ((hash_type & 3) == SIGHASH_SINGLE &&
	    !tap_single_output(&h, s, t))
		return false;
	if (t->has_leaf) {      /* BIP342 */
		sha256_update(&h, t->leaf_hash, 32);
		sha256_update(&h, &key_version, 1);
		hash_u32(&h, t->codesep_pos);
	}
	sha256_final(&h, out);
	return true;
}
