/*
 * Inside: a descriptor taken apart.
 */
#ifndef CLOISTER_ADDRESS_DESCRIPTOR_PRIV_H
#define CLOISTER_ADDRESS_DESCRIPTOR_PRIV_H

#include "address/descriptor.h"
#include "address/ext_key.h"

/* A piece of the text, borrowed. */
struct piece {
	const char *p;
	size_t n;
};

/* Where a function stands: what is allowed in it. */
enum desc_place {
	PLACE_TOP = 1,
	PLACE_P2SH = 2,
	PLACE_P2WSH = 4,
	PLACE_P2TR = 8,
	PLACE_P2WPKH = 16,       /* of keys only */
};

enum desc_kind {
	DESC_PK,
	DESC_PKH,
	DESC_WPKH,
	DESC_COMBO,
	DESC_MULTI,
	DESC_SORTEDMULTI,
	DESC_MULTI_A,
	DESC_SORTEDMULTI_A,
	DESC_SH,
	DESC_WSH,
	DESC_TR,
	DESC_RAWTR,
	DESC_ADDR,
	DESC_RAW,
};

enum desc_range { RANGE_NONE, RANGE_PLAIN, RANGE_HARDENED };

/* A key expression: a key, or an extended one with a path below it. */
struct desc_key {
	char *origin;            /* "d34db33f/44h/0h", or NULL */
	bool is_private, is_ext, apostrophe;
	bool xonly;              /* in tr(): 32 bytes */
	uint8_t pub[65];
	size_t pub_n;            /* 33 or 65 */
	struct ext_key ext;
	uint32_t *path;
	size_t path_n;
	enum desc_range range;
};

#define DESC_TREE_DEPTH_MAX 128

struct desc_leaf {
	unsigned depth;
	struct descriptor *d;
};

struct descriptor {
	enum desc_kind kind;
	const struct chain_params *params;
	struct desc_key *keys;
	size_t keys_n;
	unsigned threshold;
	struct descriptor *sub;          /* sh(), wsh() */
	struct desc_leaf *leaves;        /* tr(): the tree, left to right */
	size_t leaves_n;
	char *literal;                   /* addr(), raw(): as written */
	struct bytes script;             /* … and the script of it */
};

const char *desc_kind_name(enum desc_kind k);

/** text may be an x-only key where place is PLACE_P2TR. */
NODISCARD bool desc_key_read(struct desc_key *out,
			     const struct chain_params *p, struct piece text,
			     enum desc_place place, struct why *why);
void desc_key_clear(struct desc_key *k);
/** The key at an index: 33 or 65 bytes. */
NODISCARD bool desc_key_at(uint8_t out[static 65], size_t *n,
			   const struct desc_key *k, uint32_t index);
/** Append it as text: the expression, or (index not NULL) the key there
 * with its origin. */
NODISCARD bool desc_key_write(struct bytes *b, const struct desc_key *k,
			      const struct chain_params *p,
			      const uint32_t *index);

#endif
