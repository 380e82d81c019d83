/*
 * Any bytes as a block: what decodes is written back as the same bytes, and
 * its rules can be checked, whatever it is.
 */
#include "config.h"

#include "consensus/block_check.h"
#include "consensus/block_filter.h"
#include "consensus/witness_commitment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_round_trip(const struct block *b)
{
	struct bytes out = { 0 };
	size_t stripped = BLOCK_HEADER_BYTES + compact_size(b->tx_count);

	block_header_write(&out, &b->header);
	write_compact(&out, b->tx_count);
	for (uint32_t i = 0; i < b->tx_count; i++) {
		tx_write(&out, &b->tx[i], true);
		stripped += tx_size(&b->tx[i], false);
	}
	CHECK(span_eq(bytes_span(&out), b->raw));
	CHECK(stripped == b->stripped_bytes);
	bytes_clear(&out);
}

static void check_rules(const struct block *b, enum chain_id id)
{
	struct chain_params p = chain_params_get(id);
	struct finding f;

	block_check(&f, &p, b);
	if (f.verdict == VERDICT_OK)
		block_check_context(&f, &p, b, 300, 1500000000);
	block_is_mutated(b, true);
	witness_commitment_check(b, true);
	if (id == CHAIN_SIGNET)
		signet_solution_ok(&p, b);
}

static void check_filter(const struct block *b)
{
	struct bytes filter = { 0 };
	bool match;

	block_filter_write(&filter, b, NULL, 0);
	CHECK(block_filter_match(&match, bytes_span(&filter), &b->hash, NULL,
				 0));
	bytes_clear(&filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes raw = { 0 };
	struct block *b;

	if (n == 0)
		return 0;
	bytes_append(&raw, data, n);
	b = block_decode(&raw);
	CHECK(raw.p == NULL);
	if (b) {
		check_round_trip(b);
		check_rules(b, data[0] & 1 ? CHAIN_SIGNET : CHAIN_REGTEST);
		check_filter(b);
		block_unref(b);
	}
	return 0;
}
