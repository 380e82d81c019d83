/*
 * Onion addresses: base32(key | checksum | version) and ".onion", where the
 * checksum is the first two bytes of SHA3-256(".onion checksum" | key |
 * version).
 */
#include "config.h"

#include "crypto/onion_address.h"

#include "base/base32.h"
#include "crypto/hash.h"

#include <string.h>
#include <strings.h>

#define DIGITS 56
#define RAW_SIZE 35
#define ADDRESS_VERSION 3
#define SUFFIX ".onion"

static void checksum(uint8_t out[static 2], const uint8_t *key)
{
	static const char prefix[] = ".onion checksum";
	uint8_t in[sizeof prefix - 1 + ONION_KEY_BYTES + 1];
	uint8_t hash[32];

	memcpy(in, prefix, sizeof prefix - 1);
	memcpy(in + sizeof prefix - 1, key, ONION_KEY_BYTES);
	in[sizeof in - 1] = ADDRESS_VERSION;
	sha3_256(hash, in, sizeof in);
	memcpy(out, hash, 2);
}

bool onion_parse(uint8_t key[static ONION_KEY_BYTES], const char *text)
{
	uint8_t raw[RAW_SIZE];
	uint8_t sum[2];

	if (strnlen(text, ONION_TEXT_SIZE) != ONION_TEXT_SIZE - 1 ||
	    strcasecmp(text + DIGITS, SUFFIX) != 0)
		return false;
	if (!base32_decode(raw, RAW_SIZE, text, DIGITS))
		return false;
	checksum(sum, raw);
	if (raw[RAW_SIZE - 1] != ADDRESS_VERSION ||
	    memcmp(raw + ONION_KEY_BYTES, sum, 2) != 0)
		return false;
	memcpy(key, raw, ONION_KEY_BYTES);
	return true;
}

void onion_format(char out[static ONION_TEXT_SIZE],
		  const uint8_t key[static ONION_KEY_BYTES])
{
	uint8_t raw[RAW_SIZE];

	memcpy(raw, key, ONION_KEY_BYTES);
	checksum(raw + ONION_KEY_BYTES, key);
	raw[RAW_SIZE - 1] = ADDRESS_VERSION;
	base32_encode(out, raw, RAW_SIZE);
	memcpy(out + DIGITS, SUFFIX, sizeof SUFFIX);
}
