/*
 * The log.  No lock: a message is made on the caller's stack and written with
 * one write() to a file opened for appending; reopening puts the new file
 * under the old descriptor.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_priv.h"

#define MESSAGE_MAX 4096

static const char *const cat_names[LOG_CAT_COUNT] = {
	[LOG_NODE] = "node", [LOG_CONF] = "conf", [LOG_TOR] = "tor",
	[LOG_TLS] = "tls", [LOG_NET] = "net", [LOG_P2P] = "p2p",
	[LOG_RPC] = "rpc", [LOG_CHAIN] = "chain", [LOG_STORE] = "store",
	[LOG_MEMPOOL] = "mempool", [LOG_BENCH] = "bench",
};

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_TRACE] = "trace",
};

/* The process's one log.  path is written only by log_open(), before there
 * are threads. */
static struct {
	char path[4096];
	_Atomic int fd;             /* plus one; 0: no file */
	_Atomic bool is_open, to_console;
	_Atomic int more[LOG_CAT_COUNT]; /* level less LOG_LEVEL_INFO */
} the_log;

enum err log_open(const char *path, bool to_console, struct why *why)
{
	int fd;

	log_close();
	if (path) {
		if (strlen(path) >= sizeof(the_log.path))
			return why_set(why, ERR_INPUT,
				       "the log file's path is too long");
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			  0600);
		if (fd < 0)
			return why_errno(why, "cannot open log file %s", path);
		strcpy(the_log.path, path);
		atomic_store(&the_log.fd, fd + 1);
	}
	atomic_store(&the_log.to_console, to_console);
	atomic_store(&the_log.is_open, true);
	return ERR_NONE;
}

void log_reopen(void)
{
	int old = atomic_load(&the_log.fd) - 1, fd;

	if (old < 0)
		return;
	fd = open(the_log.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
		  0600);
	if (fd < 0 || dup3(fd, old, O_CLOEXEC) < 0)
		log_warn(LOG_NODE, "cannot reopen log file %s: %s",
			 the_log.path, strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
}

int log_fd(void)
{
	return atomic_load(&the_log.fd) - 1;
}

void log_use(int fd)
{
	int old = log_fd();

	if (old >= 0 && dup3(fd, old, O_CLOEXEC) < 0)
		log_warn(LOG_NODE, "cannot change to the new log file: %s",
			 strerrordesc_np(errno));
}

void log_close(void)
{
	int fd = atomic_exchange(&the_log.fd, 0) - 1;

	atomic_store(&the_log.is_open, false);
	if (fd >= 0)
		close(fd);
}

void log_set_level(enum log_cat cat, enum log_level level)
{
	atomic_store_explicit(&the_log.more[cat],
			      (int)level - (int)LOG_LEVEL_INFO,
			      memory_order_relaxed);
}

bool log_wants(enum log_cat cat, enum log_level level)
{
	return (int)level - (int)LOG_LEVEL_INFO <=
	       atomic_load_explicit(&the_log.more[cat],
				    memory_order_relaxed);
}

static void log_set_all(enum log_level level)
{
	int cat;

	for (cat = 0; cat < LOG_CAT_COUNT; cat++)
		log_set_level((enum log_cat)cat, level);
}

/* Split "name:level"; false if the level is neither debug nor trace. */
static bool spec_level(const char *spec, size_t *name_n,
		       enum log_level *level)
{
	const char *colon = strchr(spec, ':');

	*level = LOG_LEVEL_DEBUG;
	*name_n = colon ? (size_t)(colon - spec) : strlen(spec);
	if (!colon || strcmp(colon + 1, "debug") == 0)
		return true;
	*level = LOG_LEVEL_TRACE;
	if (strcmp(colon + 1, "trace") == 0)
		return true;
	*level = LOG_LEVEL_INFO;
	return strcmp(colon + 1, "info") == 0;
}

static bool name_is(const char *name, const char *spec, size_t n)
{
	return strlen(name) == n && memcmp(name, spec, n) == 0;
}

bool log_enable(const char *spec)
{
	enum log_level level;
	size_t n;
	int cat;

	if (!spec_level(spec, &n, &level))
		return false;
	if (name_is("all", spec, n) || name_is("1", spec, n)) {
		log_set_all(level);
		return true;
	}
	if (name_is("none", spec, n) || name_is("0", spec, n)) {
		log_set_all(LOG_LEVEL_INFO);
		return true;
	}
	for (cat = 0; cat < LOG_CAT_COUNT; cat++) {
		if (!name_is(cat_names[cat], spec, n))
			continue;
		log_set_level((enum log_cat)cat, level);
		return true;
	}
	return false;
}

const char *log_cat_names(void)
{
	return "node, conf, tor, tls, net, p2p, rpc, chain, store, mempool, "
	       "bench";
}

/* The length of the valid UTF-8 sequence at s that is not a control
 * character; 0 if there is none.  The text ends in a NUL. */
static size_t printable_at(const unsigned char *s)
{
	size_t n, i;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (s[0] == 0xc2 && s[1] < 0xa0)  /* C1 controls */
		return 0;
	/* U+2028 to U+202E: line ends and direction changes */
	if (s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae)
		return 0;
	return n;
}

/* A peer may have had a hand in the text: one message stays one line. */
static void clean(char *text)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		size_t n = printable_at(s);

		if (n == 0) {
			*s = '?';
			n = 1;
		}
		s += n;
	}
}

