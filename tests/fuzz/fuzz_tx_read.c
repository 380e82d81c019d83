/*
 * Any bytes as a transaction: what decodes is written back as the same
 * bytes, and the same again from its fields.
 */
#include "config.h"

#include "consensus/block_check.h"
#include "consensus/tx_inputs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_round_trip(const struct tx *tx)
{
	struct bytes out = { 0 };
	struct tx copy = *tx;

	tx_write(&out, tx, true);
	CHECK(span_eq(bytes_span(&out), tx->raw));
	tx_finish(&copy);
	out.n = 0;
	tx_write(&out, &copy, true);
	CHECK(span_eq(bytes_span(&out), tx->raw));
	CHECK(txid_eq(&copy.txid, &tx->txid));
	CHECK(memcmp(copy.wtxid.b, tx->wtxid.b, 32) == 0);
	CHECK(tx_weight(&copy) == tx_weight(tx));
	CHECK(tx->has_witness || memcmp(tx->txid.b, tx->wtxid.b, 32) == 0);
	bytes_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	bool allow_witness = n > 0 && !(data[0] & 0x80);
	struct reader r = reader_of(span_of(data, n));
	struct arena a = { 0 };
	struct tx tx;

	if (tx_read(&tx, &r, &a, allow_witness)) {
		CHECK(tx.raw.p == data && tx.raw.n == n - reader_left(&r));
		check_round_trip(&tx);
		tx_legacy_sigops(&tx);
		tx_is_final(&tx, 1000, 1000000000);
		if (tx_check(&tx) == VERDICT_OK)
			CHECK(tx.in_count && tx.out_count);
	} else {
		CHECK(r.failed);
	}
	arena_clear(&a);
	return 0;
}
