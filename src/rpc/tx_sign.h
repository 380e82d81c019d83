/*
 * Signing and completing the inputs of a transaction from what is known:
 * keys, scripts, and signatures that other copies of it bring.  Pure.
 */
#ifndef CLOISTER_RPC_TX_SIGN_H
#define CLOISTER_RPC_TX_SIGN_H

#include "address/address.h"
#include "consensus/sighash.h"

/* The wallet's default: SIGHASH_ALL, or for Taproot SIGHASH_DEFAULT. */
#define TX_SIGN_DEFAULT (-1)

/* All that may go into an input.  {0} is empty; clear it. */
struct tx_signer {
	struct arena arena;
	struct span *known;      /* scripts, public keys, signatures */
	size_t known_n;
	struct secret_keys {
		struct wif_key *k;
		struct span *pub;
		size_t n;
	} keys;
	int hash_type;           /* for new signatures */
};

void tx_signer_clear(struct tx_signer *s);
/** Copied. */
void tx_signer_add(struct tx_signer *s, struct span known);
/** Copied. */
void tx_signer_add_key(struct tx_signer *s, const struct wif_key *key);
/** Every push and witness element of an input, to be used again. */
void tx_signer_learn(struct tx_signer *s, const struct tx_in *in);

/**
 * Write the script_sig and witness of input `in`, as far as what is known
 * goes, for the output it spends.
 *
 * tx       changed; what is written lives in s
 * spent    outputs spent by all inputs, in order; a NULL script: not known
 * return   false: nothing could be made of it; the input is as before
 */
bool tx_sign_input(struct tx_signer *s, struct tx *tx, uint32_t in,
		   const struct tx_out *spent,
		   const struct sighash_cache *cache);

#endif
