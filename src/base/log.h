/*
 * The log: levels and categories.  Error: the node must stop.  Warn: the
 * owner should act.  Info: rare, readable without the source.  Debug: per
 * category, may be on in production.  Trace: more than that.
 *
 * One process has one log (mutable state of file scope, as nothing else but
 * the handler of bus errors has); any thread may write.  Name peers as
 * peer=12, hashes as block=0000….
 * Never log a secret: keys, cookies, SOCKS credentials, passphrases.
 */
#ifndef CLOISTER_BASE_LOG_H
#define CLOISTER_BASE_LOG_H

#include "base/err.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE,
};

enum log_cat {
	LOG_NODE,
	LOG_CONF,
	LOG_TOR,
	LOG_TLS,
	LOG_NET,
	LOG_P2P,
	LOG_RPC,
	LOG_CHAIN,   /* validation */
	LOG_STORE,   /* chainstate and LevelDB */
	LOG_MEMPOOL,
	LOG_BENCH,
	LOG_CAT_COUNT,
};

/**
 * Open (append to) the log file; NULL for none.  A message is written with
 * one write() as `2026-08-01T12:00:00.123Z [cat:level] text`, info lines
 * without the bracket's level.  Before this call messages of level warn and
 * error go to standard error only.
 */
NODISCARD enum err log_open(const char *path, bool to_console,
			    struct why *why);
/** Reopen the file (after rotation, on SIGHUP). */
void log_reopen(void);
/** The file's descriptor, for another process's log_use(); -1 for none. */
int log_fd(void);
/** Go on in the file of this descriptor, which stays the caller's.  For a
 * process that may not open files itself. */
void log_use(int fd);
void log_close(void);

/** Write debug (or trace) messages of a category; off at the start. */
void log_set_level(enum log_cat cat, enum log_level level);
/** "p2p", "all", "none", "p2p:trace"; false if the name is unknown. */
NODISCARD bool log_enable(const char *spec);
/** Comma-separated names of all categories, for error messages and help. */
const char *log_cat_names(void);
bool log_wants(enum log_cat cat, enum log_level level);

void log_write(enum log_level level, enum log_cat cat, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#define log_error(cat, ...) log_write(LOG_LEVEL_ERROR, cat, __VA_ARGS__)
#define log_warn(cat, ...) log_write(LOG_LEVEL_WARN, cat, __VA_ARGS__)
#define log_info(cat, ...) log_write(LOG_LEVEL_INFO, cat, __VA_ARGS__)
#define log_debug(cat, ...) \
	(log_wants(cat, LOG_LEVEL_DEBUG) \
		 ? log_write(LOG_LEVEL_DEBUG, cat, __VA_ARGS__) : (void)0)
#define log_trace(cat, ...) \
	(log_wants(cat, LOG_LEVEL_TRACE) \
		 ? log_write(LOG_LEVEL_TRACE, cat, __VA_ARGS__) : (void)0)

/*
 * A token bucket for messages that somebody else can trigger: at most
 * `burst` at once and one more every `every_ms`.
 */
struct log_limit {
	int64_t last_ms;
	unsigned tokens;
	unsigned dropped;
};
/** True if the message may be written; *dropped (may be NULL) gets how many
 * were held back since the last one. */
bool log_limit_ok(struct log_limit *l, unsigned burst, int64_t every_ms,
		  unsigned *dropped);

#endif
