/*
 * Node ids as people type them: what is read is written back the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tls/node_id.h"
#include "tls/signer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1), back[NODE_ID_TEXT_SIZE];
	char words[NODE_ID_WORDS_SIZE];
	struct sign_answer answer;
	struct node_id id;
	struct why why;

	if (size)
		memcpy(text, data, size);
	if (node_id_read(&id, text, &why)) {
		node_id_write(back, &id);
		CHECK(strcasecmp(back, text) == 0);
		node_id_words(words, &id);
		CHECK(strlen(words) < NODE_ID_WORDS_SIZE);
	} else {
		CHECK(why.text[0]);
	}
	if (sign_answer_read(&answer, span_of(data, size)))
		CHECK(answer.root.n + answer.leaf.n + 37 == size);
	free(text);
	return 0;
}
