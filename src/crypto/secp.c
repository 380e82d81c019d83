/*
 * libsecp256k1, wrapped: checking, which needs no context and no state of
 * ours.  Signing is in secp_sign.c.
 */
#include "config.h"

#include "crypto/secp.h"

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "crypto/der.h"

static bool pubkey_read(secp256k1_pubkey *out, struct span pubkey)
{
	return pubkey.n && secp256k1_ec_pubkey_parse(
		secp256k1_context_static, out, pubkey.p, pubkey.n);
}

bool secp_pubkey_valid(struct span pubkey)
{
	secp256k1_pubkey pk;

	return pubkey_read(&pk, pubkey);
}

bool secp_pubkey_decompress(uint8_t out65[static 65],
			    const uint8_t key33[static 33])
{
	secp256k1_pubkey pk;
	size_t n = 65;

	return pubkey_read(&pk, span_of(key33, 33)) &&
	       secp256k1_ec_pubkey_serialize(secp256k1_context_static, out65,
					     &n, &pk,
					     SECP256K1_EC_UNCOMPRESSED);
}

/* A number past the group's order makes r and s zero: never valid. */
static bool signature_read(secp256k1_ecdsa_signature *out, struct span der)
{
	uint8_t rs[64];

	if (!der_lax_read(rs, der))
		return false;
	if (secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static,
						    out, rs))
		return true;
	memset(rs, 0, sizeof(rs));
	return secp256k1_ecdsa_signature_parse_compact(
		secp256k1_context_static, out, rs);
}

bool secp_ecdsa_verify(const uint8_t msg32[static 32], struct span sig_der,
		       struct span pubkey)
{
	secp256k1_ecdsa_signature sig;
	secp256k1_pubkey pk;

	if (!pubkey_read(&pk, pubkey) || !signature_read(&sig, sig_der))
		return false;
	(void)secp256k1_ecdsa_signature_normalize(secp256k1_context_static,
						  &sig, &sig);
	return secp256k1_ecdsa_verify(secp256k1_context_static, &sig, msg32,
				      &pk);
}

bool secp_ecdsa_is_low_s(struct span sig_der)
{
	secp256k1_ecdsa_signature sig;

	return signature_read(&sig, sig_der) &&
	       !secp256k1_ecdsa_signature_normalize(secp256k1_context_static,
						    NULL, &sig);
}

bool secp_schnorr_verify_msg(struct span msg, const uint8_t sig64[static 64],
			     const uint8_t xonly32[static 32])
{
	secp256k1_xonly_pubkey pk;

	return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &pk,
					    xonly32) &&
	       secp256k1_schnorrsig_verify(secp256k1_context_static, sig64,
					   msg.p, msg.n, &pk);
}

bool secp_schnorr_verify(const uint8_t msg32[static 32],
			 const uint8_t sig64[static 64],
			 const uint8_t xonly32[static 32])
{
	return secp_schnorr_verify_msg(span_of(msg32, 32), sig64, xonly32);
}

bool secp_xonly_tweak_check(const uint8_t output32[static 32], int parity,
			    const uint8_t internal32[static 32],
			    const uint8_t tweak32[static 32])
{
	secp256k1_xonly_pubkey pk;

	return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &pk,
					    internal32) &&
	       secp256k1_xonly_pubkey_tweak_add_check(
		       secp256k1_context_static, output32, parity, &pk,
		       tweak32);
}

bool secp_xonly_tweak_add(uint8_t out32[static 32], int *parity,
			  const uint8_t internal32[static 32],
			  const uint8_t tweak32[static 32])
{
	secp256k1_xonly_pubkey internal, output;
	secp256k1_pubkey full;

	return secp256k1_xonly_pubkey_parse(secp256k1_context_static,
					    &internal, internal32) &&
	       secp256k1_xonly_pubkey_tweak_add(secp256k1_context_static,
						&full, &internal, tweak32) &&
	       secp256k1_xonly_pubkey_from_pubkey(secp256k1_context_static,
						  &output, parity, &full) &&
	       secp256k1_xonly_pubkey_serialize(secp256k1_context_static,
						out32, &output);
}
