/*
 * libcloisterconsensus as others see it: this program knows its public
 * header and nothing else of ours, and runs the example from docs.
 */
#include "config.h"

#include "consensus/cloisterconsensus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The first payment there was: block 170, ten coins to Hal Finney. */
static const char first_tx[] =
	"0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd"
	"3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624"
	"c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622"
	"082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b1390"
	"5f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21"
	"c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1"
	"dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84cc"
	"f9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";
#define FIRST_TXID \
	"f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
#define FIRST_SCRIPT \
	"410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5c" \
	"b2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac"

/* Block 0. */
static const char genesis[] =
	"01000000000000000000000000000000000000000000000000000000000000000000"
	"00003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
	"29ab5f49ffff001d1dac2b7c01010000000100000000000000000000000000000000"
	"00000000000000000000000000000000ffffffff4d04ffff001d0104455468652054"
	"696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e20627269"
	"6e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff"
	"0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e039"
	"09a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d57"
	"8a4c702b6bf11d5fac00000000";

struct raw {
	uint8_t p[2000];
	size_t n;
};

static void add(struct raw *r, const char *hex)
{
	for (; *hex; hex += 2) {
		unsigned v;

		assert_true(r->n < sizeof r->p);
		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		r->p[r->n++] = (uint8_t)v;
	}
}

static struct raw of_hex(const char *hex)
{
	struct raw r = { .n = 0 };

	add(&r, hex);
	return r;
}

/* The first payment with what it spends. */
struct payment {
	struct raw tx, script;
	struct cloister_output spent;
	struct cloister_spend spend;
};

static void payment_init(struct payment *p)
{
	p->tx = of_hex(first_tx);
	p->script = of_hex(FIRST_SCRIPT);
	p->spent = (struct cloister_output){ 5000000000, p->script.p,
					     p->script.n };
	p->spend = (struct cloister_spend){ p->tx.p, p->tx.n, &p->spent, 1 };
}

static void test_good_spend(void **state)
{
	struct cloister_finding f;
	struct payment p;

	(void)state;
	payment_init(&p);
	memset(&f, 1, sizeof f);
	assert_int_equal(cloister_verify_spend(&f, &p.spend, 0,
					       CLOISTER_VERIFY_ALL),
			 CLOISTER_OK);
	assert_string_equal(f.text, "");
	assert_int_equal(f.tx, -1);
	assert_int_equal(f.input, -1);
	assert_int_equal(cloister_verify_spend(NULL, &p.spend,
					       CLOISTER_ALL_INPUTS,
					       CLOISTER_VERIFY_NONE),
			 CLOISTER_OK);
}

static void test_bad_spend(void **state)
{
	struct cloister_finding f;
	struct payment p;

	(void)state;
	payment_init(&p);
	p.tx.p[p.tx.n - 1] ^= 1;         /* the lock time is signed, too */
	assert_int_equal(cloister_verify_spend(&f, &p.spend, 0,
					       CLOISTER_VERIFY_ALL),
			 CLOISTER_INVALID);
	assert_int_equal(f.input, 0);
	assert_int_equal(f.tx, -1);
	assert_string_equal(f.text, "Script evaluated without error but "
			    "finished with a false/empty top stack element");
	assert_int_equal(cloister_verify_spend(NULL, &p.spend, 0,
					       CLOISTER_VERIFY_ALL),
			 CLOISTER_INVALID);
}

/* Three inputs without signatures: their outputs decide. */
static const char three_inputs[] =
	"0100000003"
	"1100000000000000000000000000000000000000000000000000000000000000"
	"0000000000ffffffff"
	"2200000000000000000000000000000000000000000000000000000000000000"
	"0100000000ffffffff"
	"3300000000000000000000000000000000000000000000000000000000000000"
	"0200000000ffffffff"
	"01010000000000000001" "51" "00000000";

static void test_all_inputs(void **state)
{
	const uint8_t yes = 0x51, no = 0x00;
	struct raw tx = of_hex(three_inputs);
	struct raw tr = of_hex("5120c6047f9441ed7d6d3045406e95c07cd85c778e4b8"
			       "cef3ca7abac09b95c709ee5");
	struct cloister_output o[3] = {
		{ 1, &yes, 1 }, { 2, &yes, 1 }, { 3, &no, 1 },
	};
	struct cloister_spend s = { tx.p, tx.n, o, 3 };
	struct cloister_finding f;

	(void)state;
	assert_int_equal(cloister_verify_spend(&f, &s, CLOISTER_ALL_INPUTS,
					       0), CLOISTER_INVALID);
	assert_int_equal(f.input, 2);
	assert_int_equal(cloister_verify_spend(&f, &s, 1, 0), CLOISTER_OK);
	o[2].script = &yes;
	assert_int_equal(cloister_verify_spend(&f, &s, CLOISTER_ALL_INPUTS,
					       0), CLOISTER_OK);
	/* A Taproot output without witness: anyone's before Taproot. */
	o[0] = (struct cloister_output){ 1, tr.p, tr.n };
	assert_int_equal(cloister_verify_spend(
		&f, &s, CLOISTER_ALL_INPUTS,
		CLOISTER_VERIFY_ALL & ~CLOISTER_VERIFY_TAPROOT), CLOISTER_OK);
	assert_int_equal(cloister_verify_spend(&f, &s, CLOISTER_ALL_INPUTS,
					       CLOISTER_VERIFY_ALL),
			 CLOISTER_INVALID);
	assert_int_equal(f.input, 0);
	/* An empty script may be NULL: it leaves nothing on the stack. */
	o[1] = (struct cloister_output){ 2, NULL, 0 };
	assert_int_equal(cloister_verify_spend(&f, &s, 1, 0),
			 CLOISTER_INVALID);
}

