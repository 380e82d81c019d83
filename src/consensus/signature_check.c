/*
 * One signature: is it well formed, and does it sign?  All signatures of
 * all scripts are checked here.
 */
#include "config.h"

#include "consensus/interpreter_priv.h"
#include "crypto/secp.h"

/* One DER integer of a strict signature; *at moves behind it. */
static bool der_integer(struct span sig, size_t *at)
{
	const uint8_t *p = sig.p + *at;
	size_t left = sig.n - *at, n;

	if (left < 3 || p[0] != 0x02)
		return false;
	n = p[1];
	if (n == 0 || n > left - 2)
		return false;
	if (p[2] & 0x80)
		return false;   /* negative */
	if (n > 1 && p[2] == 0 && !(p[3] & 0x80))
		return false;   /* a needless zero in front */
	*at += 2 + n;
	return true;
}

/* BIP66: 30 length 02 length R 02 length S hashtype */
static bool is_strict_der(struct span sig)
{
	struct span der = span_of(sig.p, sig.n - 1);
	size_t at = 2;

	if (sig.n < 9 || sig.n > 73)
		return false;
	if (der.p[0] != 0x30 || der.p[1] != der.n - 2)
		return false;
	return der_integer(der, &at) && der_integer(der, &at) && at == der.n;
}

static bool is_defined_hash_type(uint8_t t)
{
	t &= (uint8_t)~SIGHASH_ANYONECANPAY;
	return t >= SIGHASH_ALL && t <= SIGHASH_SINGLE;
}

enum script_error signature_encoding(struct span sig, uint32_t flags)
{
	/* Empty is the short way to give a bad signature on purpose. */
	if (sig.n == 0)
		return SCRIPT_OK;
	if ((flags & (SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_LOW_S |
		      SCRIPT_VERIFY_STRICTENC)) && !is_strict_der(sig))
		return SCRIPT_ERR_SIG_DER;
	if ((flags & SCRIPT_VERIFY_LOW_S) &&
	    !secp_ecdsa_is_low_s(span_of(sig.p, sig.n - 1)))
		return SCRIPT_ERR_SIG_HIGH_S;
	if ((flags & SCRIPT_VERIFY_STRICTENC) &&
	    !is_defined_hash_type(sig.p[sig.n - 1]))
		return SCRIPT_ERR_SIG_HASHTYPE;
	return SCRIPT_OK;
}

bool script_signature_is_strict(struct span sig)
{
	return sig.n && signature_encoding(sig, SCRIPT_VERIFY_STRICTENC) ==
			SCRIPT_OK;
}

static bool is_compressed(struct span key)
{
	return key.n == 33 && (key.p[0] == 2 || key.p[0] == 3);
}

static bool is_uncompressed(struct span key)
{
	return key.n == 65 && key.p[0] == 4;
}

/* The forms that OpenSSL and BIP143's silence leave valid. */
static bool is_hybrid(struct span key)
{
	return key.n == 65 && (key.p[0] == 6 || key.p[0] == 7);
}

enum script_error pubkey_encoding(struct span key, uint32_t flags,
				  enum sig_version version)
{
	if ((flags & SCRIPT_VERIFY_STRICTENC) && !is_compressed(key) &&
	    !is_uncompressed(key))
		return SCRIPT_ERR_PUBKEYTYPE;
	if ((flags & SCRIPT_VERIFY_WITNESS_PUBKEYTYPE) &&
	    version == SIG_WITNESS_V0 && !is_compressed(key))
		return SCRIPT_ERR_WITNESS_PUBKEYTYPE;
	return SCRIPT_OK;
}

bool signature_check_ecdsa(const struct eval *e, struct span sig,
			   struct span key, struct span code)
{
	uint8_t msg[32];

	if (!is_compressed(key) && !is_uncompressed(key) && !is_hybrid(key))
		return false;
	if (sig.n == 0)
		return false;
	sighash_ecdsa(msg, e->memo, e->spend, e->version, code,
		      sig.p[sig.n - 1]);
	return secp_ecdsa_verify(msg, span_of(sig.p, sig.n - 1), key);
}

enum script_error signature_check_schnorr(const struct spend *spend,
					  struct sighash_tap *tap,
					  struct span sig,
					  const uint8_t xonly[static 32])
{
	uint8_t hash_type = SIGHASH_DEFAULT, msg[32];

	if (sig.n != 64 && sig.n != 65)
		return SCRIPT_ERR_SCHNORR_SIG_SIZE;
	if (sig.n == 65) {
		hash_type = sig.p[64];
		if (hash_type == SIGHASH_DEFAULT)
			return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
	}
	if (!sighash_taproot(msg, spend, tap, hash_type))
		return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
	if (!secp_schnorr_verify(msg, sig.p, xonly))
		return SCRIPT_ERR_SCHNORR_SIG;
	return SCRIPT_OK;
}
