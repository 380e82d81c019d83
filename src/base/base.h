/*
 * The few macros every module shares: bug checks, attributes, allocation
 * that cannot fail.  A bug is our own mistake: it stops the process with
 * file and line.  Bad input and a failing world are never bugs.
 */
#ifndef CLOISTER_BASE_BASE_H
#define CLOISTER_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODISCARD __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
/* Marks a parameter that the callee frees, whatever the outcome. */
#define TAKES
#define UNUSED __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* The structure of type `type` whose field `member` is at `ptr`. */
#define CONTAINER_OF(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/** Stop the process if cond is false.  Compiled in always. */
#define CHECK(cond) \
	((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

NORETURN void check_failed(const char *file, int line, const char *what);

/**
 * Allocate; stop the process when memory is out.  For sizes that our own
 * code bounds; anything a peer or a user sizes is bounded before the call.
 */
void *xmalloc(size_t n) __attribute__((malloc));
void *xcalloc(size_t count, size_t size) __attribute__((malloc));
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s) __attribute__((malloc));
void *xmemdup(const void *p, size_t n) __attribute__((malloc));
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
