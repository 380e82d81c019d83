/*
 * Any bytes as a config file: never a crash; what is accepted survives being
 * handed over.
 */
#include "config.h"

#include <stdlib.h>

#include "conf/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct settings *s = settings_new(OPTION_NODE);
	struct settings *t = settings_new(OPTION_NODE);
	struct bytes text = { 0 };
	struct bytes out = { 0 };
	struct why why;
	char chain[16];

	bytes_append(&text, data, n);
	bytes_append(&text, "", 1);
	(void)settings_file_chain(chain, (char *)text.p, "fuzz", &why);
	if (!settings_parse_file(s, (char *)text.p, "fuzz", "regtest", &why)) {
		settings_dump(s, &out);
		bytes_append(&out, "", 1);
		CHECK(!settings_load(t, (char *)out.p, &why));
	}
	settings_free(s);
	settings_free(t);
	bytes_clear(&text);
	bytes_clear(&out);
	return 0;
}
