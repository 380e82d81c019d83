/*
 * Taproot and tapscript spends in the format of the reference node's
 * script_assets_test.json: each with a witness that must pass and mostly one
 * that must not, under every combination of consensus flags that applies.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/script_verify.h"
#include "tests/unit/script_text.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

#define FILE_NAME "script-assets/script_assets_btcd.json.xz"

static const uint32_t consensus_flags[] = {
	SCRIPT_VERIFY_P2SH,
	SCRIPT_VERIFY_DERSIG,
	SCRIPT_VERIFY_NULLDUMMY,
	SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY,
	SCRIPT_VERIFY_CHECKSEQUENCEVERIFY,
	SCRIPT_VERIFY_WITNESS,
	SCRIPT_VERIFY_TAPROOT,
};

struct asset {
	struct arena arena;
	struct bytes raw;
	struct tx tx;
	struct tx_out *spent;
	uint32_t in;
	uint32_t flags;
	bool final;              /* holds whatever the flags */
};

static struct json_object *member(struct json_object *j, const char *name)
{
	struct json_object *out = NULL;

	json_object_object_get_ex(j, name, &out);
	return out;
}

static struct span hex_span(struct asset *a, struct json_object *j)
{
	struct bytes b = { 0 };
	struct span s;

	assert_true(hex_append(&b, json_object_get_string(j)));
	s = arena_copy(&a->arena, bytes_span(&b));
	bytes_clear(&b);
	return s;
}

static void read_spent(struct asset *a, struct json_object *list)
{
	uint32_t i;

	assert_int_equal(json_object_array_length(list), a->tx.in_count);
	a->spent = arena_calloc(&a->arena, a->tx.in_count, sizeof *a->spent);
	for (i = 0; i < a->tx.in_count; i++) {
		struct reader r = reader_of(hex_span(
			a, json_object_array_get_idx(list, i)));

		a->spent[i].value_sat = (int64_t)read_u64(&r);
		a->spent[i].script_pubkey = read_var_span(&r);
		assert_false(r.failed);
	}
}

static void asset_read(struct asset *a, struct json_object *j)
{
	struct reader r;

	*a = (struct asset){ .arena = { 0 } };
	assert_true(hex_append(&a->raw,
			       json_object_get_string(member(j, "tx"))));
	r = reader_of(bytes_span(&a->raw));
	assert_true(tx_read(&a->tx, &r, &a->arena, true));
	read_spent(a, member(j, "prevouts"));
	a->in = (uint32_t)json_object_get_int(member(j, "index"));
	assert_true(script_flags_parse(&a->flags, json_object_get_string(
					       member(j, "flags"))));
	a->final = json_object_get_boolean(member(j, "final"));
}

static void set_input(struct asset *a, struct json_object *j)
{
	struct json_object *list = member(j, "witness");
	size_t n = json_object_array_length(list), i;
	struct span *w = arena_calloc(&a->arena, n + 1, sizeof *w);
	struct tx_in *in = &a->tx.in[a->in];

	for (i = 0; i < n; i++)
		w[i] = hex_span(a, json_object_array_get_idx(list, i));
	in->witness = w;
	in->witness_count = (uint32_t)n;
	in->script_sig = hex_span(a, member(j, "scriptSig"));
}

/* Does this combination of flags make sense?  0 to 127, one bit each. */
static bool combine(uint32_t *flags, unsigned bits)
{
	size_t i;

	*flags = 0;
	for (i = 0; i < ARRAY_SIZE(consensus_flags); i++)
		if (bits & 1u << i)
			*flags |= consensus_flags[i];
	if ((*flags & SCRIPT_VERIFY_TAPROOT) &&
	    !(*flags & SCRIPT_VERIFY_WITNESS))
		return false;
	return *flags == script_flags_fill(*flags);
}

/* Passing cases hold for fewer flags too, failing ones for more. */
static bool check_input(struct asset *a, struct json_object *j, bool good)
{
	struct sighash_cache cache;
	enum script_error err;
	uint32_t flags;
	unsigned bits;

	set_input(a, j);
	sighash_cache_init(&cache, &a->tx, a->spent);
	for (bits = 0; bits < 1u << ARRAY_SIZE(consensus_flags); bits++) {
		if (!combine(&flags, bits))
			continue;
		if (good ? !a->final && (flags & a->flags) != flags :
			   (flags & a->flags) != a->flags)
			continue;
		if (script_verify(&a->tx, a->in, a->spent, flags, &cache,
				  &err) == good)
			continue;
		printf("flags %x: %s, wanted %s\n", flags,
		       script_error_name(err), good ? "OK" : "failure");
		return false;
	}
	return true;
}

static bool run_asset(struct json_object *j, unsigned *failures)
{
	struct json_object *good = member(j, "success");
	struct json_object *bad = member(j, "failure");
	struct asset a;
	bool ok;

	asset_read(&a, j);
	assert_true(good || bad);
	ok = (!good || check_input(&a, good, true)) &&
	     (!bad || check_input(&a, bad, false));
	*failures += bad != NULL;
	if (!ok)
		printf("wrong: %s\n", json_object_get_string(
			       member(j, "comment")));
	bytes_clear(&a.raw);
	arena_clear(&a.arena);
	return ok;
}

static void test_script_assets(void **state)
{
	struct bytes b = { 0 };
	struct json_object *all;
	unsigned cases = 0, passed = 0, failures = 0;
	size_t i;

	(void)state;
	if (!vector_read_packed(&b, FILE_NAME))
		skip();
	bytes_append(&b, "", 1);
	all = json_tokener_parse((const char *)b.p);
	bytes_clear(&b);
	assert_non_null(all);
	for (i = 0; i < json_object_array_length(all); i++) {
		cases++;
		passed += run_asset(json_object_array_get_idx(all, i),
				    &failures);
	}
	vector_report(FILE_NAME, cases, passed);
	json_object_put(all);
	assert_int_equal(passed, cases);
	assert_true(cases >= 2760);
	assert_true(failures >= 2483);
}

int run_script_assets_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_script_assets),
	};

	return cmocka_run_group_tests_name("script assets", tests, NULL,
					   NULL);
}
