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
#include "tls/identity.h"
#include "tor/onion_store.h"

struct command {
	const struct config *cfg;
	struct secret passphrase;
	bool typed;              /* on the terminal: a start cannot ask */
	int lock;
};

/* Which keys there are. */
struct item {
	const struct key_sort *sort;
	const char *file;        /* keys/FILE.key */
	const char *name;        /* in a backup */
	const char *title;
};

static const struct item items[] = {
	{ &onion_key_sort, "onion_public", "public",
	  "onion service for peers" },
	{ &identity_key_sort, IDENTITY_FILE, "node",
	  "identity for trusted peers" },
};
static const struct item *const onion = &items[0];
static const struct item *const identity = &items[1];

static struct key_store store_of(const struct command *c,
				 const struct item *of)
{
	return (struct key_store){
		.sort = of->sort, .dir = c->cfg->chain_dir, .name = of->file,
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
static enum err load_for_backup(struct command *c, const struct item *of,
				struct key_file *k, struct why *why)
{
	struct key_store s = store_of(c, of);
	enum err e = key_store_load(&s, k, why);

	if (e == ERR_INPUT && k->encrypted &&
	    !passphrase_given(&c->passphrase) && isatty(0)) {
		e = ask(c, "Passphrase of the keys, and of the backup", false,
			why);
		if (!e)
			e = key_store_load(&s, k, why);
	}
	return e;
}

static enum err backup_one(struct command *c, struct backup *b,
			   const struct item *of, struct why *why)
{
	struct key_file k;
	struct backup_key *to;
	enum err e = load_for_backup(c, of, &k, why);

	if (!e) {
		printf("  %s: %s\n", of->title, k.label);
		to = backup_add(b);
		snprintf(to->kind, sizeof to->kind, "%s", of->sort->kind);
		snprintf(to->name, sizeof to->name, "%s", of->name);
		memcpy(to->label, k.label, sizeof to->label);
		secret_init(&to->seed, k.seed.n);
		secret_append(&to->seed, k.seed.p, k.seed.n);
	}
	key_file_clear(&k);
	return e;
}

/* Those that there are, or were: a lost one must not go unnoticed. */
static enum err backup_all(struct command *c, struct backup *b,
			   struct why *why)
{
	bool any = false;
	enum err e = ERR_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(items) && !e; i++) {
		struct key_store s = store_of(c, &items[i]);

		if (!key_store_exists(&s))
			continue;
		any = true;
		e = backup_one(c, b, &items[i], why);
	}
	return any ? e : backup_one(c, b, onion, why);
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
	e = backup_all(c, &b, why);
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
		       "passphrase can take this node's\naddress and identity: keep both, "
		       "and apart. Restore with -restorekeys=FILE.\n", path);
out:
	backup_clear(&b);
	return e;
}

/* ---- restore ---- */

static enum err restore_one(struct command *c, const struct item *of,
			    struct key_file *k, struct why *why)
{
	struct key_store s = store_of(c, of);
	bool changed;
	enum err e;

	printf("  %s: %s\n", of->title, k->label);
	fflush(stdout);
	/* Typed here, it could not be typed at a start. */
	s.keep_plain = c->typed;
	e = key_store_restore(&s, &changed, k, c->cfg->keys.force, why);
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

static const struct item *item_of(const struct backup_key *from)
{
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (strcmp(from->kind, items[i].sort->kind) == 0 &&
		    strcmp(from->name, items[i].name) == 0)
			return &items[i];
	return NULL;
}

/* One of the backup's, with its label derived. */
static enum err take(struct key_file *k, const struct backup_key *from,
		     const struct item *of, const char *path,
		     struct why *why)
{
	memset(k, 0, sizeof *k);
	if (from->seed.n == KEY_FILE_SEED_SIZE &&
	    of->sort->label(k->label, &from->seed) &&
	    strcmp(k->label, from->label) == 0) {
		secret_init(&k->seed, from->seed.n);
		secret_append(&k->seed, from->seed.p, from->seed.n);
		return ERR_NONE;
	}
	return why_set(why, ERR_INPUT, "%s is wrong in itself: a key in it "
		       "does not have the %s %s that stands with it", path,
		       of->sort->noun, from->label);
}

static enum err restore_all(struct command *c, const struct backup *b,
			    struct why *why)
{
	const char *path = c->cfg->keys.file;
	struct key_file k[BACKUP_KEYS_MAX];
	const struct item *of[BACKUP_KEYS_MAX];
	enum err e = ERR_NONE;
	size_t n = 0;

	/* All are looked at before one is touched. */
	for (size_t i = 0; i < b->n && !e; i++) {
		of[n] = item_of(&b->v[i]);
		if (of[n]) {
			e = take(&k[n], &b->v[i], of[n], path, why);
			n++;
		}
	}
	if (!n)
		e = why_set(why, ERR_INPUT, "%s holds no key of an onion "
			    "service or an identity", path);
	for (size_t i = 0; i < n && !e; i++)
		e = restore_one(c, of[i], &k[i], why);
	while (n)
		key_file_clear(&k[--n]);
	return e;
}

static enum err restore(struct command *c, struct why *why)
{
	const char *path = c->cfg->keys.file;
	struct backup b = { .n = 0 };
	enum err e = ask(c, "Passphrase of the backup", false, why);

	if (!e) {
		printf("Opening %s.\n", path);
		fflush(stdout);
		e = backup_read(&b, path, &c->passphrase, why);
	}
	if (!e)
		e = restore_all(c, &b, why);
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

static enum err show(struct command *c, const struct item *of,
		     struct why *why)
{
	struct key_store s = store_of(c, of);
	char words[NODE_ID_WORDS_SIZE];
	struct node_id id;
	struct key_file k;
	enum err e = key_store_load(&s, &k, why);

	if (!e)
		printf("%s\n", k.label);
	if (!e && of == identity && node_id_read(&id, k.label, NULL)) {
		node_id_words(words, &id);
		printf("%s\n", words);
	}
	key_file_clear(&k);
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
	if (!e && cfg->keys.command != KEY_COMMAND_SHOW &&
	    cfg->keys.command != KEY_COMMAND_SHOW_IDENTITY)
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
		return show(c, onion, why);
	case KEY_COMMAND_SHOW_IDENTITY:
		return show(c, identity, why);
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
