/*
 * Who may call.
 */
#include "config.h"

#include "test_rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "rpc/auth.h"

/* HMAC-SHA256 under the salt's text, of password
 * "cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM=". */
#define LINE "rt:93648e835a54c573682c2eb19f882535$" \
	"7681e9c5b74bdd85e78166031d2058e1069b3ed7ed967c93fc63abba06f31144"

static void test_cookie(void **state)
{
	char path[] = "/tmp/test_rpc_cookie.XXXXXX";
	struct why why = { 0 };
	struct bytes text = { 0 };
	struct auth *a;
	struct stat st;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(auth_new(&a, path, NULL, NULL, &why), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read(&text, path, 1000, &why), 0);
	assert_int_equal(text.n, 11 + 64);
	assert_memory_equal(text.p, "__cookie__:", 11);
	bytes_clear(&text);
	assert_false(auth_check(a, NULL));
	assert_false(auth_check(a, ""));
	assert_false(auth_check(a, "Basic"));
	assert_false(auth_check(a, "Basic X19jb29raWVfXzo="));
	auth_free(a);
	assert_false(file_exists(path));
	assert_int_equal(auth_new(&a, "/nonexistent/dir/cookie", NULL, NULL,
				  &why), ERR_IO);
	assert_null(a);
	assert_non_null(strstr(why.text, "/nonexistent/dir/cookie"));
}

static void test_password(void **state)
{
	struct why why = { 0 };
	struct auth *a;

	(void)state;
	assert_int_equal(auth_new(&a, NULL, "me", "s:ecret", &why), 0);
	/* me:s:ecret, me:secret, :s:ecret, me:s:ecre */
	assert_true(auth_check(a, "Basic bWU6czplY3JldA=="));
	assert_true(auth_check(a, "basic  bWU6czplY3JldA"));
	assert_false(auth_check(a, "Basic bWU6c2VjcmV0"));
	assert_false(auth_check(a, "Basic OnM6ZWNyZXQ="));
	assert_false(auth_check(a, "Basic bWU6czplY3Jl"));
	assert_false(auth_check(a, "Bearer bWU6czplY3JldA=="));
	assert_false(auth_check(a, "Basic bWU6czplY3JldA==!"));
	assert_false(auth_check(a, "Basic b!U6czplY3JldA=="));
	auth_free(a);
	/* No password set: nobody enters with an empty one. */
	assert_int_equal(auth_new(&a, NULL, "me", "", &why), 0);
	assert_false(auth_check(a, "Basic bWU6"));
	assert_false(auth_check(a, "Basic Og=="));
	auth_free(a);
}

static void test_rpcauth(void **state)
{
	static const char *const bad[] = {
		"", "rt", "rt:abc", "rt:abc$", "rt:abc$00",
		("rt:abc$zz81e9c5b74bdd85e78166031d2058e1069b3ed7ed967c93fc63"
		 "abba06f31144"),
	};
	struct why why = { 0 };
	struct auth *a;

	(void)state;
	assert_int_equal(auth_new(&a, NULL, NULL, NULL, &why), 0);
	assert_int_equal(auth_add_rpcauth(a, LINE, &why), 0);
	/* rt:cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM= */
	assert_true(auth_check(a, "Basic cnQ6Y0E3NzNsbTc4OGJ1d1llNGc0V1QrMDV"
			       "wS3lOcnVWS2pRMjV4M24wRFFjTT0="));
	assert_false(auth_check(a, "Basic cnQ6Y0E3NzNsbTc4OGJ1d1llNGc0V1QrMDV"
				"wS3lOcnVWS2pRMjV4M24wRFFjTj0="));
	/* rx:… */
	assert_false(auth_check(a, "Basic cng6Y0E3NzNsbTc4OGJ1d1llNGc0V1QrMDV"
				"wS3lOcnVWS2pRMjV4M24wRFFjTT0="));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(auth_add_rpcauth(a, bad[i], &why),
				 ERR_INPUT);
		assert_non_null(strstr(why.text, "rpcauth"));
		assert_null(strstr(why.text, "$zz81"));
	}
	auth_free(a);
}

int test_rpc_auth(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_rpcauth),
	};

	return cmocka_run_group_tests_name("rpc_auth", tests, NULL, NULL);
}
