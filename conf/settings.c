/*
 * Values of options and where they came from.  One slot per row of the
 * table; a slot keeps the values of the command line apart from the file's,
 * so that the order in which they are read does not matter.
 */
#include "config.h"

#include "conf/settings.h"

#include "conf/chain_choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct values {
	char **v;
	size_t n;
	bool negated;
};

/* From strongest to weakest. */
enum source {
	SOURCE_ARGS,
	SOURCE_SECTION,          /* the chain's section of the file */
	SOURCE_FILE,             /* the file before any section */
	SOURCE_COUNT,
	SOURCE_MERGED = SOURCE_COUNT, /* a list's values of all sources */
	SOURCE_SLOTS,
};

struct settings {
	unsigned who;
	struct values (*slot)[SOURCE_SLOTS];
};

struct settings *settings_new(unsigned who)
{
	struct settings *s = xcalloc(1, sizeof *s);

	s->who = who;
	s->slot = xcalloc(option_count, sizeof *s->slot);
	return s;
}

static void values_clear(struct values *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i]);
	free(v->v);
	memset(v, 0, sizeof *v);
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < option_count; i++)
		for (int src = 0; src < SOURCE_SLOTS; src++)
			values_clear(&s->slot[i][src]);
	free(s->slot);
	free(s);
}

static void values_add(struct values *v, const char *text)
{
	v->v = xrealloc(v->v, (v->n + 1) * sizeof *v->v);
	v->v[v->n++] = xstrdup(text);
}

/* ---- checking one value ---- */

static bool parse_bool(bool *out, const char *text)
{
	static const char *const yes[] = { "", "1", "true", "yes", "on" };
	static const char *const no[] = { "0", "false", "no", "off" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) == 0) {
			*out = true;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		if (strcmp(text, no[i]) == 0) {
			*out = false;
			return true;
		}
	}
	return false;
}

static bool parse_int(int64_t *out, const char *text)
{
	char *end;
	long long v;

	if (!*text || strspn(text, "-0123456789") != strlen(text))
		return false;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || *end)
		return false;
	*out = v;
	return true;
}

static enum err check_value(const struct option_spec *o, const char *value,
			    const char *where, struct why *why)
{
	int64_t n;
	bool b;

	switch (o->type) {
	case OPTION_BOOL:
		if (parse_bool(&b, value))
			return ERR_NONE;
		return why_set(why, ERR_INPUT, "%s: -%s takes 0 or 1, not "
			       "\"%s\"", where, o->name, value);
	case OPTION_INT:
		if (!parse_int(&n, value))
			return why_set(why, ERR_INPUT, "%s: -%s takes a whole "
				       "number, not \"%s\"", where, o->name,
				       value);
		if (n < o->min || n > o->max)
			return why_set(why, ERR_INPUT, "%s: -%s=%s is out of "
				       "range: it takes %lld to %lld", where,
				       o->name, value, (long long)o->min,
				       (long long)o->max);
		return ERR_NONE;
	case OPTION_TEXT:
	case OPTION_PATH:
		if (*value)
			return ERR_NONE;
		return why_set(why, ERR_INPUT, "%s: -%s needs a value: -%s=%s",
			       where, o->name, o->name,
			       o->arg ? o->arg : "VALUE");
	}
	return ERR_NONE;
}

/* ---- taking one value ---- */

static void take(struct settings *s, const struct option_spec *o,
		 enum source src, const char *value, bool negate)
{
	struct values *v = &s->slot[o - option_table][src];

	if (o->flags & OPTION_LIST) {
		if (negate) {
			values_clear(v);
			v->negated = true;
		} else {
			values_add(v, value);
		}
		return;
	}
	/* The last one on the command line wins, the first in the file. */
	if (v->n && src != SOURCE_ARGS)
		return;
	values_clear(v);
	v->negated = negate;
	values_add(v, value);
}

