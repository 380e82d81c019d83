/*
 * MuHash.  The expected hashes were computed with big integers apart from
 * this code; element i is i bytes of value i.
 */
#include "config.h"

#include "test_crypto.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/muhash.h"

static void change(struct muhash *m, int i,
		   void (*how)(struct muhash *, struct span))
{
	uint8_t e[64];

	memset(e, i, sizeof(e));
	how(m, span_of(e, (size_t)i));
}

static void assert_final(const struct muhash *m, const char *hex)
{
	uint8_t out[32];

	muhash_final(m, out);
	assert_hex(out, 32, hex);
}

static const char empty[] =
	"c85525462fdcf30a2c18d6f4b9292300"
	"0974355c2477f59594d2c205a1d25add";
static const char twenty[] =
	"01199d61d9edfda496c74c95d16acae2"
	"09ebe920a2fd48fb9e0a54f060986eca";
static const char less_five[] =
	"f79d74e049b5a30d3465731fac6c5032"
	"9607427655613d674f3a8da7a74e6831";

static void known_sets(void **state)
{
	struct muhash m;
	int i;

	(void)state;
	muhash_init(&m);
	assert_final(&m, empty);
	for (i = 0; i < 20; i++)
		change(&m, i, muhash_insert);
	assert_final(&m, twenty);
	for (i = 7; i < 12; i++)
		change(&m, i, muhash_remove);
	assert_final(&m, less_five);
}

/* Of the reference node's own tests: {0, 1} less {2}, 32 bytes each. */
static void set_of_the_reference_node(void **state)
{
	uint8_t e[32] = { 0 };
	struct muhash m;

	(void)state;
	muhash_init(&m);
	muhash_insert(&m, span_of(e, 32));
	e[0] = 1;
	muhash_insert(&m, span_of(e, 32));
	e[0] = 2;
	muhash_remove(&m, span_of(e, 32));
	assert_final(&m, "63587d602a00105f62d2683610fffc82"
			 "340de446664a02da2ad3cb00b112d310");
}

static void order_does_not_matter(void **state)
{
	struct muhash a, b;
	int i;

	(void)state;
	muhash_init(&a);
	muhash_init(&b);
	/* Removed before it was inserted. */
	for (i = 7; i < 12; i++)
		change(&a, i, muhash_remove);
	for (i = 19; i >= 10; i--)
		change(&a, i, muhash_insert);
	for (i = 0; i < 10; i++)
		change(&b, i, muhash_insert);
	muhash_combine(&a, &b);
	assert_final(&a, less_five);
	for (i = 7; i < 12; i++)
		change(&a, i, muhash_insert);
	assert_final(&a, twenty);
	for (i = 0; i < 20; i++)
		change(&a, i, muhash_remove);
	assert_final(&a, empty);
}

/* Numbers at and past the modulus, which elements reach only by chance. */
static void reduces_at_the_modulus(void **state)
{
	struct muhash m, one;
	int i;

	(void)state;
	muhash_init(&one);
	muhash_init(&m);
	for (i = 0; i < 48; i++)
		m.num[i] = UINT64_MAX;       /* 2^3072 - 1 */
	m.num[0] = 0 - UINT64_C(1103717) + 1;   /* p + 1 */
	assert_final(&m, empty);
	muhash_combine(&m, &one);
	assert_final(&m, empty);

	/* p - 1 is its own inverse. */
	m.num[0] = 0 - UINT64_C(1103717) - 1;
	muhash_combine(&m, &m);
	assert_final(&m, empty);
	m.num[0] = 0 - UINT64_C(1103717) - 1;
	for (i = 1; i < 48; i++)
		m.num[i] = UINT64_MAX;
	m.den[0] = m.num[0];
	for (i = 1; i < 48; i++)
		m.den[i] = UINT64_MAX;
	assert_final(&m, empty);
}

static void many_at_once(void **state)
{
	struct muhash m[5];
	uint8_t all[5][32], one[32];
	uint8_t byte;

	(void)state;
	muhash_init(&m[0]);
	for (byte = 1; byte < 5; byte++) {
		m[byte] = m[byte - 1];
		muhash_insert(&m[byte], span_of(&byte, 1));
		if (byte > 2)
			muhash_remove(&m[byte], span_of("x", 1));
	}
	muhash_final_many(all, m, 5);
	for (byte = 0; byte < 5; byte++) {
		muhash_final(&m[byte], one);
		assert_memory_equal(all[byte], one, 32);
	}
	muhash_final_many(all, m, 0);
}

int test_crypto_muhash(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sets),
		cmocka_unit_test(set_of_the_reference_node),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(reduces_at_the_modulus),
		cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests_name("muhash", tests, NULL, NULL);
}
