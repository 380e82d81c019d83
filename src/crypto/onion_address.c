/*
 * Onion addresses: base32(key | checksum | version) and ".onion", where the
 * checksum is the first two bytes of SHA3-256(".onion checksum" | key |
 * version).
 */
#include "config.h"

#include "crypto/onion_address.h"

#include "crypto/hash.h"

#include <string.h>
#include <strings.h>

#define DIGITS 56
#define RAW_SIZE 35
#define ADDRESS_VERSION 3
#define SUFFIX ".onion"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

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

static int digit_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

bool onion_parse(uint8_t key[static ONION_KEY_BYTES], const char *text)
{
	uint8_t raw[RAW_SIZE];
	uint8_t sum[2];
	uint64_t acc;
	size_t i, j;

	if (strnlen(text, ONION_TEXT_SIZE) != ONION_TEXT_SIZE - 1 ||
	    strcasecmp(text + DIGITS, SUFFIX) != 0)
		return false;
	/* eight digits are five bytes */
	for (i = 0; i < DIGITS / 8; i++) {
		acc = 0;
		for (j = 0; j < 8; j++) {
			int v = digit_value(text[8 * i + j]);

			if (v < 0)
				return false;
			acc = acc << 5 | (uint64_t)v;
		}
		for (j = 0; j < 5; j++)
			raw[5 * i + j] = (uint8_t)(acc >> (32 - 8 * j));
	}
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
	uint64_t acc;
	size_t i, j;

	memcpy(raw, key, ONION_KEY_BYTES);
	checksum(raw + ONION_KEY_BYTES, key);
	raw[RAW_SIZE - 1] = ADDRESS_VERSION;
	for (i = 0; i < DIGITS / 8; i++) {
		acc = 0;
		for (j = 0; j < 5; j++)
			acc = acc << 8 | raw[5 * i + j];
		for (j = 0; j < 8; j++)
			out[8 * i + j] = alphabet[acc >> (35 - 5 * j) & 31];
	}
	memcpy(out + DIGITS, SUFFIX, sizeof SUFFIX);
}
