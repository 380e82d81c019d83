/*
 * The file that says on which snapshot a chain stands.  Written when all of
 * it is loaded and checked; without it, chainstate/snapshot counts for
 * nothing.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "validation/background_priv.h"

#define LINE_MAX_BYTES 256
#define LINE_FORMAT "%64s %64s %llu %15s"

static char *base_path(const char *chain_dir)
{
	return xasprintf("%s/chainstate/snapshot.base", chain_dir);
}

static bool parse(struct snapshot_base *out, const char *line)
{
	char hash[65], coins[65], word[16];
	unsigned long long txs;

	if (sscanf(line, LINE_FORMAT, hash, coins, &txs, word) != 4 ||
	    !hash_from_rpc_hex(out->hash.b, hash) ||
	    !hash_from_rpc_hex(out->coins_hash, coins) || !txs)
		return false;
	out->chain_txs = txs;
	if (strcmp(word, "proven") == 0)
		out->status = SNAPSHOT_PROVEN;
	else if (strcmp(word, "unproven") == 0)
		out->status = SNAPSHOT_UNPROVEN;
	return out->status != SNAPSHOT_NONE;
}

enum err snapshot_base_read(struct snapshot_base *out, const char *chain_dir,
			    struct why *why)
{
	char *path = base_path(chain_dir);
	struct bytes b = { 0 };
	enum err e = ERR_NONE;

	memset(out, 0, sizeof *out);
	if (file_exists(path))
		e = file_read(&b, path, LINE_MAX_BYTES, why);
	bytes_append(&b, "", 1);
	if (!e && b.n > 1 && !parse(out, (const char *)b.p))
		e = why_set(why, ERR_CORRUPT, "%s is damaged; start with "
			    "-reindex-chainstate", path);
	bytes_clear(&b);
	free(path);
	return e;
}

enum err snapshot_base_write(const struct snapshot_base *s,
			     const char *chain_dir, struct why *why)
{
	char hash[65], coins[65], *line, *path = base_path(chain_dir);
	enum err e;

	hash_to_rpc_hex(hash, s->hash.b);
	hash_to_rpc_hex(coins, s->coins_hash);
	line = xasprintf("%s %s %llu %s\n", hash, coins,
			 (unsigned long long)s->chain_txs,
			 s->status == SNAPSHOT_PROVEN ? "proven"
						      : "unproven");
	e = file_replace(path, span_of(line, strlen(line)), 0600, why);
	free(line);
	free(path);
	return e;
}

enum err snapshot_coins_remove(const char *chain_dir, struct why *why)
{
	char *dir = xasprintf("%s/chainstate/snapshot", chain_dir);
	DIR *d = opendir(dir);
	struct dirent *ent;
	enum err e = ERR_NONE;

	while (d && !e && (ent = readdir(d)))
		if (ent->d_name[0] != '.' &&
		    unlinkat(dirfd(d), ent->d_name, 0))
			e = why_errno(why, "cannot remove %s/%s", dir,
				      ent->d_name);
	if (d)
		closedir(d);
	if (d && !e && rmdir(dir))
		e = why_errno(why, "cannot remove %s", dir);
	free(dir);
	return e;
}

enum err snapshot_base_remove(const char *chain_dir, struct why *why)
{
	char *path = base_path(chain_dir), *dir;
	enum err e = ERR_NONE;

	if (unlink(path) && errno != ENOENT)
		e = why_errno(why, "cannot remove %s", path);
	dir = path_join(chain_dir, "chainstate");
	if (!e && file_exists(dir))
		e = dir_sync(dir, why);
	free(dir);
	free(path);
	return e;
}
