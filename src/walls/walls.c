/*
 * Raising walls as planned, in the order in which each still may be raised.
 */
#include "config.h"

#include "walls/walls.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "walls/walls_priv.h"

static enum err cannot(enum wall w, struct why *why)
{
	return why_errno(why, "cannot raise the wall %s", wall_name(w));
}

enum err walls_raise_node(const struct walls_plan *p,
			  const struct walls_path *paths, size_t n,
			  struct why *why)
{
	struct filter f = { { 0, NULL } };
	int ruleset = -1;
	enum err e = ERR_NONE;

	/* The namespace first: its maps need a process that may be seen. */
	if (p->up[WALL_NETWORK] && wall_network())
		return cannot(WALL_NETWORK, why);
	if (p->up[WALL_NO_CAPS] && wall_no_caps())
		return cannot(WALL_NO_CAPS, why);
	if (p->up[WALL_NO_CORE] && wall_no_core())
		return cannot(WALL_NO_CORE, why);
	if (p->up[WALL_NO_NEW_PRIVS] && wall_no_new_privs())
		return cannot(WALL_NO_NEW_PRIVS, why);
	if (p->up[WALL_SECCOMP])
		e = filter_node(&f, why);
	if (e)
		return e;
	if (p->up[WALL_LANDLOCK]) {
		ruleset = landlock_ruleset(paths, n, true);
		if (ruleset < 0 || wall_landlock(ruleset))
			e = cannot(WALL_LANDLOCK, why);
		if (ruleset >= 0)
			close(ruleset);
	}
	if (!e && p->up[WALL_SECCOMP] && wall_seccomp(&f))
		e = cannot(WALL_SECCOMP, why);
	filter_clear(&f);
	return e;
}

static enum err raise_ours(const struct walls_plan *p,
			   enum err (*make)(struct filter *, struct why *),
			   struct why *why)
{
	struct filter f;
	enum err e;

	if (p->up[WALL_NO_CORE] && wall_no_core())
		return cannot(WALL_NO_CORE, why);
	if (p->up[WALL_NO_NEW_PRIVS] && wall_no_new_privs())
		return cannot(WALL_NO_NEW_PRIVS, why);
	if (!p->up[WALL_SECCOMP])
		return ERR_NONE;
	e = make(&f, why);
	if (!e && wall_seccomp(&f))
		e = cannot(WALL_SECCOMP, why);
	filter_clear(&f);
	return e;
}

enum err walls_raise_spawner(const struct walls_plan *p, struct why *why)
{
	return raise_ours(p, filter_spawner, why);
}

enum err walls_raise_warden(const struct walls_plan *p, struct why *why)
{
	return raise_ours(p, filter_warden, why);
}

/* ---- a program to be executed ---- */

struct walls_child {
	bool up[WALL_COUNT];
	int ruleset;
	struct filter filter;
};

enum err walls_child_new(struct walls_child **out, const struct walls_plan *p,
			 const struct walls_path *paths, size_t n,
			 struct why *why)
{
	struct walls_child *c = xcalloc(1, sizeof *c);
	enum err e = ERR_NONE;

	c->ruleset = -1;
	for (int i = 0; i < WALL_COUNT; i++)
		c->up[i] = p->up[i] && i != WALL_NETWORK;
	if (c->up[WALL_LANDLOCK]) {
		c->ruleset = landlock_ruleset(paths, n, false);
		if (c->ruleset < 0)
			e = cannot(WALL_LANDLOCK, why);
	}
	if (!e && c->up[WALL_SECCOMP])
		e = filter_tor(&c->filter, why);
	if (e) {
		walls_child_free(c);
		c = NULL;
	}
	*out = c;
	return e;
}

int walls_child_raise(const struct walls_child *c)
{
	if (c->up[WALL_NO_CAPS] && wall_no_caps())
		return -1;
	if (c->up[WALL_NO_CORE] && wall_no_core_limit())
		return -1;
	if (c->up[WALL_NO_NEW_PRIVS] && wall_no_new_privs())
		return -1;
	if (c->up[WALL_LANDLOCK] && wall_landlock(c->ruleset))
		return -1;
	if (c->up[WALL_SECCOMP] && wall_seccomp(&c->filter))
		return -1;
	return 0;
}

void walls_child_free(struct walls_child *c)
{
	if (!c)
		return;
	if (c->ruleset >= 0)
		close(c->ruleset);
	filter_clear(&c->filter);
	free(c);
}
