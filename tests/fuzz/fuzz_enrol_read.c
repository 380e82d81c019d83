/*
 * Messages of enrolment: what is read is written as the same bytes.
 */
#include "config.h"

#include "tls/enrol_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct enrol_msg m;
	struct bytes b = {0};
	size_t used;

	if (enrol_msg_read(&m, &used, span_of(data, size)) != ENROL_READ_OK)
		return 0;
	CHECK(used <= size && used <= ENROL_MESSAGE_MAX);
	enrol_msg_write(&b, &m);
	CHECK(span_eq(bytes_span(&b), span_of(data, used)));
	bytes_clear(&b);
	return 0;
}
