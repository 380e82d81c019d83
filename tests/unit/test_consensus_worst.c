/*
 * The worst cases that bench_worst times: here small, for their answers.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/bench/worst_case.h"
#include "tests/unit/test_consensus.h"

static void test_worst_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < worst_kind_count; i++) {
		const struct worst_kind *k = &worst_kinds[i];
		struct worst w = { .is_block = false };

		k->build(&w, k->full / 20);
		if (!worst_check(&w))
			fail_msg("%s: a wrong answer", k->name);
		/* A check that cannot fail would be none. */
		if (w.is_block)
			w.verdict = VERDICT_BAD_BLOCK_LENGTH;
		else
			w.err = SCRIPT_ERR_SIG_COUNT;
		assert_false(worst_check(&w));
		worst_clear(&w);
	}
}

int run_worst_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worst_cases),
	};

	return cmocka_run_group_tests_name("worst cases", tests, NULL, NULL);
}
