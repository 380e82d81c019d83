/*
 * The coins of a generated chain: what keys they pay to, in which form, and
 * the transactions that spend them.
 */
#ifndef CLOISTER_BENCH_COIN_H
#define CLOISTER_BENCH_COIN_H

#include <stdatomic.h>

#include "consensus/tx.h"

enum coin_form {
	FORM_P2WPKH,
	FORM_P2TR,
	FORM_P2PKH,
	FORM_P2SH_P2WPKH,
	FORM_P2WSH,              /* 2 of 3 */
	FORM_FREE,               /* anyone's: no signature */
};

struct bench_coin {
	int64_t value_sat;
	uint32_t tx;             /* number of the transaction in the chain */
	uint32_t key;
	uint16_t n;
	uint8_t form;
};

struct bench_key {
	uint8_t secret[32];
	uint8_t pubkey[33];
	uint8_t hash[20];
};

/* Keys, made once and used again and again. */
struct bench_keys {
	struct bench_key *list;
	uint32_t count;
};

void bench_keys_init(struct bench_keys *k, uint64_t seed, uint32_t count);
void bench_keys_clear(struct bench_keys *k);
/** The output script; borrowed from the arena. */
struct span bench_coin_script(const struct bench_keys *k, enum coin_form form,
			      uint32_t key, struct arena *a);
/** Which two of the three keys sign: as a pair of 0, 1, 2. */
void bench_coin_signers(const struct bench_coin *c, unsigned out[static 2]);
/** How many signatures the interpreter verifies to allow the spend. */
void bench_coin_verifications(const struct bench_coin *c, uint64_t *ecdsa,
			      uint64_t *schnorr);

/* What a transaction will be, and then what it is. */
struct bench_tx {
	uint32_t number;
	uint32_t in_count, out_count;
	struct bench_coin *in, *out;
	struct bytes raw;
	uint64_t weight_wu;
	struct wtxid wtxid;
};

/* Transactions built so far, by number. */
struct bench_ids {
	struct txid *list;
	_Atomic unsigned char *ready;
};

/**
 * Build, sign and serialise.  Waits for the ids of the transactions it
 * spends, so those must have been begun before.  Any thread.
 */
void bench_tx_build(struct bench_tx *t, const struct bench_keys *k,
		    struct bench_ids *ids, struct arena *a);

#endif
