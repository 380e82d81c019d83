/*
 * What a tor process prints: logged line by line, scrubbed, the last
 * complaints kept for when it ends.  Warden only.
 */
#ifndef CLOISTER_TOR_TOR_OUTPUT_H
#define CLOISTER_TOR_TOR_OUTPUT_H

#include "base/base.h"

struct event_base;
struct tor_output;

/** Takes fd, the reading end of a pipe. */
struct tor_output *tor_output_new(struct event_base *base, int fd);
void tor_output_free(struct tor_output *o);         /* NULL is fine */
/** Read what is there now, to the last unfinished line. */
void tor_output_drain(struct tor_output *o);
/** The first line, as it came. */
const char *tor_output_first(const struct tor_output *o);
/** Did it complain about certificates out of date since the last call? */
bool tor_output_doubts_clock(struct tor_output *o);
/** Write its last fresh complaints, scrubbed, "; " between; "" if there were none. */
void tor_output_complaints(char *out, size_t size,
			   const struct tor_output *o);

#endif
