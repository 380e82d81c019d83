/*
 * The last words of a process that found a bug in itself.
 */
#ifndef CLOISTER_BASE_LOG_PRIV_H
#define CLOISTER_BASE_LOG_PRIV_H

#include "base/base.h"

/** To the log and to standard error; takes no lock, allocates nothing. */
void log_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
