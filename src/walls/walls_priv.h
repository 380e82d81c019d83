/*
 * The single walls.  Functions named wall_… return 0, or -1 and errno, and
 * are async-signal-safe.
 */
#ifndef CLOISTER_WALLS_WALLS_PRIV_H
#define CLOISTER_WALLS_WALLS_PRIV_H

#include <linux/filter.h>

#include "walls/walls.h"

/* ---- privileges.c ---- */

int wall_no_caps(void);
int wall_no_core(void);
/** Core dumps of this process and of what it executes; a program that is
 * executed may be looked at by its user again. */
int wall_no_core_limit(void);
int wall_no_new_privs(void);

/* ---- network.c ---- */

/** Leave the network for an empty one. */
int wall_network(void);
/** A sentence on why wall_network() failed with this errno. */
void wall_network_reason(char *out, size_t size, int error);

/* ---- landlock.c ---- */

/** Version of the kernel's Landlock; -1 and errno without. */
int landlock_abi(void);
/** A ruleset's descriptor, or -1 and errno.  no_tcp: no TCP bind or connect,
 * where the kernel knows of it. */
int landlock_ruleset(const struct walls_path *paths, size_t n, bool no_tcp);
int wall_landlock(int ruleset);

/* ---- filters ---- */

/* What the kernel runs for each system call. */
struct filter {
	struct sock_fprog prog;
};

/* A filter under construction; NULL from filter_begin() is out of memory. */
struct filter_maker;
enum filter_action {
	FILTER_ALLOW,
	FILTER_REFUSE,         /* EPERM */
	FILTER_UNKNOWN,        /* ENOSYS, as if the kernel were older */
	FILTER_KILL,           /* the whole process */
};
struct filter_maker *filter_begin(enum filter_action by_default,
				  enum filter_action foreign);
/** One name, or several with spaces between; those this system's libseccomp
 * does not know are left to the default. */
void filter_calls(struct filter_maker *m, enum filter_action a,
		  const char *names);
/** Where (argument & mask) == value. */
void filter_masked(struct filter_maker *m, enum filter_action a,
		   const char *name, unsigned arg, uint64_t mask,
		   uint64_t value);
/** Where two arguments are so. */
void filter_masked2(struct filter_maker *m, enum filter_action a,
		    const char *name, const unsigned arg[static 2],
		    const uint64_t mask[static 2],
		    const uint64_t value[static 2]);
/** Finish and free m. */
NODISCARD enum err filter_end(struct filter_maker *m, struct filter *out,
			      struct why *why);

NODISCARD enum err filter_node(struct filter *out, struct why *why);
NODISCARD enum err filter_spawner(struct filter *out, struct why *why);
NODISCARD enum err filter_warden(struct filter *out, struct why *why);
NODISCARD enum err filter_tor(struct filter *out, struct why *why);
void filter_clear(struct filter *f);
int wall_seccomp(const struct filter *f);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WALLS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WALLS_SANITIZER 1
#endif
#endif
#ifndef WALLS_SANITIZER
#define WALLS_SANITIZER 0
#endif

#endif
