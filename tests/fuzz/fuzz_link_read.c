/*
 * The link's messages, of both directions: what is read is written back as
 * the same bytes.
 */
#include "config.h"

#include "base/base.h"
#include "tor/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum link_side sides[] = {
		LINK_FROM_WARDEN, LINK_FROM_NODE,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		struct link_msg m;
		struct bytes b = {0};

		if (!link_msg_read(&m, sides[i], span_of(data, size)))
			continue;
		link_msg_write(&b, &m);
		CHECK(span_eq(bytes_span(&b), span_of(data, size)));
		bytes_clear(&b);
	}
	return 0;
}
