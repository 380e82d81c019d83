/*
 * The PROXY line from any bytes: what is accepted is within bounds, ends in a
 * line end, and does not depend on what follows.
 */
#include "config.h"

#include "net/proxy_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint32_t circuit, again;
	size_t size, size_again;

	if (proxy_line_parse(&circuit, &size, span_of(data, n)) !=
	    PROXY_LINE_OK)
		return 0;
	CHECK(size <= n && size <= PROXY_LINE_MAX);
	CHECK(data[size - 1] == '\n' && data[size - 2] == '\r');
	CHECK(proxy_line_parse(&again, &size_again, span_of(data, size)) ==
	      PROXY_LINE_OK);
	CHECK(again == circuit && size_again == size);
	CHECK(proxy_line_parse(&again, &size_again,
			       span_of(data, size - 1)) == PROXY_LINE_MORE);
	return 0;
}
