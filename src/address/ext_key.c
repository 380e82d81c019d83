/*
 * BIP32.
 */
#include "config.h"

#include "address/ext_key.h"

#include "crypto/hash.h"
#include "crypto/secp.h"

#define EXT_KEY_BYTES 78

static void be32_write(uint8_t out[static 4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> 8 * (3 - i));
}

bool ext_key_decode(struct ext_key *out, const struct chain_params *p,
		    const char *text)
{
	uint8_t b[EXT_KEY_BYTES];
	bool ok = false;
	size_t n;

	if (!base58check_decode(b, &n, sizeof b, text) || n != sizeof b)
		goto out;
	*out = (struct ext_key){
		.is_private = memcmp(b, p->base58_xprv, 4) == 0,
		.depth = b[4],
	};
	if (!out->is_private && memcmp(b, p->base58_xpub, 4) != 0)
		goto out;
	memcpy(out->parent, b + 5, 4);
	out->child = (uint32_t)b[9] << 24 | (uint32_t)b[10] << 16 |
		     (uint32_t)b[11] << 8 | b[12];
	memcpy(out->chain_code, b + 13, 32);
	memcpy(out->key, b + 45, 33);
	/* A master key has no parent (BIP32, test vector 5). */
	if (out->depth == 0 && (out->child || memcmp(b + 5, "\0\0\0", 4)))
		goto out;
	if (out->is_private)
		ok = out->key[0] == 0 && secp_seckey_valid(out->key + 1);
	else
		ok = secp_pubkey_valid(span_of(out->key, 33)) &&
		     out->key[0] <= 3;
out:
	bytes_wipe(b, sizeof b);
	return ok;
}

void ext_key_encode(char out[static BASE58_MAX_CHARS],
		    const struct chain_params *p, const struct ext_key *k)
{
	uint8_t b[EXT_KEY_BYTES];

	memcpy(b, k->is_private ? p->base58_xprv : p->base58_xpub, 4);
	b[4] = k->depth;
	memcpy(b + 5, k->parent, 4);
	be32_write(b + 9, k->child);
	memcpy(b + 13, k->chain_code, 32);
	memcpy(b + 45, k->key, 33);
	base58check_encode(out, span_of(b, sizeof b));
	bytes_wipe(b, sizeof b);
}

void ext_key_neuter(struct ext_key *out, const struct ext_key *k)
{
	uint8_t key[33];

	memcpy(key, k->key, sizeof key);
	if (k->is_private)
		CHECK(secp_pubkey_create(key, k->key + 1));
	*out = *k;
	memcpy(out->key, key, sizeof key);
	out->is_private = false;
}

void ext_key_fingerprint(uint8_t out[static 4], const struct ext_key *k)
{
	struct ext_key pub;
	uint8_t id[20];

	ext_key_neuter(&pub, k);
	hash160(id, pub.key, sizeof pub.key);
	memcpy(out, id, 4);
}

bool ext_key_derive(struct ext_key *out, const struct ext_key *k,
		    uint32_t child)
{
	struct ext_key from = *k, pub;
	uint8_t msg[37], i[64];
	bool ok;

	if (from.depth == 255 ||
	    (child & EXT_KEY_HARDENED && !from.is_private))
		return false;
	ext_key_neuter(&pub, &from);
	memcpy(msg, child & EXT_KEY_HARDENED ? from.key : pub.key, 33);
	be32_write(msg + 33, child);
	hmac_sha512(i, span_of(from.chain_code, 32), span_of(msg, sizeof msg));
	*out = from;
	out->depth++;
	out->child = child;
	ext_key_fingerprint(out->parent, &pub);
	memcpy(out->chain_code, i + 32, 32);
	if (from.is_private)
		ok = secp_seckey_tweak_add(out->key + 1, from.key + 1, i);
	else
		ok = secp_pubkey_tweak_add(out->key, from.key, i);
	bytes_wipe(msg, sizeof msg);
	bytes_wipe(i, sizeof i);
	bytes_wipe(&from, sizeof from);
	return ok;
}
