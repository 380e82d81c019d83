/*
 * Keys out of the data directory and back.  The directory is locked while it
 * is done, so that no node runs on it.
 */
#include "config.h"

#include "node/key_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/backup.h"
#include "keys/repass.h"
#include "tor/onion_store.h"

struct command {
	const struct config *cfg;
	struct secret passphrase;
	bool typed;              /* on the terminal: a start cannot ask */
	int lock;
};

/* Which keys there are: one now. */
#define PUBLIC_NAME "public"
#define PUBLIC_TITLE "onion service for peers"

static struct onion_store store_of(const struct command *c)
{
	return (struct onion_store){
		.dir = c->cfg->chain_dir, .name = PUBLIC_NAME,
		.passphrase = &c->passphrase,
	};
}

static enum err ask(struct command *c, const char *prompt, bool twice,
		    struct why *why)
{
	enum err e;

	if (passphrase_given(&c->passphrase))
		return ERR_NONE;
	fflush(stdout);
	e = passphrase_ask(&c->passphrase, prompt, twice, why);
	if (e)
		secret_clear(&c->passphrase);
	c->typed = !e;
	return e;
}

/* ---- backup ---- */

/* An encrypted key is opened with the passphrase that the backup gets. */
static enum err load_for_backup(struct command *c, struct onion_key *k,
				struct why *why)
{
	struct onion_store s = store_of(c);
	enum err e = onion_store_load(&s, k, why);

	if (e == ERR_INPUT && k->encrypted &&
	    !passphrase_given(&c->passphrase) && isatty(0)) {
		e = ask(c, "Passphrase of the keys, and of the backup", false,
			why);
		if (!e)
			e = onion_store_load(&s, k, why);
	}
	return e;
}

static enum err backup_onion(struct command *c, struct backup *b,
			     struct why *why)
{
	struct onion_key k = {0};
	struct backup_key *to;
	enum err e = load_for_backup(c, &k, why);

	if (e)
		return e;
	printf("  %s: %s\n", PUBLIC_TITLE, k.address);
	to = backup_add(b);
	snprintf(to->kind, sizeof to->kind, "%s", ONION_KEY_KIND);
	snprintf(to->name, sizeof to->name, "%s", PUBLIC_NAME);
	snprintf(to->label, sizeof to->label, "%s", k.address);
	secret_init(&to->seed, k.seed.n);
	secret_append(&to->seed, k.seed.p, k.seed.n);
	onion_key_clear(&k);
	return ERR_NONE;
}

/* Read it back: a backup that cannot be read is none. */
static enum err verify(const struct command *c, const struct backup *b,
		       struct why *why)
{
	const char *path = c->cfg->keys.file;
	struct backup got;
	enum err e = backup_read(&got, path, &c->passphrase, why);
	bool same = !e && got.n == b->n;

	for (size_t i = 0; same && i < b->n; i++)
		same = secret_equal(&got.v[i].seed, &b->v[i].seed);
	backup_clear(&got);
	if (!e && !same)
		e = why_set(why, ERR_CORRUPT, "%s does not hold what was "
			    "written", path);
	return e;
}

static enum err backup(struct command *c, struct why *why)
{
	const char *path = c->cfg->keys.file;
	struct backup b = { .n = 0 };
	enum err e = ERR_NONE;

	if (file_exists(path))
		return why_set(why, ERR_INPUT, "%s exists already, and is not "
			       "overwritten: choose another name", path);
	printf("Keys in %s/keys:\n", c->cfg->chain_dir);
	e = backup_onion(c, &b, why);
	if (!e)
		e = ask(c, "New passphrase for the backup", true, why);
	if (e)
		goto out;
	printf("Encrypting, then reading back what was written.\n");
	fflush(stdout);
	e = backup_write(path, &b, &c->passphrase, why);
	if (!e)
		e = verify(c, &b, why);
	if (!e)
		printf("Written to %s. Whoever has this file and its "
		       "passphrase can take this node's\naddress: keep both, "
		       "and apart. Restore with -restorekeys=FILE.\n", path);
out:
	backup_clear(&b);
	return e;
}

/* ---- restore ---- */

static enum err restore_onion(struct command *c, const struct onion_key *k,
			      struct why *why)
{
	struct onion_store s = store_of(c);
	bool changed;
	enum err e;

	printf("  %s: %s\n", PUBLIC_TITLE, k->address);
	fflush(stdout);
	/* Typed here, it could not be typed at a start. */
	s.keep_plain = c->typed;
	e = onion_store_restore(&s, &changed, k, c->cfg->keys.force, why);
	if (e)
		return e;
	if (!changed)
		printf("This key is in %s/keys already; nothing is changed.\n",
		       c->cfg->chain_dir);
	else if (!s.keep_plain)
		printf("Restored to %s/keys, encrypted: give the passphrase "
		       "at\neach start (-keypassfile, -keypassfd or the "
		       "systemd credential).\n", c->cfg->chain_dir);
	else
		printf("Restored to %s/keys, not encrypted: a start\nwith "
		       "-keypassfile=FILE encrypts it.\n", c->cfg->chain_dir);
	return ERR_NONE;
}

