/*
 * A node id: the public half of a node's identity key (Ed25519), and how
 * people write and speak it.  Pure; any thread.
 */
#ifndef CLOISTER_TLS_NODE_ID_H
#define CLOISTER_TLS_NODE_ID_H

#include "base/bytes.h"
#include "base/err.h"

#define NODE_ID_SIZE 32
#define NODE_ID_HRP "clid"
#define NODE_ID_TEXT_SIZE 64     /* "clid1…" and a NUL: fits a DNS label */
#define NODE_ID_WORDS 8
#define NODE_ID_WORDS_SIZE 64    /* of eight words, spaces and a NUL */
#define NODE_ID_URI_SCHEME "cloister:"

struct node_id {
	uint8_t key[NODE_ID_SIZE];
};

/** Bech32m, lower case. */
void node_id_write(char out[static NODE_ID_TEXT_SIZE],
		   const struct node_id *id);
/** Either case, nothing around it.  why (may be NULL) says what is wrong. */
NODISCARD bool node_id_read(struct node_id *out, const char *text,
			    struct why *why);
/**
 * Eight words to compare aloud: 80 bits of a hash of the id.  They show that
 * two people mean the same id; they cannot be turned back into it.
 */
void node_id_words(char out[static NODE_ID_WORDS_SIZE],
		   const struct node_id *id);

/** Less than, equal, greater than 0: the order of the bytes. */
int node_id_cmp(const struct node_id *a, const struct node_id *b);
static inline bool node_id_eq(const struct node_id *a,
			      const struct node_id *b)
{
	return node_id_cmp(a, b) == 0;
}

#endif
