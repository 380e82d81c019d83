/*
 * Names of roles.
 */
#include "config.h"

#include "tls/roles.h"

#include <stdio.h>
#include <string.h>

static const struct {
	uint8_t bit;
	const char *name;
} table[] = {
	{ ROLE_PEER, "peer" },
	{ ROLE_WITNESS, "witness" },
	{ ROLE_RPC_READ, "rpc-read" },
	{ ROLE_RPC_ADMIN, "rpc-admin" },
	{ ROLE_SNAPSHOT, "snapshot" },
};

bool role_parse(uint8_t *bit, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(table[i].name, name) != 0)
			continue;
		*bit = table[i].bit;
		return true;
	}
	return false;
}

const char *role_name(uint8_t bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].bit == bit)
			return table[i].name;
	return NULL;
}

void roles_text(char out[static ROLE_NAMES_SIZE], uint8_t roles)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (roles & table[i].bit)
			n += (size_t)snprintf(out + n, ROLE_NAMES_SIZE - n,
					      "%s%s", n ? ", " : "",
					      table[i].name);
}
