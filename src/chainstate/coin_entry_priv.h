/*
 * How an entry of the coin table keeps its script.
 */
#ifndef CLOISTER_CHAINSTATE_COIN_ENTRY_PRIV_H
#define CLOISTER_CHAINSTATE_COIN_ENTRY_PRIV_H

#include "chainstate/coin_table_priv.h"

enum coin_kind {
	KIND_P2PKH,
	KIND_P2SH,
	KIND_P2WPKH,
	KIND_P2WSH,
	KIND_P2TR,
	KIND_RAW,        /* a length byte, then the script */
	KIND_BIG,        /* struct big_script */
	KIND_SPENT,      /* nothing */
};
#define KIND_TEMPLATES KIND_RAW
/* The longest script that still fits an entry. */
#define RAW_MAX (SLAB_MAX - (int)sizeof(struct coin_entry) - 1)
/* What malloc adds, about. */
#define MALLOC_OVERHEAD 16

struct big_script {
	uint8_t *p;
	size_t n;
};

static inline enum coin_kind coin_entry_kind(const struct coin_entry *e)
{
	return (enum coin_kind)((e->meta & META_KIND) >> META_KIND_SHIFT);
}

enum coin_kind coin_kind_of(struct span script);
/** Slab bytes of an entry, before rounding up. */
size_t coin_kind_bytes(enum coin_kind k, size_t script_n);
size_t coin_entry_slab_bytes(const struct coin_entry *e);
/** Bytes outside the slab. */
size_t coin_entry_big_bytes(const struct coin_entry *e);
/** Fill meta, code and script; c NULL: spent.  flags: all but the kind. */
void coin_entry_write(struct coin_entry *e, const struct coin *c,
		      enum coin_kind k, uint64_t flags);
/** Free what is outside the slab. */
void coin_entry_drop(struct coin_entry *e);

#endif
