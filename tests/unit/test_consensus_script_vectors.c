/*
 * The reference node's script_tests.json: each case is a pair of scripts,
 * perhaps a witness, flags, and the error that must come of it.
 */
#include "config.h"

#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/script.h"
#include "consensus/script_verify.h"
#include "consensus/taproot.h"
#include "crypto/secp.h"
#include "tests/unit/script_text.h"
#include "tests/unit/test_consensus.h"
#include "tests/unit/vectors.h"

#define FILE_NAME "core/script_tests.json"
#define SCRIPT_MARK "#SCRIPT#"
#define CONTROL_MARK "#CONTROLBLOCK#"
#define OUTPUT_MARK "#TAPROOTOUTPUT#"
#define MAX_WITNESS 64

struct script_case {
	struct arena arena;
	struct span script_sig, script_pubkey;
	struct span witness[MAX_WITNESS];
	uint32_t witness_count;
	int64_t amount_sat;
	uint32_t flags;
	uint8_t output_key[32];  /* of the Taproot output asked for */
};

/* The point nobody knows the key of (BIP341). */
static const char nums_hex[] =
	"50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";

static struct span keep(struct script_case *c, struct bytes *b)
{
	struct span s = arena_copy(&c->arena, bytes_span(b));

	bytes_clear(b);
	return s;
}

/* The control block of a tree of one leaf; the output key goes to c. */
static struct span make_control(struct script_case *c, struct span script)
{
	uint8_t control[33], leaf[32];
	int parity;

	assert_true(hex_decode(control + 1, 32, nums_hex));
	taproot_leaf_hash(leaf, TAPROOT_LEAF_TAPSCRIPT, script);
	taproot_tweak(leaf, control + 1, leaf);
	assert_true(secp_xonly_tweak_add(c->output_key, &parity, control + 1,
					 leaf));
	control[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | parity);
	return arena_copy(&c->arena, span_of(control, sizeof control));
}

static struct span parse_witness(struct script_case *c, const char *text)
{
	struct bytes b = { 0 };

	if (strcmp(text, CONTROL_MARK) == 0) {
		assert_true(c->witness_count > 0);
		return make_control(c, c->witness[c->witness_count - 1]);
	}
	if (strncmp(text, SCRIPT_MARK, strlen(SCRIPT_MARK)) == 0)
		assert_true(script_parse(&b, text + strlen(SCRIPT_MARK)));
	else
		assert_true(hex_append(&b, text));
	return keep(c, &b);
}

static void parse_witnesses(struct script_case *c, struct json_object *j)
{
	size_t n = json_object_array_length(j), i;
	double amount;

	assert_in_range(n, 1, MAX_WITNESS);
	for (i = 0; i + 1 < n; i++) {
		const char *text = json_object_get_string(
			json_object_array_get_idx(j, i));

		c->witness[c->witness_count] = parse_witness(c, text);
		c->witness_count++;
	}
	amount = json_object_get_double(json_object_array_get_idx(j, n - 1));
	c->amount_sat = (int64_t)(amount * 1e8 + 0.5);
}

static struct span parse_script(struct script_case *c, const char *text)
{
	const char *mark = strstr(text, OUTPUT_MARK);
	struct bytes b = { 0 };
	char *head;

	if (!mark) {
		assert_true(script_parse(&b, text));
		return keep(c, &b);
	}
	head = xstrdup(text);
	head[mark - text] = 0;
	assert_true(script_parse(&b, head));
	free(head);
	bytes_append(&b, c->output_key, 32);
	return keep(c, &b);
}

/* A transaction paying script_pubkey, as the vectors' preamble says. */
static void make_credit(struct tx *tx, struct tx_in *in, struct tx_out *out,
			const struct script_case *c)
{
	static const uint8_t zeros[2] = { OP_0, OP_0 };

	*in = (struct tx_in){ .sequence = TX_SEQUENCE_FINAL };
	in->prevout.n = 0xffffffff;
	in->script_sig = span_of(zeros, sizeof zeros);
	*out = (struct tx_out){ c->amount_sat, c->script_pubkey };
	*tx = (struct tx){ .version = 1, .in_count = 1, .out_count = 1,
			   .in = in, .out = out };
	tx_finish(tx);
}

static enum script_error verify(const struct script_case *c, uint32_t flags)
{
	struct tx_in credit_in, in = { .sequence = TX_SEQUENCE_FINAL };
	struct tx_out credit_out, out = { .value_sat = c->amount_sat };
	struct tx credit, tx = { .version = 1, .in_count = 1, .out_count = 1,
				 .in = &in, .out = &out };
	struct sighash_cache cache;
	enum script_error err;
	bool ok;

	make_credit(&credit, &credit_in, &credit_out, c);
	in.prevout.txid = credit.txid;
	in.script_sig = c->script_sig;
	in.witness = c->witness;
	in.witness_count = c->witness_count;
	sighash_cache_init(&cache, &tx, credit.out);
	ok = script_verify(&tx, 0, credit.out, flags, &cache, &err);
	assert_int_equal(ok, err == SCRIPT_OK);
	return err;
}

/* Fewer flags never spoil a good spend, nor more a bad one. */
static bool is_monotonic(const struct script_case *c, bool good)
{
	uint32_t bit, flags;

	for (bit = 1; bit < SCRIPT_ALL_FLAGS; bit <<= 1) {
		flags = good ? script_flags_trim(c->flags & ~bit) :
			       script_flags_fill(c->flags | bit);
		if ((verify(c, flags) == SCRIPT_OK) != good)
			return false;
	}
	return true;
}

static const char *text_at(struct json_object *j, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(j, i));
}

static bool run_case(struct json_object *j)
{
	struct script_case c = { .arena = { 0 } };
	size_t at = 0;
	const char *want, *got;
	enum script_error err;
	bool ok;

	if (json_object_is_type(json_object_array_get_idx(j, 0),
				json_type_array)) {
		parse_witnesses(&c, json_object_array_get_idx(j, 0));
		at = 1;
	}
	c.script_sig = parse_script(&c, text_at(j, at));
	c.script_pubkey = parse_script(&c, text_at(j, at + 1));
	assert_true(script_flags_parse(&c.flags, text_at(j, at + 2)));
	c.flags = script_flags_fill(c.flags);
	want = text_at(j, at + 3);
	err = verify(&c, c.flags);
	got = script_error_name(err);
	ok = strcmp(got, want) == 0 && is_monotonic(&c, err == SCRIPT_OK);
	if (!ok)
		printf("got %s: %s\n", got, json_object_to_json_string(j));
	arena_clear(&c.arena);
	return ok;
}

static void test_script_tests_json(void **state)
{
	struct json_object *all = vector_json(FILE_NAME);
	unsigned cases = 0, passed = 0;
	size_t i;

	(void)state;
	if (!all)
		skip();
	for (i = 0; i < json_object_array_length(all); i++) {
		struct json_object *j = json_object_array_get_idx(all, i);

		if (json_object_array_length(j) < 4)
			continue;       /* a comment */
		cases++;
		passed += run_case(j);
	}
	vector_report(FILE_NAME, cases, passed);
	json_object_put(all);
	assert_int_equal(passed, cases);
	assert_true(cases >= 1200);
}

int run_script_vectors_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_script_tests_json),
	};

	return cmocka_run_group_tests_name("script vectors", tests, NULL,
					   NULL);
}
