/*
 * Undo data, as the reference node's CBlockUndo: what a block's inputs spent.
 */
#include "config.h"

#include "chainstate/undo.h"

#include "chainstate/coin_record_priv.h"

/* The fewest bytes of a coin: height, amount, script of no bytes. */
#define MIN_COIN_BYTES 3

static void undo_coin_write(struct bytes *b, const struct coin *c)
{
	varint_write(b, coin_code(c));
	if (c->height > 0)
		write_u8(b, 0);  /* a transaction version, once */
	coin_out_write(b, c);
}

static bool undo_coin_read(struct coin *c, struct reader *r, struct arena *a)
{
	uint8_t buf[SCRIPT_FORM_MAX];

	coin_set_code(c, varint_read_u32(r));
	if (c->height > 0)
		(void)varint_read_u32(r);
	if (!coin_out_read(c, buf, r))
		return false;
	c->script = arena_copy(a, c->script);
	return true;
}

void block_undo_write(struct bytes *b, const struct block_undo *u)
{
	write_compact(b, u->count);
	for (uint32_t i = 0; i < u->count; i++) {
		const struct tx_undo *tx = &u->txs[i];

		write_compact(b, tx->count);
		for (uint32_t j = 0; j < tx->count; j++)
			undo_coin_write(b, &tx->coins[j]);
	}
}

static bool tx_undo_read(struct tx_undo *out, struct reader *r,
			 struct arena *a)
{
	uint64_t n = read_compact(r);

	if (r->failed || n > reader_left(r) / MIN_COIN_BYTES) {
		r->failed = true;
		return false;
	}
	out->count = (uint32_t)n;
	out->coins = arena_calloc(a, out->count, sizeof(*out->coins));
	for (uint32_t i = 0; i < out->count; i++)
		if (!undo_coin_read(&out->coins[i], r, a))
			return false;
	return true;
}

bool block_undo_read(struct block_undo *out, struct reader *r,
		     struct arena *a)
{
	uint64_t n = read_compact(r);

	if (r->failed || n > reader_left(r)) {
		r->failed = true;
		return false;
	}
	out->count = (uint32_t)n;
	out->txs = arena_calloc(a, out->count, sizeof(*out->txs));
	for (uint32_t i = 0; i < out->count; i++)
		if (!tx_undo_read(&out->txs[i], r, a))
			return false;
	return true;
}
