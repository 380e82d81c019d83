/*
 * Options: sources and their order, negation, sections, and what a person is
 * told about mistakes.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "conf/conf_file.h"
#include "conf/settings.h"

static struct settings *parse(const char *const *args, size_t n,
			      const char *file, const char *section,
			      struct why *why)
{
	struct settings *s = settings_new(OPTION_NODE);
	char *argv[16] = { (char *)"cloisterd" };
	int used;

	for (size_t i = 0; i < n; i++)
		argv[i + 1] = (char *)args[i];
	why->err = ERR_NONE;
	if (settings_parse_args(s, &used, (int)n + 1, argv, why) ||
	    (file && settings_parse_file(s, file, "f.conf", section, why))) {
		settings_free(s);
		return NULL;
	}
	return s;
}

#define PARSE(file, section, ...) \
	parse((const char *const[]){ __VA_ARGS__ }, \
	      sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), \
	      file, section, &why)

static void test_command_line_wins(void **state)
{
	struct why why;
	struct settings *s = PARSE("dbcache=100\npar=3\n", "main",
				   "-dbcache=200", "--listen=0");

	(void)state;
	assert_non_null(s);
	assert_int_equal(settings_int(s, "dbcache"), 200);
	assert_int_equal(settings_int(s, "par"), 3);
	assert_false(settings_bool(s, "listen"));
	assert_true(settings_has(s, "par"));
	assert_false(settings_has(s, "maxmempool"));
	assert_int_equal(settings_int(s, "maxmempool"), 300);
	settings_free(s);
}

static void test_last_argument_first_line(void **state)
{
	struct why why;
	struct settings *s = PARSE("par=1\npar=2\n", "main", "-dbcache=5",
				   "-dbcache=6");

	(void)state;
	assert_non_null(s);
	assert_int_equal(settings_int(s, "dbcache"), 6);
	assert_int_equal(settings_int(s, "par"), 1);
	settings_free(s);
}

static void test_sections(void **state)
{
	static const char file[] = "par=1\nport=1111\n# note\n[regtest]\n"
				   "par=2 # two\nport=2222\n[signet]\npar=3\n";
	struct why why;
	struct settings *s = PARSE(file, "regtest", "-server=1");

	(void)state;
	assert_non_null(s);
	assert_int_equal(settings_int(s, "par"), 2);
	assert_int_equal(settings_int(s, "port"), 2222);
	settings_free(s);
	/* A port outside a section is mainnet's. */
	s = PARSE(file, "signet", "-server=1");
	assert_non_null(s);
	assert_false(settings_has(s, "port"));
	assert_int_equal(settings_int(s, "par"), 3);
	settings_free(s);
	s = PARSE(file, "main", "-server=1");
	assert_non_null(s);
	assert_int_equal(settings_int(s, "port"), 1111);
	settings_free(s);
}

static void test_lists_and_negation(void **state)
{
	struct why why;
	const char *const *list;
	struct settings *s = PARSE("addnode=c\naddnode=d\n", "main",
				   "-addnode=a", "-addnode=b", "-noconnect",
				   "-noserver");

	(void)state;
	assert_non_null(s);
	assert_int_equal(settings_list(s, "addnode", &list), 4);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[3], "d");
	assert_true(settings_negated(s, "connect"));
	assert_false(settings_bool(s, "server"));
	settings_free(s);
	s = PARSE("addnode=c\n", "main", "-noaddnode", "-connect=0");
	assert_non_null(s);
	assert_int_equal(settings_list(s, "addnode", &list), 0);
	assert_true(settings_negated(s, "addnode"));
	assert_true(settings_negated(s, "connect"));
	settings_free(s);
	s = PARSE(NULL, "main", "-listen");
	assert_non_null(s);
	assert_int_equal(settings_list(s, "rpcbind", &list), 1);
	assert_string_equal(list[0], "127.0.0.1");
	assert_false(settings_negated(s, "rpcbind"));
	settings_free(s);
}

static void expect_error(const char *arg, const char *file, const char *text)
{
	struct why why;
	struct settings *s = PARSE(file, "main", arg);

	if (s)
		fail_msg("accepted: %s / %s", arg, file ? file : "");
	assert_int_equal(why.err, ERR_INPUT);
	if (!strstr(why.text, text))
		fail_msg("\"%s\" does not say \"%s\"", why.text, text);
}

static void test_mistakes_are_named(void **state)
{
	(void)state;
	expect_error("-dbcahce=5", NULL, "\"dbcache\"");
	expect_error("-zzzzzzzzzz", NULL, "unknown option");
	expect_error("-dbcache=lots", NULL, "whole number");
	expect_error("-dbcache=1", NULL, "4 to 1048576");
	expect_error("-dbcache=99999999999999999999", NULL, "whole number");
	expect_error("-dbcache", NULL, "whole number");
	expect_error("-listen=maybe", NULL, "0 or 1");
	expect_error("-connect", NULL, "needs a value");
	expect_error("-nodbcache=x", NULL, "0 or 1");
	expect_error("-listen", "lsiten=1\n", "f.conf:1");
	expect_error("-listen", "\n\nlisten\n", "f.conf:3");
	expect_error("-listen", "-listen=1\n", "without the dash");
	expect_error("-listen", "[nowhere]\n", "unknown section");
	expect_error("-listen", "conf=x\n", "command line only");
	expect_error("-listen", "[signet]\ndbcahce=1\n", "\"dbcache\"");
	expect_error("-listen", "rpcpassword=a#b\n", "may not contain #");
	/* The client's options are not the node's. */
	expect_error("-rpcwait", NULL, "unknown option");
}

