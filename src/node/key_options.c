/*
 * Options about keys, checked against each other.
 */
#include "config.h"

#include "node/key_options.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_file.h"

static enum err make_passphrase(struct key_options *k,
				const struct settings *s, struct why *why)
{
	k->passphrase.fd = -1;
	if (settings_has(s, "keypassfd"))
		k->passphrase.fd = (int)settings_int(s, "keypassfd");
	if (k->passphrase.fd == 1 || k->passphrase.fd == 2)
		return why_set(why, ERR_INPUT, "-keypassfd=%d is an output: "
			       "use 0, or 3 and above", k->passphrase.fd);
	if (settings_has(s, "keypassfile"))
		k->pass_file = conf_path_absolute(settings_text(s,
							"keypassfile"));
	k->passphrase.file = k->pass_file;
	if (k->pass_file && k->passphrase.fd >= 0)
		return why_set(why, ERR_INPUT, "-keypassfile and -keypassfd "
			       "exclude each other");
	return ERR_NONE;
}

enum err key_options_make(struct key_options *k, const struct settings *s,
			  struct why *why)
{
	const char *backup = settings_text(s, "backupkeys");
	const char *restore = settings_text(s, "restorekeys");
	const char *change = settings_text(s, "changekeypass");
	bool remove = settings_bool(s, "removekeypass");
	bool show = settings_bool(s, "showonion");
	bool show_id = settings_bool(s, "showidentity");
	const char *file = backup ? backup : restore ? restore : change;

	k->new_onion = settings_bool(s, "newonion");
	k->new_identity = settings_bool(s, "newidentity");
	k->force = settings_bool(s, "restoreforce");
	if (!!backup + !!restore + !!change + remove + show + show_id +
	    k->new_onion + k->new_identity > 1)
		return why_set(why, ERR_INPUT, "of -backupkeys, -restorekeys, "
			       "-changekeypass, -removekeypass, -showonion, "
			       "-showidentity, -newonion and -newidentity only "
			       "one at a time");
	if (k->force && !restore)
		return why_set(why, ERR_INPUT, "-restoreforce goes with "
			       "-restorekeys=FILE");
	if (file && !*file)
		return why_set(why, ERR_INPUT, "-%s needs the name of a file",
			       backup ? "backupkeys" :
			       restore ? "restorekeys" : "changekeypass");
	if (change && strcmp(change, "-") == 0)
		k->file = xstrdup("-");
	else if (file)
		k->file = conf_path_absolute(file);
	k->command = backup ? KEY_COMMAND_BACKUP :
		     restore ? KEY_COMMAND_RESTORE :
		     change || remove ? KEY_COMMAND_REPASS :
		     show ? KEY_COMMAND_SHOW :
		     show_id ? KEY_COMMAND_SHOW_IDENTITY : KEY_COMMAND_NONE;
	return make_passphrase(k, s, why);
}

void key_options_clear(struct key_options *k)
{
	free(k->pass_file);
	free(k->file);
	*k = (struct key_options){ .passphrase.fd = -1 };
}
