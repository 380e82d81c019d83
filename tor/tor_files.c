/*
 * Directories and files for tor.
 */
#include "config.h"

#include "tor/tor_files.h"

#include "base/file.h"
#include "base/log.h"
#include "keys/key_file.h"
#include "tor/onion_store.h"
#include "tor/ram_dir.h"
#include "tor/spawner.h"
#include "tor/torrc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXTRA_MAX (64 * 1024)

/* Tor refuses directories that others can read. */
static enum err private_dir(const char *path, struct why *why)
{
	enum err e = dir_make(path, 0700, why);

	if (!e && chmod(path, 0700) < 0)
		e = why_errno(why, "cannot set the mode of %s", path);
	return e;
}

static void remove_below(const char *dir, const char *name)
{
	char *path = path_join(dir, name);

	(void)unlink(path);
	free(path);
}

static char *key_below(const char *onion_dir)
{
	return path_join(onion_dir, "hs_ed25519_secret_key");
}

/* Our key in tor's form; what tor derives from it, it shall derive again. */
static enum err write_onion(const char *onion_dir, const struct onion_key *k,
			    struct why *why)
{
	char *path = key_below(onion_dir);
	struct secret text = {0};
	enum err e = private_dir(onion_dir, why);

	if (!e) {
		onion_key_write_tor(&text, k);
		e = file_replace(path, secret_span(&text), 0600, why);
		remove_below(onion_dir, "hs_ed25519_public_key");
		remove_below(onion_dir, "hostname");
	}
	secret_clear(&text);
	free(path);
	return e;
}

static char *onion_dir_on_disk(const struct tor_process_options *o)
{
	return xasprintf("%s/tor/public", o->dir);
}

/* A key that is encrypted on disk is plain in memory only. */
static char *choose_onion_dir(const struct tor_process_options *o,
			      const struct onion_key *k)
{
	struct why why = {0};

	if (!k->encrypted)
		return onion_dir_on_disk(o);
	tor_files_hide(o);
	if (o->onion_ram && !ram_dir_make(o->onion_ram, &why))
		return xstrdup(o->onion_ram);
	log_warn(LOG_TOR, "the onion service's key stands on disk unencrypted "
		 "while tor runs: %s", o->onion_ram ? why.text :
		 "there is no file system in memory, /dev/shm, to put it");
	return onion_dir_on_disk(o);
}

static enum err prepare_onion(struct tor_files *f,
			      const struct tor_process_options *o,
			      struct why *why)
{
	const struct onion_store store = {
		.dir = o->dir, .name = "public", .passphrase = o->passphrase,
	};
	struct onion_key key;
	enum err e;

	if (!o->public_onion ||
	    onion_store_open(&store, &key, &f->onion_trouble))
		return ERR_NONE;
	f->onion_dir = choose_onion_dir(o, &key);
	e = write_onion(f->onion_dir, &key, why);
	if (!e)
		memcpy(f->address, key.address, sizeof key.address);
	onion_key_clear(&key);
	return e;
}

static struct torrc_params params_of(const struct tor_files *f,
				     const struct tor_process_options *o)
{
	return (struct torrc_params){
		.data_dir = f->data_dir,
		.socks_path = o->socks_path,
		.seeds_path = o->seeds_path,
		.onion_dir = f->address[0] ? f->onion_dir : NULL,
		.onion_target = o->public_path,
		.onion_port = o->public_port,
		.p2p_port = o->p2p_port,
	};
}

char *tor_files_setconf(const struct tor_files *f,
			const struct tor_process_options *o)
{
	struct torrc_params p = params_of(f, o);
	struct bytes text = {0};

	if (!p.onion_dir)
		return NULL;
	torrc_write_setconf(&text, &p);
	return (char *)text.p;
}

static enum err write_torrc(const struct tor_files *f,
			    const struct tor_process_options *o,
			    struct why *why)
{
	struct bytes extra = {0}, text = {0};
	struct torrc_params p = params_of(f, o);
	enum err e = ERR_NONE;

	if (o->extra_path)
		e = file_read(&extra, o->extra_path, EXTRA_MAX, why);
	if (!e) {
		p.extra = bytes_span(&extra);
		torrc_write(&text, &p);
		e = file_replace(f->torrc, bytes_span(&text), 0600, why);
	}
	bytes_clear(&extra);
	bytes_clear(&text);
	return e;
}

enum err tor_files_prepare(struct tor_files *f,
			   const struct tor_process_options *o,
			   struct why *why)
{
	enum err e;

	memset(f, 0, sizeof *f);
	f->data_dir = path_join(o->dir, "tor");
	f->torrc = path_join(o->dir, TORRC_BELOW);
	e = private_dir(f->data_dir, why);
	if (!e)
		e = prepare_onion(f, o, why);
	if (!e)
		e = write_torrc(f, o, why);
	/* of a tor that was killed */
	if (!e)
		(void)unlink(o->socks_path);
	if (!e && o->seeds_path)
		(void)unlink(o->seeds_path);
	return e;
}

void tor_files_hide(const struct tor_process_options *o)
{
	char *dir = onion_dir_on_disk(o);
	char *key = key_below(dir);

	key_file_erase(key);
	if (o->onion_ram)
		ram_dir_remove(o->onion_ram);
	free(key);
	free(dir);
}

void tor_files_forget(const struct tor_process_options *o)
{
	static const char *const names[] = {
		"state", "cached-certs", "cached-consensus",
		"cached-descriptors", "cached-descriptors.new",
		"cached-extrainfo", "cached-extrainfo.new",
		"cached-microdesc-consensus", "cached-microdescs",
		"cached-microdescs.new", "unverified-consensus",
		"unverified-microdesc-consensus",
	};
	char *dir = path_join(o->dir, "tor");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		remove_below(dir, names[i]);
	free(dir);
}

void tor_files_clear(struct tor_files *f)
{
	free(f->data_dir);
	free(f->torrc);
	free(f->onion_dir);
	memset(f, 0, sizeof *f);
}
