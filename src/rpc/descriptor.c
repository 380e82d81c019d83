/*
 * Descriptors: their checksum, and the two kinds that name a script without
 * keys.
 */
#include "config.h"

#include "rpc/descriptor.h"

#include <stdlib.h>

#include "address/address.h"

/* BIP380: the characters in groups of 32; a place in the table is a symbol
 * (its low five bits) and a group. */
static const char checksum_input[] =
	"0123456789()[],'/*abcdefgh@:$%{}"
	"IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
	"ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
static const char checksum_output[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint64_t checksum_step(uint64_t c, unsigned v)
{
	static const uint64_t generator[5] = {
		0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a,
		0x644d626ffd,
	};
	unsigned top = (unsigned)(c >> 35);

	c = (c & 0x7ffffffff) << 5 ^ v;
	for (unsigned i = 0; i < 5; i++)
		if (top >> i & 1)
			c ^= generator[i];
	return c;
}

/* False if the text holds a character that descriptors cannot have. */
static bool checksum_of(char out[static 9], const char *s, size_t n)
{
	uint64_t c = 1;
	unsigned group = 0, count = 0;

	for (size_t i = 0; i < n; i++) {
		const char *at = strchr(checksum_input, s[i]);
		unsigned pos;

		if (!at || !s[i])
			return false;
		pos = (unsigned)(at - checksum_input);
		c = checksum_step(c, pos & 31);
		group = group * 3 + (pos >> 5);
		if (++count == 3) {
			c = checksum_step(c, group);
			group = count = 0;
		}
	}
	if (count)
		c = checksum_step(c, group);
	for (int i = 0; i < 8; i++)
		c = checksum_step(c, 0);
	c ^= 1;
	for (int i = 0; i < 8; i++)
		out[i] = checksum_output[c >> (5 * (7 - i)) & 31];
	out[8] = 0;
	return true;
}

char *descriptor_seal(const char *text)
{
	char sum[9];

	CHECK(checksum_of(sum, text, strlen(text)));
	return xasprintf("%s#%s", text, sum);
}

/* The length of the text before '#'; 0 if the checksum does not fit. */
static size_t unseal(const char *text, struct why *why)
{
	size_t n = strcspn(text, "#");
	char sum[9];

	if (!checksum_of(sum, text, n)) {
		why_set(why, ERR_INPUT, "Invalid characters in payload");
		return 0;
	}
	if (!text[n])
		return n;
	if (strlen(text + n + 1) != 8) {
		why_set(why, ERR_INPUT, "Expected 8 character checksum, not "
			"%zu characters", strlen(text + n + 1));
		return 0;
	}
	if (strcmp(text + n + 1, sum) != 0) {
		why_set(why, ERR_INPUT, "Provided checksum '%s' does not "
			"match computed checksum '%s'", text + n + 1, sum);
		return 0;
	}
	return n;
}

bool descriptor_script(struct bytes *out, const struct chain_params *p,
			   const char *text, struct why *why)
{
	size_t n = unseal(text, why);
	bool raw = strncmp(text, "raw(", 4) == 0;
	bool addr = strncmp(text, "addr(", 5) == 0;
	size_t head = addr ? 5 : 4;
	char *inner;
	bool ok;

	if (!n)
		return false;
	if ((!raw && !addr) || text[n - 1] != ')') {
		why_set(why, ERR_INPUT, "'%.*s' is not a valid descriptor "
			"function (raw() and addr() are known)",
			(int)strcspn(text, "("), text);
		return false;
	}
	inner = xmemdup(text + head, n - head);
	inner[n - head - 1] = 0;
	if (raw) {
		ok = hex_append(out, inner);
		if (!ok)
			why_set(why, ERR_INPUT, "Raw script is not hex");
	} else {
		ok = address_to_script(out, p, inner, NULL);
		if (!ok)
			why_set(why, ERR_INPUT, "Address is not valid");
	}
	free(inner);
	return ok;
}
