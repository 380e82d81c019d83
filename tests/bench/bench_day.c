/*
 * A day at the tip: all but the last 144 blocks of a file are imported; those
 * then arrive one by one, with a flush after each sixth.  Every transaction
 * was seen before, as by a mempool: its scripts are known to be good.  Printed
 * as JSON: the time from a decoded block to the new tip, and what was written
 * beside what had changed.
 *
 *   bench_day FILE BLOCKS DIR      BLOCKS: in the file; DIR: new, empty
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chainstate/coins_priv.h"
#include "validation/block_scan.h"
#include "validation/chain_priv.h"

#define DAY 144
#define HOUR 6
#define CACHE_BYTES ((size_t)450 << 20)

struct day {
	struct chain_params params;
	struct chain *chain;
	struct block_scan *scan;
	struct why why;
	uint64_t useful, written, cancelled;     /* bytes */
	double us[DAY];
	uint32_t txs[DAY];
};

static void need(const struct day *d, enum err e)
{
	if (!e)
		return;
	fprintf(stderr, "bench_day: %s\n", d->why.text);
	exit(1);
}

static uint64_t io_count(const char *name)
{
	FILE *f = fopen("/proc/self/io", "r");
	char key[40];
	uint64_t v, found = 0;

	CHECK(f);
	while (fscanf(f, "%39s %" SCNu64, key, &v) == 2)
		if (strcmp(key, name) == 0)
			found = v;
	fclose(f);
	return found;
}

static struct block *next_block(struct day *d)
{
	struct scan_record rec;
	struct bytes raw = { 0 };
	struct block *b;
	bool found;

	need(d, block_scan_next(d->scan, &found, &rec, &d->why));
	CHECK(found);
	need(d, block_scan_read(d->scan, &raw, rec, &d->why));
	b = block_decode(&raw);
	CHECK(b);
	return b;
}

/* The block's scripts are known; keeps the reference. */
static double take_block(struct day *d, struct block *b, bool known)
{
	const uint32_t flags = chain_next_script_flags(d->chain);
	struct block_result res;
	int64_t start;

	for (uint32_t i = 1; known && i < b->tx_count; i++)
		script_cache_insert(chain_script_cache(d->chain),
				    &b->tx[i].wtxid, flags);
	start = clock_mono_us();
	need(d, chain_submit_block(d->chain, &res, block_ref(b), &d->why));
	CHECK(!res.finding.verdict);
	block_unref(b);
	return (double)(clock_mono_us() - start);
}

static uint64_t file_bytes(const struct chain *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < block_store_file_count(c->store); i++) {
		const struct block_file_info *f = block_store_file(c->store,
								   i);

		sum += (uint64_t)f->size_bytes + f->undo_bytes;
	}
	return sum;
}

static uint64_t record_bytes(const struct coin_entry *e)
{
	uint8_t key[COIN_KEY_MAX], buf[SCRIPT_TEMPLATE_MAX];
	struct outpoint o = { .n = e->n };
	struct bytes value = { 0 };
	struct coin coin;
	uint64_t n;

	memcpy(o.txid.b, e->txid, 32);
	n = coin_key_encode(key, &o);
	if (e->meta & META_SPENT)
		return n;
	coin_entry_read(e, &coin, buf);
	coin_value_write(&value, &coin);
	n += value.n;
	bytes_clear(&value);
	return n;
}

/* What a flush has to write, at the least. */
static uint64_t coin_change_bytes(const struct chain *c)
{
	const struct coin_table *t = &c->coins->table;
	uint64_t sum = 0;

	for (size_t i = 0; i < t->cap; i++) {
		const struct coin_entry *e = coin_table_at(t, t->slots[i]);

		if (t->slots[i] && e->meta & META_DIRTY)
			sum += record_bytes(e);
	}
	return sum;
}

static void run_day(struct day *d)
{
	uint64_t files = file_bytes(d->chain);
	uint64_t written = io_count("write_bytes:");
	uint64_t cancelled = io_count("cancelled_write_bytes:");

	for (int i = 0; i < DAY; i++) {
		struct block *b = next_block(d);

		d->txs[i] = b->tx_count;
		d->us[i] = take_block(d, b, true);
		block_unref(b);
		if ((i + 1) % HOUR)
			continue;
		d->useful += coin_change_bytes(d->chain);
		need(d, chain_flush(d->chain, &d->why));
	}
	d->useful += file_bytes(d->chain) - files;
	d->written = io_count("write_bytes:") - written;
	d->cancelled = io_count("cancelled_write_bytes:") - cancelled;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print(const struct day *d)
{
	double per_tx[DAY];

	for (int i = 0; i < DAY; i++)
		per_tx[i] = d->us[i] / d->txs[i];
	qsort(per_tx, DAY, sizeof(*per_tx), by_value);
	printf("{\"us_per_tx\": %.3f, \"us_per_tx_worst\": %.3f, "
	       "\"useful\": %" PRIu64 ", \"written\": %" PRIu64 ", "
	       "\"cancelled\": %" PRIu64 "}\n", per_tx[DAY / 2],
	       per_tx[DAY - 1], d->useful, d->written, d->cancelled);
}

int main(int argc, char **argv)
{
	struct day d = { .params = chain_params_get(CHAIN_REGTEST) };
	struct chain_options opt = {
		.params = &d.params, .dbcache_bytes = CACHE_BYTES,
	};
	long blocks = argc == 4 ? strtol(argv[2], NULL, 10) : 0;

	if (blocks <= DAY) {
		fprintf(stderr, "usage: bench_day FILE BLOCKS DIR\n");
		return 2;
	}
	opt.dir = argv[3];
	opt.workers = workers_new(1);
	need(&d, chain_open(&d.chain, &opt, &d.why));
	need(&d, block_scan_open(&d.scan, argv[1], d.params.magic, &d.why));
	for (long i = 0; i < blocks - DAY; i++) {
		struct block *b = next_block(&d);

		(void)take_block(&d, b, true);
		block_unref(b);
	}
	need(&d, chain_flush(d.chain, &d.why));
	run_day(&d);
	print(&d);
	block_scan_close(d.scan);
	chain_close(d.chain);
	workers_free(opt.workers);
	return 0;
}
