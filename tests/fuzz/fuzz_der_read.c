/*
 * The lax signature reader from any bytes: what follows a signature does not
 * matter, and checking with it never breaks anything.
 */
#include "config.h"

#include "crypto/der.h"
#include "crypto/secp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t rs[64], again[64], msg[32] = { 1 };
	struct bytes longer = { 0 };

	if (!der_lax_read(rs, span_of(data, n))) {
		CHECK(!secp_ecdsa_is_low_s(span_of(data, n)));
		return 0;
	}
	bytes_append(&longer, data, n);
	bytes_append(&longer, msg, sizeof(msg));
	CHECK(der_lax_read(again, bytes_span(&longer)));
	CHECK(memcmp(rs, again, sizeof(rs)) == 0);
	CHECK(secp_ecdsa_is_low_s(span_of(data, n)) ==
	      secp_ecdsa_is_low_s(bytes_span(&longer)));
	CHECK(!secp_ecdsa_verify(msg, span_of(data, n), span_of(data, n)));
	bytes_clear(&longer);
	return 0;
}