static void test_wrong_questions(void **state)
{
	struct cloister_finding f;
	struct payment p;
	size_t n;

	(void)state;
	payment_init(&p);
#define ASK(input, flags, answer) do { \
		assert_int_equal(cloister_verify_spend(&f, &p.spend, input, \
						       flags), answer); \
		assert_int_equal(f.text[0] == 0, (answer) == CLOISTER_OK); \
	} while (0)
	ASK(1, 0, CLOISTER_ERR_INPUT);
	ASK(0, CLOISTER_VERIFY_WITNESS, CLOISTER_ERR_FLAGS);
	ASK(0, CLOISTER_VERIFY_TAPROOT, CLOISTER_ERR_FLAGS);
	ASK(0, 1u << 1, CLOISTER_ERR_FLAGS);     /* a policy, not a rule */
	ASK(0, 1u << 31, CLOISTER_ERR_FLAGS);
	p.spend.spent_n = 0;
	ASK(0, 0, CLOISTER_ERR_OUTPUTS);
	p.spend.spent_n = 1;
	p.spent.script = NULL;
	ASK(0, 0, CLOISTER_ERR_ARGUMENT);
	p.spent.script = p.script.p;
	p.spent.script_n = CLOISTER_MAX_BYTES + 1;
	ASK(0, 0, CLOISTER_ERR_ARGUMENT);
	p.spent.script_n = p.script.n;
	p.spend.spent = NULL;
	ASK(0, 0, CLOISTER_ERR_ARGUMENT);
	p.spend.spent = &p.spent;
	for (n = 0; n < p.tx.n; n++) {
		p.spend.tx_n = n;
		ASK(0, 0, CLOISTER_MALFORMED);
	}
	p.tx.p[p.tx.n] = 0;
	p.spend.tx_n = p.tx.n + 1;               /* one byte too many */
	ASK(0, 0, CLOISTER_MALFORMED);
	p.spend.tx_n = p.tx.n;
	ASK(0, 0, CLOISTER_OK);
	p.spend.tx = NULL;
	ASK(0, 0, CLOISTER_ERR_ARGUMENT);
#undef ASK
	assert_int_equal(cloister_verify_spend(&f, NULL, 0, 0),
			 CLOISTER_ERR_ARGUMENT);
}

/* No inputs: nothing to ask about. */
static void test_no_inputs(void **state)
{
	struct raw tx = of_hex("01000000" "00" "00" "00000000");
	struct cloister_spend s = { tx.p, tx.n, NULL, 0 };

	(void)state;
	assert_int_equal(cloister_verify_spend(NULL, &s, CLOISTER_ALL_INPUTS,
					       0), CLOISTER_ERR_INPUT);
}

