/*
 * What is sealed in a backup: what is read is written back as the same bytes.
 */
#include "config.h"

#include "base/base.h"
#include "keys/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret again = {0};
	struct backup b;

	if (backup_payload_read(&b, span_of(data, size))) {
		backup_payload_write(&again, &b);
		CHECK(span_eq(secret_span(&again), span_of(data, size)));
	}
	backup_clear(&b);
	secret_clear(&again);
	return 0;
}
