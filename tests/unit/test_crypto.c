/*
 * Unit tests of src/crypto.
 */
#include "config.h"

#include "test_crypto.h"

#include <stdlib.h>

#include "base/bytes.h"

void assert_hex(const uint8_t *p, size_t n, const char *hex)
{
	char *mine = hex_new(span_of(p, n));

	assert_string_equal(mine, hex);
	free(mine);
}

int main(void)
{
	return test_crypto_hash() + test_crypto_siphash() +
	       test_crypto_muhash() + test_crypto_secp() != 0;
}
