/*
 * The file of trusted peers: what is read is written as the same records, and
 * read again without loss.
 */
#include "config.h"

#include "tls/trust_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trust_store s, again;
	struct bytes a = {0}, b = {0};
	unsigned bad;

	if (!trust_store_read(&s, &bad, span_of(data, size)))
		return 0;
	CHECK(s.n <= TRUST_PEERS_MAX);
	trust_store_write(&a, &s);
	CHECK(trust_store_read(&again, &bad, bytes_span(&a)));
	CHECK(bad == 0 && again.n == s.n);
	trust_store_write(&b, &again);
	CHECK(span_eq(bytes_span(&a), bytes_span(&b)));
	bytes_clear(&a);
	bytes_clear(&b);
	trust_store_clear(&s);
	trust_store_clear(&again);
	return 0;
}
