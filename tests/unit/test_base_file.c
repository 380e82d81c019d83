/*
 * Files, directories and the directory lock, in a directory of their own.
 */
#include "config.h"

#include "test_base.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static int enter(void **state)
{
	char *dir = strdup("/tmp/cloister-test-XXXXXX");

	if (!mkdtemp(dir))
		return -1;
	*state = dir;
	return 0;
}

static int leave(void **state)
{
	char *command = xasprintf("rm -r '%s'", (char *)*state);
	int rc = system(command);

	free(command);
	free(*state);
	return rc;
}

static void replace_and_read(void **state)
{
	char *path = path_join(*state, "a"), *fresh = path_join(*state,
								"a.new");
	struct bytes b = { 0 };
	struct why why;
	struct stat st;

	assert_int_equal(file_replace(path, span_of("one", 3), 0600, &why),
			 ERR_NONE);
	assert_int_equal(file_replace(path, span_of("second", 6), 0640,
				      &why), ERR_NONE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_false(file_exists(fresh));
	bytes_append(&b, ">", 1);
	assert_int_equal(file_read(&b, path, 6, &why), ERR_NONE);
	assert_true(span_eq(bytes_span(&b), span_of(">second", 7)));
	assert_int_equal(file_read(&b, path, 5, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, path));
	assert_int_equal(b.n, 7);
	assert_int_equal(file_read(&b, fresh, 5, &why), ERR_IO);
	assert_non_null(strstr(why.text, "No such file"));
	bytes_clear(&b);
	free(path);
	free(fresh);
}

static void replace_fails_whole(void **state)
{
	char *path = path_join(*state, "none/a");
	struct why why = { 0 };

	assert_int_equal(file_replace(path, span_of("x", 1), 0600, &why),
			 ERR_IO);
	assert_non_null(strstr(why.text, path));
	free(path);
}

static void make_directories(void **state)
{
	char *path = path_join(*state, "x/y//z/"), *file = path_join(*state,
								    "f");
	char *below = path_join(file, "g");
	struct why why;

	assert_int_equal(dir_make(path, 0700, &why), ERR_NONE);
	assert_int_equal(dir_make(path, 0700, &why), ERR_NONE);
	assert_true(file_exists(path));
	assert_int_equal(file_replace(file, span_of("", 0), 0600, &why),
			 ERR_NONE);
	assert_int_equal(dir_make(below, 0700, &why), ERR_IO);
	assert_non_null(strstr(why.text, "not a directory"));
	assert_int_equal(dir_sync(path, &why), ERR_NONE);
	assert_int_equal(dir_sync(below, &why), ERR_IO);
	free(path);
	free(file);
	free(below);
}

static void read_and_write_at(void **state)
{
	char *path = path_join(*state, "p");
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	uint8_t out[5];
	struct why why;

	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, "hello", 5, 100, path, &why),
			 ERR_NONE);
	assert_int_equal(file_pread(fd, out, 5, 100, path, &why), ERR_NONE);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(file_pread(fd, out, 5, 101, path, &why),
			 ERR_CORRUPT);
	assert_non_null(strstr(why.text, "105"));
	close(fd);
	assert_int_equal(file_pread(fd, out, 5, 0, path, &why), ERR_IO);
	free(path);
}

/* Try to take the lock in another process; its exit code is the error. */
static int lock_elsewhere(const char *dir, pid_t holder)
{
	char expected[40];
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		struct why why = { 0 };
		enum err e = dir_lock(&fd, dir, &why);

		snprintf(expected, sizeof(expected), "process %ld",
			 (long)holder);
		if (e && !strstr(why.text, expected))
			_exit(99);
		_exit((int)e);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void one_holds_the_lock(void **state)
{
	struct why why;
	int fd;

	assert_int_equal(dir_lock(&fd, *state, &why), ERR_NONE);
	assert_int_equal(lock_elsewhere(*state, getpid()), ERR_STATE);
	/* A child that came and went has not released it. */
	assert_int_equal(lock_elsewhere(*state, getpid()), ERR_STATE);
	close(fd);
	assert_int_equal(lock_elsewhere(*state, getpid()), ERR_NONE);
}

static void joining(void **state)
{
	char *a = path_join("/x/", "y"), *b = path_join("/x", "y");

	(void)state;
	assert_string_equal(a, "/x/y");
	assert_string_equal(b, "/x/y");
	free(a);
	free(b);
}

int test_base_file(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(replace_and_read),
		cmocka_unit_test(replace_fails_whole),
		cmocka_unit_test(make_directories),
		cmocka_unit_test(read_and_write_at),
		cmocka_unit_test(one_holds_the_lock),
		cmocka_unit_test(joining),
	};

	return cmocka_run_group_tests_name("file", tests, enter, leave);
}