/* "2026-08-01T12:00:00.123Z [cat:level] "; returns its length. */
static size_t write_prefix(char *out, size_t out_n, enum log_level level,
			   enum log_cat cat)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(out, out_n, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(out + n, out_n - n, ".%03ldZ [%s%s%s] ",
			      now.tv_nsec / 1000000, cat_names[cat],
			      level == LOG_LEVEL_INFO ? "" : ":",
			      level == LOG_LEVEL_INFO ? ""
						      : level_names[level]);
	return n;
}

static void write_fd(int fd, const char *p, size_t n)
{
	ssize_t did;

	do
		did = write(fd, p, n);
	while (did < 0 && errno == EINTR);
}

/* Make the whole line; returns its length. */
static PRINTF_LIKE(4, 0) size_t
make_line(char line[static MESSAGE_MAX], enum log_level level,
	  enum log_cat cat, const char *fmt, va_list ap)
{
	size_t n = write_prefix(line, MESSAGE_MAX, level, cat);

	vsnprintf(line + n, MESSAGE_MAX - n - 1, fmt, ap);
	clean(line + n);
	n += strlen(line + n);
	line[n++] = '\n';
	return n;
}

static void write_line(enum log_level level, const char *line, size_t n)
{
	int fd = atomic_load(&the_log.fd) - 1;

	if (!atomic_load(&the_log.is_open)) {
		if (level <= LOG_LEVEL_WARN)
			write_fd(STDERR_FILENO, line, n);
		return;
	}
	if (fd >= 0)
		write_fd(fd, line, n);
	if (atomic_load(&the_log.to_console))
		write_fd(STDOUT_FILENO, line, n);
}

void log_write(enum log_level level, enum log_cat cat, const char *fmt, ...)
{
	int saved = errno;
	char line[MESSAGE_MAX];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = make_line(line, level, cat, fmt, ap);
	va_end(ap);
	write_line(level, line, n);
	errno = saved;
}

void log_fatal(const char *fmt, ...)
{
	char line[MESSAGE_MAX];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = make_line(line, LOG_LEVEL_ERROR, LOG_NODE, fmt, ap);
	va_end(ap);
	write_line(LOG_LEVEL_ERROR, line, n);
	if (atomic_load(&the_log.is_open))
		write_fd(STDERR_FILENO, line, n);
}

bool log_limit_ok(struct log_limit *l, unsigned burst, int64_t every_ms,
		  unsigned *dropped)
{
	int64_t now = clock_mono_ms(), fresh;

	if (l->last_ms == 0) {
		l->last_ms = now;
		l->tokens = burst;
	}
	fresh = every_ms > 0 ? (now - l->last_ms) / every_ms : burst;
	if (fresh >= (int64_t)(burst - l->tokens)) {
		l->tokens = burst;
		l->last_ms = now;
	} else {
		l->tokens += (unsigned)fresh;
		l->last_ms += fresh * every_ms;
	}
	if (l->tokens == 0) {
		l->dropped++;
		return false;
	}
	l->tokens--;
	if (dropped)
		*dropped = l->dropped;
	l->dropped = 0;
	return true;
}
