/*
 * Key files of both forms.
 */
#include "config.h"

#include "keys/key_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/passphrase.h"
#include "keys/private_file.h"

#define HEX_SIZE (2 * KEY_FILE_SEED_SIZE)

/* "cloister-onion-seed-v1 "; returns its length. */
static size_t tag_of(char *out, size_t size, const char *kind)
{
	return (size_t)snprintf(out, size, "cloister-%s-v1 ", kind);
}

/* ---- reading ---- */

static enum err open_box(struct key_file *out, const struct keybox *b,
			 const char *path, const struct secret *passphrase,
			 struct why *why)
{
	bool opened;
	enum err e;

	if (!passphrase_given(passphrase))
		return why_set(why, ERR_INPUT, "%s is encrypted: give its "
			       "passphrase with " PASSPHRASE_WAYS, path);
	e = keybox_open(&out->seed, &opened, b, passphrase, why);
	if (e)
		return e;
	if (!opened)
		return why_set(why, ERR_INPUT, "the passphrase is not that of "
			       "%s", path);
	if (out->seed.n != KEY_FILE_SEED_SIZE)
		return why_set(why, ERR_INPUT, "%s holds no key of %d bytes",
			       path, KEY_FILE_SEED_SIZE);
	return ERR_NONE;
}

static enum err damaged(const char *path, const char *how, struct why *why)
{
	return why_set(why, ERR_INPUT, "%s is damaged (%s): put a copy of it "
		       "back, or restore a backup (-restorekeys=FILE)", path,
		       how);
}

static enum err read_box(struct key_file *out, const struct secret *text,
			 const char *path, const char *kind,
			 const struct secret *passphrase, struct why *why)
{
	struct keybox b;

	out->encrypted = true;
	switch (keybox_read(&b, secret_span(text))) {
	case KEYBOX_OK:
		break;
	case KEYBOX_FOREIGN:
	case KEYBOX_DAMAGED:
		return damaged(path, "its checksum is wrong", why);
	case KEYBOX_NEWER:
		return why_set(why, ERR_INPUT, "%s was written by a newer "
			       "version of this program", path);
	}
	memcpy(out->label, b.label, sizeof out->label);
	if (strcmp(b.kind, kind) != 0)
		return why_set(why, ERR_INPUT, "%s holds a key of another "
			       "kind, %s, where %s belongs", path, b.kind,
			       kind);
	return open_box(out, &b, path, passphrase, why);
}

static enum err read_plain(struct key_file *out, struct secret *text,
			   const char *path, const char *kind,
			   struct why *why)
{
	char tag[64], how[80];
	size_t n = tag_of(tag, sizeof tag, kind), want = n + HEX_SIZE + 1;

	if (text->n < n || memcmp(text->p, tag, n) != 0) {
		snprintf(how, sizeof how, "it does not begin as a key file "
			 "does");
		return damaged(path, how, why);
	}
	if (text->n != want) {
		snprintf(how, sizeof how, "it has %zu bytes, and should have "
			 "%zu", text->n, want);
		return damaged(path, how, why);
	}
	secret_init(&out->seed, KEY_FILE_SEED_SIZE);
	out->seed.n = KEY_FILE_SEED_SIZE;
	if (text->p[want - 1] == '\n') {
		text->p[want - 1] = '\0';
		if (hex_decode(out->seed.p, KEY_FILE_SEED_SIZE,
			       (const char *)text->p + n))
			return ERR_NONE;
	}
	return damaged(path, "it holds no 64 hex digits", why);
}

enum err key_file_read(struct key_file *out, const char *path,
		       const char *kind, const struct secret *passphrase,
		       struct why *why)
{
	struct secret text = {0};
	enum err e;

	memset(out, 0, sizeof *out);
	secret_init(&text, KEYBOX_SIZE_MAX);
	e = private_file_read(&text, path, why);
	if (e)
		goto out;
	if (keybox_looks_like(secret_span(&text)))
		e = read_box(out, &text, path, kind, passphrase, why);
	else
		e = read_plain(out, &text, path, kind, why);
out:
	if (e)
		secret_clear(&out->seed);
	secret_clear(&text);
	return e;
}

/* "cloister-KIND-v1 …" */
static bool plain_kind(char kind[static KEYBOX_KIND_MAX + 1],
		       const struct secret *text)
{
	static const char head[] = "cloister-", tail[] = "-v1 ";
	const size_t h = sizeof head - 1, t = sizeof tail - 1;
	size_t n;

	if (text->n < h || memcmp(text->p, head, h) != 0)
		return false;
	for (n = 0; n <= KEYBOX_KIND_MAX && h + n + t <= text->n; n++) {
		if (memcmp(text->p + h + n, tail, t) != 0)
			continue;
		memcpy(kind, text->p + h, n);
		kind[n] = '\0';
		return n > 0;
	}
	return false;
}

