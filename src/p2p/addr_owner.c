/*
 * The address book as the node sees it: files, and the owner's questions.
 */
#include "config.h"

#include "p2p/p2p_priv.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define ANCHORS_VERSION 1
#define SUM_BYTES 32

static const uint8_t anchors_magic[7] = { 'C', 'L', 'A', 'N', 'C', 'H', 'R' };

bool p2p_addrs_changed(const struct p2p *p)
{
	return addrbook_changed(p->book);
}

void p2p_addrs_write(struct p2p *p, struct bytes *out)
{
	addrbook_write(p->book, out);
}

const char *p2p_addrs_read(struct p2p *p, struct span data)
{
	switch (addrbook_read(p->book, data)) {
	case BOOK_READ_OK:
		return NULL;
	case BOOK_READ_VERSION:
		return "was written by another version of this program";
	case BOOK_READ_DAMAGED:
		break;
	}
	return "is damaged (its checksum is wrong)";
}

/* ---- anchors ---- */

static bool may_anchor(const struct peer *peer)
{
	return !peer->gone && peer->done && peer->has_onion &&
	       peer->info.type == CONN_OUTBOUND;
}

/* The two that have been with us longest; ids grow with time. */
void p2p_anchors_write(const struct p2p *p, struct bytes *out)
{
	size_t at = out->n, i, n = 0;
	uint8_t sum[SUM_BYTES];

	bytes_append(out, anchors_magic, sizeof anchors_magic);
	write_u8(out, ANCHORS_VERSION);
	for (i = 0; i < p->peers_n && n < ANCHORS_MAX; i++) {
		if (!may_anchor(p->peers[i]))
			continue;
		bytes_append(out, p->peers[i]->onion.key, ONION_KEY_BYTES);
		write_u16(out, p->peers[i]->onion.port);
		n++;
	}
	if (!n) {
		out->n = at;
		return;
	}
	sha256d(sum, out->p + at, out->n - at);
	bytes_append(out, sum, sizeof sum);
}

const char *p2p_anchors_read(struct p2p *p, struct span data)
{
	const size_t head = sizeof anchors_magic + 1, item = 34;
	struct reader r = reader_of(data);
	struct conns *c = &p->conns;
	uint8_t sum[SUM_BYTES];

	if (data.n < head + SUM_BYTES ||
	    (data.n - head - SUM_BYTES) % item != 0 ||
	    (data.n - head - SUM_BYTES) / item > ANCHORS_MAX ||
	    memcmp(data.p, anchors_magic, sizeof anchors_magic) != 0)
		return "is damaged";
	if (data.p[head - 1] != ANCHORS_VERSION)
		return "was written by another version of this program";
	sha256d(sum, data.p, data.n - SUM_BYTES);
	if (memcmp(sum, data.p + data.n - SUM_BYTES, SUM_BYTES) != 0)
		return "is damaged (its checksum is wrong)";
	read_span(&r, head);
	for (c->anchors_n = 0; reader_left(&r) >= item + SUM_BYTES;
	     c->anchors_n++) {
		read_copy(&r, c->anchors[c->anchors_n].key, ONION_KEY_BYTES);
		c->anchors[c->anchors_n].port = read_u16(&r);
	}
	return NULL;
}

/* ---- questions and commands ---- */

enum addr_added p2p_addr_add(struct p2p *p, const char *onion, uint16_t port,
			     uint64_t services, bool tried)
{
	struct onion o = { .port = port };
	bool is_new, was_tried, is_tried = false;

	if (!port || !onion_parse(o.key, onion))
		return ADDR_BAD;
	(void)addrbook_find(p->book, &was_tried, &o);
	is_new = addrbook_add(p->book, &o, services, p->now_unix, NULL);
	if (!tried)
		return is_new ? ADDR_ADDED : ADDR_KNOWN;
	addrbook_good(p->book, &o, services);
	(void)addrbook_find(p->book, &is_tried, &o);
	return is_tried && !was_tried ? ADDR_ADDED : ADDR_KNOWN;
}

size_t p2p_addrs_visit(struct p2p *p, size_t max, addr_info_fn *fn,
		       void *arg)
{
	size_t room = MIN_OF(max, addrbook_count(p->book)), i, n;
	struct book_entry *list = xcalloc(room + 1, sizeof *list);
	struct addr_info info;

	n = addrbook_sample(p->book, list, room, false);
	for (i = 0; i < n; i++) {
		onion_format(info.onion, list[i].onion.key);
		info.port = list[i].onion.port;
		info.services = list[i].services;
		info.time_unix = list[i].seen;
		fn(&info, arg);
	}
	free(list);
	return n;
}
