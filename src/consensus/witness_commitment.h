/*
 * The coinbase's commitment to the block's witnesses (BIP141).
 */
#ifndef CLOISTER_CONSENSUS_WITNESS_COMMITMENT_H
#define CLOISTER_CONSENSUS_WITNESS_COMMITMENT_H

#include "consensus/block_check.h"

/** OP_RETURN, push of 36, four bytes of tag, the hash. */
#define WITNESS_COMMITMENT_BYTES 38

/** Index of the coinbase output that carries it (the last such), or -1. */
int witness_commitment_output(const struct block *b);
/**
 * Core CheckWitnessMalleation: a commitment that is there must be right
 * (expected: BIP141 is active), and without one there must be no witness.
 */
enum verdict witness_commitment_check(const struct block *b, bool expected);
/** The commitment of a block whose coinbase carries this nonce. */
void witness_commitment_hash(uint8_t out[static 32], const struct block *b,
			     const uint8_t nonce[static 32]);

#endif
