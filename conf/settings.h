/*
 * What the owner asked for: values of options, from the command line and the
 * config file.  The command line wins; in the file a chain's section wins
 * over the part before any section, and the first value of an option over
 * later ones.  Values of a list add up, strongest first, down to where it was
 * negated.  Not thread-safe.
 */
#ifndef CLOISTER_CONF_SETTINGS_H
#define CLOISTER_CONF_SETTINGS_H

#include "base/bytes.h"
#include "base/err.h"
#include "conf/options.h"

struct settings;
/** who: OPTION_NODE or OPTION_CLI. */
struct settings *settings_new(unsigned who);
void settings_free(struct settings *s);

/**
 * Take `-name`, `-name=value`, `-noname` (one or two dashes) from argv[1] on.
 *
 * used     out: index of the first argument that is not an option
 *
 * ERR_INPUT: unknown or malformed; the text names the nearest known one.
 */
NODISCARD enum err settings_parse_args(struct settings *s, int *used,
				       int argc, char *const *argv,
				       struct why *why);
/**
 * Take a config file's text: `name=value` lines, `#` comments, `[section]`s.
 *
 * name     of the file, for messages
 * section  the chain's ("main", "regtest", …); others are checked, not taken
 */
NODISCARD enum err settings_parse_file(struct settings *s, const char *text,
				       const char *name, const char *section,
				       struct why *why);
/** The chain that the file's first part asks for (chain=, regtest=1, …), so
 * that its section can be chosen before parsing; NULL if it says nothing. */
enum err settings_file_chain(char out[static 16], const char *text,
			     const char *name, struct why *why);

bool settings_has(const struct settings *s, const char *name);
/* Values; the option must be in the table (CHECK).  Strings are borrowed from
 * s.  Unset options give the default of the table. */
bool settings_bool(const struct settings *s, const char *name);
int64_t settings_int(const struct settings *s, const char *name);
const char *settings_text(const struct settings *s, const char *name);
/** All values of a list; returns how many.  Borrowed until the next call for
 * the same name. */
size_t settings_list(const struct settings *s, const char *name,
		     const char *const **out);
/** Was it negated (`-noconnect`, `-connect=0`)?  Lists only. */
bool settings_negated(const struct settings *s, const char *name);
/** Set a value as if given on the command line and nothing else was. */
void settings_force(struct settings *s, const char *name, const char *value);

/** Everything that is set, as lines `name=value`, for the node process to
 * read again with settings_load(). */
void settings_dump(const struct settings *s, struct bytes *out);
NODISCARD enum err settings_load(struct settings *s, const char *text,
				 struct why *why);

#endif
