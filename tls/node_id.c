/*
 * Node ids as text and as words.
 */
#include "config.h"

#include "tls/node_id.h"

#include <string.h>

#include "crypto/bech32.h"
#include "crypto/hash.h"
#include "tls/node_words_priv.h"

void node_id_write(char out[static NODE_ID_TEXT_SIZE],
		   const struct node_id *id)
{
	uint8_t values[NODE_ID_SIZE * 8 / 5 + 1];
	char text[BECH32_MAX_CHARS + 1];
	size_t n = bech32_values_of(values, span_of(id->key, NODE_ID_SIZE));

	CHECK(bech32_encode(text, BECH32M, NODE_ID_HRP, span_of(values, n)));
	CHECK(strlen(text) == NODE_ID_TEXT_SIZE - 1);
	memcpy(out, text, NODE_ID_TEXT_SIZE);
}

static bool refuse(struct why *why, const char *reason)
{
	why_set(why, ERR_INPUT, "%s", reason);
	return false;
}

bool node_id_read(struct node_id *out, const char *text, struct why *why)
{
	struct bech32 b;
	struct why reason;
	uint8_t key[BECH32_MAX_CHARS];
	size_t n;

	if (!bech32_decode(&b, text, &reason)) {
		why_set(why, ERR_INPUT, "not a node id: %s", reason.text);
		return false;
	}
	if (strcmp(b.hrp, NODE_ID_HRP) != 0)
		return refuse(why, "not a node id: those begin with "
			      NODE_ID_HRP "1");
	if (b.kind != BECH32M)
		return refuse(why, "not a node id: its checksum is of another "
			      "kind (Bech32, not Bech32m)");
	if (!bech32_bytes_of(key, &n, sizeof key, span_of(b.values, b.n)) ||
	    n != NODE_ID_SIZE)
		return refuse(why, "not a node id: its length is wrong");
	memcpy(out->key, key, NODE_ID_SIZE);
	return true;
}

int node_id_cmp(const struct node_id *a, const struct node_id *b)
{
	return memcmp(a->key, b->key, NODE_ID_SIZE);
}

void node_id_words(char out[static NODE_ID_WORDS_SIZE],
		   const struct node_id *id)
{
	struct sha256 h;
	uint8_t hash[32];
	size_t at = 0;

	sha256_tagged_init(&h, "cloister/node-id-words");
	sha256_update(&h, id->key, NODE_ID_SIZE);
	sha256_final(&h, hash);
	for (unsigned i = 0; i < NODE_ID_WORDS; i++) {
		unsigned bit = i * NODE_WORD_BITS, shift = bit % 8;
		unsigned two = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
		unsigned value = two >> (16 - NODE_WORD_BITS - shift) &
				 (NODE_WORD_COUNT - 1);
		size_t n = strlen(node_words[value]);

		if (i)
			out[at++] = ' ';
		memcpy(out + at, node_words[value], n);
		at += n;
	}
	out[at] = '\0';
}
