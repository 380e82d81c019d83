/*
 * What the node may still touch, and what it tells of its walls.
 *
 * Of the chain's directory it gets blocks/, chainstate/ and node/, and
 * indexes/ where there are to be any.  The rest stays out of its reach: keys/
 * and tor/ would tell who and where we are, run/ has sockets that others
 * trust.  So log and cookie are opened before the walls are raised, and the
 * warden clears up what the node cannot.
 */
#include "config.h"

#include "node/node_walls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "tor/inherited.h"

/* ---- in the warden ---- */

static void log_plan(const struct walls_plan *p, const struct config *cfg)
{
	if (p->mode == WALLS_OFF) {
		if (!cfg->plain)
			log_warn(LOG_NODE, "WALLS ARE OFF (-walls=off): the "
				 "kernel holds nothing back");
		return;
	}
	for (int w = 0; w < WALL_COUNT; w++) {
		if (p->up[w])
			log_debug(LOG_NODE, "wall %s can be raised",
				  wall_name((enum wall)w));
		else
			log_warn(LOG_NODE, "the wall %s is missing: %s",
				 wall_name((enum wall)w), p->why_not[w]);
	}
	log_info(LOG_NODE, "walls: %s%s", walls_mode_name(p->mode),
		 p->sanitizer ? ", but weak ones in this sanitizer build"
			      : "");
	if (geteuid() == 0)
		log_info(LOG_NODE, "running as root; -user=NAME is better");
}

enum err node_walls_plan(struct walls_plan *out, int *fd,
			 const struct config *cfg, struct why *why)
{
	enum err e = walls_plan_make(out, cfg->walls, why);

	if (e) {
		log_error(LOG_NODE, "%s", why->text);
		return e;
	}
	log_plan(out, cfg);
	*fd = memfd_create("cloister-walls", MFD_CLOEXEC);
	if (*fd < 0)
		return why_errno(why, "cannot make a memory file");
	return file_pwrite(*fd, out, sizeof *out, 0, "walls", why);
}

/* ---- in the node ---- */

enum err node_walls_inherit(struct walls_plan *out, struct why *why)
{
	int fd = inherited_fd("walls");
	enum err e;

	if (fd < 0)
		return why_set(why, ERR_STATE, "the node process is started "
			       "by cloisterd, not by hand (no walls "
			       "inherited)");
	e = file_pread(fd, out, sizeof *out, 0, "walls", why);
	close(fd);
	return e;
}

struct path_list {
	struct walls_path *v;
	size_t n;
};

static void add_path(struct path_list *l, TAKES char *path,
		     enum walls_access access)
{
	l->v = xrealloc(l->v, (l->n + 1) * sizeof *l->v);
	l->v[l->n++] = (struct walls_path){ path, access };
}

/* A block file is read with the key that may lie beside it. */
static void add_import(struct path_list *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	add_path(l, xstrdup(path), WALLS_READ);
	if (stat(path, &st) || S_ISDIR(st.st_mode))
		return;
	add_path(l, slash ? xasprintf("%.*s/xor.dat", (int)(slash - path),
				      path) : xstrdup("xor.dat"), WALLS_READ);
}

/* A CRL is replaced by renaming: its directory is what counts. */
static void add_ca(struct path_list *l, const struct config *cfg)
{
	if (cfg->trust_ca)
		add_path(l, xstrdup(cfg->trust_ca), WALLS_READ);
	if (cfg->trust_crl)
		add_path(l, xasprintf("%.*s/", (int)(strrchr(cfg->trust_crl,
							     '/') -
						     cfg->trust_crl),
				      cfg->trust_crl), WALLS_READ);
}

/* A directory in the chain's, made if need be. */
static enum err add_made(struct path_list *l, const struct config *cfg,
			 const char *name, struct why *why)
{
	char *path = path_join(cfg->chain_dir, name);
	enum err e = dir_make(path, 0700, why);

	add_path(l, path, WALLS_CHANGE);
	return e;
}

static enum err add_own(struct path_list *l, const struct config *cfg,
			struct why *why)
{
	static const char *const names[] = { "blocks", "chainstate",
					     NODE_DIR };
	enum err e = ERR_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !e; i++)
		e = add_made(l, cfg, names[i], why);
	return e;
}

enum err node_walls_raise(const struct walls_plan *p,
			  const struct config *cfg, struct why *why)
{
	struct path_list l = { NULL, 0 };
	enum err e = add_own(&l, cfg, why);

	if (!e && (cfg->txindex || cfg->filterindex || cfg->statsindex))
		e = add_made(&l, cfg, "indexes", why);
	if (!e)
		e = dir_make(cfg->snapshot_dir, 0700, why);
	add_path(&l, xstrdup(cfg->snapshot_dir), WALLS_CHANGE);
	for (size_t i = 0; i < cfg->load_block_n; i++)
		add_import(&l, cfg->load_blocks[i]);
	add_ca(&l, cfg);
	if (p->sanitizer)
		add_path(&l, xstrdup("/proc"), WALLS_READ);
	if (!e)
		e = walls_raise_node(p, l.v, l.n, why);
	for (size_t i = 0; i < l.n; i++)
		free((char *)l.v[i].path);
	free(l.v);
	return e;
}

/* ---- for RPC ---- */

static void report_process(struct rpc_walls_process *out, const char *name,
			   const struct walls_plan *p)
{
	out->name = name;
	out->seccomp = p->up[WALL_SECCOMP];
	out->no_new_privileges = p->up[WALL_NO_NEW_PRIVS];
	out->core_dumps_off = p->up[WALL_NO_CORE];
}

void node_walls_report(struct rpc_walls *out, const struct walls_plan *p)
{
	struct rpc_walls_process *node = &out->process[0];
	struct rpc_walls_process *tor = &out->process[2];

	memset(out, 0, sizeof *out);
	out->mode = walls_mode_name(p->mode);
	out->uid = (unsigned)getuid();
	out->sanitizer = p->sanitizer;
	report_process(node, "node", p);
	report_process(&out->process[1], "warden", p);
	report_process(tor, "tor", p);
	node->network_namespace = p->up[WALL_NETWORK];
	node->no_capabilities = tor->no_capabilities = p->up[WALL_NO_CAPS];
	node->landlock_abi = tor->landlock_abi = p->landlock_abi;
	for (int w = 0; w < WALL_COUNT && p->mode != WALLS_OFF; w++) {
		if (p->up[w])
			continue;
		out->missing[out->missing_count].wall =
			wall_name((enum wall)w);
		out->missing[out->missing_count++].why = p->why_not[w];
	}
}
