/*
 * The last words of a bug where there is no log: to standard error.  Linked
 * into libcloisterconsensus in place of log.c.
 */
#include "config.h"

#include "base/log_priv.h"

#include <stdarg.h>
#include <stdio.h>

void log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("libcloisterconsensus: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}
