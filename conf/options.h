/*
 * The option table: every option of both programs is one row.  Names and
 * meanings follow the reference node wherever they are the same.
 */
#ifndef CLOISTER_CONF_OPTIONS_H
#define CLOISTER_CONF_OPTIONS_H

#include "base/base.h"

enum option_type {
	OPTION_BOOL,     /* -x, -x=0|1, -nox */
	OPTION_INT,      /* decimal, within [min, max] */
	OPTION_TEXT,
	OPTION_PATH,
};

enum option_group {
	OPTION_GROUP_GENERAL,
	OPTION_GROUP_CHAIN,
	OPTION_GROUP_MEMPOOL,
	OPTION_GROUP_PEERS,
	OPTION_GROUP_TOR,
	OPTION_GROUP_RPC,
	OPTION_GROUP_LOG,
	OPTION_GROUP_TEST,
	OPTION_GROUP_CLIENT,
	OPTION_GROUP_COUNT,
};

/* Bits of option_spec.flags. */
enum {
	OPTION_NODE = 1,        /* cloisterd knows it */
	OPTION_CLI = 2,         /* cloister-cli knows it */
	OPTION_LIST = 4,        /* may be given more than once */
	OPTION_NET = 8,         /* in the file, counts only for its own chain */
	OPTION_NO_FILE = 16,    /* command line only */
	OPTION_SECRET = 32,     /* never logged, never in help output */
};

struct option_spec {
	const char *name;
	enum option_group group;
	enum option_type type;
	unsigned flags;
	const char *def;        /* default as text; NULL: unset */
	const char *arg;        /* what help shows after '=': "MiB", "FILE" */
	int64_t min, max;       /* for OPTION_INT */
	const char *help;
};

extern const struct option_spec option_table[];
extern const size_t option_count;
extern const char *const option_group_names[OPTION_GROUP_COUNT];

/** Row of that name known to the programs in `who` (flags), or NULL. */
const struct option_spec *option_find(const char *name, unsigned who);
/** The known name most like this one; NULL when nothing is near. */
const char *option_nearest(const char *name, unsigned who);
/** The whole help text for one program: new string, free() it. */
char *option_help(unsigned who, const char *usage);

#endif
