/*
 * Files of onion keys: read, made, put aside, put back.
 */
#include "config.h"

#include "tor/onion_store.h"

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "keys/key_file.h"
#include "keys/passphrase.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ADDR_FILE_MAX 1024

struct paths {
	char *dir, *key, *addr;
};

static struct paths paths_of(const struct onion_store *s)
{
	struct paths p = { .dir = path_join(s->dir, "keys") };

	p.key = xasprintf("%s/onion_%s.key", p.dir, s->name);
	p.addr = xasprintf("%s/onion_%s.addr", p.dir, s->name);
	return p;
}

static void paths_clear(struct paths *p)
{
	free(p->dir);
	free(p->key);
	free(p->addr);
}

static bool is_onion(const char *text)
{
	uint8_t key[ONION_KEY_BYTES];

	return onion_parse(key, text);
}

/* Anything at all, a link that leads nowhere too. */
static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || errno != ENOENT;
}

static enum err addr_save(const struct onion_key *k, const struct paths *p,
			  struct why *why)
{
	char line[ONION_TEXT_SIZE + 1];

	snprintf(line, sizeof line, "%s\n", k->address);
	return file_replace(p->addr, span_of(line, strlen(line)), 0600, why);
}

/* The recorded address; "" if there is none, or nonsense in its place. */
static enum err addr_read(char out[static ONION_TEXT_SIZE],
			  const struct paths *p, struct why *why)
{
	struct bytes text = {0};
	enum err e;

	out[0] = '\0';
	if (!is_there(p->addr))
		return ERR_NONE;
	e = file_read(&text, p->addr, ADDR_FILE_MAX, why);
	if (e)
		goto out;
	while (text.n > 0 && text.p[text.n - 1] <= ' ')
		text.n--;
	if (text.n == ONION_TEXT_SIZE - 1) {
		memcpy(out, text.p, text.n);
		out[text.n] = '\0';
	}
	if (!is_onion(out))
		out[0] = '\0';
out:
	bytes_clear(&text);
	return e;
}

/* Derive, and compare with what an encrypted file says of itself. */
static enum err key_derive(struct onion_key *k, const struct key_file *f,
			   const char *path, struct why *why)
{
	if (!onion_key_from_seed(k, f->seed.p))
		return why_set(why, ERR_STATE, "cannot derive an Ed25519 key");
	k->encrypted = f->encrypted;
	if (f->encrypted && strcmp(f->label, k->address) != 0)
		return why_set(why, ERR_INPUT, "%s is labelled as the key of "
			       "%s, but is that of %s", path, f->label,
			       k->address);
	return ERR_NONE;
}

static enum err key_load(struct onion_key *k, const struct paths *p,
			 const struct secret *passphrase, struct why *why)
{
	struct key_file f;
	enum err e = key_file_read(&f, p->key, ONION_KEY_KIND, passphrase,
				   why);

	k->encrypted = f.encrypted;
	if (!e)
		e = key_derive(k, &f, p->key, why);
	key_file_clear(&f);
	return e;
}

/* As a file that is to be written. */
static struct key_file file_of(const struct onion_key *k)
{
	struct key_file f = { .encrypted = false };

	secret_init(&f.seed, k->seed.n);
	secret_append(&f.seed, k->seed.p, k->seed.n);
	snprintf(f.label, sizeof f.label, "%s", k->address);
	return f;
}

/* The key first: without .addr it is taken as it is. */
static enum err key_save(struct onion_key *k, const struct paths *p,
			 const struct secret *passphrase, struct why *why)
{
	struct key_file f = file_of(k);
	enum err e = key_file_write(p->key, ONION_KEY_KIND, &f, passphrase,
				    why);

	key_file_clear(&f);
	if (!e)
		k->encrypted = passphrase_given(passphrase);
	return e;
}

static enum err key_make(struct onion_key *k, const struct paths *p,
			 const struct secret *passphrase, struct why *why)
{
	struct secret seed = {0};
	enum err e;

	secret_init(&seed, ONION_SEED_SIZE);
	random_bytes(seed.p, ONION_SEED_SIZE);
	if (onion_key_from_seed(k, seed.p))
		e = key_save(k, p, passphrase, why);
	else
		e = why_set(why, ERR_STATE, "cannot derive an Ed25519 key");
	secret_clear(&seed);
	return e ? e : addr_save(k, p, why);
}

/* Compare with the recorded address. */
static enum err addr_check(const struct onion_key *k, const struct paths *p,
			   struct why *why)
{
	char recorded[ONION_TEXT_SIZE];
	enum err e = addr_read(recorded, p, why);

	if (e || !is_there(p->addr) || strcmp(recorded, k->address) == 0)
		return e;
	return why_set(why, ERR_INPUT, "%s is the key of %s, but %s says "
		       "otherwise: put the right key back, or delete the "
		       ".addr file to use this one", p->key, k->address,
		       p->addr);
}

static enum err missing(const struct paths *p, struct why *why)
{
	char address[ONION_TEXT_SIZE];
	enum err e = addr_read(address, p, why);

	if (e)
		return e;
	if (is_there(p->addr))
		return why_set(why, ERR_INPUT, "%s is missing, the key of our "
			       "onion address%s%s: put it back "
			       "(-restorekeys=FILE), or start once with "
			       "-newonion to have a new address", p->key,
			       address[0] ? " " : "", address);
	return why_set(why, ERR_INPUT, "there is no key yet (%s): it is made "
		       "when the node first starts its onion service",
		       p->key);
}

