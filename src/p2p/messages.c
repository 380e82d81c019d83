/*
 * Message payloads.  Every reader has its writer and size beside it.
 */
#include "config.h"

#include "p2p/messages.h"

#define ADDR_ITEM_BYTES 30

/* ---- version ---- */

static void net_addr_read(struct net_addr *a, struct reader *r)
{
	a->services = read_u64(r);
	read_copy(r, a->ip, sizeof a->ip);
	a->port = read_u16_be(r);
}

static void net_addr_write(struct bytes *b, const struct net_addr *a)
{
	write_u64(b, a->services);
	bytes_append(b, a->ip, sizeof a->ip);
	write_u16_be(b, a->port);
}

static bool version_read(struct msg_version *v, struct reader *r)
{
	v->version = read_u32(r);
	v->services = read_u64(r);
	v->time_unix = (int64_t)read_u64(r);
	net_addr_read(&v->recv, r);
	net_addr_read(&v->from, r);
	v->nonce = read_u64(r);
	v->user_agent = read_var_span(r);
	v->start_height = (int32_t)read_u32(r);
	v->has_relay = !r->failed && reader_left(r) > 0;
	v->relay = v->has_relay ? read_u8(r) != 0 : true;
	return !r->failed && v->user_agent.n <= USER_AGENT_MAX;
}

static void version_write(struct bytes *b, const struct msg_version *v)
{
	write_u32(b, v->version);
	write_u64(b, v->services);
	write_u64(b, (uint64_t)v->time_unix);
	net_addr_write(b, &v->recv);
	net_addr_write(b, &v->from);
	write_u64(b, v->nonce);
	write_var_span(b, v->user_agent);
	write_u32(b, (uint32_t)v->start_height);
	if (v->has_relay)
		write_u8(b, v->relay);
}

static size_t version_size(const struct msg_version *v)
{
	return 4 + 8 + 8 + 26 + 26 + 8 + compact_size(v->user_agent.n) +
	       v->user_agent.n + 4 + (v->has_relay ? 1 : 0);
}

/* ---- lists of a fixed stride ---- */

static bool list_read(struct span *items, size_t *n, struct reader *r,
		      size_t stride, size_t max)
{
	uint64_t count = read_compact(r);

	if (r->failed || count > max) {
		r->failed = true;
		return false;
	}
	*n = (size_t)count;
	*items = read_span(r, *n * stride);
	return !r->failed;
}

static void list_write(struct bytes *b, struct span items, size_t n)
{
	write_compact(b, n);
	write_span(b, items);
}

struct inv_item inv_item_get(const struct msg_inv *m, size_t i)
{
	struct reader r;
	struct inv_item item;

	CHECK(i < m->n);
	r = reader_of(span_of(m->items.p + i * INV_ITEM_BYTES,
			      INV_ITEM_BYTES));
	item.type = read_u32(&r);
	read_copy(&r, item.hash, sizeof item.hash);
	return item;
}

void inv_item_write(struct bytes *items, const struct inv_item *item)
{
	write_u32(items, item->type);
	bytes_append(items, item->hash, sizeof item->hash);
}

/* ---- locator ---- */

static bool locator_read(struct msg_locator *m, struct reader *r)
{
	m->version = read_u32(r);
	if (!list_read(&m->hashes, &m->n, r, 32, LOCATOR_MAX))
		return false;
	read_copy(r, m->stop.b, sizeof m->stop.b);
	return !r->failed;
}

static void locator_write(struct bytes *b, const struct msg_locator *m)
{
	write_u32(b, m->version);
	list_write(b, m->hashes, m->n);
	bytes_append(b, m->stop.b, sizeof m->stop.b);
}

struct block_hash locator_get(const struct msg_locator *m, size_t i)
{
	struct block_hash h;

	CHECK(i < m->n);
	memcpy(h.b, m->hashes.p + 32 * i, sizeof h.b);
	return h;
}

/* ---- headers ---- */

