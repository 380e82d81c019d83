/*
 * Importing block files: real chains with known sums, and damaged files.
 */
#include "config.h"

#include "validation_tests.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "base/writer.h"
#include "chainstate/xor_key.h"
#include "validation/block_scan.h"
#include "validation/import.h"
#include "validation_fix.h"

#define MUHASH_4312 \
	"8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5"
#define SERIALIZED_4312 \
	"fa5670424a993c1c40c2ec80fdac5deaf80f14f3857ea2e16a1339ee7a596e62"

static struct import_progress import_all(struct fix *f, const char *path)
{
	struct import *im = NULL;
	struct import_progress p;
	bool more = true;

	fix_ok(f, import_open(&im, f->chain, path, &f->why));
	while (more)
		fix_ok(f, import_step(im, &more, &f->why));
	p = *import_progress(im);
	import_free(im);
	return p;
}

static void test_mainnet_4312(void **state)
{
	char *path = vector_path("chains/mainnet-0-4312.blk00000.dat");
	struct import_progress p;
	struct fix f;

	(void)state;
	fix_open(&f, CHAIN_MAIN, 1);
	p = import_all(&f, path);
	assert_int_equal(p.tip_height, 4312);
	assert_int_equal(p.blocks_new, 4312);
	assert_int_equal(p.blocks_known, 1);
	assert_int_equal(p.bytes_done, p.bytes_total);
	assert_string_equal(fix_muhash(&f), MUHASH_4312);
	assert_string_equal(fix_serialized(&f), SERIALIZED_4312);
	fix_close(&f);
	free(path);
}

/* Every point at which the reference node was asked. */
static struct json_object *point_at(struct json_object *points, int height)
{
	size_t i;

	for (i = 0; i < json_object_array_length(points); i++) {
		struct json_object *p = json_object_array_get_idx(points, i);

		if (json_object_get_int(json_object_object_get(p,
						"height")) == height)
			return p;
	}
	return NULL;
}

static const char *text_of(struct json_object *o, const char *name)
{
	return json_object_get_string(json_object_object_get(o, name));
}

static void check_point(struct fix *f, struct json_object *p)
{
	const struct header_node *tip = chain_tip(f->chain);
	struct utxo_stats s;
	char hex[65];

	hash_to_rpc_hex(hex, tip->hash.b);
	assert_string_equal(hex, text_of(p, "hash"));
	u256_to_hex(hex, &tip->chain_work);
	assert_string_equal(hex, text_of(p, "chainwork"));
	assert_int_equal(header_node_mtp(tip),
			 json_object_get_int64(
				 json_object_object_get(p, "mediantime")));
	fix_ok(f, chain_utxo_stats(f->chain, &s, UTXO_HASH_MUHASH, &f->why));
	hash_to_rpc_hex(hex, s.hash);
	assert_string_equal(hex, text_of(p, "muhash"));
	assert_int_equal(s.outputs,
			 json_object_get_int64(
				 json_object_object_get(p, "txouts")));
	assert_int_equal(s.bogosize,
			 json_object_get_int64(
				 json_object_object_get(p, "bogosize")));
}

static void test_mainnet_oracle(void **state)
{
	char *path = vector_path("chains/mainnet-0-4312.blk00000.dat");
	char *oracle = vector_path("chains/mainnet-0-4312.oracle.json");
	struct json_object *json = json_object_from_file(oracle);
	struct json_object *points, *p;
	struct block_scan *scan = NULL;
	struct scan_record rec;
	bool found = true;
	size_t checked = 0;
	struct fix f;

	(void)state;
	assert_non_null(json);
	points = json_object_object_get(json, "points");
	fix_open(&f, CHAIN_MAIN, 0);
	check_point(&f, point_at(points, 0));
	fix_ok(&f, block_scan_open(&scan, path, f.params.magic, &f.why));
	for (;;) {
		struct bytes raw = { 0 };
		struct block *b;

		fix_ok(&f, block_scan_next(scan, &found, &rec, &f.why));
		if (!found)
			break;
		fix_ok(&f, block_scan_read(scan, &raw, rec, &f.why));
		b = block_decode(&raw);
		assert_non_null(b);
		assert_string_equal(fix_submit(&f, b), "");
		p = point_at(points, chain_tip(f.chain)->height);
		if (p) {
			check_point(&f, p);
			checked++;
		}
	}
	/* block 0 is in the file too: its point was checked again */
	assert_int_equal(checked, json_object_array_length(points));
	assert_string_equal(fix_serialized(&f),
			    text_of(json, "final_hash_serialized_3"));
	block_scan_close(scan);
	json_object_put(json);
	fix_close(&f);
	free(oracle);
	free(path);
}

