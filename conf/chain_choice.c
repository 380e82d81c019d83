/*
 * -chain=NAME, or one of the options that are short for it.
 */
#include "config.h"

#include "conf/chain_choice.h"

#include "conf/settings.h"

#include <string.h>

const struct chain_choice chain_choices[CHAIN_CHOICES] = {
	{ "main", NULL },
	{ "test", "testnet" },
	{ "testnet4", "testnet4" },
	{ "signet", "signet" },
	{ "regtest", "regtest" },
};

static const char *known_name(const char *name)
{
	for (size_t i = 0; i < CHAIN_CHOICES; i++)
		if (strcmp(chain_choices[i].name, name) == 0)
			return chain_choices[i].name;
	return NULL;
}

bool chain_choice_is_known(const char *name)
{
	return known_name(name) != NULL;
}

enum err chain_choice_make(const char **out, const struct settings *s,
			   struct why *why)
{
	const char *chain = NULL;

	if (settings_has(s, "chain"))
		chain = settings_text(s, "chain");
	for (size_t i = 0; i < CHAIN_CHOICES; i++) {
		const struct chain_choice *c = &chain_choices[i];

		if (!c->flag || !settings_bool(s, c->flag))
			continue;
		if (chain && strcmp(chain, c->name) != 0)
			return why_set(why, ERR_INPUT, "two chains are asked "
				       "for, %s and %s; choose one", chain,
				       c->name);
		chain = c->name;
	}
	*out = known_name(chain ? chain : "main");
	if (!*out)
		return why_set(why, ERR_INPUT, "-chain=%s is unknown; known "
			       "are main, test, testnet4, signet, regtest",
			       chain);
	return ERR_NONE;
}

bool chain_choice_is_given(const struct settings *s)
{
	bool given = settings_has(s, "chain");

	for (size_t i = 0; i < CHAIN_CHOICES; i++)
		given |= chain_choices[i].flag &&
			 settings_has(s, chain_choices[i].flag);
	return given;
}
