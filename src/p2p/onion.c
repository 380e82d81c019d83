/*
 * Onion addresses to keys and back.
 */
#include "config.h"

#include "p2p/onion.h"

#include <strings.h>

#include "crypto/hash.h"

#define RAW_BYTES 35             /* key, two of checksum, version */
#define TEXT_CHARS 56
#define ONION_VERSION 3

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static void checksum(uint8_t out[static 2],
		     const uint8_t key[static ONION_KEY_BYTES])
{
	static const char label[] = ".onion checksum";
	uint8_t in[sizeof label - 1 + ONION_KEY_BYTES + 1], full[32];

	memcpy(in, label, sizeof label - 1);
	memcpy(in + sizeof label - 1, key, ONION_KEY_BYTES);
	in[sizeof in - 1] = ONION_VERSION;
	sha3_256(full, in, sizeof in);
	memcpy(out, full, 2);
}

static int digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

bool onion_parse(uint8_t key[static ONION_KEY_BYTES], const char *host)
{
	uint8_t raw[RAW_BYTES] = { 0 }, sum[2];
	size_t i, bit;
	int d;

	if (strlen(host) != ONION_TEXT_SIZE - 1 ||
	    strcasecmp(host + TEXT_CHARS, ".onion") != 0)
		return false;
	for (i = 0; i < TEXT_CHARS * 5; i++) {
		d = digit(host[i / 5]);
		if (d < 0)
			return false;
		bit = (size_t)d >> (4 - i % 5) & 1;
		raw[i / 8] |= (uint8_t)(bit << (7 - i % 8));
	}
	checksum(sum, raw);
	if (memcmp(sum, raw + ONION_KEY_BYTES, 2) != 0 ||
	    raw[RAW_BYTES - 1] != ONION_VERSION)
		return false;
	memcpy(key, raw, ONION_KEY_BYTES);
	return true;
}

void onion_format(char out[static ONION_TEXT_SIZE],
		  const uint8_t key[static ONION_KEY_BYTES])
{
	uint8_t raw[RAW_BYTES];
	unsigned d, j;
	size_t i, at;

	memcpy(raw, key, ONION_KEY_BYTES);
	checksum(raw + ONION_KEY_BYTES, key);
	raw[RAW_BYTES - 1] = ONION_VERSION;
	for (i = 0; i < TEXT_CHARS; i++) {
		for (d = 0, j = 0; j < 5; j++) {
			at = i * 5 + j;
			d = d << 1 | (raw[at / 8] >> (7 - at % 8) & 1u);
		}
		out[i] = alphabet[d];
	}
	memcpy(out + TEXT_CHARS, ".onion", sizeof ".onion");
}
