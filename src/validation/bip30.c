/*
 * BIP30: a block must not repeat a transaction whose outputs are unspent.
 * Twice it happened, in early 2010, and those two blocks stay valid.
 */
#include "config.h"

#include "validation/flight.h"

/* From here on a coinbase could repeat one from before BIP34 that happens
 * to begin with the right height. */
#define BIP34_IMPLIES_BIP30_UNTIL 1983702

static const struct {
	int height, repeats;
	const char *hash;
} repeats[] = {
	{ 91842, 91812,
	  "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec" },
	{ 91880, 91722,
	  "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721" },
};

int bip30_repeats_height(const struct header_node *n)
{
	struct block_hash h;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(repeats); i++) {
		if (n->height != repeats[i].height)
			continue;
		CHECK(hash_from_rpc_hex(h.b, repeats[i].hash));
		if (block_hash_eq(&n->hash, &h))
			return repeats[i].repeats;
	}
	return -1;
}

bool bip30_applies(const struct chain_params *p, const struct header_node *n)
{
	int bip34 = p->buried_height[BURIED_BIP34];
	const struct header_node *at;

	if (bip30_repeats_height(n) >= 0)
		return false;
	/* Every coinbase names its height: none can repeat another. */
	if (bip34 <= 1)
		return false;
	if (n->height >= BIP34_IMPLIES_BIP30_UNTIL)
		return true;
	at = header_node_ancestor(n->prev, bip34);
	return !at || !block_hash_eq(&at->hash, &p->bip34_hash);
}
