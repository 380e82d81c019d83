/*
 * May these inputs spend their outputs?  With libcloisterconsensus alone:
 *
 *   verify_spend TX INPUT VALUE SCRIPT [VALUE SCRIPT]...
 *
 * in hex and satoshi; INPUT from 0, or "all"; all that is spent, in order.
 */
#include <cloisterconsensus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Turn digits into bytes where they stand; returns how many. */
static size_t from_hex(char *hex)
{
	size_t n = strlen(hex), i;
	char digits[3] = "", *end = digits;

	for (i = 0; i < n / 2; i++) {
		memcpy(digits, hex + 2 * i, 2);
		hex[i] = (char)strtoul(digits, &end, 16);
		if (*end)
			break;
	}
	if (2 * i != n) {
		fprintf(stderr, "bad hex at digit %zu\n", 2 * i);
		exit(2);
	}
	return i;
}

int main(int argc, char **argv)
{
	struct cloister_output spent[100];
	struct cloister_spend spend = { .spent = spent };
	struct cloister_finding finding;
	enum cloister_status status;
	uint32_t input = CLOISTER_ALL_INPUTS;

	if (argc < 5 || argc % 2 == 0 || argc > 203) {
		fprintf(stderr, "usage: %s TX INPUT VALUE SCRIPT...\n", argv[0]);
		return 2;
	}
	spend.tx_n = from_hex(argv[1]);
	spend.tx = (uint8_t *)argv[1];
	if (strcmp(argv[2], "all"))
		input = (uint32_t)strtoul(argv[2], NULL, 10);
	for (int i = 3; i < argc; i += 2) {
		struct cloister_output *out = &spent[spend.spent_n++];

		out->value_sat = strtoll(argv[i], NULL, 10);
		out->script_n = from_hex(argv[i + 1]);
		out->script = (uint8_t *)argv[i + 1];
	}
	status = cloister_verify_spend(&finding, &spend, input, CLOISTER_VERIFY_ALL);
	printf("%s\n", cloister_status_text(status));
	if (finding.text[0])
		printf("input %d: %s\n", finding.input, finding.text);
	return status != CLOISTER_OK;
}