/*
 * One `name` or `name=value` (value NULL: none given).  who limits what is
 * known; source SOURCE_COUNT checks without taking.
 */
static enum err take_named(struct settings *s, enum source src,
			   const char *name, const char *value,
			   const char *where, struct why *why)
{
	const struct option_spec *o = option_find(name, s->who);
	bool negate = false;
	const char *near;
	bool b;

	if (!o && strncmp(name, "no", 2) == 0) {
		o = option_find(name + 2, s->who);
		negate = o != NULL;
	}
	if (!o && src != SOURCE_ARGS && option_find(name, ~0u))
		return ERR_NONE; /* the other program's business */
	if (!o) {
		near = option_nearest(name, s->who);
		if (near)
			return why_set(why, ERR_INPUT, "%s: unknown option "
				       "\"%s\"; the nearest known one is "
				       "\"%s\"", where, name, near);
		return why_set(why, ERR_INPUT, "%s: unknown option \"%s\"; "
			       "-help lists them all", where, name);
	}
	if (src != SOURCE_ARGS && (o->flags & OPTION_NO_FILE))
		return why_set(why, ERR_INPUT, "%s: \"%s\" works on the "
			       "command line only", where, name);
	if (negate) {
		/* -nofoo=0 is a double negation: foo, as it were. */
		if (!value)
			value = "1";
		if (!parse_bool(&b, value))
			return why_set(why, ERR_INPUT, "%s: -%s takes 0 or 1, "
				       "not \"%s\"", where, name, value);
		if (o->type != OPTION_BOOL && !b)
			return why_set(why, ERR_INPUT, "%s: -%s=0 means "
				       "nothing; say -%s=VALUE", where, name,
				       o->name);
		value = b ? "0" : "1";
		negate = b;
	} else {
		enum err e;

		if (!value)
			value = "";
		e = check_value(o, value, where, why);
		if (e)
			return e;
		if ((o->flags & OPTION_LIST) && strcmp(value, "0") == 0)
			negate = true;
	}
	if (src != SOURCE_COUNT)
		take(s, o, src, value, negate);
	return ERR_NONE;
}

enum err settings_parse_args(struct settings *s, int *used, int argc,
			     char *const *argv, struct why *why)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *arg = argv[i];
		const char *eq;
		char *name;
		enum err e;

		if (arg[0] != '-' || arg[1] == 0)
			break;
		arg += arg[1] == '-' ? 2 : 1;
		if (strcmp(arg, "h") == 0 || strcmp(arg, "?") == 0)
			arg = "help";
		eq = strchr(arg, '=');
		name = eq ? xasprintf("%.*s", (int)(eq - arg), arg)
			  : xstrdup(arg);
		e = take_named(s, SOURCE_ARGS, name, eq ? eq + 1 : NULL,
			       "command line", why);
		free(name);
		if (e)
			return e;
	}
	*used = i;
	return ERR_NONE;
}

/* ---- the file ---- */

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r");
	n = strlen(s);
	while (n && strchr(" \t\r", s[n - 1]))
		s[--n] = 0;
	return s;
}

/* One line of a config file, as read_file() hands it on. */
struct file_line {
	const char *section;     /* "" before the first */
	const char *name, *value;
	const char *where;       /* "cloister.conf:12" */
};

typedef enum err line_fn(const struct file_line *line, void *arg,
			 struct why *why);

