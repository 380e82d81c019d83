/*
 * BIP141's commitment: sha256d(root over the wtxids, nonce from the coinbase's
 * witness).
 */
#include "config.h"

#include "consensus/witness_commitment.h"

#include "crypto/hash.h"

static const uint8_t commitment_head[6] = {
	0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed,
};

int witness_commitment_output(const struct block *b)
{
	if (b->tx_count == 0)
		return -1;
	for (uint32_t i = b->tx[0].out_count; i-- > 0;) {
		struct span s = b->tx[0].out[i].script_pubkey;

		if (s.n >= WITNESS_COMMITMENT_BYTES &&
		    memcmp(s.p, commitment_head, sizeof commitment_head) == 0)
			return (int)i;
	}
	return -1;
}

void witness_commitment_hash(uint8_t out[static 32], const struct block *b,
			     const uint8_t nonce[static 32])
{
	uint8_t pair[64];

	block_witness_merkle_root(pair, b);
	memcpy(pair + 32, nonce, 32);
	sha256d_64(out, pair, 1);
}

/* BIP141: the nonce, and sha256d(root, nonce). */
static enum verdict check_commitment(const struct block *b, int output)
{
	const struct tx *coinbase = &b->tx[0];
	const struct tx_in *in = coinbase->in;
	uint8_t hash[32];

	if (coinbase->in_count == 0 || in->witness_count != 1 ||
	    in->witness[0].n != 32)
		return VERDICT_BAD_WITNESS_NONCE_SIZE;
	witness_commitment_hash(hash, b, in->witness[0].p);
	if (memcmp(coinbase->out[output].script_pubkey.p +
		   sizeof commitment_head, hash, sizeof hash) != 0)
		return VERDICT_BAD_WITNESS_MERKLE_MATCH;
	return VERDICT_OK;
}

enum verdict witness_commitment_check(const struct block *b, bool expected)
{
	int output = expected ? witness_commitment_output(b) : -1;

	if (output >= 0)
		return check_commitment(b, output);
	for (uint32_t i = 0; i < b->tx_count; i++) {
		if (b->tx[i].has_witness)
			return VERDICT_UNEXPECTED_WITNESS;
	}
	return VERDICT_OK;
}
