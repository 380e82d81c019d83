/*
 * Output scripts as addresses, and back.
 */
#include "config.h"

#include "address/address.h"

#include <strings.h>

#include "address/base58.h"
#include "address/segwit.h"
#include "consensus/script.h"
#include "crypto/secp.h"

#define HASH_BYTES 20
/* What may be base58 at all, for the choice of words. */
#define ANY_BASE58_BYTES 100
#define WIF_PLAIN_BYTES 33
#define WIF_COMPRESSED_BYTES 34

void script_write_p2pkh(struct bytes *out, const uint8_t hash[static 20])
{
	script_push_op(out, OP_DUP);
	script_push_op(out, OP_HASH160);
	script_push_data(out, span_of(hash, HASH_BYTES));
	script_push_op(out, OP_EQUALVERIFY);
	script_push_op(out, OP_CHECKSIG);
}

void script_write_p2sh(struct bytes *out, const uint8_t hash[static 20])
{
	script_push_op(out, OP_HASH160);
	script_push_data(out, span_of(hash, HASH_BYTES));
	script_push_op(out, OP_EQUAL);
}

void script_write_witness(struct bytes *out, unsigned version,
			  struct span program)
{
	script_push_number(out, version);
	script_push_data(out, program);
}

static bool is_p2pkh(struct span s)
{
	return s.n == 25 && s.p[0] == OP_DUP && s.p[1] == OP_HASH160 &&
	       s.p[2] == HASH_BYTES && s.p[23] == OP_EQUALVERIFY &&
	       s.p[24] == OP_CHECKSIG;
}

static bool base58_address(char out[static ADDRESS_MAX_CHARS], uint8_t prefix,
			   const uint8_t hash[static 20])
{
	uint8_t payload[1 + HASH_BYTES] = { prefix };
	char text[BASE58_MAX_CHARS];

	memcpy(payload + 1, hash, HASH_BYTES);
	base58check_encode(text, span_of(payload, sizeof payload));
	memcpy(out, text, strlen(text) + 1);
	return true;
}

bool address_of_script(char out[static ADDRESS_MAX_CHARS],
		       const struct chain_params *p, struct span script)
{
	struct span program;
	unsigned version;

	*out = 0;
	if (is_p2pkh(script))
		return base58_address(out, p->base58_pubkey, script.p + 3);
	if (script_is_p2sh(script))
		return base58_address(out, p->base58_script, script.p + 2);
	return script_is_witness_program(script, &version, &program) &&
	       segwit_encode(out, p->bech32_hrp, version, program);
}

static bool refuse(struct why *why, const char *reason)
{
	why_set(why, ERR_INPUT, "%s", reason);
	return false;
}

static bool base58_to_script(struct bytes *out, const struct chain_params *p,
			     const char *address, struct why *why)
{
	uint8_t data[1 + HASH_BYTES], any[ANY_BASE58_BYTES];
	size_t n;

	if (!base58check_decode(data, &n, sizeof data, address))
		return refuse(why, base58_decode(any, &n, sizeof any, address) ?
			"Invalid checksum or length for Base58 address "
			"(P2PKH or P2SH)" :
			"Invalid or unsupported Segwit (Bech32) or Base58 "
			"encoding.");
	if (n == 0 || (data[0] != p->base58_pubkey &&
		       data[0] != p->base58_script))
		return refuse(why, "Invalid or unsupported Base58-encoded "
			      "address.");
	if (n != sizeof data)
		return refuse(why, "Invalid length for Base58 address (P2PKH "
			      "or P2SH)");
	if (data[0] == p->base58_pubkey)
		script_write_p2pkh(out, data + 1);
	else
		script_write_p2sh(out, data + 1);
	return true;
}

bool address_to_script(struct bytes *out, const struct chain_params *p,
		       const char *address, struct why *why)
{
	uint8_t program[40];
	unsigned version;
	size_t n;

	/* Whatever begins like a segwit address is judged as one. */
	if (strncasecmp(address, p->bech32_hrp, strlen(p->bech32_hrp)) != 0)
		return base58_to_script(out, p, address, why);
	if (!segwit_decode(&version, program, &n, p->bech32_hrp, address, why))
		return false;
	script_write_witness(out, version, span_of(program, n));
	return true;
}

/* ---- private keys ---- */

bool wif_decode(struct wif_key *out, const struct chain_params *p,
		const char *text)
{
	uint8_t data[WIF_COMPRESSED_BYTES] = { 0 };
	size_t n;
	bool ok;

	memset(out, 0, sizeof *out);
	if (!base58check_decode(data, &n, sizeof data, text))
		return false;
	ok = data[0] == p->base58_secret &&
	     (n == WIF_PLAIN_BYTES ||
	      (n == WIF_COMPRESSED_BYTES && data[n - 1] == 1)) &&
	     secp_seckey_valid(data + 1);
	if (ok) {
		memcpy(out->secret, data + 1, sizeof out->secret);
		out->compressed = n == WIF_COMPRESSED_BYTES;
	}
	bytes_wipe(data, sizeof data);
	return ok;
}

void wif_encode(char out[static WIF_MAX_CHARS], const struct chain_params *p,
		const struct wif_key *key)
{
	uint8_t data[WIF_COMPRESSED_BYTES] = { p->base58_secret };
	char text[BASE58_MAX_CHARS];
	size_t n = WIF_PLAIN_BYTES;

	memcpy(data + 1, key->secret, sizeof key->secret);
	if (key->compressed)
		data[n++] = 1;
	base58check_encode(text, span_of(data, n));
	memcpy(out, text, strlen(text) + 1);
	bytes_wipe(data, sizeof data);
	bytes_wipe(text, sizeof text);
}
