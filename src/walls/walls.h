/*
 * Walls that the kernel keeps up around a process: what it may no longer do,
 * whoever is in control of it.  Once raised they stay, in all its threads
 * and children.
 *
 * The warden finds out first which walls this system offers (a plan), and
 * then each process raises what was planned or does not run.  Call from a
 * process that has one thread.
 */
#ifndef CLOISTER_WALLS_WALLS_H
#define CLOISTER_WALLS_WALLS_H

#include "base/err.h"

enum wall {
	WALL_NETWORK,      /* a network namespace of its own, empty */
	WALL_NO_CAPS,      /* no capability, and none to be had */
	WALL_NO_CORE,      /* no core dumps, no memory read by others */
	WALL_NO_NEW_PRIVS, /* no program gives privileges */
	WALL_LANDLOCK,     /* few files; with newer kernels no TCP either */
	WALL_SECCOMP,      /* few system calls */
	WALL_COUNT,
};

enum walls_mode {
	WALLS_BEST,        /* a wish: strict where all can be raised */
	WALLS_STRICT,      /* all, or no start */
	WALLS_AUTO,        /* what there is */
	WALLS_OFF,         /* none */
};

/* What this system offers: the same in all processes. */
struct walls_plan {
	enum walls_mode mode;          /* not BEST */
	bool up[WALL_COUNT];
	char why_not[WALL_COUNT][160]; /* "" where up, or off */
	int landlock_abi;              /* 0: no Landlock */
	bool sanitizer;                /* a test build: weaker walls */
};

/**
 * Try each wall in a child process, and choose the mode.
 *
 * return   ERR_STATE if wish is WALLS_STRICT and a wall cannot be raised; the
 *          text names them and says why
 */
NODISCARD enum err walls_plan_make(struct walls_plan *out,
				   enum walls_mode wish, struct why *why);

const char *wall_name(enum wall w);              /* "landlock" */
const char *walls_mode_name(enum walls_mode m);  /* "strict" */
/** "strict", "auto", "off"; false for any other text. */
NODISCARD bool walls_mode_read(enum walls_mode *out, const char *text);

/* A path that stays open through Landlock; all below a directory. */
enum walls_access {
	WALLS_READ,
	WALLS_EXECUTE,     /* and read */
	WALLS_DEVICE,      /* read and write, of a character device */
	WALLS_CHANGE,      /* read, write, create, remove */
	WALLS_SOCKETS,     /* and make unix sockets */
};
struct walls_path {
	const char *path;  /* what is not there is left out */
	enum walls_access access;
};

/** The node's: no network, no socket but those it has, no program, no file
 * but those below paths. */
NODISCARD enum err walls_raise_node(const struct walls_plan *p,
				    const struct walls_path *paths, size_t n,
				    struct why *why);
/** The spawner's, and what it starts inherits them: no way to meddle with the
 * kernel or other processes. */
NODISCARD enum err walls_raise_spawner(const struct walls_plan *p,
				       struct why *why);
/** The warden's: the same, and no socket but unix ones, no descriptor from
 * others, no new process, no program. */
NODISCARD enum err walls_raise_warden(const struct walls_plan *p,
				      struct why *why);

/* The walls of a program to be executed, made before fork(). */
struct walls_child;
NODISCARD enum err walls_child_new(struct walls_child **out,
				   const struct walls_plan *p,
				   const struct walls_path *paths, size_t n,
				   struct why *why);
/** Between fork() and exec(): async-signal-safe.  0, or -1 and errno. */
int walls_child_raise(const struct walls_child *c);
void walls_child_free(struct walls_child *c);    /* NULL is fine */

/**
 * Become this user for good, with its groups and nothing of root's: the real,
 * effective and saved ids.  Needs root.  Sets HOME.
 */
NODISCARD enum err walls_become_user(const char *name, struct why *why);

#endif
