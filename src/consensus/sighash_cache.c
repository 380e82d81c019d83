/*
 * The hashes that all signatures of one transaction share.
 */
#include "config.h"

#include "consensus/hash_field_priv.h"
#include "consensus/script.h"
#include "consensus/script_verify.h"

static void share_inputs(struct sighash_cache *c, const struct tx *tx)
{
	struct sha256 prevouts, sequences;
	uint8_t t[36];
	uint32_t i;

	sha256_init(&prevouts);
	sha256_init(&sequences);
	for (i = 0; i < tx->in_count; i++) {
		sha256_update(&prevouts, t,
			      put_outpoint(t, &tx->in[i].prevout));
		hash_u32(&sequences, tx->in[i].sequence);
	}
	sha256_final(&prevouts, c->prevouts_sha);
	sha256_final(&sequences, c->sequences_sha);
}

static void share_outputs(struct sighash_cache *c, const struct tx *tx)
{
	struct sha256 h;
	uint32_t i;

	sha256_init(&h);
	for (i = 0; i < tx->out_count; i++)
		hash_output(&h, &tx->out[i]);
	sha256_final(&h, c->outputs_sha);
}

static void share_spent(struct sighash_cache *c, const struct tx *tx,
			const struct tx_out *spent)
{
	struct sha256 amounts, scripts;
	uint8_t t[8];
	uint32_t i;

	sha256_init(&amounts);
	sha256_init(&scripts);
	for (i = 0; i < tx->in_count; i++) {
		sha256_update(&amounts, t,
			      put_u64(t, (uint64_t)spent[i].value_sat));
		hash_var(&scripts, spent[i].script_pubkey);
	}
	sha256_final(&amounts, c->amounts_sha);
	sha256_final(&scripts, c->scripts_sha);
}

void sighash_cache_fill(struct sighash_cache *c, const struct tx *tx,
			const struct tx_out *spent, bool bip143, bool bip341)
{
	c->has_bip143 = bip143;
	c->has_bip341 = bip341;
	if (!bip143 && !bip341)
		return;
	share_inputs(c, tx);
	share_outputs(c, tx);
	if (bip341)
		share_spent(c, tx, spent);
	if (bip143) {
		sha256(c->prevouts_d, c->prevouts_sha, 32);
		sha256(c->sequences_d, c->sequences_sha, 32);
		sha256(c->outputs_d, c->outputs_sha, 32);
	}
}

void sighash_cache_init(struct sighash_cache *c, const struct tx *tx,
			const struct tx_out *spent)
{
	bool bip143 = false, bip341 = false;

	for (uint32_t i = 0; i < tx->in_count; i++) {
		if (!tx->in[i].witness_count)
			continue;
		if (script_is_p2tr(spent[i].script_pubkey))
			bip341 = true;
		else
			bip143 = true;
	}
	sighash_cache_fill(c, tx, spent, bip143, bip341);
}