static void test_again_and_after_a_crash(void **state)
{
	char *path = vector_path("chains/mainnet-0-4312.blk00000.dat");
	struct import *im = NULL;
	struct import_progress p;
	struct fix f;
	bool more = true;
	int i;

	(void)state;
	fix_open(&f, CHAIN_MAIN, 1);
	fix_ok(&f, import_open(&im, f.chain, path, &f.why));
	for (i = 0; i < 20; i++) {
		fix_ok(&f, import_step(im, &more, &f.why));
		assert_true(more);
	}
	fix_ok(&f, chain_flush(f.chain, &f.why));
	for (i = 0; i < 5; i++)
		fix_ok(&f, import_step(im, &more, &f.why));
	import_free(im);
	fix_crash(&f);
	assert_in_range(chain_tip(f.chain)->height, 100, 4000);
	p = import_all(&f, path);
	assert_int_equal(p.blocks_new + p.blocks_known, 4313);
	assert_string_equal(fix_muhash(&f), MUHASH_4312);
	p = import_all(&f, path);
	assert_int_equal(p.blocks_known, 4313);
	assert_int_equal(p.blocks_new, 0);
	fix_close(&f);
	free(path);
}

static struct bytes file_bytes(const char *path)
{
	struct bytes b = { 0 };
	struct why why;

	assert_int_equal(file_read(&b, path, 1 << 24, &why), ERR_NONE);
	return b;
}

/* A directory of the reference node, obfuscated; and the undo data that we
 * make of it is the same, byte for byte. */
static void test_reference_directory(void **state)
{
	char *dir = vector_path("coredir"), *theirs, *ours;
	struct xor_key key;
	struct bytes a, b;
	struct fix f;
	size_t n;

	(void)state;
	fix_open(&f, CHAIN_MAIN, 1);
	assert_int_equal(import_all(&f, dir).tip_height, 4312);
	assert_string_equal(fix_muhash(&f), MUHASH_4312);
	theirs = path_join(dir, "rev00000.dat");
	ours = path_join(f.dir, "blocks/rev00000.dat");
	a = file_bytes(theirs);
	b = file_bytes(ours);
	fix_ok(&f, xor_key_load(&key, dir, &f.why));
	xor_key_apply(&key, a.p, a.n, 0);
	n = MIN_OF(a.n, b.n);
	assert_true(n > 4312 * 40);
	assert_memory_equal(a.p, b.p, n);
	bytes_clear(&a);
	bytes_clear(&b);
	free(theirs);
	free(ours);
	free(dir);
	fix_close(&f);
}

static void check_chain(const char *rel, enum chain_id id, int height,
			const char *muhash)
{
	char *path = vector_path(rel);
	struct fix f;

	fix_open(&f, id, 2);
	assert_int_equal(import_all(&f, path).tip_height, height);
	assert_string_equal(fix_muhash(&f), muhash);
	fix_close(&f);
	free(path);
}

static void test_signet_120(void **state)
{
	(void)state;
	check_chain("chains/signet-0-120.blk", CHAIN_SIGNET, 120,
		    "a0e968901678296996072f24a75f381740acea4ef28cb1409ce2739"
		    "887faf58b");
}

static void test_regtest_206(void **state)
{
	(void)state;
	check_chain("chains/regtest-0-206.blk", CHAIN_REGTEST, 206,
		    "99fe6181ed22d50f27486264ed5d1f538c9343042db64a088248bcc"
		    "9912a869a");
}

/* ---- files of our own ---- */

#define CHAIN_BLOCKS 60

/* Blocks 1 to CHAIN_BLOCKS of a regtest chain, as records. */
struct records {
	struct bytes rec[CHAIN_BLOCKS];
	struct block_hash tip;
	uint8_t magic[4];
};

static void records_make(struct records *r)
{
	struct fix f;
	int i;

	memset(r, 0, sizeof *r);
	fix_open(&f, CHAIN_REGTEST, 0);
	fix_mine(&f, CHAIN_BLOCKS);
	memcpy(r->magic, f.params.magic, 4);
	for (i = 0; i < CHAIN_BLOCKS; i++) {
		struct bytes raw = { 0 };

		fix_ok(&f, chain_read_raw(f.chain, &raw,
					  chain_at(f.chain, i + 1), &f.why));
		bytes_append(&r->rec[i], r->magic, 4);
		write_u32(&r->rec[i], (uint32_t)raw.n);
		bytes_append(&r->rec[i], raw.p, raw.n);
		bytes_clear(&raw);
	}
	r->tip = chain_tip(f.chain)->hash;
	fix_close(&f);
}

