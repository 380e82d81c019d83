/*
 * Any text as an address, a key, a descriptor; any bytes as a script in
 * words.  What is accepted is written back as text that means the same.
 */
#include "config.h"

#include <stdlib.h>

#include "address/address.h"
#include "address/descriptor.h"
#include "address/descriptor_text.h"
#include "address/script_text.h"
#include "address/script_type.h"
#include "crypto/bech32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_address(const struct chain_params *p, const char *text)
{
	struct bytes script = { 0 }, again = { 0 };
	char back[ADDRESS_MAX_CHARS];

	if (address_to_script(&script, p, text, NULL)) {
		CHECK(address_of_script(back, p, bytes_span(&script)));
		CHECK(address_to_script(&again, p, back, NULL));
		CHECK(span_eq(bytes_span(&script), bytes_span(&again)));
	}
	bytes_clear(&script);
	bytes_clear(&again);
}

static void check_key(const struct chain_params *p, const char *text)
{
	struct wif_key key, again;
	char back[WIF_MAX_CHARS];

	if (!wif_decode(&key, p, text))
		return;
	wif_encode(back, p, &key);
	CHECK(wif_decode(&again, p, back));
	CHECK(memcmp(again.secret, key.secret, sizeof key.secret) == 0);
}

static void check_texts(const struct chain_params *p, const char *text)
{
	struct bytes script = { 0 };
	struct bech32 b;
	size_t places, *at;

	check_address(p, text);
	check_key(p, text);
	at = bech32_error_places(&places, text);
	if (bech32_decode(&b, text, NULL))
		CHECK(places == 0);
	for (size_t i = 0; i < places; i++)
		CHECK(at[i] < strlen(text));
	free(at);
	if (descriptor_to_script(&script, p, text, NULL))
		CHECK(strchr(text, '('));
	bytes_clear(&script);
}

static void check_script(const struct chain_params *p, struct span script)
{
	struct script_solution s;
	char *words = script_text_new(script, true);
	char *desc = descriptor_of_script(p, script);
	struct bytes back = { 0 };

	script_solve(&s, script);
	CHECK(s.count <= ARRAY_SIZE(s.parts));
	CHECK(script_type_name(s.type)[0]);
	if (strncmp(desc, "raw(", 4) == 0 || strncmp(desc, "addr", 4) == 0) {
		CHECK(descriptor_to_script(&back, p, desc, NULL));
		CHECK(span_eq(bytes_span(&back), script));
	}
	bytes_clear(&back);
	free(words);
	free(desc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct chain_params p;
	struct bytes text = { 0 };

	if (n == 0)
		return 0;
	p = chain_params_get((enum chain_id)(data[0] % 5));
	check_script(&p, span_of(data + 1, n - 1));
	bytes_append(&text, data + 1, n - 1);
	bytes_append(&text, "", 1);
	check_texts(&p, (const char *)text.p);
	bytes_clear(&text);
	return 0;
}
