/*
 * A list: it is short, and its limits are small.
 */
#include "config.h"

#include "p2p/orphanage.h"

#include <stdlib.h>
#include <string.h>

void orphanage_clear(struct orphanage *o)
{
	for (size_t i = 0; i < o->n; i++)
		shared_tx_unref(o->v[i].tx);
	free(o->v);
	*o = (struct orphanage){ 0 };
}

static void remove_at(struct orphanage *o, size_t i)
{
	o->weight -= (size_t)tx_weight(&o->v[i].tx->tx);
	shared_tx_unref(o->v[i].tx);
	o->n--;
	memmove(o->v + i, o->v + i + 1, (o->n - i) * sizeof *o->v);
}

static size_t place_of(const struct orphanage *o, const struct wtxid *id)
{
	size_t i = 0;

	while (i < o->n && memcmp(o->v[i].tx->tx.wtxid.b, id->b, 32) != 0)
		i++;
	return i;
}

static bool is_from(const struct orphan *v, peer_id peer)
{
	for (size_t i = 0; i < v->from_n; i++)
		if (v->from[i] == peer)
			return true;
	return false;
}

static size_t weight_of(const struct orphanage *o, peer_id peer)
{
	size_t sum = 0;

	for (size_t i = 0; i < o->n; i++)
		if (is_from(&o->v[i], peer))
			sum += (size_t)tx_weight(&o->v[i].tx->tx);
	return sum;
}

/* It no longer counts as one of the peer's. */
static void take_from(struct orphanage *o, size_t i, peer_id peer)
{
	struct orphan *v = &o->v[i];
	size_t k = 0;

	while (k < v->from_n && v->from[k] != peer)
		k++;
	if (k == v->from_n)
		return;
	v->from[k] = v->from[--v->from_n];
	if (v->from_n == 0)
		remove_at(o, i);
}

static void drop_oldest_of(struct orphanage *o, peer_id peer)
{
	for (size_t i = 0; i < o->n; i++) {
		if (!is_from(&o->v[i], peer))
			continue;
		take_from(o, i, peer);
		return;
	}
}

struct share {
	peer_id peer;
	size_t weight;
};

static void share_add(struct share *s, size_t *n, peer_id peer, size_t weight)
{
	size_t i = 0;

	while (i < *n && s[i].peer != peer)
		i++;
	if (i == *n)
		s[(*n)++] = (struct share){ peer, 0 };
	s[i].weight += weight;
}

/* Who takes the most space. */
static peer_id greediest(const struct orphanage *o)
{
	struct share *s = xcalloc(o->n * ORPHAN_PEERS_MAX + 1, sizeof *s);
	struct share most = { 0, 0 };
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		for (size_t k = 0; k < o->v[i].from_n; k++)
			share_add(s, &n, o->v[i].from[k],
				  (size_t)tx_weight(&o->v[i].tx->tx));
	for (size_t i = 0; i < n; i++)
		if (s[i].weight > most.weight)
			most = s[i];
	free(s);
	return most.peer;
}

void orphanage_add(struct orphanage *o, struct shared_tx *tx, peer_id from,
		   size_t peers)
{
	size_t i = place_of(o, &tx->tx.wtxid);

	if (i == o->n) {
		if (o->n == o->cap) {
			o->cap = o->cap ? 2 * o->cap : 16;
			o->v = xrealloc(o->v, o->cap * sizeof *o->v);
		}
		o->v[o->n++] = (struct orphan){ .tx = shared_tx_ref(tx) };
		o->weight += (size_t)tx_weight(&tx->tx);
	}
	if (!is_from(&o->v[i], from) && o->v[i].from_n < ORPHAN_PEERS_MAX)
		o->v[i].from[o->v[i].from_n++] = from;
	/* Its own share first, whatever the others leave free. */
	while (weight_of(o, from) > ORPHANAGE_PEER_WEIGHT)
		drop_oldest_of(o, from);
	while (o->n > ORPHANAGE_MAX ||
	       o->weight > MAX_OF(peers, (size_t)1) * ORPHANAGE_PEER_WEIGHT)
		drop_oldest_of(o, greediest(o));
}

bool orphanage_has(const struct orphanage *o, const struct wtxid *id)
{
	return place_of(o, id) < o->n;
}

bool orphanage_has_txid(const struct orphanage *o, const struct txid *id)
{
	for (size_t i = 0; i < o->n; i++)
		if (txid_eq(&o->v[i].tx->tx.txid, id))
			return true;
	return false;
}

void orphanage_remove(struct orphanage *o, const struct wtxid *id)
{
	size_t i = place_of(o, id);

	if (i < o->n)
		remove_at(o, i);
}

void orphanage_peer_gone(struct orphanage *o, peer_id peer)
{
	for (size_t i = o->n; i-- > 0;)
		take_from(o, i, peer);
}

static bool spends(const struct tx *tx, const struct txid *parent)
{
	for (uint32_t i = 0; i < tx->in_count; i++)
		if (txid_eq(&tx->in[i].prevout.txid, parent))
			return true;
	return false;
}

const struct orphan *orphanage_child(const struct orphanage *o, size_t *at,
				     const struct txid *parent)
{
	while (*at < o->n) {
		const struct orphan *v = &o->v[(*at)++];

		if (spends(&v->tx->tx, parent))
			return v;
	}
	return NULL;
}
