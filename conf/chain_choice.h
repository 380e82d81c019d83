/*
 * Which chain the settings ask for.
 */
#ifndef CLOISTER_CONF_CHAIN_CHOICE_H
#define CLOISTER_CONF_CHAIN_CHOICE_H

#include "base/err.h"

#define CHAIN_CHOICES 5

struct settings;

/* Names of the chains, and the option that is short for -chain=NAME (NULL:
 * none). */
struct chain_choice {
	const char *name, *flag;
};
extern const struct chain_choice chain_choices[CHAIN_CHOICES];

bool chain_choice_is_known(const char *name);
/** *out is one of the table's names, "main" if the settings say nothing.
 * ERR_INPUT: an unknown one, or two at once. */
NODISCARD enum err chain_choice_make(const char **out,
				     const struct settings *s,
				     struct why *why);
/** Do the settings say anything about it? */
bool chain_choice_is_given(const struct settings *s);

#endif
