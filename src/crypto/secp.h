/*
 * The curve: libsecp256k1's only door.  Contexts are made once inside; any
 * thread.  Everything here is consensus, signing apart (tests, generators,
 * signrawtransaction).
 */
#ifndef CLOISTER_CRYPTO_SECP_H
#define CLOISTER_CRYPTO_SECP_H

#include "base/bytes.h"

/** Any serialised public key (33 or 65 bytes, hybrid too) that is a point. */
bool secp_pubkey_valid(struct span pubkey);
/** The 65-byte form (0x04 first) of a 33-byte key; false if no point. */
NODISCARD bool secp_pubkey_decompress(uint8_t out65[static 65],
				      const uint8_t key33[static 33]);
/**
 * ECDSA as Bitcoin checks it: the signature in the lax DER of the first
 * OpenSSL nodes, high S accepted (normalised), hybrid keys accepted.
 */
bool secp_ecdsa_verify(const uint8_t msg32[static 32], struct span sig_der,
		       struct span pubkey);
/** BIP62 rule 5: the S of a lax-DER signature is at most half the order. */
bool secp_ecdsa_is_low_s(struct span sig_der);
/** BIP340. */
bool secp_schnorr_verify(const uint8_t msg32[static 32],
			 const uint8_t sig64[static 64],
			 const uint8_t xonly32[static 32]);
/** BIP340 over a message of any length, as its vectors have it. */
bool secp_schnorr_verify_msg(struct span msg, const uint8_t sig64[static 64],
			     const uint8_t xonly32[static 32]);
/** BIP341: output key == internal key + tweak * G, with the given parity. */
bool secp_xonly_tweak_check(const uint8_t output32[static 32], int parity,
			    const uint8_t internal32[static 32],
			    const uint8_t tweak32[static 32]);

/* Signing and keys, for tools and tests. */
NODISCARD bool secp_seckey_valid(const uint8_t key[static 32]);
NODISCARD bool secp_pubkey_create(uint8_t out33[static 33],
				  const uint8_t key[static 32]);
NODISCARD bool secp_pubkey_uncompressed(uint8_t out65[static 65],
					const uint8_t key[static 32]);
/** RFC 6979, low S; out at most 72 bytes. */
NODISCARD bool secp_ecdsa_sign(uint8_t out[static 72], size_t *out_n,
			       const uint8_t msg32[static 32],
			       const uint8_t key[static 32]);
NODISCARD bool secp_schnorr_sign(uint8_t out64[static 64],
				 const uint8_t msg32[static 32],
				 const uint8_t key[static 32],
				 const uint8_t aux32[static 32]);
/** The x-only public key of a secret key. */
NODISCARD bool secp_xonly_create(uint8_t out32[static 32],
				 const uint8_t key[static 32]);
/** BIP32: key + tweak * G, and key + tweak; false if there is no such key.
 * out may be the input. */
NODISCARD bool secp_pubkey_tweak_add(uint8_t out33[static 33],
				     const uint8_t key33[static 33],
				     const uint8_t tweak32[static 32]);
NODISCARD bool secp_seckey_tweak_add(uint8_t out[static 32],
				     const uint8_t key[static 32],
				     const uint8_t tweak32[static 32]);
/** Taproot: output x-only key and its parity from internal key and tweak. */
NODISCARD bool secp_xonly_tweak_add(uint8_t out32[static 32], int *parity,
				    const uint8_t internal32[static 32],
				    const uint8_t tweak32[static 32]);
/** Taproot key path: the secret key for the tweaked output key. */
NODISCARD bool secp_seckey_tweak_taproot(uint8_t out[static 32],
					 const uint8_t key[static 32],
					 const uint8_t tweak32[static 32]);

#endif
