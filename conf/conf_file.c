/*
 * The config file.  It may name the chain, and the chain says which of its
 * sections counts: so it is looked through twice.
 */
#include "config.h"

#include "conf/conf_file.h"

#include "base/file.h"
#include "conf/chain_choice.h"
#include "conf/settings.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF_FILE_MAX (1024 * 1024)

char *conf_path_absolute(const char *path)
{
	const char *home = getenv("HOME");
	struct passwd *pw;
	char *cwd, *out;

	if (path[0] == '/')
		return xstrdup(path);
	if (path[0] == '~' && (path[1] == '/' || path[1] == 0)) {
		if (!home || !*home) {
			pw = getpwuid(getuid());
			home = pw ? pw->pw_dir : "/";
		}
		return xasprintf("%s%s", home, path + 1);
	}
	cwd = getcwd(NULL, 0);
	out = xasprintf("%s/%s", cwd ? cwd : "", path);
	free(cwd);
	return out;
}

char *conf_path_below(const char *dir, const char *path)
{
	return path[0] == '/' ? xstrdup(path) : path_join(dir, path);
}

static enum err read_file(struct settings *s, const char *path,
			  struct why *why)
{
	struct bytes text = { 0 };
	const char *chain;
	char file_chain[16];
	enum err e;

	e = file_read(&text, path, CONF_FILE_MAX, why);
	if (e)
		goto out;
	if (text.n && memchr(text.p, 0, text.n)) {
		e = why_set(why, ERR_INPUT, "%s is not a text file", path);
		goto out;
	}
	bytes_append(&text, "", 1);
	e = settings_file_chain(file_chain, (char *)text.p, path, why);
	if (e)
		goto out;
	if (file_chain[0] && !chain_choice_is_given(s))
		settings_force(s, "chain", file_chain);
	e = chain_choice_make(&chain, s, why);
	if (!e)
		e = settings_parse_file(s, (char *)text.p, path, chain, why);
out:
	bytes_clear(&text);
	return e;
}

enum err conf_file_load(char **datadir, char **path, struct settings *s,
			struct why *why)
{
	enum err e = ERR_NONE;

	*datadir = conf_path_absolute(settings_text(s, "datadir"));
	*path = conf_path_below(*datadir, settings_text(s, "conf"));
	if (file_exists(*path))
		e = read_file(s, *path, why);
	else if (settings_has(s, "conf"))
		e = why_set(why, ERR_INPUT, "the config file %s does not "
			    "exist", *path);
	if (e)
		return e;
	/* the file may name another directory */
	free(*datadir);
	*datadir = conf_path_absolute(settings_text(s, "datadir"));
	return ERR_NONE;
}
