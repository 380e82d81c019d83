/*
 * One coin in memory: script templates keep only their 20 or 32 bytes.
 */
#include "config.h"

#include "chainstate/coin_entry_priv.h"

#include <stdlib.h>

/* A script that is `head`, `keep` bytes, `tail`. */
struct template {
	uint8_t head_n, keep, tail_n;
	uint8_t head[3], tail[2];
};

static const struct template templates[KIND_TEMPLATES] = {
	[KIND_P2PKH] = { 3, 20, 2, { 0x76, 0xa9, 20 }, { 0x88, 0xac } },
	[KIND_P2SH] = { 2, 20, 1, { 0xa9, 20 }, { 0x87 } },
	[KIND_P2WPKH] = { 2, 20, 0, { 0x00, 20 }, { 0 } },
	[KIND_P2WSH] = { 2, 32, 0, { 0x00, 32 }, { 0 } },
	[KIND_P2TR] = { 2, 32, 0, { 0x51, 32 }, { 0 } },
};

static bool template_fits(const struct template *t, struct span s)
{
	return s.n == (size_t)t->head_n + t->keep + t->tail_n &&
	       memcmp(s.p, t->head, t->head_n) == 0 &&
	       memcmp(s.p + s.n - t->tail_n, t->tail, t->tail_n) == 0;
}

enum coin_kind coin_kind_of(struct span s)
{
	enum coin_kind k;

	switch (s.n) {
	case 22:
		k = KIND_P2WPKH;
		break;
	case 23:
		k = KIND_P2SH;
		break;
	case 25:
		k = KIND_P2PKH;
		break;
	case 34:
		k = s.p[0] == 0x51 ? KIND_P2TR : KIND_P2WSH;
		break;
	default:
		return s.n <= RAW_MAX ? KIND_RAW : KIND_BIG;
	}
	return template_fits(&templates[k], s) ? k : KIND_RAW;
}

size_t coin_kind_bytes(enum coin_kind k, size_t script_n)
{
	switch (k) {
	case KIND_RAW:
		return sizeof(struct coin_entry) + 1 + script_n;
	case KIND_BIG:
		return sizeof(struct coin_entry) + sizeof(struct big_script);
	case KIND_SPENT:
		return sizeof(struct coin_entry);
	case KIND_P2PKH:
	case KIND_P2SH:
	case KIND_P2WPKH:
	case KIND_P2WSH:
	case KIND_P2TR:
		break;
	}
	return sizeof(struct coin_entry) + templates[k].keep;
}

size_t coin_entry_slab_bytes(const struct coin_entry *e)
{
	enum coin_kind k = coin_entry_kind(e);

	return coin_kind_bytes(k, k == KIND_RAW ? e->script[0] : 0);
}

static struct big_script big_get(const struct coin_entry *e)
{
	struct big_script big;

	memcpy(&big, e->script, sizeof(big));
	return big;
}

size_t coin_entry_big_bytes(const struct coin_entry *e)
{
	if (coin_entry_kind(e) != KIND_BIG)
		return 0;
	return big_get(e).n + MALLOC_OVERHEAD;
}

size_t coin_entry_bytes(const struct coin_entry *e)
{
	size_t n = coin_entry_slab_bytes(e);

	return ((n + SLAB_UNIT - 1) & ~(size_t)(SLAB_UNIT - 1)) +
	       coin_entry_big_bytes(e);
}

void coin_entry_drop(struct coin_entry *e)
{
	if (coin_entry_kind(e) == KIND_BIG)
		free(big_get(e).p);
}

static void script_store(struct coin_entry *e, enum coin_kind k,
			 struct span s)
{
	struct big_script big;

	if (k < KIND_TEMPLATES) {
		memcpy(e->script, s.p + templates[k].head_n,
		       templates[k].keep);
	} else if (k == KIND_RAW) {
		e->script[0] = (uint8_t)s.n;
		if (s.n)
			memcpy(e->script + 1, s.p, s.n);
	} else {
		big.p = xmemdup(s.p, s.n);
		big.n = s.n;
		memcpy(e->script, &big, sizeof(big));
	}
}

void coin_entry_write(struct coin_entry *e, const struct coin *c,
		      enum coin_kind k, uint64_t flags)
{
	e->meta = flags | (uint64_t)k << META_KIND_SHIFT;
	if (!c) {
		e->meta |= META_SPENT;
		e->code = 0;
		return;
	}
	CHECK(amount_ok(c->value_sat) && c->height >= 0);
	e->meta |= (uint64_t)c->value_sat;
	e->code = (uint32_t)c->height << 1 | (c->coinbase ? 1 : 0);
	script_store(e, k, c->script);
}

void coin_entry_read(const struct coin_entry *e, struct coin *out,
		     uint8_t buf[static SCRIPT_TEMPLATE_MAX])
{
	enum coin_kind k = coin_entry_kind(e);
	const struct template *t;

	out->value_sat = (int64_t)(e->meta & META_VALUE);
	out->height = (int)(e->code >> 1);
	out->coinbase = e->code & 1;
	if (k == KIND_RAW) {
		out->script = span_of(e->script + 1, e->script[0]);
		return;
	}
	if (k == KIND_BIG) {
		out->script = span_of(big_get(e).p, big_get(e).n);
		return;
	}
	CHECK(k < KIND_TEMPLATES);
	t = &templates[k];
	memcpy(buf, t->head, sizeof(t->head));
	memcpy(buf + t->head_n, e->script, t->keep);
	memcpy(buf + t->head_n + t->keep, t->tail, t->tail_n);
	out->script = span_of(buf, (size_t)t->head_n + t->keep + t->tail_n);
}