static enum err load(struct onion_key *k, const struct paths *p,
		     const struct secret *passphrase, struct why *why)
{
	enum err e;

	memset(k, 0, sizeof *k);
	if (!is_there(p->key))
		return missing(p, why);
	e = key_load(k, p, passphrase, why);
	return e ? e : addr_check(k, p, why);
}

enum err onion_store_load(const struct onion_store *s, struct onion_key *k,
			  struct why *why)
{
	struct paths p = paths_of(s);
	enum err e = load(k, &p, s->passphrase, why);
	bool encrypted = k->encrypted;

	if (e)
		onion_key_clear(k);
	k->encrypted = encrypted;
	paths_clear(&p);
	return e;
}

/* ---- for the onion service ---- */

/* A failure is told, and tried again at the next start. */
static void encrypt(struct onion_key *k, const struct paths *p,
		    const struct secret *passphrase)
{
	struct key_file f = file_of(k);
	struct why why;

	if (key_file_encrypt(p->key, ONION_KEY_KIND, &f, passphrase, &why)) {
		log_warn(LOG_TOR, "%s cannot be encrypted: %s", p->key,
			 why.text);
	} else {
		k->encrypted = true;
		log_info(LOG_TOR, "%s is encrypted from now on", p->key);
	}
	key_file_clear(&f);
}

static enum err open_or_make(struct onion_key *k, const struct paths *p,
			     const struct secret *passphrase,
			     struct why *why)
{
	enum err e = dir_make(p->dir, 0700, why);

	if (e)
		return e;
	if (!is_there(p->key) && !is_there(p->addr))
		return key_make(k, p, passphrase, why);
	e = load(k, p, passphrase, why);
	if (!e && !is_there(p->addr))
		e = addr_save(k, p, why);
	if (!e && !k->encrypted && passphrase_given(passphrase))
		encrypt(k, p, passphrase);
	return e;
}

enum err onion_store_open(const struct onion_store *s, struct onion_key *k,
			  struct why *why)
{
	struct paths p = paths_of(s);
	enum err e;

	memset(k, 0, sizeof *k);
	e = open_or_make(k, &p, s->passphrase, why);
	if (e)
		onion_key_clear(k);
	paths_clear(&p);
	return e;
}

/* ---- out of the way, and back ---- */

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

enum err onion_store_set_aside(const struct onion_store *s, struct why *why)
{
	struct paths p = paths_of(s);
	enum err e = set_aside(p.key, why);

	if (!e)
		e = set_aside(p.addr, why);
	paths_clear(&p);
	return e;
}

void onion_store_erase(const struct onion_store *s)
{
	struct paths p = paths_of(s);

	key_file_erase(p.key);
	key_file_erase(p.addr);
	paths_clear(&p);
}

/*
 * Whose key is there: its address, "" if there is none.  ERR_INPUT: there is
 * one, and it does not tell.
 */
static enum err address_there(char out[static ONION_TEXT_SIZE],
			      const struct paths *p,
			      const struct secret *passphrase,
			      struct why *why)
{
	struct key_file f;
	struct onion_key k = {0};
	enum err e = addr_read(out, p, why);

	if (e || out[0] || !is_there(p->key))
		return e;
	e = key_file_read(&f, p->key, ONION_KEY_KIND, passphrase, why);
	if (!e)
		e = key_derive(&k, &f, p->key, why);
	if (!e)
		memcpy(out, k.address, sizeof k.address);
	else if (is_onion(f.label)) {
		memcpy(out, f.label, ONION_TEXT_SIZE);
		e = ERR_NONE;
	}
	onion_key_clear(&k);
	key_file_clear(&f);
	return e;
}

static enum err may_replace(const struct onion_key *k, const struct paths *p,
			    const struct secret *passphrase, struct why *why)
{
	char address[ONION_TEXT_SIZE];
	struct why how;

	if (address_there(address, p, passphrase, &how))
		return why_set(why, ERR_INPUT, "whose key is in %s cannot be "
			       "told (%.200s): -restoreforce=1 sets it aside",
			       p->key, how.text);
	if (!address[0] || strcmp(address, k->address) == 0)
		return ERR_NONE;
	return why_set(why, ERR_INPUT, "%s has the key of another address, "
		       "%s, which is not overwritten: -restoreforce=1 sets it "
		       "aside", p->dir, address);
}

static enum err put_back(const struct onion_key *k, const struct paths *p,
			 const struct secret *passphrase, struct why *why)
{
	struct onion_key copy = *k;
	enum err e = set_aside(p->key, why);

	if (!e)
		e = key_save(&copy, p, passphrase, why);
	if (!e)
		e = set_aside(p->addr, why);
	return e ? e : addr_save(k, p, why);
}

enum err onion_store_restore(const struct onion_store *s, bool *changed,
			     const struct onion_key *k, bool force,
			     struct why *why)
{
	struct paths p = paths_of(s);
	struct onion_key there = {0};
	enum err e = dir_make(p.dir, 0700, why);

	if (e)
		goto out;
	*changed = !is_there(p.key) ||
		   key_load(&there, &p, s->passphrase, NULL) ||
		   !secret_equal(&there.seed, &k->seed) ||
		   addr_check(&there, &p, NULL);
	if (!*changed) {
		e = addr_save(k, &p, why);
		goto out;
	}
	if (!force)
		e = may_replace(k, &p, s->passphrase, why);
	if (!e)
		e = put_back(k, &p, s->keep_plain ? NULL : s->passphrase,
			     why);
out:
	onion_key_clear(&there);
	paths_clear(&p);
	return e;
}
