/*
 * Any bytes as undo data: what decodes, encodes to the same meaning.
 */
#include "config.h"

#include "base/reader.h"
#include "chainstate/undo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void same(const struct block_undo *a, const struct block_undo *b)
{
	CHECK(a->count == b->count);
	for (uint32_t i = 0; i < a->count; i++) {
		CHECK(a->txs[i].count == b->txs[i].count);
		for (uint32_t j = 0; j < a->txs[i].count; j++) {
			const struct coin *x = &a->txs[i].coins[j];
			const struct coin *y = &b->txs[i].coins[j];

			CHECK(x->value_sat == y->value_sat);
			CHECK(x->height == y->height);
			CHECK(x->coinbase == y->coinbase);
			CHECK(span_eq(x->script, y->script));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader r = reader_of(span_of(data, n));
	struct block_undo u, again;
	struct arena a = { 0 };
	struct bytes b = { 0 };

	if (block_undo_read(&u, &r, &a)) {
		block_undo_write(&b, &u);
		r = reader_of(bytes_span(&b));
		CHECK(block_undo_read(&again, &r, &a));
		CHECK(reader_left(&r) == 0);
		same(&u, &again);
	}
	bytes_clear(&b);
	arena_clear(&a);
	return 0;
}
