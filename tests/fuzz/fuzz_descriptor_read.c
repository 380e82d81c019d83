/*
 * Descriptors: text sealed with its checksum reads as without, one wrong
 * character is noticed, and what a script shows reads back.  First byte: the
 * chain, and how the rest is dressed.
 */
#include "config.h"

#include <stdlib.h>

#include "address/descriptor.h"
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

/* What a script shows reads back as it, but for keys that are no points and
 * for multisigs that no descriptor may have at the top. */
static void check_script(const struct chain_params *p, struct span script)
{
	char *text = descriptor_of_script(p, script);
	struct bytes back = { 0 };
	bool ok = descriptor_to_script(&back, p, text, NULL);

	CHECK(ok || strncmp(text, "multi(", 6) == 0 ||
	      strncmp(text, "pk(", 3) == 0);
	CHECK(!ok || span_eq(bytes_span(&back), script));
	free(text);
	bytes_clear(&back);
}

/* Its own text, with every part of it, means the same. */
static void check_round(const struct chain_params *p, const char *text)
{
	struct descriptors one, two;
	struct descriptor_scripts a, b;
	char *again, *third;

	if (!descriptors_read(&one, p, text, false, NULL))
		return;
	for (size_t i = 0; i < one.n; i++) {
		again = descriptor_text(one.d[i]);
		CHECK(descriptors_read(&two, p, again, true, NULL));
		third = descriptor_text(two.d[0]);
		CHECK(two.n == 1 && strcmp(again, third) == 0);
		if (!descriptor_has_private_keys(one.d[i]) &&
		    descriptor_scripts(&a, one.d[i], 7)) {
			CHECK(descriptor_scripts(&b, two.d[0], 7));
			CHECK(a.n == b.n && span_eq(bytes_span(&a.s[0]),
						    bytes_span(&b.s[0])));
			descriptor_scripts_clear(&a);
			descriptor_scripts_clear(&b);
		}
		free(again);
		free(third);
		descriptors_clear(&two);
	}
	descriptors_clear(&one);
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
	check_round(&p, text);
	check_script(&p, span_of(data + 2, n - 2));
	free(text);
	return 0;
}
