/*
 * Node ids, their words, and pins.
 */
#include "config.h"

#include "test_tls.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "tls/node_words_priv.h"
#include "tls/pins.h"

static void ids_as_text(void **state)
{
	struct node_id id, back;
	char text[NODE_ID_TEXT_SIZE], upper[NODE_ID_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 200; i++) {
		random_bytes(id.key, sizeof id.key);
		node_id_write(text, &id);
		assert_int_equal(strlen(text), NODE_ID_TEXT_SIZE - 1);
		assert_int_equal(strncmp(text, "clid1", 5), 0);
		assert_true(node_id_read(&back, text, NULL));
		assert_true(node_id_eq(&id, &back));
		for (size_t j = 0; j < sizeof text; j++)
			upper[j] = text[j] >= 'a' && text[j] <= 'z'
				? (char)(text[j] - 32) : text[j];
		assert_true(node_id_read(&back, upper, NULL));
		assert_true(node_id_eq(&id, &back));
	}
}

static void every_mistyped_character_is_noticed(void **state)
{
	static const char symbols[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	struct node_id id = { { 1, 2, 3 } }, back;
	char text[NODE_ID_TEXT_SIZE];
	struct why why;

	(void)state;
	node_id_write(text, &id);
	for (size_t i = 5; i < sizeof text - 1; i++) {
		char was = text[i];

		for (size_t j = 0; j < sizeof symbols - 1; j++) {
			text[i] = symbols[j];
			assert_int_equal(node_id_read(&back, text, &why),
					 symbols[j] == was);
		}
		text[i] = was;
	}
}

static void what_is_no_id(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "Missing separator" },
		{ "clid1", "Invalid separator" },
		{ "hello", "Missing separator" },
		/* An address; the kinds of checksum; lengths. */
		{ "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqk"
		  "edrcr", "begin with clid1" },
		{ "clid1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs"
		  "qqqqqq", "not a node id" },
	};
	struct node_id id;
	struct why why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_false(node_id_read(&id, cases[i].text, &why));
		if (!strstr(why.text, cases[i].words))
			fail_msg("'%s': %s", cases[i].text, why.text);
	}
}

static void words_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < NODE_WORD_COUNT; i++) {
		size_t n = strlen(node_words[i]);

		assert_in_range(n, 3, NODE_WORD_MAX);
		assert_int_equal(strspn(node_words[i],
					"abcdefghijklmnopqrstuvwxyz"), n);
		if (i == 0)
			continue;
		assert_true(strcmp(node_words[i - 1], node_words[i]) < 0);
		/* Sorted: whoever shares four letters stands beside. */
		assert_true(strncmp(node_words[i - 1], node_words[i], 4) < 0);
	}
}

static void words_of_ids(void **state)
{
	struct node_id id = { { 0 } };
	char a[NODE_ID_WORDS_SIZE], b[NODE_ID_WORDS_SIZE];
	unsigned differ = 0, spaces = 0;

	(void)state;
	node_id_words(a, &id);
	for (const char *p = a; *p; p++)
		spaces += *p == ' ';
	assert_int_equal(spaces, NODE_ID_WORDS - 1);
	node_id_words(b, &id);
	assert_string_equal(a, b);
	/* Each bit of the id counts, wherever it is. */
	for (int bit = 0; bit < 256; bit++) {
		id.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		node_id_words(b, &id);
		differ += strcmp(a, b) != 0;
		id.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(differ, 256);
}

/* They are written down and spoken: they may not change. */
static void words_stay_as_they_are(void **state)
{
	struct node_id id = { { 0 } };
	char text[NODE_ID_TEXT_SIZE], words[NODE_ID_WORDS_SIZE];

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		id.key[i] = (uint8_t)i;
	node_id_write(text, &id);
	node_id_words(words, &id);
	assert_string_equal(text, "clid1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccryd"
			    "pk8qarc0s37tx2w");
	assert_string_equal(words, "python anthem novel river person ribbon guard "
			    "goblin");
}

static void pins_come_and_go(void **state)
{
	struct pins *p = pins_new();
	struct node_id id = { { 0 } };
	char name[64];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		id.key[0] = (uint8_t)i;
		id.key[31] = (uint8_t)(i * 7);
		snprintf(name, sizeof name, "peer %u", i);
		pins_set(p, &id, i % 3 ? PIN_TRUSTED : PIN_REVOKED, name);
	}
	assert_int_equal(pins_count(p, PIN_TRUSTED), 66);
	assert_int_equal(pins_count(p, PIN_REVOKED), 34);
	id.key[0] = 5;
	id.key[31] = 35;
	assert_int_equal(pins_get(p, &id)->state, PIN_TRUSTED);
	assert_string_equal(pins_get(p, &id)->name, "peer 5");
	pins_set(p, &id, PIN_REVOKED, "five");
	assert_int_equal(pins_get(p, &id)->state, PIN_REVOKED);
	pins_set(p, &id, PIN_UNKNOWN, "five");
	assert_int_equal(pins_get(p, &id)->state, PIN_UNKNOWN);
	pins_set(p, &id, PIN_UNKNOWN, NULL);
	assert_int_equal(pins_count(p, PIN_TRUSTED), 65);
	/* One bit away from a trusted one. */
	id.key[0] = 7;
	id.key[31] = 49 ^ 1;
	assert_int_equal(pins_get(p, &id)->state, PIN_UNKNOWN);
	pins_free(p);
}

int test_tls_id(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_as_text),
		cmocka_unit_test(every_mistyped_character_is_noticed),
		cmocka_unit_test(what_is_no_id),
		cmocka_unit_test(words_are_told_apart),
		cmocka_unit_test(words_of_ids),
		cmocka_unit_test(words_stay_as_they_are),
		cmocka_unit_test(pins_come_and_go),
	};

	return cmocka_run_group_tests_name("tls: ids", tests, NULL, NULL);
}
