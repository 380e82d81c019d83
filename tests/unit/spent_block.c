/*
 * Blocks with what they spend.
 */
#include "config.h"

#include "tests/unit/spent_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "consensus/script.h"
#include "consensus/script_verify.h"
#include "crypto/secp.h"
#include "tests/unit/vectors.h"

void check_block_bytes(const struct block *b)
{
	struct bytes out = { 0 }, stripped = { 0 };

	block_header_write(&out, &b->header);
	write_compact(&out, b->tx_count);
	stripped.n = 0;
	bytes_append(&stripped, out.p, out.n);
	for (uint32_t i = 0; i < b->tx_count; i++) {
		tx_write(&out, &b->tx[i], true);
		tx_write(&stripped, &b->tx[i], false);
	}
	assert_true(span_eq(bytes_span(&out), b->raw));
	assert_int_equal(stripped.n, b->stripped_bytes);
	assert_int_equal(block_weight(b), 3 * stripped.n + out.n);
	bytes_clear(&out);
	bytes_clear(&stripped);
}

static void read_spent(struct spent_block *s)
{
	struct reader r = reader_of(bytes_span(&s->prev));
	size_t cap = s->prev.n / 18 + 1;

	s->spent = xcalloc(cap, sizeof *s->spent);
	s->meta = xcalloc(cap, sizeof *s->meta);
	for (; reader_left(&r) && !r.failed; s->n++) {
		uint32_t height;
		uint8_t coinbase;

		s->spent[s->n].value_sat = (int64_t)read_u64(&r);
		height = read_u32(&r);
		coinbase = read_u8(&r);
		read_u32(&r);
		s->spent[s->n].script_pubkey = read_var_span(&r);
		s->meta[s->n].height = height == UINT32_MAX ? 0 : (int)height;
		s->meta[s->n].coinbase = coinbase == 1;
	}
	assert_false(r.failed);
}

bool spent_block_load(struct spent_block *s, const char *file)
{
	struct bytes raw = { 0 };
	char name[80];

	memset(s, 0, sizeof *s);
	snprintf(name, sizeof name, "blocks/%s.blk", file);
	if (!vector_read(&raw, name))
		return false;
	s->block = block_decode(&raw);
	assert_non_null(s->block);
	snprintf(name, sizeof name, "blocks/%s.prev", file);
	if (!vector_read(&s->prev, name))
		return false;
	read_spent(s);
	return true;
}

void spent_block_clear(struct spent_block *s)
{
	block_unref(s->block);
	bytes_clear(&s->prev);
	free(s->spent);
	free(s->meta);
	arena_clear(&s->arena);
}

/* ---- coins compressed as btcd and the reference node store them ---- */

static uint64_t read_varint(struct reader *r)
{
	uint64_t v = 0;
	uint8_t c;

	while ((c = read_u8(r)) & 0x80)
		v = (v << 7 | (c & 0x7f)) + 1;
	return v << 7 | c;
}

static int64_t read_amount(struct reader *r)
{
	uint64_t v = read_varint(r), zeros, sat;

	if (v == 0)
		return 0;
	v--;
	zeros = v % 10;
	v /= 10;
	sat = zeros < 9 ? v / 9 * 10 + v % 9 + 1 : v + 1;
	while (zeros--)
		sat *= 10;
	return (int64_t)sat;
}

static struct span read_script(struct reader *r, struct arena *a)
{
	static const uint8_t p2pkh[] = { 0x76, 0xa9, 20 }, p2sh[] = { 0xa9, 20 };
	static const uint8_t p2pkh_end[] = { 0x88, 0xac }, p2sh_end[] = { 0x87 };
	struct bytes b = { 0 };
	uint64_t form = read_varint(r);
	uint8_t full[65], key[33];
	struct span s;