enum err key_file_look(char kind[static KEYBOX_KIND_MAX + 1], bool *encrypted,
		       const char *path, struct why *why)
{
	struct secret text = {0};
	struct keybox b;
	enum err e;

	secret_init(&text, KEYBOX_SIZE_MAX);
	e = private_file_read(&text, path, why);
	*encrypted = !e && keybox_looks_like(secret_span(&text));
	if (!e && *encrypted) {
		if (keybox_read(&b, secret_span(&text)) == KEYBOX_OK)
			memcpy(kind, b.kind, sizeof b.kind);
		else
			e = damaged(path, "its checksum is wrong", why);
	} else if (!e && !plain_kind(kind, &text)) {
		e = damaged(path, "it does not begin as a key file does",
			    why);
	}
	secret_clear(&text);
	return e;
}

/* ---- writing ---- */

static enum err write_plain(const char *path, const char *kind,
			    const struct key_file *k, struct why *why)
{
	struct secret text = {0};
	char tag[64];
	size_t n = tag_of(tag, sizeof tag, kind);
	enum err e;

	secret_init(&text, n + HEX_SIZE + 1);
	secret_append(&text, tag, n);
	hex_encode((char *)text.p + n, k->seed.p, KEY_FILE_SEED_SIZE);
	text.n = text.cap;
	text.p[text.n - 1] = '\n';
	e = file_replace(path, secret_span(&text), 0600, why);
	secret_clear(&text);
	return e;
}

static enum err make_box(struct bytes *out, const char *path,
			 const char *kind, const struct key_file *k,
			 const struct secret *passphrase, struct why *why)
{
	struct keybox b = { .cost = keybox_cost };
	struct key_file again = {0};
	enum err e;

	snprintf(b.kind, sizeof b.kind, "%s", kind);
	memcpy(b.label, k->label, sizeof b.label);
	e = keybox_seal(out, &b, &k->seed, passphrase, why);
	if (e)
		return e;
	/* Nothing is replaced by what could not be opened again. */
	CHECK(keybox_read(&b, bytes_span(out)) == KEYBOX_OK);
	e = open_box(&again, &b, path, passphrase, why);
	CHECK(e || secret_equal(&again.seed, &k->seed));
	key_file_clear(&again);
	return e;
}

enum err key_file_write(const char *path, const char *kind,
			const struct key_file *k,
			const struct secret *passphrase, struct why *why)
{
	struct bytes box = {0};
	enum err e;

	CHECK(k->seed.n == KEY_FILE_SEED_SIZE);
	if (!passphrase_given(passphrase))
		return write_plain(path, kind, k, why);
	e = make_box(&box, path, kind, k, passphrase, why);
	if (!e)
		e = file_replace(path, bytes_span(&box), 0600, why);
	bytes_clear(&box);
	return e;
}

/* ---- getting rid of what was plain ---- */

/* links: names that the file may still have; with more it is somebody's copy. */
static void overwrite(int fd, nlink_t links)
{
	static const uint8_t zeros[512];
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size > KEYBOX_SIZE_MAX || st.st_nlink > links)
		return;
	while (at < st.st_size) {
		ssize_t did = pwrite(fd, zeros, MIN_OF(sizeof zeros,
						       (size_t)(st.st_size -
								at)), at);

		if (did <= 0)
			return;
		at += did;
	}
	(void)fsync(fd);
}

static int open_to_overwrite(const char *path)
{
	return open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
		    O_NOCTTY);
}

enum err key_file_encrypt(const char *path, const char *kind,
			  const struct key_file *k,
			  const struct secret *passphrase, struct why *why)
{
	int fd = open_to_overwrite(path);
	enum err e;

	CHECK(passphrase_given(passphrase));
	e = key_file_write(path, kind, k, passphrase, why);
	if (fd >= 0 && !e)
		overwrite(fd, 0);
	if (fd >= 0)
		close(fd);
	return e;
}

void key_file_erase(const char *path)
{
	int fd = open_to_overwrite(path);

	if (fd >= 0) {
		overwrite(fd, 1);
		close(fd);
	}
	(void)unlink(path);
}

void key_file_clear(struct key_file *k)
{
	secret_clear(&k->seed);
	memset(k, 0, sizeof *k);
}
