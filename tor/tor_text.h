/*
 * Small readings of what tor writes: its version, its log lines, and the
 * addresses that must not reach our log or the node.  Pure; any thread.
 */
#ifndef CLOISTER_TOR_TOR_TEXT_H
#define CLOISTER_TOR_TOR_TEXT_H

#include "base/log.h"

/* Older ones let a rendezvous point pass for an onion service. */
#define TOR_MIN_VERSION "0.4.9.11"

/** Find "Tor version 1.2.3.4…" or a bare version; false if there is none. */
NODISCARD bool tor_version_read(char *out, size_t size, const char *text);
/** Is version at least minimum?  Both as tor_version_read() gives them. */
bool tor_version_at_least(const char *version, const char *minimum);

/**
 * Replace IPv4 and IPv6 addresses, relay fingerprints and onion addresses by
 * [scrubbed]; cut at size-1 bytes.
 */
void tor_text_scrub(char *out, size_t size, const char *text);

/**
 * Split "Nov 20 10:25:17.000 [warn] text": the level as ours, the text.  What
 * the control conversation tells better is debug.  A line without a level is not tor's (a loader's, say): *level is debug, and
 * *foreign true.
 */
const char *tor_log_text(enum log_level *level, bool *foreign,
			 const char *line);

#endif
