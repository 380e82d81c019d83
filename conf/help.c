/*
 * The help text, from the option table.
 */
#include "config.h"

#include "conf/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define HELP_WIDTH 79
#define HELP_INDENT 7

static void put(struct bytes *b, const char *s)
{
	bytes_append(b, s, strlen(s));
}

/* Break text into lines at spaces. */
static void put_wrapped(struct bytes *b, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > HELP_WIDTH) {
			put(b, "\n");
			column = 0;
		}
		if (!column) {
			bytes_append(b, "            ", HELP_INDENT);
			column = HELP_INDENT;
		} else {
			put(b, " ");
			column++;
		}
		bytes_append(b, text, n);
		column += n;
		text += n;
		while (*text == ' ')
			text++;
	}
	put(b, "\n");
}

static void put_option(struct bytes *b, const struct option_spec *o)
{
	char tail[200] = "";
	char *text;

	put(b, "  -");
	put(b, o->name);
	if (o->arg) {
		put(b, "=");
		put(b, o->arg);
	}
	put(b, "\n");
	if (o->def && o->type != OPTION_BOOL)
		snprintf(tail, sizeof tail, " (default: %s)", o->def);
	else if (o->type == OPTION_BOOL && o->def && o->def[0] == '1')
		snprintf(tail, sizeof tail, " (default: 1)");
	if (o->flags & OPTION_LIST)
		strncat(tail, " May be given more than once.",
			sizeof tail - strlen(tail) - 1);
	text = xasprintf("%s%s", o->help, tail);
	put_wrapped(b, text);
	free(text);
	put(b, "\n");
}

char *option_help(unsigned who, const char *usage)
{
	struct bytes b = { 0 };

	put(&b, usage);
	for (int g = 0; g < OPTION_GROUP_COUNT; g++) {
		bool any = false;

		for (size_t i = 0; i < option_count; i++) {
			const struct option_spec *o = &option_table[i];

			if ((int)o->group != g || !(o->flags & who))
				continue;
			if (!any) {
				put(&b, "\n");
				put(&b, option_group_names[g]);
				put(&b, ":\n\n");
			}
			any = true;
			put_option(&b, o);
		}
	}
	bytes_append(&b, "", 1);
	return (char *)b.p;
}
