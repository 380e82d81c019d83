/*
 * Base58: a big number written in 58 digits, with one '1' more for each zero
 * byte at its front.
 */
#include "config.h"

#include "address/base58.h"

#include "crypto/hash.h"

static const char white_space[] = " \f\n\r\t\v";
static const char digits[] =
	"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

void base58_encode(char out[static BASE58_MAX_CHARS], struct span bytes)
{
	uint8_t number[BASE58_MAX_CHARS] = { 0 };       /* lowest digit first */
	size_t n = 0, zeros = 0, at = 0;

	CHECK(bytes.n <= BASE58_MAX_BYTES);
	while (zeros < bytes.n && bytes.p[zeros] == 0)
		zeros++;
	for (size_t i = zeros; i < bytes.n; i++) {
		unsigned carry = bytes.p[i];

		for (size_t k = 0; k < n || carry; k++) {
			carry += 256u * number[k];
			number[k] = (uint8_t)(carry % 58);
			carry /= 58;
			if (k == n)
				n++;
		}
	}
	while (zeros-- > 0)
		out[at++] = digits[0];
	while (n-- > 0)
		out[at++] = digits[number[n]];
	out[at] = 0;
}

/* number = number * 58 + digit, lowest byte first; false if it grows past
 * max bytes. */
static bool number_push(uint8_t *number, size_t *n, size_t max, unsigned digit)
{
	unsigned carry = digit;

	for (size_t k = 0; k < *n || carry; k++) {
		if (k == max)
			return false;
		if (k == *n)
			number[(*n)++] = 0;
		carry += 58u * number[k];
		number[k] = (uint8_t)carry;
		carry >>= 8;
	}
	return true;
}

bool base58_decode(uint8_t *out, size_t *out_n, size_t max, const char *text)
{
	uint8_t number[BASE58_MAX_BYTES];
	size_t zeros = 0, n = 0;
	const char *s = text + strspn(text, white_space);

	CHECK(max <= sizeof number);
	for (; *s == digits[0]; s++) {
		if (++zeros > max)
			return false;
	}
	for (; *s && !strchr(white_space, *s); s++) {
		const char *at = strchr(digits, *s);

		if (!at || !number_push(number, &n, max,
					(unsigned)(at - digits)))
			return false;
	}
	if (s[strspn(s, white_space)] || zeros + n > max)
		return false;
	memset(out, 0, zeros);
	for (size_t i = 0; i < n; i++)
		out[zeros + i] = number[n - 1 - i];
	*out_n = zeros + n;
	bytes_wipe(number, sizeof number);
	return true;
}

void base58check_encode(char out[static BASE58_MAX_CHARS],
			struct span payload)
{
	uint8_t all[BASE58_MAX_BYTES], hash[32];

	CHECK(payload.n <= sizeof all - BASE58_CHECKSUM_BYTES);
	sha256d(hash, payload.p, payload.n);
	if (payload.n)
		memcpy(all, payload.p, payload.n);
	memcpy(all + payload.n, hash, BASE58_CHECKSUM_BYTES);
	base58_encode(out, span_of(all, payload.n + BASE58_CHECKSUM_BYTES));
	bytes_wipe(all, sizeof all);
}

bool base58check_decode(uint8_t *out, size_t *out_n, size_t max,
			const char *text)
{
	uint8_t all[BASE58_MAX_BYTES], hash[32];
	size_t n;
	bool ok;

	CHECK(max <= sizeof all - BASE58_CHECKSUM_BYTES);
	if (!base58_decode(all, &n, max + BASE58_CHECKSUM_BYTES, text) ||
	    n < BASE58_CHECKSUM_BYTES)
		return false;
	n -= BASE58_CHECKSUM_BYTES;
	sha256d(hash, all, n);
	ok = memcmp(hash, all + n, BASE58_CHECKSUM_BYTES) == 0;
	if (ok) {
		memcpy(out, all, n);
		*out_n = n;
	}
	bytes_wipe(all, sizeof all);
	return ok;
}
