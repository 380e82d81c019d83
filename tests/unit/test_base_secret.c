/*
 * Secret memory: its bounds, what the kernel knows of it, what a child sees.
 */
#include "config.h"

#include "test_base.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

/* Sanitizers make mlock() do nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static void fills_cuts_and_compares(void **state)
{
	struct secret a = {0}, b = {0};

	(void)state;
	secret_init(&a, 10);
	secret_init(&b, 5000);
	assert_true(secret_equal(&a, &b));
	secret_append(&a, "0123456789", 10);
	secret_append(&b, "01234", 5);
	assert_false(secret_equal(&a, &b));
	secret_append(&b, "56789", 5);
	assert_true(secret_equal(&a, &b));
	b.p[9] ^= 1;
	assert_false(secret_equal(&a, &b));
	secret_cut(&a, 4);
	assert_int_equal(a.n, 4);
	assert_memory_equal(a.p, "0123\0\0\0\0\0\0", 10);
	secret_clear(&a);
	secret_clear(&b);
	assert_null(a.p);
	secret_clear(&a);
}

/* How the child ended: 0, or the signal. */
static int in_child(void (*fn)(struct secret *), struct secret *s)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &no_core);
		/* Sanitizers have handlers that exit. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		(void)!freopen("/dev/null", "w", stderr);
		fn(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void read_it(struct secret *s)
{
	static const uint8_t zeros[6];

	if (memcmp(s->p, zeros, sizeof zeros) != 0)
		_exit(3);
}

static void write_behind(struct secret *s)
{
	((volatile uint8_t *)s->p)[sysconf(_SC_PAGESIZE)] = 1;
}

static void write_before(struct secret *s)
{
	((volatile uint8_t *)s->p)[-1] = 1;
}

static void overfill(struct secret *s)
{
	secret_append(s, "abc", 3);
}

static void is_empty_in_children_and_fenced(void **state)
{
	struct secret s = {0};

	(void)state;
	secret_init(&s, 8);
	secret_append(&s, "secret", 6);
	assert_int_equal(in_child(read_it, &s), 0);
	assert_int_equal(in_child(write_behind, &s), SIGSEGV);
	assert_int_equal(in_child(write_before, &s), SIGSEGV);
	assert_int_equal(in_child(overfill, &s), SIGABRT);
	assert_memory_equal(s.p, "secret", 6);
	secret_clear(&s);
}

/* Does the line of flags of the pages at p have this one? */
static bool has_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	uintptr_t from, to;
	char line[512];
	bool here = false, found = false;

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from,
			   &to) == 2)
			here = from <= (uintptr_t)p && (uintptr_t)p < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(f);
	return found;
}

static void is_locked_and_not_dumped(void **state)
{
	struct secret s = {0};
	struct rlimit r;

	(void)state;
	secret_init(&s, 32);
	assert_true(has_flag(s.p, " dd"));
	assert_true(has_flag(s.p, " wf"));
	if (!IS_SANITIZED && getrlimit(RLIMIT_MEMLOCK, &r) == 0 &&
	    r.rlim_cur >= 65536)
		assert_true(has_flag(s.p, " lo"));
	secret_clear(&s);
}

int test_base_secret(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_cuts_and_compares),
		cmocka_unit_test(is_empty_in_children_and_fenced),
		cmocka_unit_test(is_locked_and_not_dumped),
	};

	return cmocka_run_group_tests_name("base: secret", tests, NULL, NULL);
}