	if (form >= 6)
		return read_span(r, form - 6);
	s = read_span(r, form < 2 ? 20 : 32);
	assert_non_null(s.p);
	if (form == 0) {
		bytes_append(&b, p2pkh, sizeof p2pkh);
		bytes_append(&b, s.p, 20);
		bytes_append(&b, p2pkh_end, 2);
	} else if (form == 1) {
		bytes_append(&b, p2sh, sizeof p2sh);
		bytes_append(&b, s.p, 20);
		bytes_append(&b, p2sh_end, 1);
	} else {
		key[0] = (uint8_t)(form & 1 ? 3 : 2);
		memcpy(key + 1, s.p, 32);
		if (form < 4)
			script_push_data(&b, span_of(key, 33));
		assert_true(form < 4 || secp_pubkey_decompress(full, key));
		if (form >= 4)
			script_push_data(&b, span_of(full, 65));
		script_push_op(&b, OP_CHECKSIG);
	}
	s = arena_copy(a, bytes_span(&b));
	bytes_clear(&b);
	return s;
}

/* Find the coin of an outpoint among the records. */
static void read_coin(struct spent_block *s, const struct outpoint *o)
{
	struct reader r = reader_of(bytes_span(&s->prev)), one;
	struct outpoint at;
	uint64_t code;

	while (reader_left(&r)) {
		read_copy(&r, at.txid.b, 32);
		at.n = read_u32(&r);
		one = reader_of(read_span(&r, read_u32(&r)));
		if (!outpoint_eq(&at, o))
			continue;
		code = read_varint(&one);
		s->meta[s->n].height = (int)(code >> 1);
		s->meta[s->n].coinbase = code & 1;
		s->spent[s->n].value_sat = read_amount(&one);
		s->spent[s->n].script_pubkey = read_script(&one, &s->arena);
		assert_false(one.failed || reader_left(&one));
		s->n++;
		return;
	}
	fail_msg("a coin is missing");
}

/* An output of this block itself, spent by a later transaction of it. */
static bool own_coin(struct spent_block *s, const struct outpoint *o,
		     uint32_t before, int height)
{
	for (uint32_t i = 0; i < before; i++) {
		if (!txid_eq(&s->block->tx[i].txid, &o->txid))
			continue;
		s->spent[s->n] = s->block->tx[i].out[o->n];
		s->meta[s->n].height = height;
		s->n++;
		return true;
	}
	return false;
}

bool spent_block_load_packed(struct spent_block *s, const char *file)
{
	struct bytes framed = { 0 }, raw = { 0 };
	char name[80];
	size_t cap = 1;

	memset(s, 0, sizeof *s);
	snprintf(name, sizeof name, "chains/%s.dat.bz2", file);
	if (!vector_read_packed(&framed, name))
		return false;
	bytes_append(&raw, framed.p + 8, framed.n - 8);
	bytes_clear(&framed);
	s->block = block_decode(&raw);
	assert_non_null(s->block);
	snprintf(name, sizeof name, "chains/%s.utxostore.bz2", file);
	if (!vector_read_packed(&s->prev, name))
		return false;
	for (uint32_t i = 1; i < s->block->tx_count; i++)
		cap += s->block->tx[i].in_count;
	s->spent = xcalloc(cap, sizeof *s->spent);
	s->meta = xcalloc(cap, sizeof *s->meta);
	for (uint32_t i = 1; i < s->block->tx_count; i++) {
		const struct tx *tx = &s->block->tx[i];

		for (uint32_t k = 0; k < tx->in_count; k++)
			if (!own_coin(s, &tx->in[k].prevout, i, atoi(file)))
				read_coin(s, &tx->in[k].prevout);
	}
	return true;
}

unsigned count_good_inputs(const struct tx *tx, const struct tx_out *spent,
			   uint32_t flags)
{
	struct sighash_cache cache;
	enum script_error err;
	unsigned ok = 0;

	sighash_cache_init(&cache, tx, spent);
	for (uint32_t i = 0; i < tx->in_count; i++)
		ok += script_verify(tx, i, spent, flags, &cache, &err);
	return ok;
}

unsigned spent_block_good_inputs(const struct spent_block *s, uint32_t flags)
{
	unsigned ok = 0;
	size_t at = 0;

	for (uint32_t i = 1; i < s->block->tx_count; i++) {
		const struct tx *tx = &s->block->tx[i];

		assert_true(at + tx->in_count <= s->n);
		ok += count_good_inputs(tx, s->spent + at, flags);
		at += tx->in_count;
	}
	assert_int_equal(at, s->n);
	return ok;
}
