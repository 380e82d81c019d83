/*
 * Keys with a record of what they are known by: read, made, put aside, put
 * back.
 */
#include "config.h"

#include "keys/key_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "keys/passphrase.h"

#define RECORD_FILE_MAX 1024
#define LABEL_SIZE (KEYBOX_LABEL_MAX + 1)

/* A store with the names of its files. */
struct place {
	const struct key_sort *sort;
	const struct secret *passphrase;
	char *dir, *key, *record;
};

static struct place place_of(const struct key_store *s)
{
	struct place p = { .sort = s->sort, .passphrase = s->passphrase };

	p.dir = path_join(s->dir, "keys");
	p.key = xasprintf("%s/%s.key", p.dir, s->name);
	p.record = xasprintf("%s/%s.%s", p.dir, s->name, s->sort->record);
	return p;
}

static void place_clear(struct place *p)
{
	free(p->dir);
	free(p->key);
	free(p->record);
}

/* Anything at all, a link that leads nowhere too. */
static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || errno != ENOENT;
}

/* ---- the record ---------------------------------------------------------- */

static enum err record_save(const struct key_file *k, const struct place *p,
			    struct why *why)
{
	char line[LABEL_SIZE + 1];

	snprintf(line, sizeof line, "%s\n", k->label);
	return file_replace(p->record, span_of(line, strlen(line)), 0600,
			    why);
}

/* The recorded name; "" if there is none, or nonsense in its place. */
static enum err record_read(char out[static LABEL_SIZE],
			    const struct place *p, struct why *why)
{
	struct bytes text = {0};
	enum err e;

	out[0] = '\0';
	if (!is_there(p->record))
		return ERR_NONE;
	e = file_read(&text, p->record, RECORD_FILE_MAX, why);
	if (e)
		goto out;
	while (text.n > 0 && text.p[text.n - 1] <= ' ')
		text.n--;
	if (text.n < LABEL_SIZE) {
		memcpy(out, text.p, text.n);
		out[text.n] = '\0';
	}
	if (!p->sort->is_label(out))
		out[0] = '\0';
out:
	bytes_clear(&text);
	return e;
}

static enum err record_check(const struct key_file *k, const struct place *p,
			     struct why *why)
{
	char recorded[LABEL_SIZE];
	enum err e = record_read(recorded, p, why);

	if (e || !is_there(p->record) || strcmp(recorded, k->label) == 0)
		return e;
	return why_set(why, ERR_INPUT, "%s is the key of %s, but %s says "
		       "otherwise: put the right key back, or delete the "
		       ".%s file to use this one", p->key, k->label,
		       p->record, p->sort->record);
}

/* ---- the key ------------------------------------------------------------- */

static enum err derive(char out[static LABEL_SIZE], const struct key_file *k,
		       const struct place *p, struct why *why)
{
	memset(out, 0, LABEL_SIZE);
	if (p->sort->label(out, &k->seed))
		return ERR_NONE;
	return why_set(why, ERR_STATE, "cannot derive the public key of %s",
		       p->key);
}

/* Fills in the label, and compares it with what an encrypted file says. */
static enum err key_load(struct key_file *k, const struct place *p,
			 struct why *why)
{
	char label[LABEL_SIZE];
	enum err e = key_file_read(k, p->key, p->sort->kind, p->passphrase,
				   why);

	if (!e)
		e = derive(label, k, p, why);
	if (e)
		return e;
	if (k->encrypted && strcmp(k->label, label) != 0)
		return why_set(why, ERR_INPUT, "%s is labelled as the key of "
			       "%s, but is that of %s", p->key, k->label,
			       label);
	memcpy(k->label, label, sizeof label);
	return ERR_NONE;
}

/* The key first: without a record it is taken as it is. */
static enum err key_save(struct key_file *k, const struct place *p,
			 const struct secret *passphrase, struct why *why)
{
	enum err e = key_file_write(p->key, p->sort->kind, k, passphrase,
				    why);

	if (!e)
		k->encrypted = passphrase_given(passphrase);
	return e;
}

static enum err key_make(struct key_file *k, const struct place *p,
			 struct why *why)
{
	enum err e;

	memset(k, 0, sizeof *k);
	secret_init(&k->seed, KEY_FILE_SEED_SIZE);
	random_bytes(k->seed.p, KEY_FILE_SEED_SIZE);
	k->seed.n = KEY_FILE_SEED_SIZE;
	e = derive(k->label, k, p, why);
	if (!e)
		e = key_save(k, p, p->passphrase, why);
	return e ? e : record_save(k, p, why);
}

static enum err missing(const struct place *p, struct why *why)
{
	char label[LABEL_SIZE];
	enum err e = record_read(label, p, why);

	if (e)
		return e;
	if (is_there(p->record))
		return why_set(why, ERR_INPUT, "%s is missing, the key of "
			       "%s%s%s: put it back (-restorekeys=FILE), or "
			       "%s", p->key, p->sort->whose,
			       label[0] ? " " : "", label, p->sort->renew);
	return why_set(why, ERR_INPUT, "there is no key yet (%s): it is made "
		       "when %s", p->key, p->sort->made_when);
}

static enum err load(struct key_file *k, const struct place *p,
		     struct why *why)
{
	enum err e;

	memset(k, 0, sizeof *k);
	if (!is_there(p->key))
		return missing(p, why);
	e = key_load(k, p, why);
	return e ? e : record_check(k, p, why);
}

/* On failure there is no seed, but what was seen of the file stays. */
static enum err drop_seed(struct key_file *k, enum err e)
{
	if (e)
		secret_clear(&k->seed);
	return e;
}

