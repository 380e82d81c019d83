/*
 * What tap.so writes down, and how it is told to make calls fail.  Integers
 * are the machine's own: log and control file never leave it.
 */
#ifndef CLOISTER_TESTS_CRASH_TAP_H
#define CLOISTER_TESTS_CRASH_TAP_H

#include <stdint.h>

/* Environment: the directory that is watched, the log (appended to; may be
 * absent), the control file (one struct tap_control; may be absent). */
#define TAP_ROOT "TAP_ROOT"
#define TAP_LOG "TAP_LOG"
#define TAP_CONTROL "TAP_CONTROL"

enum tap_op {
	TAP_OPEN = 1,    /* offset: flags below; payload: path */
	TAP_WRITE,       /* offset; payload: data */
	TAP_TRUNCATE,    /* offset: the new size */
	TAP_SYNC,        /* of a file or a directory */
	TAP_RENAME,      /* payload: from, NUL, to */
	TAP_UNLINK,      /* payload: path */
	TAP_RMDIR,
	TAP_MKDIR,
	TAP_MAP_WRITE,   /* a writable shared mapping: not understood */
	TAP_MARK,        /* payload: what the process says of itself */
};

enum { TAP_CREATED = 1, TAP_TRUNCATED = 2, TAP_DIRECTORY = 4 };

/* Followed by n bytes.  Paths are relative to the root, "" is the root. */
struct tap_record {
	uint32_t op;
	uint32_t unused;
	uint64_t handle;         /* of an open file, never used twice */
	uint64_t offset, n;
};

/* Calls that can be made to fail; a mask. */
enum {
	TAP_FAIL_WRITE = 1,
	TAP_FAIL_SYNC = 2,
	TAP_FAIL_CREATE = 4,     /* opening for writing */
	TAP_FAIL_READ = 8,
	TAP_FAIL_RENAME = 16,
	TAP_FAIL_UNLINK = 32,
	TAP_FAIL_MKDIR = 64,
	TAP_FAIL_TRUNCATE = 128,
	TAP_FAIL_OPEN = 256,     /* opening for reading */
};

/* Instead of an errno.  TAP_BUS: a read is made through a mapping, of a page
 * that the disk does not give. */
enum { TAP_SHORT = -1, TAP_KILL = -2, TAP_BUS = -3 };

struct tap_control {
	uint32_t armed;          /* 0: nothing fails */
	uint32_t calls;          /* mask */
	int32_t error;           /* errno; or one of those above */
	uint32_t skip;           /* so many matching calls succeed first */
	uint32_t times;          /* then so many fail; 0: all */
	uint32_t seen, hits;     /* counted by tap.so */
	char path[100];          /* part of the path, "" any */
};

/** Found with dlsym(): note something in the log. */
typedef void tap_mark_fn(const char *text);
#define TAP_MARK_NAME "tap_mark"

#endif
