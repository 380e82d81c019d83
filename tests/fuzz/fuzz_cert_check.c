/*
 * A certificate chain as it is shown to us: the input is leaf and root, the
 * leaf's length (u16) before it.  Whatever passes names an id that is the
 * root's key, and is refused with any other.
 */
#include "config.h"

#include <string.h>

#include "base/reader.h"
#include "tls/cert.h"

#define NOW INT64_C(1800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cert_rules rules = { .now_unix = NOW,
					  .skew_s = CERT_SKEW_S };
	struct reader r = reader_of(span_of(data, size));
	struct span leaf = read_span(&r, read_u16(&r));
	struct span chain[3];
	struct cert_facts facts;
	enum tls_fail f;

	if (r.failed)
		return 0;
	chain[0] = leaf;
	chain[1] = read_span(&r, reader_left(&r));
	chain[2] = chain[1];
	f = cert_check(&facts, chain, 2, &rules);
	CHECK((unsigned)f < TLS_FAIL_COUNT);
	CHECK(f != TLS_OK || facts.has_id);
	CHECK(f != TLS_OK || facts.until_unix + CERT_SKEW_S >= NOW);
	CHECK(cert_check(&facts, chain, 1, &rules) != TLS_OK);
	CHECK(cert_check(&facts, chain, 3, &rules) == TLS_TOO_DEEP);
	chain[1] = leaf;
	CHECK(cert_check(&facts, chain, 2, &rules) != TLS_OK);
	return 0;
}