enum err key_store_load(const struct key_store *s, struct key_file *k,
			struct why *why)
{
	struct place p = place_of(s);
	enum err e = load(k, &p, why);

	place_clear(&p);
	return drop_seed(k, e);
}

bool key_store_exists(const struct key_store *s)
{
	struct place p = place_of(s);
	bool is = is_there(p.key) || is_there(p.record);

	place_clear(&p);
	return is;
}

/* ---- for its use --------------------------------------------------------- */

/* A failure is told, and tried again at the next start. */
static void encrypt(struct key_file *k, const struct place *p)
{
	struct why why;

	if (key_file_encrypt(p->key, p->sort->kind, k, p->passphrase, &why)) {
		log_warn(LOG_NODE, "%s cannot be encrypted: %s", p->key,
			 why.text);
	} else {
		k->encrypted = true;
		log_info(LOG_NODE, "%s is encrypted from now on", p->key);
	}
}

static enum err open_or_make(struct key_file *k, const struct place *p,
			     struct why *why)
{
	enum err e = dir_make(p->dir, 0700, why);

	if (e)
		return e;
	if (!is_there(p->key) && !is_there(p->record))
		return key_make(k, p, why);
	e = load(k, p, why);
	if (!e && !is_there(p->record))
		e = record_save(k, p, why);
	if (!e && !k->encrypted && passphrase_given(p->passphrase))
		encrypt(k, p);
	return e;
}

enum err key_store_open(const struct key_store *s, struct key_file *k,
			struct why *why)
{
	struct place p = place_of(s);
	enum err e;

	memset(k, 0, sizeof *k);
	e = open_or_make(k, &p, why);
	place_clear(&p);
	return drop_seed(k, e);
}

/* ---- out of the way, and back -------------------------------------------- */

/* PATH becomes PATH.old-20261231-235959, or …-2 where that is taken. */
static enum err set_aside(const char *path, struct why *why)
{
	time_t now = time(NULL);
	char stamp[32], *to = NULL;
	struct tm tm;
	enum err e = ERR_NONE;

	if (!is_there(path))
		return ERR_NONE;
	if (!gmtime_r(&now, &tm))
		memset(&tm, 0, sizeof tm);
	strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
	to = xasprintf("%s.old-%s", path, stamp);
	for (int i = 2; is_there(to) && i < 1000; i++) {
		free(to);
		to = xasprintf("%s.old-%s-%d", path, stamp, i);
	}
	if (rename(path, to))
		e = why_errno(why, "cannot rename %s to %s", path, to);
	free(to);
	return e;
}

enum err key_store_set_aside(const struct key_store *s, struct why *why)
{
	struct place p = place_of(s);
	enum err e = set_aside(p.key, why);

	if (!e)
		e = set_aside(p.record, why);
	place_clear(&p);
	return e;
}

void key_store_erase(const struct key_store *s)
{
	struct place p = place_of(s);

	key_file_erase(p.key);
	key_file_erase(p.record);
	place_clear(&p);
}

/*
 * Whose key is there: its public name, "" if there is none.  ERR_INPUT: there
 * is one, and it does not tell.
 */
static enum err label_there(char out[static LABEL_SIZE],
			    const struct place *p, struct why *why)
{
	struct key_file k;
	enum err e = record_read(out, p, why);

	if (e || out[0] || !is_there(p->key))
		return e;
	e = key_load(&k, p, why);
	/* A locked one tells by its label. */
	if (!e || p->sort->is_label(k.label)) {
		memcpy(out, k.label, LABEL_SIZE);
		e = ERR_NONE;
	}
	key_file_clear(&k);
	return e;
}

static enum err may_replace(const struct key_file *k, const struct place *p,
			    struct why *why)
{
	char label[LABEL_SIZE];
	struct why how;

	if (label_there(label, p, &how))
		return why_set(why, ERR_INPUT, "whose key is in %s cannot be "
			       "told (%.200s): -restoreforce=1 sets it aside",
			       p->key, how.text);
	if (!label[0] || strcmp(label, k->label) == 0)
		return ERR_NONE;
	return why_set(why, ERR_INPUT, "%s has the key of another %s, %s, "
		       "which is not overwritten: -restoreforce=1 sets it "
		       "aside", p->dir, p->sort->noun, label);
}

static enum err put_back(struct key_file *k, const struct place *p,
			 const struct secret *passphrase, struct why *why)
{
	enum err e = set_aside(p->key, why);

	if (!e)
		e = key_save(k, p, passphrase, why);
	if (!e)
		e = set_aside(p->record, why);
	return e ? e : record_save(k, p, why);
}

enum err key_store_restore(const struct key_store *s, bool *changed,
			   struct key_file *k, bool force, struct why *why)
{
	struct place p = place_of(s);
	struct key_file there = { .encrypted = false };
	enum err e = dir_make(p.dir, 0700, why);

	if (!e)
		e = derive(k->label, k, &p, why);
	if (e)
		goto out;
	*changed = !is_there(p.key) || key_load(&there, &p, NULL) ||
		   !secret_equal(&there.seed, &k->seed) ||
		   record_check(&there, &p, NULL);
	if (!*changed) {
		e = record_save(k, &p, why);
		goto out;
	}
	if (!force)
		e = may_replace(k, &p, why);
	if (!e)
		e = put_back(k, &p, s->keep_plain ? NULL : s->passphrase,
			     why);
out:
	key_file_clear(&there);
	place_clear(&p);
	return e;
}
