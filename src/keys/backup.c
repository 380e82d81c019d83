/*
 * Backups of keys.
 */
#include "config.h"

#include "keys/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/reader.h"

#define KIND "backup"

struct backup_key *backup_add(struct backup *b)
{
	CHECK(b->n < BACKUP_KEYS_MAX);
	return &b->v[b->n++];
}

void backup_clear(struct backup *b)
{
	for (size_t i = 0; i < b->n; i++)
		secret_clear(&b->v[i].seed);
	memset(b, 0, sizeof *b);
}

/* ---- what is sealed ---- */

static void put(struct secret *out, const void *p, size_t n)
{
	uint8_t length = (uint8_t)n;

	CHECK(n <= UINT8_MAX);
	secret_append(out, &length, 1);
	secret_append(out, p, n);
}

void backup_payload_write(struct secret *out, const struct backup *b)
{
	uint8_t count = (uint8_t)b->n;

	secret_init(out, KEYBOX_SECRET_MAX);
	secret_append(out, &count, 1);
	for (size_t i = 0; i < b->n; i++) {
		const struct backup_key *k = &b->v[i];

		put(out, k->kind, strlen(k->kind));
		put(out, k->name, strlen(k->name));
		put(out, k->label, strlen(k->label));
		put(out, k->seed.p, k->seed.n);
	}
}

static void take_text(struct reader *r, char *out, size_t max)
{
	struct span s = read_span(r, read_u8(r));

	if (s.n > max || (s.n && memchr(s.p, 0, s.n))) {
		r->failed = true;
		return;
	}
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static void take_key(struct reader *r, struct backup_key *k)
{
	struct span seed;

	take_text(r, k->kind, KEYBOX_KIND_MAX);
	take_text(r, k->name, KEYBOX_KIND_MAX);
	take_text(r, k->label, KEYBOX_LABEL_MAX);
	seed = read_span(r, read_u8(r));
	if (r->failed || seed.n == 0 || seed.n > BACKUP_SEED_MAX) {
		r->failed = true;
		return;
	}
	secret_init(&k->seed, seed.n);
	secret_append(&k->seed, seed.p, seed.n);
}

bool backup_payload_read(struct backup *out, struct span s)
{
	struct reader r = reader_of(s);
	size_t count = read_u8(&r);

	memset(out, 0, sizeof *out);
	if (count > BACKUP_KEYS_MAX)
		return false;
	while (out->n < count && !r.failed)
		take_key(&r, backup_add(out));
	return !r.failed && reader_left(&r) == 0;
}

/* ---- writing ---- */

static enum err in_the_way(const char *path, struct why *why)
{
	return why_set(why, ERR_INPUT, "%s exists already, and is not "
		       "overwritten: choose another name", path);
}

static enum err fill(int fd, struct span s, const char *path,
		     struct why *why)
{
	enum err e = file_pwrite(fd, s.p, s.n, 0, path, why);

	if (!e && fsync(fd))
		e = why_errno(why, "cannot sync %s", path);
	return e;
}

/* rename() that never replaces; not every file system knows it. */
static enum err give_name(const char *from, const char *to, struct why *why)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return ERR_NONE;
	if (errno == EINVAL || errno == ENOSYS) {
		if (link(from, to) == 0) {
			(void)unlink(from);
			return ERR_NONE;
		}
	}
	if (errno == EEXIST)
		return in_the_way(to, why);
	return why_errno(why, "cannot give %s its name", to);
}

static enum err sync_parent(const char *path, struct why *why)
{
	const char *slash = strrchr(path, '/');
	char *dir = !slash ? xstrdup(".")
		    : xasprintf("%.*s/", (int)(slash - path), path);
	enum err e = dir_sync(dir, why);

	free(dir);
	return e;
}

enum err backup_file_new(const char *path, struct span s, struct why *why)
{
	char *part = xasprintf("%s.%ld.part", path, (long)getpid());
	/* No fchmod: file systems of USB sticks know no modes. */
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		      O_CLOEXEC, 0600);
	enum err e;

	if (fd < 0) {
		e = why_errno(why, "cannot create %s", part);
		goto out;
	}
	e = fill(fd, s, part, why);
	if (close(fd) && !e)
		e = why_errno(why, "cannot close %s", part);
	if (!e)
		e = give_name(part, path, why);
	if (e)
		(void)unlink(part);
	else
		e = sync_parent(path, why);
out:
	free(part);
	return e;
}

enum err backup_write(const char *path, const struct backup *b,
		      const struct secret *passphrase, struct why *why)
{
	struct keybox box = { .kind = KIND, .cost = keybox_cost };
	struct secret payload = {0};
	struct bytes out = {0};
	enum err e;

	if (file_exists(path))
		return in_the_way(path, why);
	backup_payload_write(&payload, b);
	e = keybox_seal(&out, &box, &payload, passphrase, why);
	if (!e)
		e = backup_file_new(path, bytes_span(&out), why);
	bytes_clear(&out);
	secret_clear(&payload);
	return e;
}

/* ---- reading ---- */

/* box borrows from text. */
static enum err read_box(struct keybox *box, struct bytes *text,
			 const char *path, struct why *why)
{
	enum err e = file_read(text, path, KEYBOX_SIZE_MAX, why);

	if (e == ERR_LIMIT)
		return why_set(why, ERR_INPUT, "%s is not a backup of keys: "
			       "it is too long", path);
	if (e)
		return e;
	switch (keybox_read(box, bytes_span(text))) {
	case KEYBOX_OK:
		break;
	case KEYBOX_FOREIGN:
		return why_set(why, ERR_INPUT, "%s is not a backup of keys",
			       path);
	case KEYBOX_NEWER:
		return why_set(why, ERR_INPUT, "%s was written by a newer "
			       "version of this program", path);
	case KEYBOX_DAMAGED:
		return why_set(why, ERR_INPUT, "%s is damaged: some of its "
			       "bytes are changed or missing", path);
	}
	if (strcmp(box->kind, KIND) != 0)
		return why_set(why, ERR_INPUT, "%s is not a backup but a "
			       "single key file (%s): put it into the keys "
			       "directory instead", path, box->kind);
	return ERR_NONE;
}

enum err backup_check(const char *path, struct why *why)
{
	struct bytes text = {0};
	struct keybox box;
	enum err e = read_box(&box, &text, path, why);

	bytes_clear(&text);
	return e;
}

enum err backup_read(struct backup *out, const char *path,
		     const struct secret *passphrase, struct why *why)
{
	struct secret payload = {0};
	struct bytes text = {0};
	struct keybox box;
	bool opened;
	enum err e;

	memset(out, 0, sizeof *out);
	e = read_box(&box, &text, path, why);
	if (!e)
		e = keybox_open(&payload, &opened, &box, passphrase, why);
	if (!e && !opened)
		e = why_set(why, ERR_INPUT, "the passphrase is not that of %s",
			    path);
	if (!e && !backup_payload_read(out, secret_span(&payload)))
		e = why_set(why, ERR_INPUT, "what is in %s cannot be read: "
			    "was it written by a newer version of this "
			    "program?", path);
	secret_clear(&payload);
	bytes_clear(&text);
	return e;
}
