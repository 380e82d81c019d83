/*
 * Tor's control protocol, the reading half, without a socket: bytes in, lines
 * out.  Lengths are bounded; what breaks a bound or the form ends the
 * conversation.  Pure; any thread.
 *
 *   250-version=0.4.9.11      a middle line of a reply
 *   250+circuit-status=       a line followed by data lines up to "."
 *   250 OK                    the last line
 *   650 HS_DESC UPLOADED …    an event: never inside a reply
 */
#ifndef CLOISTER_TOR_CONTROL_H
#define CLOISTER_TOR_CONTROL_H

#include "base/bytes.h"

#define CONTROL_LINE_MAX 16384            /* bytes of one line */
#define CONTROL_MESSAGE_MAX (1024 * 1024) /* bytes of one reply or event */

struct control_line {
	int code;                 /* 250, 552, 650, … */
	bool event;               /* code is 650 */
	bool data;                /* a data line; text without stuffing */
	bool last;                /* the message ends with this line */
	const char *text;         /* after the code; terminated; borrowed */
};

typedef void control_line_fn(void *arg, const struct control_line *line);

struct control_parser {
	struct bytes buf;         /* an unfinished line */
	size_t message_bytes;     /* of the message so far */
	int code;                 /* of the message; 0: between messages */
	bool in_data;
	bool failed;
};

/**
 * Take bytes; call fn for every line that is complete.  False when tor does
 * not speak the protocol: nothing more is read then.  fn must not feed or
 * clear the parser.
 */
NODISCARD bool control_feed(struct control_parser *p, struct span in,
			    control_line_fn *fn, void *arg);
void control_clear(struct control_parser *p);

/**
 * Find KEY=value or KEY="quoted value" among the words of text, and copy the
 * value (unquoted, cut at size-1).  False, and out empty, if it is not there.
 */
bool control_keyword(char *out, size_t size, const char *text,
		     const char *key);
/** Copy the n-th word (from 0) of text, cut at size-1; false if none. */
bool control_word(char *out, size_t size, const char *text, unsigned n);
/** Append value in the quotes of a control command. */
void control_quote(struct bytes *out, const char *value);

#endif
