/*
 * The reference node's tx_valid.json and tx_invalid.json: whole transactions
 * under every flag but those listed, or failing with the listed ones.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/block_check.h"
#include "consensus/script_verify.h"
#include "tests/unit/script_text.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

struct tx_case {
	struct arena arena;
	struct bytes raw;
	struct tx tx;
	struct tx_out *spent;
	struct sighash_cache cache;
};

static const char *text_at(struct json_object *j, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(j, i));
}

static void find_spent(struct tx_case *c, uint32_t in, struct json_object *j)
{
	struct outpoint o;
	struct bytes script = { 0 };
	size_t i;

	for (i = 0; i < json_object_array_length(j); i++) {
		struct json_object *p = json_object_array_get_idx(j, i);

		assert_true(hash_from_rpc_hex(o.txid.b, text_at(p, 0)));
		o.n = (uint32_t)json_object_get_int64(
			json_object_array_get_idx(p, 1));
		if (!outpoint_eq(&o, &c->tx.in[in].prevout))
			continue;
		assert_true(script_parse(&script, text_at(p, 2)));
		c->spent[in].script_pubkey =
			arena_copy(&c->arena, bytes_span(&script));
		bytes_clear(&script);
		c->spent[in].value_sat = json_object_get_int64(
			json_object_array_get_idx(p, 3));
		return;
	}
	fail_msg("no output for input %u", (unsigned)in);
}

/* spent: false for cases whose inputs do not matter. */
static void case_read(struct tx_case *c, struct json_object *j, bool spent)
{
	struct reader r;
	uint32_t i;

	*c = (struct tx_case){ .arena = { 0 } };
	assert_true(hex_append(&c->raw, text_at(j, 1)));
	r = reader_of(bytes_span(&c->raw));
	assert_true(tx_read(&c->tx, &r, &c->arena, true));
	assert_int_equal(reader_left(&r), 0);
	if (!spent)
		return;
	c->spent = arena_calloc(&c->arena, c->tx.in_count, sizeof *c->spent);
	for (i = 0; i < c->tx.in_count; i++)
		find_spent(c, i, json_object_array_get_idx(j, 0));
	sighash_cache_init(&c->cache, &c->tx, c->spent);
}

static void case_clear(struct tx_case *c)
{
	arena_clear(&c->arena);
	bytes_clear(&c->raw);
}

static bool verify_all(const struct tx_case *c, uint32_t flags)
{
	enum script_error err;
	uint32_t i;

	for (i = 0; i < c->tx.in_count; i++)
		if (!script_verify(&c->tx, i, c->spent, flags, &c->cache,
				   &err))
			return false;
	return true;
}

/* The same few numbers each time: combinations of flags to drop or add. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static bool run_valid(const struct tx_case *c, uint32_t excluded)
{
	uint32_t all = SCRIPT_ALL_FLAGS & ~excluded, bit, fewer;
	uint32_t seed = excluded;

	assert_int_equal(all, script_flags_fill(all));
	if (tx_check(&c->tx) != VERDICT_OK || !verify_all(c, all))
		return false;
	for (bit = 1; bit < SCRIPT_ALL_FLAGS; bit <<= 1) {
		if (!verify_all(c, script_flags_trim(all & ~bit)) ||
		    !verify_all(c, script_flags_trim(all &
						     next_random(&seed))))
			return false;
		/* No flag is excluded without need. */
		fewer = script_flags_trim(excluded & ~bit);
		if (fewer != excluded &&
		    verify_all(c, SCRIPT_ALL_FLAGS & ~fewer))
			return false;
	}
	return true;
}

static bool run_invalid(const struct tx_case *c, uint32_t flags)
{
	uint32_t bit, fewer, seed = flags;

	assert_int_equal(flags, script_flags_fill(flags));
	if (tx_check(&c->tx) != VERDICT_OK || verify_all(c, flags))
		return false;
	for (bit = 1; bit < SCRIPT_ALL_FLAGS; bit <<= 1) {
		if (verify_all(c, script_flags_fill(flags | bit)) ||
		    verify_all(c, script_flags_fill(
				flags | (next_random(&seed) &
					 SCRIPT_ALL_FLAGS))))
			return false;
		fewer = script_flags_trim(flags & ~bit);
		if (fewer != flags && !verify_all(c, fewer))
			return false;
	}
	return true;
}

static bool run_case(struct json_object *j, bool valid)
{
	const char *words = text_at(j, 2);
	bool bad_tx = strcmp(words, "BADTX") == 0, ok;
	struct tx_case c;
	uint32_t flags;

	case_read(&c, j, !bad_tx);
	if (bad_tx) {
		ok = tx_check(&c.tx) != VERDICT_OK;
	} else {
		assert_true(script_flags_parse(&flags, words));
		ok = valid ? run_valid(&c, flags) : run_invalid(&c, flags);
	}
	if (!ok)
		printf("wrong: %s\n", json_object_to_json_string(j));
	case_clear(&c);
	return ok;
}

static void run_file(const char *name, bool valid, unsigned at_least)
{
	struct json_object *all = vector_json(name);
	unsigned cases = 0, passed = 0;
	size_t i;

	if (!all)
		skip();
	for (i = 0; i < json_object_array_length(all); i++) {
		struct json_object *j = json_object_array_get_idx(all, i);

		if (json_object_array_length(j) < 3)
			continue;       /* a comment */
		cases++;
		passed += run_case(j, valid);
	}
	vector_report(name, cases, passed);
	json_object_put(all);
	assert_int_equal(passed, cases);
	assert_true(cases >= at_least);
}

static void test_tx_valid_json(void **state)
{
	(void)state;
	run_file("core/tx_valid.json", true, 119);
}

static void test_tx_invalid_json(void **state)
{
	(void)state;
	run_file("core/tx_invalid.json", false, 93);
}

int run_tx_vectors_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tx_valid_json),
		cmocka_unit_test(test_tx_invalid_json),
	};

	return cmocka_run_group_tests_name("transaction vectors", tests,
					   NULL, NULL);
}
