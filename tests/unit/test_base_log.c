/*
 * The log, read back from its file.
 */
#include "config.h"

#include "test_base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

/* The file's text, NUL-terminated. */
static char *slurp(const char *path)
{
	struct bytes b = { 0 };

	assert_int_equal(file_read(&b, path, 1 << 20, NULL), ERR_NONE);
	bytes_append(&b, "", 1);
	return (char *)b.p;
}

static int enter(void **state)
{
	char *path = strdup("/tmp/cloister-log-XXXXXX");
	int fd = mkstemp(path);

	if (fd < 0)
		return -1;
	close(fd);
	*state = path;
	return log_open(path, false, NULL) != ERR_NONE;
}

static int leave(void **state)
{
	log_close();
	unlink(*state);
	free(*state);
	return 0;
}

static void line_format(void **state)
{
	char *text, *line;

	log_info(LOG_CHAIN, "tip %d", 7);
	log_warn(LOG_TOR, "slow");
	text = slurp(*state);
	/* 2026-08-01T12:00:00.123Z */
	assert_int_equal(text[4], '-');
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[19], '.');
	assert_int_equal(text[23], 'Z');
	assert_int_equal(strncmp(text + 24, " [chain] tip 7\n", 15), 0);
	line = strchr(text, '\n') + 1;
	assert_string_equal(line + 24, " [tor:warn] slow\n");
	free(text);
}

static void one_message_is_one_line(void **state)
{
	char *text, *p;

	log_info(LOG_P2P, "ua=%s", "/a\nb\r\x1b[31m\x7f\xc2\x9b\xff\xc3\xa9"
		 "\xe2\x80\xae/");
	text = slurp(*state);
	p = strstr(text, "ua=");
	assert_non_null(p);
	assert_string_equal(p, "ua=/a?b?" "?[31m?" "?" "?" "?\xc3\xa9?" "?" "?/\n");
	free(text);
}

static void long_message_is_cut(void **state)
{
	char *big = xcalloc(1, 10001), *text, *p;

	memset(big, 'x', 10000);
	log_info(LOG_P2P, "%s", big);
	log_info(LOG_P2P, "next");
	text = slurp(*state);
	p = strstr(text, "xxxx");
	assert_true(strcspn(p, "\n") > 4000);
	assert_true(strcspn(p, "\n") < 4096);
	assert_non_null(strstr(p, "\n2"));
	assert_non_null(strstr(p, "[p2p] next\n"));
	free(text);
	free(big);
}

static void levels_and_specs(void **state)
{
	char *text;

	assert_false(log_wants(LOG_P2P, LOG_LEVEL_DEBUG));
	log_debug(LOG_P2P, "unseen");
	assert_true(log_enable("p2p"));
	assert_true(log_wants(LOG_P2P, LOG_LEVEL_DEBUG));
	assert_false(log_wants(LOG_P2P, LOG_LEVEL_TRACE));
	assert_false(log_wants(LOG_NET, LOG_LEVEL_DEBUG));
	log_debug(LOG_P2P, "seen %d", 1);
	assert_true(log_enable("net:trace"));
	log_trace(LOG_NET, "seen %d", 2);
	assert_true(log_enable("all"));
	assert_true(log_wants(LOG_RPC, LOG_LEVEL_DEBUG));
	assert_true(log_enable("none"));
	assert_false(log_wants(LOG_P2P, LOG_LEVEL_DEBUG));
	assert_false(log_enable("p2q"));
	assert_false(log_enable("p2p:loud"));
	assert_false(log_enable("p"));
	assert_false(log_enable(""));
	assert_non_null(strstr(log_cat_names(), "mempool"));

	text = slurp(*state);
	assert_null(strstr(text, "unseen"));
	assert_non_null(strstr(text, "[p2p:debug] seen 1\n"));
	assert_non_null(strstr(text, "[net:trace] seen 2\n"));
	free(text);
}

static void reopens_after_rotation(void **state)
{
	char *old = xasprintf("%s.1", (char *)*state), *text;

	log_info(LOG_NODE, "first");
	assert_int_equal(rename(*state, old), 0);
	log_info(LOG_NODE, "second");
	log_reopen();
	log_info(LOG_NODE, "third");
	text = slurp(old);
	assert_non_null(strstr(text, "second"));
	assert_null(strstr(text, "third"));
	free(text);
	text = slurp(*state);
	assert_null(strstr(text, "second"));
	assert_non_null(strstr(text, "third"));
	free(text);
	unlink(old);
	free(old);
}

static void limit_holds_back(void **state)
{
	struct log_limit l = { 0 };
	unsigned dropped = 9;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(log_limit_ok(&l, 3, 60000, &dropped));
	assert_int_equal(dropped, 0);
	for (i = 0; i < 5; i++)
		assert_false(log_limit_ok(&l, 3, 60000, &dropped));
	l.last_ms -= 60000;
	assert_true(log_limit_ok(&l, 3, 60000, &dropped));
	assert_int_equal(dropped, 5);
	assert_false(log_limit_ok(&l, 3, 60000, NULL));
	l.last_ms -= 3600000;
	for (i = 0; i < 3; i++)
		assert_true(log_limit_ok(&l, 3, 60000, NULL));
	assert_false(log_limit_ok(&l, 3, 60000, NULL));
}

static void unwritable_file_is_trouble(void **state)
{
	struct why why;

	assert_int_equal(log_open("/nonexistent/x", false, &why), ERR_IO);
	assert_non_null(strstr(why.text, "/nonexistent/x"));
	assert_int_equal(log_open(*state, false, NULL), ERR_NONE);
}

int test_base_log(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_format),
		cmocka_unit_test(one_message_is_one_line),
		cmocka_unit_test(long_message_is_cut),
		cmocka_unit_test(levels_and_specs),
		cmocka_unit_test(reopens_after_rotation),
		cmocka_unit_test(limit_holds_back),
		cmocka_unit_test(unwritable_file_is_trouble),
	};

	return cmocka_run_group_tests_name("log", tests, enter, leave);
}
