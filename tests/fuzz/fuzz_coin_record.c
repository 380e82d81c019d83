/*
 * Any bytes as a key and a value of the coins database; and whatever decodes
 * through an entry of the table in memory.
 */
#include "config.h"

#include "base/reader.h"
#include "chainstate/coin_entry_priv.h"
#include "chainstate/coin_record_priv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void same(const struct coin *x, const struct coin *y)
{
	CHECK(x->value_sat == y->value_sat);
	CHECK(x->height == y->height && x->coinbase == y->coinbase);
	CHECK(span_eq(x->script, y->script));
}

static void through_entry(const struct coin *c)
{
	uint8_t buf[SCRIPT_TEMPLATE_MAX];
	struct coin_entry *e = xmalloc(SLAB_MAX);
	enum coin_kind k = coin_kind_of(c->script);
	struct coin again;

	CHECK(coin_kind_bytes(k, c->script.n) <= SLAB_MAX);
	coin_entry_write(e, c, k, META_DIRTY);
	coin_entry_read(e, &again, buf);
	same(c, &again);
	coin_entry_drop(e);
	free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t buf[SCRIPT_FORM_MAX], buf2[SCRIPT_FORM_MAX];
	uint8_t key[COIN_KEY_MAX];
	struct reader r = reader_of(span_of(data, n));
	struct coin coin, again;
	struct outpoint o;
	struct bytes b = { 0 };

	if (coin_key_decode(&o, span_of(data, n))) {
		CHECK(coin_key_encode(key, &o) == n);
		CHECK(memcmp(key, data, n) == 0);
	}
	if (!coin_value_read(&coin, buf, &r))
		return 0;
	coin_value_write(&b, &coin);
	r = reader_of(bytes_span(&b));
	CHECK(coin_value_read(&again, buf2, &r));
	CHECK(reader_left(&r) == 0);
	same(&coin, &again);
	through_entry(&coin);
	bytes_clear(&b);
	return 0;
}
