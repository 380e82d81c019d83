/*
 * Unit tests of src/cli: words to JSON, and where the node is.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "cli/cli_config.h"
#include "cli/convert.h"
#include "consensus/params.h"

/* ---- words to JSON ---- */

static void check_words(bool named, const char *method, char **words,
			size_t n, const char *want)
{
	struct why why = { 0 };
	struct json_object *o = named ?
		convert_named(method, words, n, &why) :
		convert_positional(method, words, n, &why);

	assert_string_equal(o ? json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PLAIN) : why.text, want);
	json_object_put(o);
}

#define CHECK_WORDS(named, method, want, ...) do { \
	const char *words_[] = { __VA_ARGS__ }; \
	check_words(named, method, (char **)words_, ARRAY_SIZE(words_), \
		    want); \
} while (0)

static void test_convert(void **state)
{
	(void)state;
	CHECK_WORDS(false, "getblock", "[\"00ab\",2]", "00ab", "2");
	CHECK_WORDS(false, "getblock", "[\"00ab\",false]", "00ab", "false");
	CHECK_WORDS(false, "getblockhash", "[7]", "7");
	CHECK_WORDS(false, "echo", "[\"7\",\"{}\"]", "7", "{}");
	CHECK_WORDS(false, "echojson", "[7,{\"a\":null},null]", "7",
		    "{\"a\":null}", "null");
	CHECK_WORDS(false, "gettxout", "[\"aa\",1,true]", "aa", "1", "true");
	CHECK_WORDS(false, "generateblock", "[\"raw(51)\",[\"00\"]]",
		    "raw(51)", "[\"00\"]");
	CHECK_WORDS(false, "getblockhash", "Error parsing JSON: seven",
		    "seven");
	CHECK_WORDS(true, "getblock", "{\"blockhash\":\"1\",\"verbosity\":2}",
		    "blockhash=1", "verbosity=2");
	CHECK_WORDS(true, "getblock", "{\"verbose\":true,\"args\":[\"12\"]}",
		    "12", "verbose=true");
	CHECK_WORDS(true, "addnode", "{\"node\":\"a=b\",\"command\":\"\"}",
		    "node=a=b", "command=");
	CHECK_WORDS(true, "getblock", "Parameter verbosity is given twice",
		    "verbosity=1", "verbosity=2");
}

/* ---- where the node is ---- */

struct place {
	char dir[64];
	struct settings *s;
	struct cli_config c;
	struct why why;
	enum err err;
};

static void place_open(struct place *p, const char *conf,
		       const char *const *args, size_t n)
{
	char *argv[16] = { (char *)"cloister-cli" };
	char *path, *datadir;
	int used;

	memset(p, 0, sizeof *p);
	strcpy(p->dir, "/tmp/test_cli.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	datadir = xasprintf("-datadir=%s", p->dir);
	argv[1] = datadir;
	assert_true(n < 14);
	for (size_t i = 0; i < n; i++)
		argv[i + 2] = (char *)args[i];
	if (conf) {
		path = path_join(p->dir, "cloister.conf");
		assert_int_equal(file_replace(path, span_of(conf,
			strlen(conf)), 0600, &p->why), 0);
		free(path);
	}
	p->s = settings_new(OPTION_CLI);
	assert_int_equal(settings_parse_args(p->s, &used, (int)n + 2, argv,
					     &p->why), 0);
	p->err = cli_config_make(&p->c, p->s, &p->why);
	free(datadir);
}

static void place_close(struct place *p)
{
	char *cmd = xasprintf("rm -rf '%s'", p->dir);

	cli_config_clear(&p->c);
	settings_free(p->s);
	assert_int_equal(system(cmd), 0);
	free(cmd);
}

#define PLACE(p, conf, ...) do { \
	const char *args_[] = { __VA_ARGS__ }; \
	place_open(p, conf, args_, ARRAY_SIZE(args_)); \
} while (0)

/* The client's own table of chains says what the node's does. */
static void test_chains(void **state)
{
	static const char *const names[] = { "main", "test", "testnet4",
					     "signet", "regtest" };
	struct chain_params params;
	struct place p;
	char *dir, *arg;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(chain_params_by_name(&params, names[i]));
		arg = xasprintf("-chain=%s", names[i]);
		PLACE(&p, NULL, arg);
		assert_int_equal(p.err, 0);
		assert_int_equal(p.c.port, params.rpc_port);
		dir = *params.dir ? path_join(p.dir, params.dir) :
				    xstrdup(p.dir);
		assert_string_equal(p.c.chain_dir, dir);
		free(dir);
		free(arg);
		place_close(&p);
	}
}

