/*
 * The files of addresses: read once, replaced whole.
 */
#include "config.h"

#include "node/addr_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define FILE_MAX (16 * 1024 * 1024)
#define PEERS "peers.dat"
#define ANCHORS "anchors.dat"

/* Keep what cannot be used, for whoever wants to look into it. */
static void put_aside(const char *path, const char *what)
{
	char *aside = xasprintf("%s.damaged", path);

	if (rename(path, aside) == 0)
		log_warn(LOG_NODE, "%s %s; it is kept as %s, and the node "
			 "starts with no known addresses", path, what, aside);
	else
		log_warn(LOG_NODE, "%s %s, and cannot be renamed (%s); the "
			 "node starts with no known addresses", path, what,
			 strerror(errno));
	free(aside);
}

static void load_peers(struct p2p *p2p, const char *dir)
{
	char *path = path_join(dir, PEERS);
	struct bytes b = { 0 };
	const char *wrong;
	struct why why;

	if (!file_exists(path))
		goto out;
	if (file_read(&b, path, FILE_MAX, &why)) {
		log_warn(LOG_NODE, "%s", why.text);
		goto out;
	}
	wrong = p2p_addrs_read(p2p, bytes_span(&b));
	if (wrong)
		put_aside(path, wrong);
out:
	bytes_clear(&b);
	free(path);
}

/* Gone once read: what they led to in a run that crashed is not tried over
 * and over. */
static void load_anchors(struct p2p *p2p, const char *dir)
{
	char *path = path_join(dir, ANCHORS);
	struct bytes b = { 0 };
	const char *wrong;
	struct why why;

	if (!file_exists(path))
		goto out;
	if (file_read(&b, path, FILE_MAX, &why)) {
		log_warn(LOG_NODE, "%s", why.text);
		goto out;
	}
	wrong = p2p_anchors_read(p2p, bytes_span(&b));
	if (wrong)
		log_warn(LOG_NODE, "%s %s; it is not used", path, wrong);
	if (unlink(path) != 0)
		log_warn(LOG_NODE, "cannot remove %s: %s", path,
			 strerror(errno));
out:
	bytes_clear(&b);
	free(path);
}

void addr_files_load(struct p2p *p2p, const char *dir)
{
	load_peers(p2p, dir);
	load_anchors(p2p, dir);
}

static void save(const char *dir, const char *name, const struct bytes *b)
{
	char *path = path_join(dir, name);
	struct why why;

	if (file_replace(path, bytes_span(b), 0600, &why))
		log_warn(LOG_NODE, "%s", why.text);
	free(path);
}

void addr_files_save(struct p2p *p2p, const char *dir)
{
	struct bytes peers = { 0 }, anchors = { 0 };

	if (p2p_addrs_changed(p2p)) {
		p2p_addrs_write(p2p, &peers);
		save(dir, PEERS, &peers);
	}
	p2p_anchors_write(p2p, &anchors);
	if (anchors.n)
		save(dir, ANCHORS, &anchors);
	bytes_wipe(peers.p, peers.n);
	bytes_clear(&peers);
	bytes_clear(&anchors);
}
