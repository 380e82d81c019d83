/*
 * Descriptors: text sealed with its checksum reads as without, one wrong
 * character is noticed, and what a script shows reads back.  First byte: the
 * chain, and how the rest is dressed.
 */
#include "config.h"

#include <stdlib.h>

#include "address/descriptor_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_seal(const struct chain_params *p, const char *text,
		       unsigned where)
{
	char sum[DESCRIPTOR_CHECKSUM_CHARS + 1];
	struct bytes plain = { 0 }, sealed = { 0 };
	size_t n = strlen(text), at;
	bool ok = descriptor_to_script(&plain, p, text, NULL);
	char *s;

	if (strchr(text, '#') || !descriptor_checksum(sum, text, n)) {
		CHECK(!ok || strchr(text, '#'));
		goto out;
	}
	s = descriptor_seal(text);
	CHECK(strlen(s) == n + 1 + DESCRIPTOR_CHECKSUM_CHARS);
	CHECK(descriptor_to_script(&sealed, p, s, NULL) == ok);
	CHECK(!ok || span_eq(bytes_span(&plain), bytes_span(&sealed)));
	/* Any one character: a different one of the same alphabet. */
	at = where % strlen(s);
	s[at] = s[at] == 'q' ? 'p' : 'q';
	sealed.n = 0;
	CHECK(!descriptor_to_script(&sealed, p, s, NULL) && sealed.n == 0);
	free(s);
out:
	bytes_clear(&plain);
	bytes_clear(&sealed);
}

static void check_why(const struct chain_params *p, const char *text)
{
	struct bytes out = { 0 };
	struct why why = { 0 };

	if (!descriptor_to_script(&out, p, text, &why))
		CHECK(why.err == ERR_INPUT && why.text[0]);
	bytes_clear(&out);
}

static void check_script(const struct chain_params *p, struct span script)
{
	char *text = descriptor_of_script(p, script);
	struct bytes back = { 0 };
	bool readable = strncmp(text, "raw(", 4) == 0 ||
			strncmp(text, "addr(", 5) == 0;

	CHECK(descriptor_to_script(&back, p, text, NULL) == readable);
	CHECK(!readable || span_eq(bytes_span(&back), script));
	free(text);
	bytes_clear(&back);
}

static char *dress(unsigned how, struct span in)
{
	char *hex, *text;

	switch (how % 4) {
	case 0:
		return xasprintf("%.*s", (int)in.n, (const char *)in.p);
	case 1:
		return xasprintf("addr(%.*s)", (int)in.n, (const char *)in.p);
	case 2:
		return xasprintf("raw(%.*s)", (int)in.n, (const char *)in.p);
	default:
		hex = hex_new(in);
		text = xasprintf("raw(%s)", hex);
		free(hex);
		return text;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct chain_params p;
	char *text;

	if (n < 2)
		return 0;
	p = chain_params_get((enum chain_id)(data[0] % 5));
	text = dress(data[0] / 5, span_of(data + 2, n - 2));
	check_seal(&p, text, data[1]);
	check_why(&p, text);
	check_script(&p, span_of(data + 2, n - 2));
	free(text);
	return 0;
}
