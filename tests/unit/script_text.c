/*
 * Scripts in words: numbers, 0x… for raw bytes, '…' for pushed text, and
 * opcodes with or without OP_.
 */
#include "config.h"

#include "tests/unit/script_text.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "consensus/script_flags.h"

static bool parse_number(int64_t *out, const char *word)
{
	const char *p = word + (*word == '-');
	char *end;

	if (*p < '0' || *p > '9')
		return false;
	*out = strtoll(word, &end, 10);
	return *end == 0 && *out >= -0xffffffffll && *out <= 0xffffffffll;
}

static bool parse_opcode(unsigned *out, const char *word)
{
	unsigned op;

	for (op = OP_NOP; op <= OP_CHECKSIGADD; op++) {
		const char *name = opcode_name(op);

		if (strcmp(name, word) == 0 || strcmp(name + 3, word) == 0) {
			*out = op;
			return true;
		}
	}
	*out = OP_RESERVED;
	return strcmp(word, "RESERVED") == 0 ||
	       strcmp(word, "OP_RESERVED") == 0;
}

static bool parse_word(struct bytes *out, const char *word)
{
	size_t n = strlen(word);
	unsigned op;
	int64_t v;

	if (parse_number(&v, word)) {
		script_push_number(out, v);
		return true;
	}
	if (n > 2 && word[0] == '0' && word[1] == 'x')
		return hex_append(out, word + 2);
	if (n >= 2 && word[0] == '\'' && word[n - 1] == '\'') {
		script_push_data(out, span_of(word + 1, n - 2));
		return true;
	}
	if (!parse_opcode(&op, word))
		return false;
	script_push_op(out, op);
	return true;
}

/* Call fn for each part between separators, leaving out empty ones. */
static bool each_part(const char *text, const char *separators,
		      bool (*fn)(const char *part, void *arg), void *arg)
{
	char *copy = xstrdup(text), *save = NULL, *part;
	bool ok = true;

	for (part = strtok_r(copy, separators, &save); part && ok;
	     part = strtok_r(NULL, separators, &save))
		ok = fn(part, arg);
	free(copy);
	return ok;
}

static bool add_word(const char *word, void *arg)
{
	return parse_word(arg, word);
}

bool script_parse(struct bytes *out, const char *text)
{
	return each_part(text, " \t\n", add_word, out);
}

static const struct {
	const char *name;
	uint32_t flag;
} flag_names[] = {
	{ "NONE", SCRIPT_VERIFY_NONE },
	{ "P2SH", SCRIPT_VERIFY_P2SH },
	{ "STRICTENC", SCRIPT_VERIFY_STRICTENC },
	{ "DERSIG", SCRIPT_VERIFY_DERSIG },
	{ "LOW_S", SCRIPT_VERIFY_LOW_S },
	{ "NULLDUMMY", SCRIPT_VERIFY_NULLDUMMY },
	{ "SIGPUSHONLY", SCRIPT_VERIFY_SIGPUSHONLY },
	{ "MINIMALDATA", SCRIPT_VERIFY_MINIMALDATA },
	{ "DISCOURAGE_UPGRADABLE_NOPS",
	  SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS },
	{ "CLEANSTACK", SCRIPT_VERIFY_CLEANSTACK },
	{ "CHECKLOCKTIMEVERIFY", SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY },
	{ "CHECKSEQUENCEVERIFY", SCRIPT_VERIFY_CHECKSEQUENCEVERIFY },
	{ "WITNESS", SCRIPT_VERIFY_WITNESS },
	{ "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
	  SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM },
	{ "MINIMALIF", SCRIPT_VERIFY_MINIMALIF },
	{ "NULLFAIL", SCRIPT_VERIFY_NULLFAIL },
	{ "WITNESS_PUBKEYTYPE", SCRIPT_VERIFY_WITNESS_PUBKEYTYPE },
	{ "CONST_SCRIPTCODE", SCRIPT_VERIFY_CONST_SCRIPTCODE },
	{ "TAPROOT", SCRIPT_VERIFY_TAPROOT },
	{ "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
	  SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION },
	{ "DISCOURAGE_OP_SUCCESS", SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS },
	{ "DISCOURAGE_UPGRADABLE_PUBKEYTYPE",
	  SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE },
};

static bool add_flag(const char *word, void *arg)
{
	uint32_t *flags = arg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (strcmp(flag_names[i].name, word) != 0)
			continue;
		*flags |= flag_names[i].flag;
		return true;
	}
	return false;
}

bool script_flags_parse(uint32_t *out, const char *text)
{
	*out = 0;
	return each_part(text, ",", add_flag, out);
}

uint32_t script_flags_trim(uint32_t flags)
{
	if (!(flags & SCRIPT_VERIFY_P2SH))
		flags &= ~(uint32_t)SCRIPT_VERIFY_WITNESS;
	if (!(flags & SCRIPT_VERIFY_WITNESS))
		flags &= ~(uint32_t)SCRIPT_VERIFY_CLEANSTACK;
	return flags;
}

uint32_t script_flags_fill(uint32_t flags)
{
	if (flags & SCRIPT_VERIFY_CLEANSTACK)
		flags |= SCRIPT_VERIFY_WITNESS;
	if (flags & SCRIPT_VERIFY_WITNESS)
		flags |= SCRIPT_VERIFY_P2SH;
	return flags;
}
