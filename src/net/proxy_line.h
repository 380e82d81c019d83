/*
 * The line by which Tor announces an inbound stream (version 1 of the PROXY
 * protocol): its made-up source address ends in the circuit's number.  Pure.
 */
#ifndef CLOISTER_NET_PROXY_LINE_H
#define CLOISTER_NET_PROXY_LINE_H

#include "base/bytes.h"

#define PROXY_LINE_MAX 107

enum proxy_line_verdict {
	PROXY_LINE_OK = 0,
	PROXY_LINE_MORE,      /* no end of line yet, and room for one */
	PROXY_LINE_BAD,
};

/**
 * Parse the line that in begins with.
 *
 * circuit   set if OK
 * size      bytes of the line with its end; set if OK
 */
enum proxy_line_verdict proxy_line_parse(uint32_t *circuit, size_t *size,
					 struct span in);

#endif
