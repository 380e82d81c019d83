/*
 * The file of trusted peers: what is read is written as the same records, and
 * read again without loss.  Once the input is a whole file; once it is the
 * inside of a record, with the checksum that belongs to it.
 */
#include "config.h"

#include "crypto/hash.h"
#include "tls/trust_store.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_file(struct span file)
{
	struct trust_store s, again;
	struct bytes a = {0}, b = {0};
	unsigned bad;

	if (!trust_store_read(&s, &bad, file))
		return;
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
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sum[32];
	char *hex = hex_new(span_of(data, size)), *head;
	struct bytes file = {0};

	try_file(span_of(data, size));
	sha256(sum, data, size);
	head = hex_new(span_of(sum, 8));
	bytes_append(&file, "cloister-trusted-v1\npeer ", 25);
	bytes_append(&file, head, 16);
	bytes_append(&file, " ", 1);
	bytes_append(&file, hex, 2 * size);
	bytes_append(&file, "\n", 1);
	try_file(bytes_span(&file));
	bytes_clear(&file);
	free(head);
	free(hex);
	return 0;
}
