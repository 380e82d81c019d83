/*
 * Options about keys.
 */
#ifndef CLOISTER_NODE_KEY_OPTIONS_H
#define CLOISTER_NODE_KEY_OPTIONS_H

#include "base/err.h"
#include "conf/settings.h"
#include "keys/passphrase.h"

/* What is done instead of running a node. */
enum key_command {
	KEY_COMMAND_NONE,
	KEY_COMMAND_BACKUP,
	KEY_COMMAND_RESTORE,
	KEY_COMMAND_SHOW,
	KEY_COMMAND_SHOW_IDENTITY,
	KEY_COMMAND_REPASS,      /* file: the new one; "-"; NULL: none */
};

struct key_options {
	char *pass_file;                 /* absolute; NULL: none */
	struct passphrase_source passphrase;
	enum key_command command;
	char *file;                      /* to back up to, to restore from, … */
	bool force;
	bool new_onion, new_identity;
};

/** Names of files as the owner wrote them, made absolute; nothing is opened.
 * The owner clears *out in any case. */
NODISCARD enum err key_options_make(struct key_options *out,
				    const struct settings *s,
				    struct why *why);
void key_options_clear(struct key_options *k);

#endif
