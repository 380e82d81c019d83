/*
 * The walk holds an iterator of LevelDB, which must end before the database
 * is closed: coins know their walks.
 */
#include "config.h"

#include "chainstate/coin_walk.h"

#include <stdlib.h>

#include "base/reader.h"
#include "chainstate/coins_priv.h"

struct coin_walk {
	struct coins *coins;     /* NULL: closed meanwhile */
	struct store_iter *it;
	struct coin_walk *next;  /* of the coins' walks */
};

struct coin_walk *coin_walk_new(struct coins *c)
{
	const uint8_t prefix = COIN_KEY_PREFIX;
	struct coin_walk *w = xcalloc(1, sizeof(*w));

	w->coins = c;
	w->it = store_iter_new(c->db, span_of(&prefix, 1));
	w->next = c->walks;
	c->walks = w;
	return w;
}

static enum err walk_end(struct coin_walk *w, struct why *why)
{
	struct coin_walk **at = &w->coins->walks;
	struct store_iter *it = w->it;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	w->coins = NULL;
	w->it = NULL;
	return store_iter_end(it, why);
}

void coin_walks_end(struct coins *c)
{
	while (c->walks)
		if (walk_end(c->walks, NULL))
			continue;        /* it is not read any more */
}

void coin_walk_free(struct coin_walk *w)
{
	if (!w)
		return;
	if (w->coins && walk_end(w, NULL))
		w->it = NULL;            /* told by the step that met it */
	free(w);
}

static enum err coin_read(struct coin_walk *w, struct outpoint *o,
			  struct coin *coin, struct span key,
			  struct span value, struct why *why)
{
	struct reader r = reader_of(value);

	if (coin_key_decode(o, key) &&
	    coin_value_read(coin, w->coins->script, &r) && !reader_left(&r))
		return ERR_NONE;
	return why_set(why, ERR_CORRUPT, "the coins database in %s is damaged "
		       "(a coin's record does not decode)",
		       store_dir(w->coins->db));
}

enum err coin_walk_step(struct coin_walk *w, bool *more, size_t max,
			coins_visit_fn *fn, void *arg, struct why *why)
{
	struct span key, value;
	struct outpoint o;
	struct coin coin;
	enum err e = ERR_NONE;

	*more = true;
	if (!w->coins)
		return why_set(why, ERR_STOPPED, "stopped");
	for (; max > 0 && !e; max--) {
		if (!store_iter_next(w->it, &key, &value)) {
			*more = false;
			return walk_end(w, why);
		}
		e = coin_read(w, &o, &coin, key, value, why);
		if (!e && !fn(&o, &coin, arg))
			e = why_set(why, ERR_STOPPED, "stopped");
	}
	return e;
}
