/*
 * Blocks on the wire.
 */
#include "config.h"

#include "consensus/block.h"

#include <stdlib.h>

#include "consensus/hash_field_priv.h"
#include "crypto/hash.h"

/* Version, two empty lists and the lock time. */
#define TX_MIN_BYTES 10

bool block_header_read(struct block_header *out, struct reader *r)
{
	out->version = read_u32(r);
	read_copy(r, out->prev.b, sizeof out->prev.b);
	read_copy(r, out->merkle_root, sizeof out->merkle_root);
	out->time = read_u32(r);
	out->bits = read_u32(r);
	out->nonce = read_u32(r);
	return !r->failed;
}

void block_header_write(struct bytes *b, const struct block_header *h)
{
	write_u32(b, h->version);
	bytes_append(b, h->prev.b, sizeof h->prev.b);
	bytes_append(b, h->merkle_root, sizeof h->merkle_root);
	write_u32(b, h->time);
	write_u32(b, h->bits);
	write_u32(b, h->nonce);
}

void block_header_hash(struct block_hash *out, const struct block_header *h)
{
	uint8_t raw[BLOCK_HEADER_BYTES];

	put_u32(raw, h->version);
	memcpy(raw + 4, h->prev.b, 32);
	memcpy(raw + 36, h->merkle_root, 32);
	put_u32(raw + 68, h->time);
	put_u32(raw + 72, h->bits);
	put_u32(raw + 76, h->nonce);
	sha256d(out->b, raw, sizeof raw);
}

static bool read_txs(struct block *b, struct reader *r)
{
	uint64_t count = read_compact(r), stripped;

	if (r->failed || count > reader_left(r) / TX_MIN_BYTES)
		return false;
	stripped = BLOCK_HEADER_BYTES + compact_size(count);
	if (count)
		b->tx = arena_alloc(&b->arena, (size_t)count * sizeof *b->tx);
	for (uint32_t i = 0; i < count; i++) {
		if (!tx_read(&b->tx[i], r, &b->arena, true))
			return false;
		b->tx_count++;
		stripped += b->tx[i].stripped_bytes;
	}
	b->stripped_bytes = (uint32_t)stripped;
	return true;
}

struct block *block_decode(struct bytes *raw TAKES)
{
	struct block *b = xcalloc(1, sizeof *b);
	struct reader r;

	atomic_init(&b->refs, 1);
	b->own = *raw;
	*raw = (struct bytes){ 0 };
	b->raw = bytes_span(&b->own);
	r = reader_of(b->raw);
	if (b->raw.n > UINT32_MAX || !block_header_read(&b->header, &r) ||
	    !read_txs(b, &r) || reader_left(&r) != 0) {
		block_unref(b);
		return NULL;
	}
	sha256d(b->hash.b, b->raw.p, BLOCK_HEADER_BYTES);
	return b;
}

struct block *block_ref(struct block *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void block_unref(struct block *b)
{
	if (!b || atomic_fetch_sub_explicit(&b->refs, 1,
					    memory_order_acq_rel) != 1)
		return;
	arena_clear(&b->arena);
	bytes_clear(&b->own);
	free(b);
}

uint64_t block_weight(const struct block *b)
{
	return (uint64_t)b->stripped_bytes * (WITNESS_SCALE - 1) + b->raw.n;
}
