/*
 * Passphrases: one line, as it is.
 */
#include "config.h"

#include "keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/private_file.h"

/* ---- given ---- */

static enum err check_line(struct secret *s, const char *name,
			   struct why *why)
{
	if (s->n && s->p[s->n - 1] == '\n') {
		secret_cut(s, s->n - 1);
		if (s->n && s->p[s->n - 1] == '\r')
			secret_cut(s, s->n - 1);
	}
	if (!s->n)
		return why_set(why, ERR_INPUT, "%s holds no passphrase: it is "
			       "empty", name);
	if (memchr(s->p, '\n', s->n) || memchr(s->p, 0, s->n))
		return why_set(why, ERR_INPUT, "%s holds more than one line: "
			       "a passphrase is one line of text", name);
	return ERR_NONE;
}

static enum err read_fd(struct secret *out, int fd, struct why *why)
{
	char name[40];
	enum err e;

	snprintf(name, sizeof name, "-keypassfd=%d", fd);
	if (fcntl(fd, F_GETFD) < 0)
		return why_set(why, ERR_INPUT, "%s: no such descriptor was "
			       "handed over", name);
	e = private_fd_read(out, fd, name, why);
	if (fd > 2)
		close(fd);
	return e ? e : check_line(out, name, why);
}

/* Whose a credential is, and its mode, is systemd's business. */
static enum err read_credential(struct secret *out, const char *path,
				struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum err e;

	if (fd < 0)
		return why_errno(why, "cannot open the credential %s", path);
	e = private_fd_read(out, fd, path, why);
	close(fd);
	return e ? e : check_line(out, path, why);
}

static char *credential_path(void)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path = dir && *dir ? path_join(dir, PASSPHRASE_CREDENTIAL)
				 : NULL;

	if (path && !file_exists(path)) {
		free(path);
		path = NULL;
	}
	return path;
}

enum err passphrase_read(struct secret *out,
			 const struct passphrase_source *s, struct why *why)
{
	char *credential = NULL;
	enum err e;

	if (!s->file && s->fd < 0)
		credential = credential_path();
	if (!s->file && s->fd < 0 && !credential)
		return ERR_NONE;
	secret_init(out, PASSPHRASE_MAX);
	if (s->file) {
		e = private_file_read_input(out, s->file, why);
		if (!e)
			e = check_line(out, s->file, why);
	} else if (s->fd >= 0) {
		e = read_fd(out, s->fd, why);
	} else {
		e = read_credential(out, credential, why);
	}
	free(credential);
	return e;
}

/* ---- asked ---- */

/* Up to the end of the line, or a signal that wants us to end. */
static enum err read_line(struct secret *out, int signals, struct why *why)
{
	struct pollfd p[2] = {
		{ .fd = 0, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	while (out->n < out->cap) {
		uint8_t c;
		ssize_t got;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return why_errno(why, "cannot wait for the terminal");
		if (p[1].revents)
			return why_set(why, ERR_STOPPED, "interrupted");
		got = read(0, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return why_errno(why, "cannot read the terminal");
		if (got == 0 || c == '\n')
			return check_line(out, "the line typed", why);
		secret_append(out, &c, 1);
		bytes_wipe(&c, 1);
	}
	return why_set(why, ERR_INPUT, "a passphrase has %zu bytes at most",
		       out->cap - 1);
}

static enum err ask_once(struct secret *out, const char *prompt,
			 struct why *why)
{
	struct termios was, silent;
	sigset_t ends, before;
	int signals;
	enum err e;

	if (tcgetattr(0, &was))
		return why_set(why, ERR_STATE, "no passphrase is given ("
			       PASSPHRASE_WAYS "), and standard input is no "
			       "terminal to ask for it");
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGQUIT);
	sigaddset(&ends, SIGTSTP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	signals = signalfd(-1, &ends, SFD_CLOEXEC);
	silent = was;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	(void)tcsetattr(0, TCSAFLUSH, &silent);
	fprintf(stderr, "%s: ", prompt);
	secret_init(out, PASSPHRASE_MAX + 1);
	e = read_line(out, signals, why);
	(void)tcsetattr(0, TCSAFLUSH, &was);
	fprintf(stderr, "\n");
	close(signals);
	/* One that came meanwhile ends us here, the terminal as it was. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	return e;
}

enum err passphrase_ask(struct secret *out, const char *prompt, bool twice,
			struct why *why)
{
	struct secret again = {0};
	enum err e = ask_once(out, prompt, why);

	if (!e && twice) {
		e = ask_once(&again, "The same again", why);
		if (!e && !secret_equal(out, &again))
			e = why_set(why, ERR_INPUT, "the two passphrases "
				    "differ");
	}
	secret_clear(&again);
	return e;
}
