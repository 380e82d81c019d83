/*
 * How one coin is written: in the coins database (key and value), in undo
 * data and in snapshots.  README.md says which records there are.
 */
#ifndef CLOISTER_CHAINSTATE_COIN_RECORD_PRIV_H
#define CLOISTER_CHAINSTATE_COIN_RECORD_PRIV_H

#include "chainstate/undo.h"

#define VARINT_MAX 10
/* The longest script that a special form expands to. */
#define SCRIPT_FORM_MAX 67

#define COIN_KEY_PREFIX 'C'
#define COIN_KEY_MAX (1 + 32 + 5)

size_t varint_encode(uint8_t out[static VARINT_MAX], uint64_t v);
/** r->failed when larger than 32 bits. */
uint32_t varint_read_u32(struct reader *r);
/** The script, in buf or borrowed from r's buffer; r->failed on bad data. */
struct span script_unpack(uint8_t buf[static SCRIPT_FORM_MAX],
			  struct reader *r);

/** 'C', txid, n in as few bytes as keep byte order equal to number order. */
size_t coin_key_encode(uint8_t out[static COIN_KEY_MAX],
		       const struct outpoint *o);
NODISCARD bool coin_key_decode(struct outpoint *o, struct span key);

/** height * 2 + coinbase, amount, script. */
void coin_value_write(struct bytes *b, const struct coin *c);
/** The script is in buf or borrowed from r's buffer. */
NODISCARD bool coin_value_read(struct coin *c,
			       uint8_t buf[static SCRIPT_FORM_MAX],
			       struct reader *r);
/** The amount and script only, as undo data has them after the height. */
NODISCARD bool coin_out_read(struct coin *c,
			     uint8_t buf[static SCRIPT_FORM_MAX],
			     struct reader *r);
void coin_out_write(struct bytes *b, const struct coin *c);

static inline uint32_t coin_code(const struct coin *c)
{
	return (uint32_t)c->height << 1 | (c->coinbase ? 1 : 0);
}

static inline void coin_set_code(struct coin *c, uint32_t code)
{
	c->height = (int)(code >> 1);
	c->coinbase = code & 1;
}

#endif
