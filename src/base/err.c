/*
 * Trouble: filling a struct why.
 */
#include "config.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err why_set(struct why *why, enum err err, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return err;
	why->err = err;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

static enum err err_from_errno(int e)
{
	if (e == ENOSPC || e == EDQUOT)
		return ERR_SPACE;
	if (e == ENOMEM)
		return ERR_MEMORY;
	return ERR_IO;
}

enum err why_errno(struct why *why, const char *fmt, ...)
{
	int e = errno;
	char reason[128];
	va_list ap;
	size_t at, n;

	if (!why)
		return err_from_errno(e);
	why->err = err_from_errno(e);
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);

	/* A long name is cut before its cause is. */
	n = (size_t)snprintf(reason, sizeof(reason), ": %s",
			     strerrordesc_np(e) ? strerrordesc_np(e)
						: "unknown error");
	n = MIN_OF(n, sizeof(reason) - 1);
	at = MIN_OF(strlen(why->text), sizeof(why->text) - 1 - n);
	memcpy(why->text + at, reason, n);
	why->text[at + n] = '\0';
	return why->err;
}

const char *err_name(enum err err)
{
	switch (err) {
	case ERR_NONE: return "none";
	case ERR_IO: return "io";
	case ERR_SPACE: return "space";
	case ERR_CORRUPT: return "corrupt";
	case ERR_MEMORY: return "memory";
	case ERR_LIMIT: return "limit";
	case ERR_STATE: return "state";
	case ERR_INPUT: return "input";
	case ERR_STOPPED: return "stopped";
	}
	return "unknown";
}