static enum err read_line(char *line, char *section, const char *where,
			  line_fn *fn, void *arg, struct why *why)
{
	struct file_line l = { .section = section, .where = where };
	char *hash = strchr(line, '#');
	char *eq;

	if (hash) {
		/* A password with a # in it would be cut silently. */
		if (strstr(line, "rpcpassword") &&
		    strstr(line, "rpcpassword") < hash)
			return why_set(why, ERR_INPUT, "%s: rpcpassword may "
				       "not contain #", where);
		*hash = 0;
	}
	line = trim(line);
	if (!*line)
		return ERR_NONE;
	if (*line == '[') {
		size_t n = strlen(line);

		if (line[n - 1] != ']' || n - 2 >= 16)
			return why_set(why, ERR_INPUT, "%s: \"%s\" is no "
				       "section; write [main], [test], "
				       "[testnet4], [signet] or [regtest]",
				       where, line);
		line[n - 1] = 0;
		if (!chain_choice_is_known(line + 1))
			return why_set(why, ERR_INPUT, "%s: unknown section "
				       "[%s]; known are [main], [test], "
				       "[testnet4], [signet], [regtest]",
				       where, line + 1);
		strcpy(section, line + 1);
		return ERR_NONE;
	}
	if (*line == '-')
		return why_set(why, ERR_INPUT, "%s: options in a config file "
			       "are written without the dash: \"%s\"", where,
			       line + 1);
	eq = strchr(line, '=');
	if (!eq)
		return why_set(why, ERR_INPUT, "%s: \"%s\" has no value; write "
			       "%s=VALUE", where, line, line);
	*eq = 0;
	l.name = trim(line);
	l.value = trim(eq + 1);
	return fn(&l, arg, why);
}

static enum err read_file(const char *text, const char *name, line_fn *fn,
			  void *arg, struct why *why)
{
	char section[16] = "";
	char *copy = xstrdup(text), *next = copy;
	enum err e = ERR_NONE;

	for (int number = 1; next && !e; number++) {
		char *line = next;
		char *where = xasprintf("%s:%d", name, number);

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		e = read_line(line, section, where, fn, arg, why);
		free(where);
	}
	free(copy);
	return e;
}

struct file_taker {
	struct settings *s;
	const char *section;
};

static enum err take_line(const struct file_line *l, void *arg,
			  struct why *why)
{
	struct file_taker *t = arg;
	const struct option_spec *o;
	const char *bare = l->name;
	enum source src = SOURCE_FILE;

	if (*l->section)
		src = strcmp(l->section, t->section) == 0 ? SOURCE_SECTION
							  : SOURCE_COUNT;
	o = option_find(bare, ~0u);
	if (!o && strncmp(bare, "no", 2) == 0)
		o = option_find(bare + 2, ~0u);
	/* As in the reference node: addresses and ports before any section
	 * speak of mainnet. */
	if (src == SOURCE_FILE && o && (o->flags & OPTION_NET) &&
	    strcmp(t->section, "main") != 0)
		src = SOURCE_COUNT;
	return take_named(t->s, src, l->name, l->value, l->where, why);
}

enum err settings_parse_file(struct settings *s, const char *text,
			     const char *name, const char *section,
			     struct why *why)
{
	struct file_taker t = { s, section };

	return read_file(text, name, take_line, &t, why);
}

static enum err chain_line(const struct file_line *l, void *arg,
			   struct why *why)
{
	char *out = arg;
	const char *found = NULL;
	bool on;

	if (*l->section)
		return ERR_NONE;
	if (strcmp(l->name, "chain") == 0)
		found = l->value;
	for (size_t i = 0; i < CHAIN_CHOICES; i++)
		if (chain_choices[i].flag &&
		    strcmp(l->name, chain_choices[i].flag) == 0 &&
		    parse_bool(&on, l->value) && on)
			found = chain_choices[i].name;
	if (!found)
		return ERR_NONE;
	if (!chain_choice_is_known(found))
		return why_set(why, ERR_INPUT, "%s: unknown chain \"%s\"",
			       l->where, found);
	if (*out && strcmp(out, found) != 0)
		return why_set(why, ERR_INPUT, "%s: two chains are asked for, "
			       "%s and %s", l->where, out, found);
	strcpy(out, found);
	return ERR_NONE;
}

enum err settings_file_chain(char out[static 16], const char *text,
			     const char *name, struct why *why)
{
	out[0] = 0;
	return read_file(text, name, chain_line, out, why);
}

/* ---- asking ---- */

