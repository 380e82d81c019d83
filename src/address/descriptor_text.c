/*
 * Descriptors as text.
 */
#include "config.h"

#include "address/descriptor_text.h"

#include <stdlib.h>

#include "address/address.h"
#include "address/script_type.h"
#include "crypto/secp.h"

/* ---- checksum ---- */

static uint64_t checksum_step(uint64_t c, unsigned value)
{
	static const uint64_t generator[5] = {
		0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a,
		0x644d626ffd,
	};
	unsigned top = (unsigned)(c >> 35);

	c = (c & 0x7ffffffff) << 5 ^ value;
	for (unsigned i = 0; i < 5; i++) {
		if (top >> i & 1)
			c ^= generator[i];
	}
	return c;
}

/*
 * Each character is a symbol (its place's low five bits) and one of three
 * groups; three groups make a symbol more.
 */
bool descriptor_checksum(char out[static DESCRIPTOR_CHECKSUM_CHARS + 1],
			 const char *text, size_t n)
{
	static const char input[] = "0123456789()[],'/*abcdefgh@:$%{}"
				    "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
				    "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
	static const char output[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	unsigned groups = 0, waiting = 0;
	uint64_t c = 1;

	for (size_t i = 0; i < n; i++) {
		const char *at = memchr(input, text[i], sizeof input - 1);
		unsigned place;

		if (!at)
			return false;
		place = (unsigned)(at - input);
		c = checksum_step(c, place & 31);
		groups = groups * 3 + (place >> 5);
		if (++waiting == 3) {
			c = checksum_step(c, groups);
			groups = waiting = 0;
		}
	}
	if (waiting)
		c = checksum_step(c, groups);
	for (int i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
		c = checksum_step(c, 0);
	c ^= 1;
	for (int i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
		out[i] = output[c >> 5 * (DESCRIPTOR_CHECKSUM_CHARS - 1 - i)
				& 31];
	out[DESCRIPTOR_CHECKSUM_CHARS] = 0;
	return true;
}

char *descriptor_seal(const char *text)
{
	char sum[DESCRIPTOR_CHECKSUM_CHARS + 1];

	CHECK(descriptor_checksum(sum, text, strlen(text)));
	return xasprintf("%s#%s", text, sum);
}

/* ---- from a script ---- */

/* Hybrid keys have no descriptor. */
static bool keys_are_plain(const struct script_solution *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->parts[i].p[0] > 4)
			return false;
	}
	return true;
}

static char *one_part(const char *function, struct span part)
{
	char *hex = hex_new(part);
	char *text = xasprintf("%s(%s)", function, hex);

	free(hex);
	return text;
}

static char *multisig_text(const struct script_solution *s)
{
	char *text = xasprintf("multi(%u", s->required);

	for (size_t i = 0; i < s->count; i++) {
		char *hex = hex_new(s->parts[i]);
		char *longer = xasprintf("%s,%s%s", text, hex,
					 i + 1 == s->count ? ")" : "");

		free(hex);
		free(text);
		text = longer;
	}
	return text;
}

static bool is_x_of_point(struct span x)
{
	uint8_t key[33] = { 2 };

	memcpy(key + 1, x.p, 32);
	return secp_pubkey_valid(span_of(key, sizeof key));
}

char *descriptor_of_script(const struct chain_params *p, struct span script)
{
	char address[ADDRESS_MAX_CHARS];
	struct script_solution s;
	char *text, *sealed;

	script_solve(&s, script);
	if (s.type == SCRIPT_TYPE_PUBKEY && keys_are_plain(&s))
		text = one_part("pk", s.parts[0]);
	else if (s.type == SCRIPT_TYPE_MULTISIG && keys_are_plain(&s))
		text = multisig_text(&s);
	else if (s.type == SCRIPT_TYPE_WITNESS_V1_TAPROOT &&
		 is_x_of_point(s.parts[0]))
		text = one_part("rawtr", s.parts[0]);
	else if (address_of_script(address, p, script))
		text = xasprintf("addr(%s)", address);
	else
		text = one_part("raw", script);
	sealed = descriptor_seal(text);
	free(text);
	return sealed;
}

/* ---- checked ---- */

static bool refuse(struct why *why, const char *reason)
{
	why_set(why, ERR_INPUT, "%s", reason);
	return false;
}

bool descriptor_seal_check(size_t *n, const char *text, bool needed,
			   struct why *why)
{
	char sum[DESCRIPTOR_CHECKSUM_CHARS + 1];
	const char *mark = strchr(text, '#');

	*n = mark ? (size_t)(mark - text) : strlen(text);
	if (mark && strchr(mark + 1, '#'))
		return refuse(why, "Multiple '#' symbols");
	if (!mark && needed)
		return refuse(why, "Missing checksum");
	if (mark && strlen(mark + 1) != DESCRIPTOR_CHECKSUM_CHARS) {
		why_set(why, ERR_INPUT, "Expected 8 character checksum, not "
			"%zu characters", strlen(mark + 1));
		return false;
	}
	if (!descriptor_checksum(sum, text, *n))
		return refuse(why, "Invalid characters in payload");
	if (mark && strcmp(mark + 1, sum) != 0) {
		why_set(why, ERR_INPUT, "Provided checksum '%s' does not "
			"match computed checksum '%s'", mark + 1, sum);
		return false;
	}
	return true;
}