static void test_conf_file(void **state)
{
	struct place p;
	char *login;

	(void)state;
	PLACE(&p, "regtest=1\ndebug=p2p\n[regtest]\nrpcport=1234\n"
	      "rpcuser=me\nrpcpassword=secret\n", "-rpcclienttimeout=5");
	assert_int_equal(p.err, 0);
	assert_string_equal(p.c.chain, "regtest");
	assert_int_equal(p.c.port, 1234);
	login = cli_credentials(&p.c);
	assert_string_equal(login, "me:secret");
	free(login);
	place_close(&p);
	/* The command line wins. */
	PLACE(&p, "regtest=1\n[regtest]\nrpcport=1234\n", "-rpcport=99");
	assert_int_equal(p.c.port, 99);
	place_close(&p);
	PLACE(&p, "nonsense=1\n", "-regtest");
	assert_int_equal(p.err, ERR_INPUT);
	assert_non_null(strstr(p.why.text, "nonsense"));
	place_close(&p);
	PLACE(&p, NULL, "-regtest", "-signet");
	assert_int_equal(p.err, ERR_INPUT);
	place_close(&p);
	PLACE(&p, NULL, "-conf=absent.conf");
	assert_int_equal(p.err, ERR_INPUT);
	assert_non_null(strstr(p.why.text, "absent.conf"));
	place_close(&p);
}

static void check_connect(const char *text, const char *host, int port)
{
	char *arg = xasprintf("-rpcconnect=%s", text);
	struct place p;

	PLACE(&p, NULL, "-regtest", arg);
	if (host) {
		if (p.err)
			fail_msg("%s: %s", text, p.why.text);
		assert_string_equal(p.c.host, host);
		assert_int_equal(p.c.port, port);
	} else {
		assert_int_equal(p.err, ERR_INPUT);
		assert_non_null(strstr(p.why.text, "loopback"));
	}
	place_close(&p);
	free(arg);
}

static void test_connect(void **state)
{
	(void)state;
	check_connect("127.0.0.1", "127.0.0.1", 18443);
	check_connect("127.0.0.2:7", "127.0.0.2", 7);
	check_connect("localhost", "127.0.0.1", 18443);
	check_connect("localhost:8", "127.0.0.1", 8);
	check_connect("::1", "[::1]", 18443);
	check_connect("[::1]", "[::1]", 18443);
	check_connect("[::1]:9", "[::1]", 9);
	check_connect("8.8.8.8", NULL, 0);
	check_connect("example.com", NULL, 0);
	check_connect("127.0.0.1.example.com", NULL, 0);
	check_connect("127.0.0.1:0", NULL, 0);
	check_connect("127.0.0.1:65536", NULL, 0);
	check_connect("[::1", NULL, 0);
	check_connect("[::2]", NULL, 0);
	check_connect("@127.0.0.1", NULL, 0);
}

static void test_cookie_and_socket(void **state)
{
	struct place p;
	char *path, *login;
	struct why why;

	(void)state;
	PLACE(&p, NULL, "-regtest");
	assert_null(cli_credentials(&p.c));
	assert_null(cli_socket(&p.c));
	path = path_join(p.c.chain_dir, "run");
	assert_int_equal(dir_make(path, 0700, &why), 0);
	assert_null(cli_socket(&p.c));
	/* It appears while the client waits. */
	assert_int_equal(file_replace(p.c.unix_path, span_of("", 0), 0600,
				      &why), 0);
	assert_string_equal(cli_socket(&p.c), p.c.unix_path);
	assert_int_equal(file_replace(p.c.cookie_path,
				      span_of("__cookie__:ab\n", 14), 0600,
				      &why), 0);
	free(path);
	login = cli_credentials(&p.c);
	assert_string_equal(login, "__cookie__:ab");
	free(login);
	place_close(&p);
	PLACE(&p, NULL, "-rpcunix=/tmp/x.sock");
	assert_string_equal(cli_socket(&p.c), "/tmp/x.sock");
	place_close(&p);
	PLACE(&p, NULL, "-rpcunix=/tmp/01234567890123456789012345678901234567"
	      "890123456789012345678901234567890123456789012345678901234567890"
	      "123456789.sock");
	assert_int_equal(p.err, ERR_INPUT);
	place_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_convert),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_conf_file),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_cookie_and_socket),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL) != 0;
}
