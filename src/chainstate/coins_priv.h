/*
 * What the files of the coins share.
 */
#ifndef CLOISTER_CHAINSTATE_COINS_PRIV_H
#define CLOISTER_CHAINSTATE_COINS_PRIV_H

#include "chainstate/coin_record_priv.h"
#include "chainstate/coin_table_priv.h"
#include "chainstate/coins.h"
#include "chainstate/store.h"

/* Up to this many changes are flushed as one LevelDB batch; more go through
 * the journal, so that a flush needs little memory. */
#define FLUSH_BATCH_COINS 65536
#define JOURNAL_STEP_BYTES ((size_t)4 << 20)

struct coins {
	struct store *db;        /* NULL: an overlay */
	struct coins *below;     /* what it lies over */
	struct coin_walk *walks;
	struct coin_table table;
	size_t cache_bytes;      /* as asked for */
	size_t limit_bytes;      /* less what LevelDB's tables take */
	size_t room_keep_bytes;  /* of young coins, when room is made */
	size_t batch_coins;      /* FLUSH_BATCH_COINS, less in tests */
	size_t step_bytes;       /* JOURNAL_STEP_BYTES, the same */
	bool has_tip;            /* false: the database is empty */
	struct block_hash tip;
	bool between;            /* the database is between tip and reached */
	struct block_hash reached;
	uint64_t flushes;        /* since the database was made */
	bool broken;             /* a flush failed half-way: open anew */
	struct bytes value;      /* of the last read */
	uint8_t script[SCRIPT_FORM_MAX];
};

/** End them all: the database is to be closed. */
void coin_walks_end(struct coins *c);

/** Read a coin from the database; the script is in c->value or c->script. */
NODISCARD enum err coin_load(struct coins *c, bool *found, struct coin *coin,
			     const struct outpoint *o, struct why *why);

/* The database's own records. */
#define TIP_KEY "B"          /* tip hash, u64 number of the flush */
#define APPLYING_KEY "H"     /* u64: the journal being applied */
#define REACHED_KEY "R"      /* hash, while between two flushes */

/** Leave room for the tables, as many as there are now. */
void coins_settle_limit(struct coins *c);

/** The tip record, and no REACHED_KEY.  number: flushes so far. */
void tip_record_put(struct store_batch *b, const struct block_hash *tip,
		    uint64_t number);

#endif