static void records_clear(struct records *r)
{
	int i;

	for (i = 0; i < CHAIN_BLOCKS; i++)
		bytes_clear(&r->rec[i]);
}

static char *write_file(struct fix *f, const char *name, struct bytes *b)
{
	char *path = path_join(f->dir, name);

	fix_ok(f, file_replace(path, bytes_span(b), 0600, &f->why));
	bytes_clear(b);
	return path;
}

static struct import_progress import_bytes(struct fix *f, struct bytes *b)
{
	char *path = write_file(f, "import.dat", b);
	struct import_progress p = import_all(f, path);

	free(path);
	return p;
}

static void test_any_order(void **state)
{
	uint64_t seed = random_u64();
	struct import_progress p;
	struct records r;
	struct bytes b = { 0 };
	struct prng rng;
	struct fix f;
	int order[CHAIN_BLOCKS], i, j, round;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	prng_seed(&rng, seed);
	records_make(&r);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < CHAIN_BLOCKS; i++)
			order[i] = CHAIN_BLOCKS - 1 - i;
		for (i = CHAIN_BLOCKS - 1; round && i > 0; i--) {
			j = (int)prng_below(&rng, (uint64_t)i + 1);
			int t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		for (i = 0; i < CHAIN_BLOCKS; i++)
			bytes_append(&b, r.rec[order[i]].p,
				     r.rec[order[i]].n);
		fix_open(&f, CHAIN_REGTEST, round & 1 ? 2 : 0);
		p = import_bytes(&f, &b);
		assert_int_equal(p.blocks_new, CHAIN_BLOCKS);
		assert_int_equal(p.blocks_bad, 0);
		assert_int_equal(p.blocks_waiting, 0);
		assert_int_equal(p.garbage_bytes, 0);
		assert_memory_equal(chain_tip(f.chain)->hash.b, r.tip.b, 32);
		fix_close(&f);
	}
	records_clear(&r);
}

/* Noise, lone magics, records that claim too much, and half blocks. */
static void put_garbage(struct bytes *b, const struct records *r,
			struct prng *rng)
{
	size_t i, n = (size_t)prng_below(rng, 300);

	for (i = 0; i < n; i++)
		write_u8(b, (uint8_t)prng_u64(rng));
	switch (prng_below(rng, 5)) {
	case 0:
		bytes_append(b, r->magic, 4);
		break;
	case 1:
		bytes_append(b, r->magic, 4);
		write_u32(b, 500);       /* over the next record's start */
		break;
	case 2:
		bytes_append(b, r->magic, 4);
		write_u32(b, 0xffffffff);
		break;
	case 3:
		n = (size_t)prng_below(rng, CHAIN_BLOCKS);
		bytes_append(b, r->rec[n].p, r->rec[n].n / 2);
		break;
	default:
		bytes_append(b, r->magic, 3);
		break;
	}
}

static void test_garbage_between(void **state)
{
	uint64_t seed = random_u64();
	struct import_progress p;
	struct records r;
	struct bytes b = { 0 };
	struct prng rng;
	struct fix f;
	size_t clean = 0;
	int i, round;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	prng_seed(&rng, seed);
	records_make(&r);
	for (round = 0; round < 6; round++) {
		for (i = 0, clean = 0; i < CHAIN_BLOCKS; i++) {
			put_garbage(&b, &r, &rng);
			bytes_append(&b, r.rec[i].p, r.rec[i].n);
			clean += r.rec[i].n;
		}
		put_garbage(&b, &r, &rng);
		fix_open(&f, CHAIN_REGTEST, round & 1 ? 2 : 0);
		clean = b.n - clean;
		p = import_bytes(&f, &b);
		assert_int_equal(p.garbage_bytes, clean);
		assert_int_equal(p.blocks_new, CHAIN_BLOCKS);
		assert_memory_equal(chain_tip(f.chain)->hash.b, r.tip.b, 32);
		fix_close(&f);
	}
	records_clear(&r);
}

static void test_cut_anywhere(void **state)
{
	struct records r;
	struct import_progress p;
	struct bytes b = { 0 };
	struct fix f;
	size_t whole, cut;
	int i;

	(void)state;
	records_make(&r);
	whole = r.rec[0].n + r.rec[1].n;
	for (cut = 0; cut <= r.rec[2].n; cut += 13) {
		for (i = 0; i < 3; i++)
			bytes_append(&b, r.rec[i].p, r.rec[i].n);
		b.n = whole + cut;
		fix_open(&f, CHAIN_REGTEST, 0);
		p = import_bytes(&f, &b);
		assert_int_equal(p.tip_height, cut == r.rec[2].n ? 3 : 2);
		fix_close(&f);
	}
	records_clear(&r);
}

