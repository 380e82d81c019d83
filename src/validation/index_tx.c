/*
 * Transactions: 't' txid -> VARINT height, VARINT place in the block.  An
 * entry may speak of a branch that was left: whoever follows it compares.
 */
#include "config.h"

#include "validation/index_priv.h"

static enum err add(struct side_index *x, const struct index_block *b,
		    struct why *why)
{
	struct bytes value = { 0 };
	uint8_t key[33] = { 't' };

	(void)why;
	/* The first block's transaction is none that could be spent. */
	for (uint32_t i = 0; b->node->prev && i < b->block->tx_count; i++) {
		value.n = 0;
		varint_write(&value, (uint64_t)b->node->height);
		varint_write(&value, i);
		memcpy(key + 1, b->block->tx[i].txid.b, 32);
		side_db_put(x->db, span_of(key, sizeof key),
			    bytes_span(&value));
	}
	bytes_clear(&value);
	return ERR_NONE;
}

const struct index_type index_tx_type = {
	.name = "txindex",
	.dir = "txindex",
	.add = add,
};

enum err index_find_tx(struct chain *c, struct header_node **n,
		       struct block **b, uint32_t *i, const struct txid *id,
		       struct why *why)
{
	struct bytes value = { 0 };
	struct reader r;
	uint8_t key[33] = { 't' };
	uint64_t height;
	bool found;
	enum err e;

	*n = NULL;
	*b = NULL;
	memcpy(key + 1, id->b, 32);
	e = side_db_get(index_get(c, INDEX_TX)->db, &value, &found,
			span_of(key, sizeof key), why);
	r = reader_of(bytes_span(&value));
	height = varint_read(&r);
	*i = (uint32_t)varint_read(&r);
	if (!e && found && !r.failed && height <= INT32_MAX)
		*n = chain_at(c, (int)height);
	bytes_clear(&value);
	if (!*n)
		return e;
	e = chain_read_block(c, b, *n, why);
	if (!e && (*i >= (*b)->tx_count ||
		   !txid_eq(&(*b)->tx[*i].txid, id))) {
		block_unref(*b);
		*b = NULL;
		*n = NULL;
	}
	return e;
}
