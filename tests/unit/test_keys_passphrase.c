/*
 * The ways a passphrase comes in; a pseudo-terminal for the typed one.
 */
#include "config.h"

#include "test_keys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/passphrase.h"

static void check(const struct passphrase_source *s, const char *want)
{
	struct secret got = {0};
	struct why why;

	assert_int_equal(passphrase_read(&got, s, &why), ERR_NONE);
	assert_true(passphrase_given(&got));
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
	secret_clear(&got);
}

static void refused(const struct passphrase_source *s, const char *words)
{
	struct secret got = {0};
	struct why why;
	enum err e = passphrase_read(&got, s, &why);

	test_keys_refused(e, &why, words);
	secret_clear(&got);
}

static void put_text(const char *path, const char *text, unsigned mode)
{
	test_keys_put(path, span_of(text, strlen(text)), mode);
}

static void from_a_file(void **state)
{
	char *path = path_join(*state, "pass");
	const struct passphrase_source s = { path, -1 };
	char long_line[PASSPHRASE_MAX + 2];

	refused(&s, "cannot open");
	put_text(path, "two words\n", 0600);
	check(&s, "two words");
	put_text(path, " two words ", 0400);
	check(&s, " two words ");
	put_text(path, "dos\r\n", 0600);
	check(&s, "dos");
	put_text(path, "", 0600);
	refused(&s, "empty");
	put_text(path, "\n", 0600);
	refused(&s, "empty");
	put_text(path, "a\nb\n", 0600);
	refused(&s, "more than one line");
	put_text(path, "a\n\n", 0600);
	refused(&s, "more than one line");
	test_keys_put(path, span_of("a\0b", 3), 0600);
	refused(&s, "more than one line");
	put_text(path, "word\n", 0644);
	refused(&s, "chmod 600");
	memset(long_line, 'x', sizeof long_line - 1);
	long_line[sizeof long_line - 1] = '\0';
	put_text(path, long_line, 0600);
	refused(&s, "longer than 1024");
	long_line[PASSPHRASE_MAX] = '\0';
	put_text(path, long_line, 0600);
	check(&s, long_line);
	free(path);
}

static void from_a_descriptor(void **state)
{
	int pair[2];
	struct passphrase_source s = { NULL, -1 };

	(void)state;
	assert_int_equal(pipe(pair), 0);
	s.fd = pair[0];
	assert_int_equal(write(pair[1], "by ", 3), 3);
	assert_int_equal(write(pair[1], "pipe\n", 5), 5);
	close(pair[1]);
	check(&s, "by pipe");
	/* It was closed, so that nobody inherits it. */
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
	refused(&s, "no such descriptor");
}

static void from_systemd(void **state)
{
	char *path = path_join(*state, PASSPHRASE_CREDENTIAL);
	char *other = path_join(*state, "other");
	const struct passphrase_source none = { NULL, -1 };
	const struct passphrase_source file = { other, -1 };
	struct secret got = {0};
	struct why why;

	assert_int_equal(passphrase_read(&got, &none, &why), ERR_NONE);
	assert_false(passphrase_given(&got));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", *state, 1), 0);
	assert_int_equal(passphrase_read(&got, &none, &why), ERR_NONE);
	assert_false(passphrase_given(&got));
	put_text(path, "credential\n", 0440);
	check(&none, "credential");
	/* What is asked for by an option goes first. */
	put_text(other, "file\n", 0600);
	check(&file, "file");
	put_text(path, "", 0400);
	refused(&none, "empty");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	free(path);
	free(other);
}

/* ---- typed ---- */

struct typing {
	int fd;                  /* ours */
	pid_t pid;               /* exits with 0: it was right, 1: refused */
};

static void typing_child(const char *name)
{
	struct secret got = {0};
	struct why why;
	enum err e;
	int fd;

	setsid();
	fd = open(name, O_RDWR);
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 2) < 0)
		_exit(9);
	e = passphrase_ask(&got, "Passphrase", true, &why);
	if (e)
		_exit(strstr(why.text, "differ") ? 1 : 8);
	_exit(got.n == 6 && memcmp(got.p, "typed!", 6) == 0 ? 0 : 7);
}

static void typing_start(struct typing *t)
{
	char name[64];

	t->fd = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(t->fd >= 0);
	assert_int_equal(grantpt(t->fd), 0);
	assert_int_equal(unlockpt(t->fd), 0);
	assert_int_equal(ptsname_r(t->fd, name, sizeof name), 0);
	t->pid = fork();
	if (t->pid == 0)
		typing_child(name);
}

/* Read what the terminal shows up to this text; none of it was typed. */
static void await(struct typing *t, const char *text)
{
	char seen[256] = "";
	size_t n = 0;

	while (!strstr(seen, text) && n < sizeof seen - 1) {
		ssize_t got = read(t->fd, seen + n, sizeof seen - 1 - n);

		assert_true(got > 0);
		n += (size_t)got;
		seen[n] = '\0';
	}
	assert_non_null(strstr(seen, text));
	assert_null(strstr(seen, "typed"));
}

static void type(struct typing *t, const char *text)
{
	assert_int_equal(write(t->fd, text, strlen(text)), strlen(text));
}

static int typing_end(struct typing *t)
{
	struct termios now;
	int status;

	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	/* The terminal shows again what is typed. */
	assert_int_equal(tcgetattr(t->fd, &now), 0);
	assert_true(now.c_lflag & ECHO);
	close(t->fd);
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : -WTERMSIG(status);
}

static void from_a_terminal(void **state)
{
	struct typing t;

	(void)state;
	typing_start(&t);
	await(&t, "Passphrase: ");
	type(&t, "typed!\n");
	await(&t, "The same again: ");
	type(&t, "typed!\n");
	assert_int_equal(typing_end(&t), 0);
	typing_start(&t);
	await(&t, "Passphrase: ");
	type(&t, "typed!\n");
	await(&t, "The same again: ");
	type(&t, "typed?\n");
	assert_int_equal(typing_end(&t), 1);
	typing_start(&t);
	await(&t, "Passphrase: ");
	kill(t.pid, SIGTERM);
	assert_int_equal(typing_end(&t), -SIGTERM);
}

static void without_a_terminal(void **state)
{
	int null = open("/dev/null", O_RDONLY), was = dup(0);
	struct secret got = {0};
	struct why why;

	(void)state;
	assert_int_equal(dup2(null, 0), 0);
	assert_int_equal(passphrase_ask(&got, "Passphrase", false, &why),
			 ERR_STATE);
	assert_non_null(strstr(why.text, "-keypassfile"));
	assert_int_equal(dup2(was, 0), 0);
	secret_clear(&got);
	close(null);
	close(was);
}

int test_keys_passphrase(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_a_file),
		cmocka_unit_test(from_a_descriptor),
		cmocka_unit_test(from_systemd),
		cmocka_unit_test(from_a_terminal),
		cmocka_unit_test(without_a_terminal),
	};

	return cmocka_run_group_tests_name("keys: passphrase", tests,
					   test_keys_enter, test_keys_leave);
}
