/*
 * Signing and secret keys, with a context of libsecp256k1 that is made, and
 * blinded, at the first signature.  Apart from secp.c so that whoever only
 * checks needs neither threads nor randomness.
 */
#include "config.h"

#include "crypto/secp.h"

#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "base/random.h"

/* The context for secret keys: blinded once, then only read. */
static secp256k1_context *signing_ctx;
static pthread_once_t signing_once = PTHREAD_ONCE_INIT;

static void signing_start(void)
{
	uint8_t seed[32];

	signing_ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
	CHECK(signing_ctx);
	random_bytes(seed, sizeof(seed));
	CHECK(secp256k1_context_randomize(signing_ctx, seed));
	bytes_wipe(seed, sizeof(seed));
}

static const secp256k1_context *signing(void)
{
	CHECK(pthread_once(&signing_once, signing_start) == 0);
	return signing_ctx;
}

bool secp_seckey_valid(const uint8_t key[static 32])
{
	return secp256k1_ec_seckey_verify(secp256k1_context_static, key);
}

static bool pubkey_write(uint8_t *out, size_t n, const uint8_t *key,
			 unsigned flags)
{
	secp256k1_pubkey pk;

	return secp256k1_ec_pubkey_create(signing(), &pk, key) &&
	       secp256k1_ec_pubkey_serialize(secp256k1_context_static, out,
					     &n, &pk, flags);
}

bool secp_pubkey_create(uint8_t out33[static 33],
			const uint8_t key[static 32])
{
	return pubkey_write(out33, 33, key, SECP256K1_EC_COMPRESSED);
}

bool secp_pubkey_uncompressed(uint8_t out65[static 65],
			      const uint8_t key[static 32])
{
	return pubkey_write(out65, 65, key, SECP256K1_EC_UNCOMPRESSED);
}

bool secp_ecdsa_sign(uint8_t out[static 72], size_t *out_n,
		     const uint8_t msg32[static 32],
		     const uint8_t key[static 32])
{
	secp256k1_ecdsa_signature sig;

	*out_n = 72;
	return secp256k1_ecdsa_sign(signing(), &sig, msg32, key, NULL,
				    NULL) &&
	       secp256k1_ecdsa_signature_serialize_der(
		       secp256k1_context_static, out, out_n, &sig);
}

bool secp_pubkey_tweak_add(uint8_t out33[static 33],
			   const uint8_t key33[static 33],
			   const uint8_t tweak32[static 32])
{
	const secp256k1_context *ctx = secp256k1_context_static;
	secp256k1_pubkey pk;
	size_t n = 33;

	return secp256k1_ec_pubkey_parse(ctx, &pk, key33, 33) &&
	       secp256k1_ec_pubkey_tweak_add(ctx, &pk, tweak32) &&
	       secp256k1_ec_pubkey_serialize(ctx, out33, &n, &pk,
					     SECP256K1_EC_COMPRESSED);
}

bool secp_seckey_tweak_add(uint8_t out[static 32],
			   const uint8_t key[static 32],
			   const uint8_t tweak32[static 32])
{
	memmove(out, key, 32);
	return secp256k1_ec_seckey_tweak_add(secp256k1_context_static, out,
					     tweak32);
}

static bool keypair_make(secp256k1_keypair *out, const uint8_t *key)
{
	return secp256k1_keypair_create(signing(), out, key);
}

bool secp_schnorr_sign(uint8_t out64[static 64],
		       const uint8_t msg32[static 32],
		       const uint8_t key[static 32],
		       const uint8_t aux32[static 32])
{
	secp256k1_keypair pair;
	bool ok = keypair_make(&pair, key) &&
		  secp256k1_schnorrsig_sign32(signing(), out64, msg32, &pair,
					      aux32);

	bytes_wipe(&pair, sizeof(pair));
	return ok;
}

bool secp_xonly_create(uint8_t out32[static 32], const uint8_t key[static 32])
{
	secp256k1_xonly_pubkey pk;
	secp256k1_keypair pair;
	bool ok = keypair_make(&pair, key) &&
		  secp256k1_keypair_xonly_pub(secp256k1_context_static, &pk,
					      NULL, &pair) &&
		  secp256k1_xonly_pubkey_serialize(secp256k1_context_static,
						   out32, &pk);

	bytes_wipe(&pair, sizeof(pair));
	return ok;
}

bool secp_seckey_tweak_taproot(uint8_t out[static 32],
			       const uint8_t key[static 32],
			       const uint8_t tweak32[static 32])
{
	secp256k1_keypair pair;
	bool ok = keypair_make(&pair, key) &&
		  secp256k1_keypair_xonly_tweak_add(secp256k1_context_static,
						    &pair, tweak32) &&
		  secp256k1_keypair_sec(secp256k1_context_static, out, &pair);

	bytes_wipe(&pair, sizeof(pair));
	return ok;
}
