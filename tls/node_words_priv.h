/*
 * The words that node ids are spoken in: short, common, no two alike in
 * their first four letters.
 */
#ifndef CLOISTER_TLS_NODE_WORDS_PRIV_H
#define CLOISTER_TLS_NODE_WORDS_PRIV_H

#define NODE_WORD_BITS 10
#define NODE_WORD_COUNT (1 << NODE_WORD_BITS)
#define NODE_WORD_MAX 7          /* letters */

extern const char *const node_words[NODE_WORD_COUNT];

#endif