/* Which of the keys in the backup is ours to use, checked. */
static enum err find_onion(struct onion_key *k, const struct backup *b,
			   const char *path, struct why *why)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct backup_key *from = &b->v[i];

		if (strcmp(from->kind, ONION_KEY_KIND) != 0 ||
		    strcmp(from->name, PUBLIC_NAME) != 0)
			continue;
		if (from->seed.n != ONION_SEED_SIZE ||
		    !onion_key_from_seed(k, from->seed.p) ||
		    strcmp(k->address, from->label) != 0)
			return why_set(why, ERR_INPUT, "%s is wrong in "
				       "itself: a key in it does not have the "
				       "address %s that stands with it", path,
				       from->label);
		return ERR_NONE;
	}
	return why_set(why, ERR_INPUT, "%s holds no key of an onion service",
		       path);
}

static enum err restore(struct command *c, struct why *why)
{
	const char *path = c->cfg->keys.file;
	struct onion_key k = {0};
	struct backup b = { .n = 0 };
	enum err e = ask(c, "Passphrase of the backup", false, why);

	if (!e) {
		printf("Opening %s.\n", path);
		fflush(stdout);
		e = backup_read(&b, path, &c->passphrase, why);
	}
	if (!e)
		e = find_onion(&k, &b, path, why);
	if (!e)
		e = restore_onion(c, &k, why);
	onion_key_clear(&k);
	backup_clear(&b);
	return e;
}

/* ---- another passphrase ---- */

/* From its file, or typed; none: the keys shall be plain. */
static enum err new_passphrase(struct secret *out, const struct command *c,
			       struct why *why)
{
	const struct passphrase_source from = { c->cfg->keys.file, -1 };

	if (!from.file)
		return ERR_NONE;
	if (strcmp(from.file, "-") == 0)
		return passphrase_ask(out, "New passphrase of the keys", true,
				      why);
	return passphrase_read(out, &from, why);
}

static enum err repass_in(struct command *c, const char *dir,
			  const struct secret *new, struct why *why)
{
	unsigned all, encrypted, changed = 0;
	enum err e = repass_count(&all, &encrypted, dir, why);

	if (!e && !encrypted)
		return why_set(why, ERR_INPUT, "no key in %s is encrypted: a "
			       "start with -keypassfile=FILE encrypts them",
			       dir);
	if (!e)
		e = ask(c, "Passphrase that the keys have", false, why);
	if (e)
		return e;
	e = repass_all(&changed, dir, &c->passphrase, new, why);
	printf("%u of %u keys in %s are now %s.\n", changed, all, dir,
	       new->n ? "under the new passphrase" : "unencrypted");
	return e;
}

static enum err repass(struct command *c, struct why *why)
{
	char *dir = path_join(c->cfg->chain_dir, "keys");
	struct secret new = {0};
	enum err e = new_passphrase(&new, c, why);

	if (!e)
		e = repass_in(c, dir, &new, why);
	secret_clear(&new);
	free(dir);
	return e;
}

/* ---- all ---- */

static enum err show(struct command *c, struct why *why)
{
	struct onion_store s = store_of(c);
	struct onion_key k = {0};
	enum err e = onion_store_load(&s, &k, why);

	if (!e)
		printf("%s\n", k.address);
	onion_key_clear(&k);
	return e;
}

/* A restore makes the directory; the others need one. */
static enum err lock(struct command *c, struct why *why)
{
	const struct config *cfg = c->cfg;
	enum err e = ERR_NONE;

	if (cfg->keys.command == KEY_COMMAND_RESTORE) {
		e = dir_make(cfg->datadir, 0700, why);
		if (!e)
			e = dir_make(cfg->chain_dir, 0700, why);
	} else if (!file_exists(cfg->chain_dir)) {
		e = why_set(why, ERR_INPUT, "there is no data directory %s",
			    cfg->chain_dir);
	}
	if (!e && cfg->keys.command != KEY_COMMAND_SHOW)
		e = dir_lock(&c->lock, cfg->chain_dir, why);
	return e;
}

static enum err run(struct command *c, struct why *why)
{
	enum err e = passphrase_read(&c->passphrase,
				     &c->cfg->keys.passphrase, why);

	/* Nothing is made for a file that is no backup. */
	if (!e && c->cfg->keys.command == KEY_COMMAND_RESTORE)
		e = backup_check(c->cfg->keys.file, why);
	if (!e)
		e = lock(c, why);
	if (e)
		return e;
	switch (c->cfg->keys.command) {
	case KEY_COMMAND_BACKUP:
		return backup(c, why);
	case KEY_COMMAND_RESTORE:
		return restore(c, why);
	case KEY_COMMAND_SHOW:
		return show(c, why);
	case KEY_COMMAND_REPASS:
		return repass(c, why);
	case KEY_COMMAND_NONE:
		break;
	}
	return ERR_NONE;
}

int key_command_run(const struct config *cfg)
{
	struct command c = { .cfg = cfg, .lock = -1 };
	struct why why;
	enum err e = run(&c, &why);

	if (e) {
		fflush(stdout);
		fprintf(stderr, "Error: %s\n", why.text);
	}
	secret_clear(&c.passphrase);
	if (c.lock >= 0)
		close(c.lock);
	return e ? 1 : 0;
}
