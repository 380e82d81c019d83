/*
 * BIP158 basic filters: 'f' block hash -> filter header, filter.
 */
#include "config.h"

#include "validation/index_priv.h"

#include <stdlib.h>

#include "consensus/block_filter.h"

static enum err record(struct side_index *x, struct bytes *value, bool *found,
		       const struct block_hash *h, struct why *why)
{
	uint8_t key[33];
	enum err e = side_db_get(x->db, value, found, index_key(key, 'f', h),
				 why);

	if (!e && *found && value->n < 32)
		return why_set(why, ERR_CORRUPT, "the index of filters is "
			       "damaged; remove indexes/blockfilter to have "
			       "it made again");
	return e;
}

static enum err load(struct side_index *x, struct why *why)
{
	struct bytes value = { 0 };
	bool found = false;
	enum err e = ERR_NONE;

	memset(x->filter_header, 0, sizeof x->filter_header);
	/* Taken back below the last commit: those are all there. */
	if (x->best)
		e = record(x, &value, &found, &x->best->hash, why);
	if (!e && x->best && !found)
		e = why_set(why, ERR_CORRUPT, "the index of filters lacks the "
			    "block at height %d; remove indexes/blockfilter "
			    "to have it made again", x->best->height);
	if (!e && found)
		memcpy(x->filter_header, value.p, 32);
	bytes_clear(&value);
	return e;
}

static enum err add(struct side_index *x, const struct index_block *b,
		    struct why *why)
{
	struct bytes value = { 0 };
	struct span *spent;
	size_t n = 0, total = 0;
	uint8_t key[33], header[32];
	uint32_t t, i;

	(void)why;
	for (t = 0; t < b->undo->count; t++)
		total += b->undo->txs[t].count;
	spent = xcalloc(total + 1, sizeof *spent);
	for (t = 0; t < b->undo->count; t++)
		for (i = 0; i < b->undo->txs[t].count; i++)
			spent[n++] = b->undo->txs[t].coins[i].script;
	bytes_append(&value, x->filter_header, 32);
	block_filter_write(&value, b->block, spent, n);
	block_filter_header(header, span_of(value.p + 32, value.n - 32),
			    x->filter_header);
	memcpy(x->filter_header, header, 32);
	memcpy(value.p, header, 32);
	side_db_put(x->db, index_key(key, 'f', &b->node->hash),
		    bytes_span(&value));
	bytes_clear(&value);
	free(spent);
	return ERR_NONE;
}

const struct index_type index_filter_type = {
	.name = "basic block filter index",
	.dir = "blockfilter",
	.needs_undo = true,
	.load = load,
	.add = add,
};

enum err index_filter(struct chain *c, bool *found, struct bytes *filter,
		      uint8_t header[static 32], const struct header_node *n,
		      struct why *why)
{
	enum err e = record(index_get(c, INDEX_FILTER), filter, found,
			    &n->hash, why);

	if (e || !*found)
		return e;
	memcpy(header, filter->p, 32);
	bytes_consume(filter, 32);
	return ERR_NONE;
}
