/*
 * Trouble: the world failed (disk, memory, another program), as opposed to a
 * verdict (the input breaks a rule) and to a bug (our code is wrong).  A
 * function that can meet trouble returns enum err and, where a person will
 * want to know more, fills a struct why that names the file and the cause.
 */
#ifndef CLOISTER_BASE_ERR_H
#define CLOISTER_BASE_ERR_H

#include "base/base.h"

enum err {
	ERR_NONE = 0,
	ERR_IO,      /* read, write, sync or open failed */
	ERR_SPACE,   /* disk or quota is full */
	ERR_CORRUPT, /* stored data is not what was written */
	ERR_MEMORY,  /* a bounded cache or the system is out of memory */
	ERR_LIMIT,   /* a limit of ours would be passed (queue full, …) */
	ERR_STATE,   /* asked for at the wrong time (not running, busy) */
	ERR_INPUT,   /* configuration or a file that a person must mend */
	ERR_STOPPED, /* given up because the process is stopping */
};

/* What went wrong, in a sentence without a final stop. */
struct why {
	enum err err;
	char text[400];
};

/**
 * Fill *why (which may be NULL) and return err, so that a failing function
 * ends in `return why_set(why, ERR_IO, "cannot read %s: %s", …)`.
 */
enum err why_set(struct why *why, enum err err, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/**
 * The same from errno: appends ": <strerror>", and chooses ERR_SPACE for
 * ENOSPC and EDQUOT, ERR_MEMORY for ENOMEM, else ERR_IO.
 */
enum err why_errno(struct why *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** A short name for logs: "io", "space", … */
const char *err_name(enum err err);

#endif
