/*
 * The reference node's DNS seeds for mainnet.
 */
#include "config.h"

#include "node/seed_names.h"

static const char *const main_names[] = {
	"dnsseed.bluematt.me", "seed.bitcoin.jonasschnelli.ch",
	"seed.btc.petertodd.net", "seed.bitcoin.sprovoost.nl",
	"dnsseed.emzy.de", "seed.bitcoin.wiz.biz",
	"seed.mainnet.achownodes.xyz", NULL,
};

const char *const *seed_names(enum chain_id chain)
{
	static const char *const none[] = { NULL };

	return chain == CHAIN_MAIN ? main_names : none;
}
