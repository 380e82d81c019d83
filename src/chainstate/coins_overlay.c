/*
 * Coins over coins: changes stay in the overlay's own table, and whatever it
 * does not have is asked of the coins below, which do not change.
 */
#include "config.h"

#include "chainstate/coins_priv.h"

#include <stdlib.h>

struct coins *coins_overlay_new(struct coins *below, size_t cache_bytes)
{
	struct coins *c = xcalloc(1, sizeof(*c));

	c->below = below;
	c->limit_bytes = cache_bytes;
	coin_table_init(&c->table, cache_bytes);
	return c;
}