static void test_arguments_end_at_the_first_word(void **state)
{
	struct settings *s = settings_new(OPTION_CLI);
	char *argv[] = { (char *)"cli", (char *)"-rpcwait",
			 (char *)"getblock", (char *)"-1" };
	struct why why;
	int used;

	(void)state;
	assert_int_equal(settings_parse_args(s, &used, 4, argv, &why), 0);
	assert_int_equal(used, 2);
	assert_true(settings_bool(s, "rpcwait"));
	settings_free(s);
}

static void test_chain_of_a_file(void **state)
{
	char chain[16];
	struct why why;

	(void)state;
	assert_int_equal(settings_file_chain(chain, "regtest=1\n", "f", &why),
			 0);
	assert_string_equal(chain, "regtest");
	assert_int_equal(settings_file_chain(chain, "[signet]\nregtest=1\n",
					     "f", &why), 0);
	assert_string_equal(chain, "");
	assert_int_equal(settings_file_chain(chain, "regtest=1\nsignet=1\n",
					     "f", &why), ERR_INPUT);
	assert_int_equal(settings_file_chain(chain, "chain=moon\n", "f",
					     &why), ERR_INPUT);
}

/* The file is looked for in the default directory; it may name another, but
 * the command line wins. */
static void test_directory_from_the_file(void **state)
{
	static const char text[] = "datadir=/mnt/big\nregtest=1\n"
				   "[regtest]\nrpcport=77\n";
	char home[] = "/tmp/test_conf.XXXXXX";
	struct settings *s = settings_new(OPTION_NODE);
	char *dir, *path, *want, *cmd;
	struct why why;

	(void)state;
	assert_non_null(mkdtemp(home));
	want = xasprintf("%s/.cloister/cloister.conf", home);
	cmd = xasprintf("mkdir %s/.cloister", home);
	assert_int_equal(system(cmd), 0);
	free(cmd);
	assert_int_equal(file_replace(want, span_of(text, strlen(text)), 0600,
				      &why), 0);
	assert_int_equal(setenv("HOME", home, 1), 0);
	assert_int_equal(conf_file_load(&dir, &path, s, &why), 0);
	assert_string_equal(path, want);
	assert_string_equal(dir, "/mnt/big");
	assert_int_equal(settings_int(s, "rpcport"), 77);
	free(dir);
	free(path);
	settings_force(s, "datadir", "~");
	assert_int_equal(conf_file_load(&dir, &path, s, &why), 0);
	assert_string_equal(dir, home);
	free(dir);
	free(path);
	settings_free(s);
	free(want);
	cmd = xasprintf("rm -rf %s", home);
	assert_int_equal(system(cmd), 0);
	free(cmd);
}

static void test_handed_over_settings_are_the_same(void **state)
{
	struct why why;
	struct settings *s = PARSE("addnode=c\nrpcpassword=p=q\n", "main",
				   "-addnode=a", "-noconnect", "-par=-1");
	struct settings *t = settings_new(OPTION_NODE);
	struct bytes text = { 0 }, again = { 0 };
	const char *const *list;

	(void)state;
	assert_non_null(s);
	settings_dump(s, &text);
	bytes_append(&text, "", 1);
	assert_int_equal(settings_load(t, (char *)text.p, &why), 0);
	assert_int_equal(settings_int(t, "par"), -1);
	assert_true(settings_negated(t, "connect"));
	assert_int_equal(settings_list(t, "addnode", &list), 2);
	assert_string_equal(settings_text(t, "rpcpassword"), "p=q");
	settings_dump(t, &again);
	bytes_append(&again, "", 1);
	assert_string_equal(text.p, again.p);
	bytes_clear(&text);
	bytes_clear(&again);
	settings_free(s);
	settings_free(t);
}

static void test_help_names_every_option(void **state)
{
	char *help = option_help(OPTION_NODE, "usage\n");

	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		char *name = xasprintf("  -%s", option_table[i].name);
		bool there = strstr(help, name) != NULL;

		if (option_table[i].flags & OPTION_NODE)
			assert_true(there);
		free(name);
	}
	assert_null(strstr(help, "-rpcwait"));
	for (const char *p = help; *p;) {
		size_t n = strcspn(p, "\n");

		assert_true(n < 80);
		p += n + (p[n] != 0);
	}
	free(help);
}

static void test_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *o = &option_table[i];

		assert_non_null(o->help);
		assert_true(o->flags & (OPTION_NODE | OPTION_CLI));
		for (size_t k = i + 1; k < option_count; k++)
			assert_string_not_equal(o->name,
						option_table[k].name);
		if (o->type == OPTION_INT && o->def) {
			long long v = atoll(o->def);

			assert_true(v >= o->min && v <= o->max);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line_wins),
		cmocka_unit_test(test_last_argument_first_line),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_lists_and_negation),
		cmocka_unit_test(test_mistakes_are_named),
		cmocka_unit_test(test_arguments_end_at_the_first_word),
		cmocka_unit_test(test_chain_of_a_file),
		cmocka_unit_test(test_directory_from_the_file),
		cmocka_unit_test(test_handed_over_settings_are_the_same),
		cmocka_unit_test(test_help_names_every_option),
		cmocka_unit_test(test_table_is_sound),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
