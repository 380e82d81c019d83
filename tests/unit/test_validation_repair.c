/*
 * Stored blocks whose bytes have changed: told, never a verdict, asked for
 * again, and mended where they stand.
 */
#include "config.h"

#include "tests/unit/validation_tests.h"
#include "tests/unit/validation_fix.h"

#include <stdio.h>

#include "base/file.h"

/* A bit in a transaction of n's block: the header is as it was. */
static void flip(struct fix *f, const struct header_node *n)
{
	char *path = xasprintf("%s/blocks/blk%05d.dat", f->dir,
			       (int)n->data.file);
	FILE *file = fopen(path, "r+b");
	int c;

	assert_non_null(file);
	fseek(file, (long)n->data.offset + 80 + 60, SEEK_SET);
	c = fgetc(file);
	fseek(file, -1, SEEK_CUR);
	fputc(c ^ 4, file);
	fclose(file);
	free(path);
}

static struct block *copy_of(struct fix *f, int height)
{
	struct block *b = NULL;

	fix_ok(f, chain_read_block(f->chain, &b, chain_at(f->chain, height),
				   &f->why));
	return b;
}

/* A peer sends it. */
static void arrives(struct fix *f, struct block *b)
{
	struct block_result res;

	fix_ok(f, chain_accept_block(f->chain, &res, b, true, &f->why));
	assert_int_equal(res.finding.verdict, VERDICT_OK);
	assert_true(res.is_new);
	block_unref(b);
}

static void assert_wanted(struct fix *f, const struct header_node *n)
{
	struct header_node *list[4];

	if (!n) {
		assert_int_equal(chain_missing_blocks(f->chain, list, 4, 100),
				 0);
		return;
	}
	assert_true(chain_missing_blocks(f->chain, list, 4, 100) >= 1);
	assert_ptr_equal(list[0], n);
}

static void assert_damaged(struct fix *f, const struct header_node *n)
{
	struct bytes raw = { 0 };
	struct block *b = NULL;

	/* Told the first time, and remembered. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(chain_read_raw(f->chain, &raw, n, &f->why),
				 ERR_STATE);
		assert_non_null(strstr(f->why.text, "blk00000.dat"));
		assert_int_equal(raw.n, 0);
	}
	assert_int_equal(chain_read_block(f->chain, &b, n, &f->why),
			 ERR_STATE);
	assert_int_equal(n->status & (BLOCK_FAILED | BLOCK_FAILED_CHILD), 0);
}

static struct header_node *ten_blocks(struct fix *f, struct block **b,
				      int height)
{
	fix_open(f, CHAIN_REGTEST, 0);
	fix_mine(f, 10);
	fix_restart(f);
	*b = copy_of(f, height);
	flip(f, chain_at(f->chain, height));
	fix_restart(f);          /* whatever cache there is forgets it */
	return chain_at(f->chain, height);
}

static void test_damaged_block_is_mended(void **state)
{
	struct fix f;
	struct block *b, *again;
	struct header_node *n = ten_blocks(&f, &b, 5);

	(void)state;
	assert_wanted(&f, NULL);
	assert_damaged(&f, n);
	assert_true(chain_take_lost(f.chain));
	assert_false(chain_take_lost(f.chain));
	assert_wanted(&f, n);
	block_ref(b);
	arrives(&f, b);
	assert_wanted(&f, NULL);
	fix_restart(&f);
	again = copy_of(&f, 5);
	assert_true(span_eq(again->raw, b->raw));
	block_unref(again);
	block_unref(b);
	fix_close(&f);
}

static void test_index_does_not_hear_of_damage(void **state)
{
	struct fix f;
	struct block *b;
	struct header_node *n = ten_blocks(&f, &b, 5);

	(void)state;
	assert_damaged(&f, n);
	fix_mine(&f, 1);
	flip(&f, n);             /* the disk thinks better of it */
	fix_restart(&f);
	block_unref(b);
	b = copy_of(&f, 5);
	block_unref(b);
	assert_wanted(&f, NULL);
	fix_close(&f);
}

static void test_damage_on_the_way_to_the_tip(void **state)
{
	struct fix f;
	struct block *b;
	char muhash[65], *path;
	const struct header_node *n = ten_blocks(&f, &b, 8);

	(void)state;
	(void)n;
	memcpy(muhash, fix_muhash(&f), 65);
	fix_shut(&f);
	path = path_join(f.dir, "chainstate");
	remove_tree(path);
	free(path);
	fix_ok(&f, fix_start(&f));
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 7);
	assert_int_equal(chain_best_header(f.chain)->height, 10);
	n = header_node_ancestor(chain_best_header(f.chain), 8);
	assert_int_equal(n->status & (BLOCK_FAILED | BLOCK_FAILED_CHILD), 0);
	assert_wanted(&f, n);
	arrives(&f, b);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_int_equal(chain_tip(f.chain)->height, 10);
	assert_string_equal(fix_muhash(&f), muhash);
	fix_close(&f);
}

/* A better branch is there, and the tip cannot be taken back without its
 * block. */
static void test_damaged_tip_waits(void **state)
{
	struct fix f;
	struct block *b;
	struct header_node *n = ten_blocks(&f, &b, 10), *better;

	(void)state;
	better = fix_fork(&f, chain_at(f.chain, 8), 4, 9);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_ptr_equal(chain_tip(f.chain), n);
	assert_wanted(&f, n);
	arrives(&f, b);
	fix_ok(&f, chain_activate(f.chain, &f.why));
	assert_ptr_equal(chain_tip(f.chain), better);
	fix_close(&f);
}

int test_validation_repair(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_block_is_mended),
		cmocka_unit_test(test_index_does_not_hear_of_damage),
		cmocka_unit_test(test_damage_on_the_way_to_the_tip),
		cmocka_unit_test(test_damaged_tip_waits),
	};

	return cmocka_run_group_tests_name("damaged blocks", tests, NULL,
					   NULL);
}
