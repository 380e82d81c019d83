/*
 * Witness programs as Bech32 (version 0) and Bech32m.
 */
#include "config.h"

#include "address/segwit.h"

static bool refuse(struct why *why, const char *reason)
{
	why_set(why, ERR_INPUT, "%s", reason);
	return false;
}

static bool program_ok(unsigned version, size_t n)
{
	if (version > 16 || n < 2 || n > 40)
		return false;
	return version != 0 || n == 20 || n == 32;
}

bool segwit_encode(char out[static BECH32_MAX_CHARS + 1], const char *hrp,
		   unsigned version, struct span program)
{
	uint8_t values[1 + 64];
	size_t n;

	if (!program_ok(version, program.n))
		return false;
	values[0] = (uint8_t)version;
	n = 1 + bech32_values_of(values + 1, program);
	return bech32_encode(out, version ? BECH32M : BECH32, hrp,
			     span_of(values, n));
}

static bool refuse_size(struct why *why, unsigned version, size_t n)
{
	const char *bytes = n == 1 ? "byte" : "bytes";

	if (version == 0)
		why_set(why, ERR_INPUT, "Invalid Bech32 v0 address program "
			"size (%zu %s), per BIP141", n, bytes);
	else
		why_set(why, ERR_INPUT, "Invalid Bech32 address program size "
			"(%zu %s)", n, bytes);
	return false;
}

static bool read_program(unsigned version, uint8_t program[static 40],
			 size_t *program_n, const struct bech32 *b,
			 struct why *why)
{
	uint8_t all[BECH32_MAX_CHARS];
	size_t n;

	if (!bech32_bytes_of(all, &n, sizeof all,
			     span_of(b->values + 1, b->n - 1)))
		return refuse(why, "Invalid padding in Bech32 data section");
	if (version > 16)
		return refuse(why, "Invalid Bech32 address witness version");
	if (!program_ok(version, n))
		return refuse_size(why, version, n);
	memcpy(program, all, n);
	*program_n = n;
	return true;
}

bool segwit_decode(unsigned *version, uint8_t program[static 40],
		   size_t *program_n, const char *hrp, const char *text,
		   struct why *why)
{
	struct bech32 b;

	if (!bech32_decode(&b, text, why))
		return false;
	if (b.n == 0)
		return refuse(why, "Empty Bech32 data section");
	if (strcmp(b.hrp, hrp) != 0) {
		why_set(why, ERR_INPUT, "Invalid or unsupported prefix for "
			"Segwit (Bech32) address (expected %s, got %s).", hrp,
			b.hrp);
		return false;
	}
	*version = b.values[0];
	if (*version == 0 && b.kind != BECH32)
		return refuse(why, "Version 0 witness address must use Bech32 "
			      "checksum");
	if (*version != 0 && b.kind != BECH32M)
		return refuse(why, "Version 1+ witness address must use "
			      "Bech32m checksum");
	return read_program(*version, program, program_n, &b, why);
}
