/*
 * Importing block files: real chains with known sums, and damaged files.
 */
#include "config.h"

#include "validation_tests.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
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

int test_validation_import(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet_4312),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