static void test_block(void **state)
{
	struct raw b = of_hex(genesis);
	struct cloister_finding f;
	struct cloister_block info;
	char hex[65];

	(void)state;
	assert_int_equal(cloister_check_block(&f, b.p, b.n, "main"),
			 CLOISTER_OK);
	assert_string_equal(f.text, "");
	assert_int_equal(cloister_check_block(NULL, b.p, b.n, "test"),
			 CLOISTER_OK);
	/* Signet asks for less work, but for a signature too. */
	assert_int_equal(cloister_check_block(&f, b.p, b.n, "signet"),
			 CLOISTER_INVALID);
	assert_string_equal(f.text, "bad-signet-blksig");
	assert_int_equal(cloister_check_block(&f, b.p, b.n, "regtest"),
			 CLOISTER_OK);
	assert_int_equal(cloister_check_block(&f, b.p, b.n, "litecoin"),
			 CLOISTER_ERR_CHAIN);
	assert_int_equal(cloister_check_block(&f, b.p, b.n, NULL),
			 CLOISTER_ERR_CHAIN);
	assert_int_equal(cloister_check_block(&f, NULL, 1, "main"),
			 CLOISTER_ERR_ARGUMENT);
	assert_int_equal(cloister_check_block(&f, b.p, b.n - 1, "main"),
			 CLOISTER_MALFORMED);
	assert_int_equal(cloister_decode_block(&info, b.p, b.n), CLOISTER_OK);
	cloister_hash_hex(hex, info.hash);
	assert_string_equal(hex, "000000000019d6689c085ae165831e934ff763ae46"
			    "a2a6c172b3f1b60a8ce26f");
	assert_int_equal(info.tx_count, 1);
	assert_int_equal(info.input_count, 1);
	assert_int_equal(info.output_count, 1);
	assert_int_equal(info.size_bytes, 285);
	assert_int_equal(info.weight_wu, 4 * 285);
	assert_int_equal(info.nonce, 2083236893);
	assert_int_equal(info.time, 1231006505);
	b.p[100] ^= 1;                           /* in the coinbase */
	assert_int_equal(cloister_check_block(&f, b.p, b.n, "main"),
			 CLOISTER_INVALID);
	assert_string_equal(f.text, "bad-txnmrklroot");
	b.p[76] ^= 1;                            /* the nonce */
	assert_int_equal(cloister_check_block(&f, b.p, b.n, "main"),
			 CLOISTER_INVALID);
	assert_string_equal(f.text, "high-hash");
	assert_int_equal(cloister_decode_block(&info, b.p, b.n - 1),
			 CLOISTER_MALFORMED);
	assert_int_equal(cloister_decode_block(&info, NULL, 1),
			 CLOISTER_ERR_ARGUMENT);
}

static void test_decode(void **state)
{
	struct raw t = of_hex(first_tx);
	struct cloister_tx info;
	char hex[65];

	(void)state;
	assert_int_equal(cloister_decode_tx(&info, t.p, t.n), CLOISTER_OK);
	cloister_hash_hex(hex, info.txid);
	assert_string_equal(hex, FIRST_TXID);
	assert_memory_equal(info.wtxid, info.txid, 32);
	assert_int_equal(info.version, 1);
	assert_int_equal(info.input_count, 1);
	assert_int_equal(info.output_count, 2);
	assert_int_equal(info.size_bytes, t.n);
	assert_int_equal(info.stripped_bytes, t.n);
	assert_int_equal(info.weight_wu, 4 * t.n);
	assert_int_equal(info.has_witness, 0);
	assert_int_equal(info.is_coinbase, 0);
	assert_int_equal(cloister_decode_tx(&info, t.p, t.n - 1),
			 CLOISTER_MALFORMED);
	assert_int_equal(cloister_decode_tx(&info, NULL, 0),
			 CLOISTER_MALFORMED);
	assert_int_equal(cloister_decode_tx(&info, t.p,
					    (size_t)CLOISTER_MAX_BYTES + 1),
			 CLOISTER_ERR_ARGUMENT);
	for (int i = CLOISTER_OK; i <= CLOISTER_ERR_ARGUMENT; i++)
		assert_string_not_equal(
			cloister_status_text((enum cloister_status)i),
			cloister_status_text((enum cloister_status)99));
}

/* Run the example; its output goes to out.  Returns its exit status. */
static int run_example(char *out, size_t out_n, const char *tx,
		       const char *rest)
{
	char command[2000];
	size_t n;
	FILE *f;

	assert_in_range(snprintf(command, sizeof command,
				 "docs/examples/verify_spend %s %s 2>&1", tx,
				 rest), 1, (int)sizeof command - 1);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(out, 1, out_n - 1, f);
	out[n] = 0;
	return pclose(f);
}

static void test_example(void **state)
{
	char out[500], bad[sizeof first_tx];

	(void)state;
	assert_int_equal(run_example(out, sizeof out, first_tx,
				     "0 5000000000 " FIRST_SCRIPT), 0);
	assert_string_equal(out, "ok\n");
	memcpy(bad, first_tx, sizeof bad);
	bad[sizeof bad - 2] = '1';
	assert_int_not_equal(run_example(out, sizeof out, bad,
					 "all 5000000000 " FIRST_SCRIPT), 0);
	assert_non_null(strstr(out, "invalid\ninput 0: Script evaluated"));
	assert_int_not_equal(run_example(out, sizeof out, "xy", "0 1 51"), 0);
	assert_non_null(strstr(out, "bad hex"));
	assert_int_not_equal(run_example(out, sizeof out, "123", "0 1 51"), 0);
	assert_non_null(strstr(out, "bad hex"));
	assert_int_not_equal(run_example(out, sizeof out, "", ""), 0);
	assert_non_null(strstr(out, "usage:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_spend),
		cmocka_unit_test(test_bad_spend),
		cmocka_unit_test(test_all_inputs),
		cmocka_unit_test(test_wrong_questions),
		cmocka_unit_test(test_no_inputs),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}