/* One bit of one block is wrong: its descendants wait, and come when the
 * good copy does. */
static void test_flipped_bits(void **state)
{
	struct records r;
	struct import_progress p;
	struct bytes b = { 0 };
	struct fix f;
	size_t at;
	int i;

	(void)state;
	records_make(&r);
	for (at = 0; at < r.rec[30].n; at += 7) {
		for (i = 0; i < CHAIN_BLOCKS; i++) {
			bytes_append(&b, r.rec[i].p, r.rec[i].n);
			if (i == 30)
				b.p[b.n - r.rec[i].n + at] ^= 0x10;
		}
		fix_open(&f, CHAIN_REGTEST, 0);
		p = import_bytes(&f, &b);
		/* another header may be as good: regtest's work is light */
		assert_true(p.tip_height == 30 ||
			    (p.tip_height == 31 && at >= 8 && at < 88));
		assert_int_equal(p.blocks_new + p.blocks_bad +
				 p.blocks_waiting,
				 CHAIN_BLOCKS - (p.garbage_bytes ? 1 : 0));
		bytes_append(&b, r.rec[30].p, r.rec[30].n);
		for (i = 31; i < CHAIN_BLOCKS; i++)
			bytes_append(&b, r.rec[i].p, r.rec[i].n);
		p = import_bytes(&f, &b);
		assert_memory_equal(chain_tip(f.chain)->hash.b, r.tip.b, 32);
		fix_close(&f);
	}
	records_clear(&r);
}

static void test_directory_of_several_files(void **state)
{
	static const uint8_t key[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct records r;
	struct bytes b = { 0 };
	struct fix f;
	char *dir, *sub;
	int i, file, round;
	size_t k;

	(void)state;
	records_make(&r);
	for (round = 0; round < 2; round++) {
		fix_open(&f, CHAIN_REGTEST, 1);
		dir = path_join(f.dir, "other");
		sub = path_join(dir, "blocks");
		fix_ok(&f, dir_make(sub, 0700, &f.why));
		for (file = 0; file < 3; file++) {
			char *name = xasprintf("other/blocks/blk%05d.dat",
					       9 + file);

			/* every third block, and a run of zeros behind */
			for (i = file; i < CHAIN_BLOCKS; i += 3)
				bytes_append(&b, r.rec[i].p, r.rec[i].n);
			for (i = 0; i < 5000; i++)
				write_u8(&b, 0);
			for (k = 0; round && k < b.n; k++)
				b.p[k] ^= key[k % 8];
			free(write_file(&f, name, &b));
			free(name);
		}
		bytes_append(&b, key, sizeof key);
		free(write_file(&f, round ? "other/blocks/xor.dat"
					  : "other/blocks/else.dat", &b));
		assert_int_equal(import_all(&f, round ? sub : dir).blocks_new,
				 CHAIN_BLOCKS);
		assert_memory_equal(chain_tip(f.chain)->hash.b, r.tip.b, 32);
		free(sub);
		free(dir);
		fix_close(&f);
	}
	records_clear(&r);
}

static void test_nothing_to_import(void **state)
{
	struct import *im = NULL;
	struct bytes b = { 0 };
	bool more = true;
	struct fix f;
	char *path;
	enum err e = ERR_NONE;

	(void)state;
	fix_open(&f, CHAIN_REGTEST, 0);
	path = path_join(f.dir, "absent");
	assert_int_equal(import_open(&im, f.chain, path, &f.why), ERR_INPUT);
	assert_non_null(strstr(f.why.text, "absent"));
	fix_ok(&f, dir_make(path, 0700, &f.why));
	assert_int_equal(import_open(&im, f.chain, path, &f.why), ERR_INPUT);
	free(path);
	/* another chain's blocks */
	genesis_block_write(&b, &f.params);
	path = write_file(&f, "import.dat", &b);
	fix_ok(&f, import_open(&im, f.chain, path, &f.why));
	while (!e && more)
		e = import_step(im, &more, &f.why);
	assert_int_equal(e, ERR_INPUT);
	assert_non_null(strstr(f.why.text, "import.dat"));
	import_free(im);
	free(path);
	fix_close(&f);
}

int test_validation_import(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet_4312),
		cmocka_unit_test(test_mainnet_oracle),
		cmocka_unit_test(test_again_and_after_a_crash),
		cmocka_unit_test(test_reference_directory),
		cmocka_unit_test(test_signet_120),
		cmocka_unit_test(test_regtest_206),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_garbage_between),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_directory_of_several_files),
		cmocka_unit_test(test_nothing_to_import),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
