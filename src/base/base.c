/*
 * Bug checks and allocation that cannot fail.
 */
#include "config.h"

#include "base/base.h"

#include "base/log.h"
#include "base/log_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_failed(const char *file, int line, const char *what)
{
	log_fatal("bug at %s:%d: %s", file, line, what);
	abort();
}

static void *must(void *p, size_t n)
{
	if (!p) {
		log_fatal("out of memory (asked for %zu bytes)", n);
		abort();
	}
	return p;
}

void *xmalloc(size_t n)
{
	return must(malloc(n ? n : 1), n);
}

void *xcalloc(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		return must(calloc(1, 1), 1);
	return must(calloc(count, size), count);
}

void *xrealloc(void *p, size_t n)
{
	return must(realloc(p, n ? n : 1), n);
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

void *xmemdup(const void *p, size_t n)
{
	void *q = xmalloc(n);

	if (n)
		memcpy(q, p, n);
	return q;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	CHECK(n >= 0);
	return s;
}
