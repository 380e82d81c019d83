/*
 * Back to the block if need be, flush, then the walk.
 */
#include "config.h"

#include "validation/coin_scan.h"

#include <stdlib.h>

#include "base/log.h"
#include "chainstate/coin_walk.h"
#include "chainstate/snapshot.h"
#include "validation/chain_priv.h"

#define STEP_MS 5
#define STEP_COINS 256

struct coin_scan {
	struct chain *chain;             /* until the walk begins; or NULL */
	const struct header_node *at;    /* where to */
	char *path;
	struct coin_walk *walk;
	struct utxo_tally *tally;
	struct snapshot_writer *writer;
	enum err write_err;
	struct why write_why;
	struct coin_scan_result result;
};

static enum err open_file(struct coin_scan *s, struct why *why)
{
	return snapshot_writer_open(&s->writer, s->path,
				    chain_params(s->chain)->magic,
				    &s->at->hash, why);
}

void coin_scan_detach(struct coin_scan *s)
{
	if (!s || !s->chain)
		return;
	if (s->chain->scan == s)
		s->chain->scan = NULL;
	s->chain = NULL;
}

void coin_scan_free(struct coin_scan *s)
{
	if (!s)
		return;
	coin_scan_detach(s);
	coin_walk_free(s->walk);
	utxo_tally_free(s->tally);
	snapshot_writer_free(s->writer);
	free(s->path);
	free(s);
}

/* The coins stand at the block: from here on, the walk has its own view. */
static enum err start_walk(struct coin_scan *s, struct why *why)
{
	struct chain *c = s->chain;
	enum err e = chain_flush(c, why);

	if (e)
		return e;
	s->walk = coin_walk_new(c->coins);
	s->result.at = s->at;
	s->result.stats.disk_bytes = coins_disk_bytes(c->coins);
	coin_scan_detach(s);
	return ERR_NONE;
}

enum err coin_scan_begin(struct coin_scan **out, struct chain *c,
			 const struct coin_scan_options *opt,
			 struct why *why)
{
	struct coin_scan *s;
	enum err e = ERR_NONE;

	if (c->scan)
		return why_set(why, ERR_STATE, "the chain is being taken back "
			       "for another snapshot");
	s = xcalloc(1, sizeof *s);
	s->chain = c;
	s->at = opt->at ? opt->at : chain_tip(c);
	s->tally = utxo_tally_new(opt->type);
	if (opt->path) {
		s->path = xstrdup(opt->path);
		e = open_file(s, why);
	}
	while (!e && c->flight_count)
		e = flight_land(c, why);
	if (!e && s->at == chain_tip(c))
		e = start_walk(s, why);
	else if (!e)
		c->scan = s;     /* nothing is connected until the walk begins */
	if (e)
		coin_scan_free(s);
	else
		*out = s;
	return e;
}

const struct coin_scan_result *coin_scan_result(const struct coin_scan *s)
{
	return &s->result;
}

static bool take_coin(const struct outpoint *o, const struct coin *coin,
		      void *arg)
{
	struct coin_scan *s = arg;

	(void)utxo_tally_coin(o, coin, s->tally);
	if (s->writer)
		s->write_err = snapshot_writer_add(s->writer, o, coin,
						   &s->write_why);
	return !s->write_err;
}

static enum err walk(struct coin_scan *s, bool *more, struct why *why)
{
	int64_t until_ms = clock_mono_ms() + STEP_MS;
	uint64_t disk_bytes = s->result.stats.disk_bytes;
	enum err e;

	do
		e = coin_walk_step(s->walk, more, STEP_COINS, take_coin, s,
				   why);
	while (!e && *more && clock_mono_ms() < until_ms);
	if (s->write_err) {
		*why = s->write_why;
		return s->write_err;
	}
	if (e || *more)
		return e;
	utxo_tally_end(s->tally, &s->result.stats);
	s->result.stats.disk_bytes = disk_bytes;
	return s->writer ? snapshot_writer_end(s->writer, why) : ERR_NONE;
}

enum err coin_scan_step(struct coin_scan *s, bool *more, struct why *why)
{
	*more = true;
	if (s->walk)
		return walk(s, more, why);
	if (!s->chain)
		return why_set(why, ERR_STOPPED, "stopped");
	if (!chain_contains(s->chain, s->at))
		return why_set(why, ERR_STATE, "the chain has moved to "
			       "another branch meanwhile");
	if (chain_tip(s->chain) != s->at)
		return disconnect_tip(s->chain, why);
	return start_walk(s, why);
}
