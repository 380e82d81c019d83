/*
 * Directories and files for tor.
 */
#include "config.h"

#include "tor/tor_files.h"

#include "base/file.h"
#include "tor/onion_key.h"
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

/* Our key in tor's form; what tor derives from it, it shall derive again. */
static enum err write_onion(const char *onion_dir, const struct onion_key *k,
			    struct why *why)
{
	char *path = path_join(onion_dir, "hs_ed25519_secret_key");
	struct bytes b = {0};
	enum err e = private_dir(onion_dir, why);

	if (!e) {
		onion_key_write_tor(&b, k);
		e = file_replace(path, bytes_span(&b), 0600, why);
		bytes_wipe(b.p, b.n);
		remove_below(onion_dir, "hs_ed25519_public_key");
		remove_below(onion_dir, "hostname");
	}
	bytes_clear(&b);
	free(path);
	return e;
}

static enum err prepare_onion(struct tor_files *f, const char *onion_dir,
			      const struct tor_process_options *o,
			      struct why *why)
{
	struct onion_key key;
	enum err e;

	if (!o->public_onion ||
	    onion_key_open(&key, o->dir, "public", &f->onion_trouble))
		return ERR_NONE;
	e = write_onion(onion_dir, &key, why);
	if (!e)
		memcpy(f->address, key.address, sizeof key.address);
	onion_key_clear(&key);
	return e;
}

static enum err write_torrc(const struct tor_files *f, const char *onion_dir,
			    const struct tor_process_options *o,
			    struct why *why)
{
	struct bytes extra = {0}, text = {0};
	struct torrc_params p = {
		.data_dir = f->data_dir,
		.socks_path = o->socks_path,
		.onion_dir = f->address[0] ? onion_dir : NULL,
		.onion_target = o->public_path,
		.onion_port = o->public_port,
		.p2p_port = o->p2p_port,
	};
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
	char *onion_dir;
	enum err e;

	memset(f, 0, sizeof *f);
	f->data_dir = path_join(o->dir, "tor");
	f->torrc = path_join(f->data_dir, "torrc");
	f->no_defaults = path_join(f->data_dir, "no-defaults");
	onion_dir = path_join(f->data_dir, "public");
	e = private_dir(f->data_dir, why);
	if (!e)
		e = prepare_onion(f, onion_dir, o, why);
	if (!e)
		e = write_torrc(f, onion_dir, o, why);
	if (!e)
		(void)unlink(o->socks_path);    /* of a tor that was killed */
	free(onion_dir);
	return e;
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
	free(f->no_defaults);
	memset(f, 0, sizeof *f);
}