static bool headers_read(struct msg_headers *m, struct reader *r)
{
	size_t i;

	if (!list_read(&m->items, &m->n, r, HEADERS_ITEM_BYTES, HEADERS_MAX))
		return false;
	/* The number of transactions of a bare header is zero. */
	for (i = 0; i < m->n; i++)
		if (m->items.p[i * HEADERS_ITEM_BYTES + BLOCK_HEADER_BYTES])
			return false;
	return true;
}

struct block_header headers_get(const struct msg_headers *m, size_t i)
{
	struct block_header h;
	struct reader r;

	CHECK(i < m->n);
	r = reader_of(span_of(m->items.p + i * HEADERS_ITEM_BYTES,
			      BLOCK_HEADER_BYTES));
	CHECK(block_header_read(&h, &r));
	return h;
}

void headers_item_write(struct bytes *items, const struct block_header *h)
{
	block_header_write(items, h);
	write_u8(items, 0);
}

/* ---- addrv2 (BIP 155) ---- */

static size_t net_bytes(uint8_t net)
{
	switch (net) {
	case NET_IPV4:
		return 4;
	case NET_IPV6:
	case NET_CJDNS:
		return 16;
	case NET_TORV2:
		return 10;
	case NET_TORV3:
	case NET_I2P:
		return 32;
	}
	return 0;                    /* unknown: any length */
}

bool addrv2_item_read(struct addrv2_item *out, struct reader *r)
{
	uint64_t n;

	out->time = read_u32(r);
	out->services = read_compact_any(r);
	out->net = read_u8(r);
	n = read_compact(r);
	if (n > ADDRV2_BYTES_MAX ||
	    (net_bytes(out->net) && n != net_bytes(out->net)))
		r->failed = true;
	out->addr = read_span(r, (size_t)n);
	out->port = read_u16_be(r);
	return !r->failed;
}

void addrv2_item_write(struct bytes *items, const struct addrv2_item *item)
{
	write_u32(items, item->time);
	write_compact(items, item->services);
	write_u8(items, item->net);
	write_var_span(items, item->addr);
	write_u16_be(items, item->port);
}

static bool addrv2_read(struct msg_addrv2 *m, struct reader *r)
{
	struct addrv2_item item;
	uint64_t n = read_compact(r);
	const uint8_t *from = r->p;
	size_t i;

	if (r->failed || n > ADDR_MAX)
		return false;
	m->n = (size_t)n;
	for (i = 0; i < m->n; i++)
		if (!addrv2_item_read(&item, r))
			return false;
	m->items = span_of(from, (size_t)(r->p - from));
	return true;
}

/* ---- all of them ---- */

static bool nonce_read(struct msg_nonce *m, struct reader *r)
{
	m->has_nonce = reader_left(r) > 0;
	m->nonce = m->has_nonce ? read_u64(r) : 0;
	return !r->failed;
}

static bool payload_read(struct msg *m, struct reader *r)
{
	switch (m->type) {
	case MSG_VERSION:
		return version_read(&m->u.version, r);
	case MSG_PING:
	case MSG_PONG:
		return nonce_read(&m->u.nonce, r);
	case MSG_SENDCMPCT:
		m->u.sendcmpct.announce = read_u8(r) != 0;
		m->u.sendcmpct.version = read_u64(r);
		return !r->failed;
	case MSG_FEEFILTER:
		m->u.fee_filter = read_u64(r);
		return !r->failed;
	case MSG_ADDR:
		return list_read(&m->u.addr.items, &m->u.addr.n, r,
				 ADDR_ITEM_BYTES, ADDR_MAX);
	case MSG_ADDRV2:
		return addrv2_read(&m->u.addrv2, r);
	case MSG_INV:
	case MSG_GETDATA:
	case MSG_NOTFOUND:
		return list_read(&m->u.inv.items, &m->u.inv.n, r,
				 INV_ITEM_BYTES, INV_MAX);
	case MSG_GETBLOCKS:
	case MSG_GETHEADERS:
		return locator_read(&m->u.locator, r);
	case MSG_HEADERS:
		return headers_read(&m->u.headers, r);
	case MSG_BLOCK:
	case MSG_TX:
	case MSG_UNKNOWN:
		m->u.raw = read_span(r, reader_left(r));
		return true;
	case MSG_VERACK:
	case MSG_WTXIDRELAY:
	case MSG_SENDADDRV2:
	case MSG_SENDHEADERS:
	case MSG_GETADDR:
	case MSG_MEMPOOL:
	case MSG_TYPE_COUNT:
		return true;
	}
	return false;
}

