/*
 * May this input spend its output?  With libcloisterconsensus alone:
 *
 *   verify_spend TX INPUT VALUE SCRIPT [VALUE SCRIPT]...
 *
 * TX and SCRIPT in hex; INPUT from 0, or "all"; the values in satoshi and
 * scripts of the outputs that each input spends, in order.
 */
#include <cloisterconsensus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *from_hex(const char *hex, size_t *n)
{
	uint8_t *out = malloc(strlen(hex) / 2 + 1);
	int used;

	for (*n = 0; out && *hex; hex += 2, ++*n) {
		if (sscanf(hex, "%2hhx%n", &out[*n], &used) != 1 || used != 2) {
			fprintf(stderr, "bad hex at %.10s\n", hex);
			exit(2);
		}
	}
	return out;
}

int main(int argc, char **argv)
{
	struct cloister_output spent[100];
	struct cloister_spend spend = { .spent = spent };
	struct cloister_finding finding;
	enum cloister_status status;
	struct cloister_tx tx;
	uint32_t input = CLOISTER_ALL_INPUTS;
	char txid[65];

	if (argc < 5 || argc % 2 == 0 || argc > 203) {
		fprintf(stderr, "usage: %s TX INPUT VALUE SCRIPT...\n", argv[0]);
		return 2;
	}
	spend.tx = from_hex(argv[1], &spend.tx_n);
	if (strcmp(argv[2], "all"))
		input = (uint32_t)strtoul(argv[2], NULL, 10);
	for (; spend.spent_n < (size_t)(argc - 3) / 2; spend.spent_n++) {
		struct cloister_output *out = &spent[spend.spent_n];

		out->value_sat = strtoll(argv[3 + 2 * spend.spent_n], NULL, 10);
		out->script = from_hex(argv[4 + 2 * spend.spent_n], &out->script_n);
	}
	status = cloister_verify_spend(&finding, &spend, input, CLOISTER_VERIFY_ALL);
	if (cloister_decode_tx(&tx, spend.tx, spend.tx_n) == CLOISTER_OK) {
		cloister_hash_hex(txid, tx.txid);
		printf("%s ", txid);
	}
	printf("%s%s%s\n", cloister_status_text(status), *finding.text ? ": " : "", finding.text);
	return status != CLOISTER_OK;
}