static const struct option_spec *spec_of(const char *name)
{
	const struct option_spec *o = option_find(name, ~0u);

	CHECK(o != NULL);
	return o;
}

/* The strongest source that says anything, or NULL. */
static const struct values *strongest(const struct settings *s,
				      const struct option_spec *o)
{
	const struct values *v = s->slot[o - option_table];

	for (int src = 0; src < SOURCE_COUNT; src++)
		if (v[src].n || v[src].negated)
			return &v[src];
	return NULL;
}

bool settings_has(const struct settings *s, const char *name)
{
	return strongest(s, spec_of(name)) != NULL;
}

const char *settings_text(const struct settings *s, const char *name)
{
	const struct option_spec *o = spec_of(name);
	const struct values *v = strongest(s, o);

	return v && v->n ? v->v[v->n - 1] : v ? NULL : o->def;
}

bool settings_bool(const struct settings *s, const char *name)
{
	const char *t = settings_text(s, name);
	bool b = false;

	CHECK(spec_of(name)->type == OPTION_BOOL);
	return t && parse_bool(&b, t) && b;
}

int64_t settings_int(const struct settings *s, const char *name)
{
	const char *t = settings_text(s, name);
	int64_t n = 0;

	CHECK(spec_of(name)->type == OPTION_INT);
	return t && parse_int(&n, t) ? n : 0;
}

size_t settings_list(const struct settings *s, const char *name,
		     const char *const **out)
{
	const struct option_spec *o = spec_of(name);
	struct values *v = s->slot[o - option_table];
	struct values *merged = &v[SOURCE_MERGED];

	CHECK(o->flags & OPTION_LIST);
	if (!strongest(s, o)) {
		*out = &o->def;
		return o->def ? 1 : 0;
	}
	values_clear(merged);
	for (int src = 0; src < SOURCE_COUNT; src++) {
		for (size_t i = 0; i < v[src].n; i++)
			values_add(merged, v[src].v[i]);
		if (v[src].negated)
			break;
	}
	*out = (const char *const *)merged->v;
	return merged->n;
}

bool settings_negated(const struct settings *s, const char *name)
{
	const char *const *list;

	return settings_has(s, name) && settings_list(s, name, &list) == 0;
}

void settings_force(struct settings *s, const char *name, const char *value)
{
	const struct option_spec *o = spec_of(name);
	struct values *v = s->slot[o - option_table];

	for (int src = 0; src < SOURCE_COUNT; src++)
		values_clear(&v[src]);
	values_add(&v[SOURCE_ARGS], value);
}

/* ---- from the warden to the node ---- */

void settings_dump(const struct settings *s, struct bytes *out)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *o = &option_table[i];
		const char *const *list;
		size_t n = 1;
		const char *one;
		char *line;

		if (!strongest(s, o))
			continue;
		if (o->flags & OPTION_LIST) {
			n = settings_list(s, o->name, &list);
		} else {
			one = settings_text(s, o->name);
			list = &one;
		}
		if (n == 0) {
			line = xasprintf("no%s=1\n", o->name);
			bytes_append(out, line, strlen(line));
			free(line);
		}
		for (size_t k = 0; k < n; k++) {
			line = xasprintf("%s=%s\n", o->name, list[k]);
			bytes_append(out, line, strlen(line));
			free(line);
		}
	}
}

enum err settings_load(struct settings *s, const char *text, struct why *why)
{
	char *copy = xstrdup(text), *next = copy;
	enum err e = ERR_NONE;

	while (next && *next && !e) {
		char *line = next, *eq;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		eq = strchr(line, '=');
		if (!eq) {
			e = why_set(why, ERR_INPUT, "handed-over options are "
				    "damaged at \"%s\"", line);
			break;
		}
		*eq = 0;
		e = take_named(s, SOURCE_ARGS, line, eq + 1,
			       "handed-over options", why);
	}
	free(copy);
	return e;
}
