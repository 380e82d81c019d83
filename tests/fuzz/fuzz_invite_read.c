/*
 * Invites: one that is whole is written as the same line, but for case and
 * white space.
 */
#include "config.h"

#include "tls/invite.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1), line[INVITE_TEXT_SIZE];
	struct invite i, again;

	if (size)
		memcpy(text, data, size);
	if (invite_read(&i, text) == INVITE_OK) {
		invite_write(line, &i);
		CHECK(invite_read(&again, line) == INVITE_OK);
		CHECK(memcmp(i.token, again.token, sizeof i.token) == 0 &&
		      node_id_eq(&i.id, &again.id) &&
		      i.expires == again.expires && i.chain == again.chain);
	}
	free(text);
	return 0;
}