bool msg_read(struct msg *out, size_t *used, enum msg_type type,
	      struct span payload)
{
	struct reader r = reader_of(payload);

	memset(out, 0, sizeof *out);
	out->type = type;
	if (!payload_read(out, &r))
		return false;
	if (used)
		*used = payload.n - reader_left(&r);
	return true;
}

void msg_write(struct bytes *b, const struct msg *m)
{
	switch (m->type) {
	case MSG_VERSION:
		version_write(b, &m->u.version);
		break;
	case MSG_PING:
	case MSG_PONG:
		if (m->u.nonce.has_nonce)
			write_u64(b, m->u.nonce.nonce);
		break;
	case MSG_SENDCMPCT:
		write_u8(b, m->u.sendcmpct.announce);
		write_u64(b, m->u.sendcmpct.version);
		break;
	case MSG_FEEFILTER:
		write_u64(b, m->u.fee_filter);
		break;
	case MSG_ADDR:
		list_write(b, m->u.addr.items, m->u.addr.n);
		break;
	case MSG_ADDRV2:
		list_write(b, m->u.addrv2.items, m->u.addrv2.n);
		break;
	case MSG_INV:
	case MSG_GETDATA:
	case MSG_NOTFOUND:
		list_write(b, m->u.inv.items, m->u.inv.n);
		break;
	case MSG_GETBLOCKS:
	case MSG_GETHEADERS:
		locator_write(b, &m->u.locator);
		break;
	case MSG_HEADERS:
		list_write(b, m->u.headers.items, m->u.headers.n);
		break;
	case MSG_BLOCK:
	case MSG_TX:
	case MSG_UNKNOWN:
		write_span(b, m->u.raw);
		break;
	case MSG_VERACK:
	case MSG_WTXIDRELAY:
	case MSG_SENDADDRV2:
	case MSG_SENDHEADERS:
	case MSG_GETADDR:
	case MSG_MEMPOOL:
	case MSG_TYPE_COUNT:
		break;
	}
}

size_t msg_size(const struct msg *m)
{
	switch (m->type) {
	case MSG_VERSION:
		return version_size(&m->u.version);
	case MSG_PING:
	case MSG_PONG:
		return m->u.nonce.has_nonce ? 8 : 0;
	case MSG_SENDCMPCT:
		return 9;
	case MSG_FEEFILTER:
		return 8;
	case MSG_ADDR:
		return compact_size(m->u.addr.n) + m->u.addr.items.n;
	case MSG_ADDRV2:
		return compact_size(m->u.addrv2.n) + m->u.addrv2.items.n;
	case MSG_INV:
	case MSG_GETDATA:
	case MSG_NOTFOUND:
		return compact_size(m->u.inv.n) + m->u.inv.items.n;
	case MSG_GETBLOCKS:
	case MSG_GETHEADERS:
		return 4 + compact_size(m->u.locator.n) +
		       m->u.locator.hashes.n + 32;
	case MSG_HEADERS:
		return compact_size(m->u.headers.n) + m->u.headers.items.n;
	case MSG_BLOCK:
	case MSG_TX:
	case MSG_UNKNOWN:
		return m->u.raw.n;
	case MSG_VERACK:
	case MSG_WTXIDRELAY:
	case MSG_SENDADDRV2:
	case MSG_SENDHEADERS:
	case MSG_GETADDR:
	case MSG_MEMPOOL:
	case MSG_TYPE_COUNT:
		return 0;
	}
	return 0;
}
