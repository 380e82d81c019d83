/*
 * Transactions, scripts and addresses as JSON.
 */
#include "config.h"

#include "test_rpc.h"

#include <stdlib.h>
#include <string.h>

#include "vectors.h"

#define H20 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

static void check(struct rig *r, const char *method, const char *params,
		  const char *want)
{
	struct json_object *o = rig_call(r, method, params);

	assert_json(o, want);
	json_object_put(o);
}

/* The reference node's own expectations. */
static void test_decodescript_vectors(void **state)
{
	struct json_object *cases = vector_json("core/rpc_decodescript.json");
	unsigned passed = 0;
	struct rig r;
	size_t n;

	(void)state;
	if (!cases)
		skip();
	n = json_object_array_length(cases);
	rig_open(&r, true);
	rig_start(&r);
	for (size_t i = 0; i < n; i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		const char *hex = json_object_get_string(
			json_object_array_get_idx(c, 0));
		struct json_object *want = json_object_array_get_idx(c, 1);
		char *params = xasprintf("[\"%s\"]", hex);
		struct json_object *got = rig_call(&r, "decodescript",
						   params);

		if (!json_object_equal(got, want))
			fail_msg("%s: %s", hex,
				 json_object_to_json_string(got));
		passed++;
		json_object_put(got);
		free(params);
	}
	vector_report("rpc_decodescript.json", (unsigned)n, passed);
	json_object_put(cases);
	rig_close(&r);
}

static void test_decodescript(void **state)
{
	struct rig r;
	char text[512];

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check(&r, "decodescript", "[\"76a914" H20 "88ac\"]",
	      "{\"asm\":\"OP_DUP OP_HASH160 eeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
	      "eeeeeeeee OP_EQUALVERIFY OP_CHECKSIG\",\"desc\":\"addr(n3JKM"
	      "66ecCCg1T5ELhDYM2zzaoErNwodVR)#jpce6yd9\",\"address\":\"n3JK"
	      "M66ecCCg1T5ELhDYM2zzaoErNwodVR\",\"type\":\"pubkeyhash\",\"p"
	      "2sh\":\"2N1cLTmbjdPW9auvSmeHoTUc9amuzVGrVGu\",\"segwit\":{\""
	      "asm\":\"0 eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\",\"desc"
	      "\":\"addr(bcrt1qamhwamhwamhwamhwamhwamhwamhwamhwne2caj)#qple"
	      "qt0n\",\"hex\":\"0014eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
	      "e\",\"address\":\"bcrt1qamhwamhwamhwamhwamhwamhwamhwamhwne2c"
	      "aj\",\"type\":\"witness_v0_keyhash\",\"p2sh-segwit\":\"2Mwf1"
	      "sLk7rU18bNQeThEjdyJB8fsAD3Ljh2\"}}");
	assert_int_equal(rig_fail(&r, "decodescript", "[\"0\"]", text), -8);
	assert_string_equal(text, "argument must be hexadecimal string (not "
			    "'0')");
	rig_close(&r);
}

static void test_validateaddress(void **state)
{
	struct rig r;
	struct json_object *o;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check(&r, "validateaddress",
	      "[\"2NF2b3KS8xXb9XHvbRMXdZh8s5g92rUZHtp\"]",
	      "{\"isvalid\":true,\"address\":"
	      "\"2NF2b3KS8xXb9XHvbRMXdZh8s5g92rUZHtp\",\"scriptPubKey\":"
	      "\"a914" H20 "87\",\"isscript\":true,\"iswitness\":false}");
	check(&r, "validateaddress", "[\"bcrt1pamhqk96edn\"]",
	      "{\"isvalid\":true,\"address\":\"bcrt1pamhqk96edn\","
	      "\"scriptPubKey\":\"5102eeee\",\"iswitness\":true,"
	      "\"witness_version\":1,\"witness_program\":\"eeee\"}");
	check(&r, "validateaddress", "[\"bcrt1pamhwamhwamhwamhwamhwamhwamhwamhw"
	      "amhwamhwamhwamhwamhqz6nvlh\"]",
	      "{\"isvalid\":true,\"address\":\"bcrt1pamhwamhwamhwamhwamhwamhwam"
	      "hwamhwamhwamhwamhwamhwamhqz6nvlh\",\"scriptPubKey\":\"5120" H20
	      "eeeeeeeeeeeeeeeeeeeeeeee\",\"isscript\":true,\"iswitness\":true,"
	      "\"witness_version\":1,\"witness_program\":\"" H20
	      "eeeeeeeeeeeeeeeeeeeeeeee\"}");
	o = rig_call(&r, "validateaddress",
		     "[\"1BoatSLRHtKNngkdXEeobR76b53LETtpyT\"]");
	assert_json(field(o, "isvalid"), "false");
	assert_true(strlen(field_str(o, "error")) > 10);
	json_object_put(o);
	rig_close(&r);
}

/* The first payment there was, of block 170. */
#define TX170 \
	"0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce2585" \
	"7fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f77" \
	"32e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831c" \
	"c56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a" \
	"62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab3" \
	"7397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286b" \
	"ee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482eca" \
	"d7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b86" \
	"43f656b412a3ac00000000"

static void test_decoderawtransaction(void **state)
{
	struct rig r;
	struct json_object *o, *in, *out;
	char text[512];

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	o = rig_call(&r, "decoderawtransaction", "[\"" TX170 "\"]");
	assert_string_equal(field_str(o, "txid"), "f4184fc596403b9d638783cf57"
			    "adfe4c75c605f6356fbc91338530e9831e9e16");
	assert_int_equal(field_int(o, "size"), 275);
	assert_int_equal(field_int(o, "vsize"), 275);
	assert_int_equal(field_int(o, "weight"), 1100);
	in = json_object_array_get_idx(field(o, "vin"), 0);
	/* A signature shows its hash type in words. */
	assert_json(field(in, "scriptSig"), "{\"asm\":\"304402204e45e16932b8af"
		    "514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd4102201815"
		    "22ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d"
		    "09[ALL]\",\"hex\":\"47304402204e45e16932b8af514961a1d3a1a2"
		    "5fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de48"
		    "60a4acdd12909d831cc56cbbac4622082221a8768d1d0901\"}");
	assert_int_equal(field_int(in, "sequence"), 0xffffffff);
	out = json_object_array_get_idx(field(o, "vout"), 1);
	assert_json(field(out, "value"), "40.00000000");
	assert_string_equal(field_str(field(out, "scriptPubKey"), "type"),
			    "pubkey");
	assert_int_equal(strncmp(field_str(field(out, "scriptPubKey"),
					   "desc"), "pk(0411db", 9), 0);
	assert_false(json_object_object_get_ex(field(out, "scriptPubKey"),
					       "address", NULL));
	assert_false(json_object_object_get_ex(o, "hex", NULL));
	json_object_put(o);
	assert_int_equal(rig_fail(&r, "decoderawtransaction", "[\"00\"]",
				  text), -22);
	assert_int_equal(rig_fail(&r, "decoderawtransaction",
				  "[\"" TX170 "00\"]", text), -22);
	assert_int_equal(rig_fail(&r, "decoderawtransaction",
				  "[\"" TX170 "\",1]", text), -3);
	json_object_put(rig_call(&r, "decoderawtransaction",
				 "[\"" TX170 "\",false]"));
	rig_close(&r);
}

/* No inputs and one output, in the plain form: reads as BIP144's marker and
 * flag at first glance. */
static void test_ambiguous(void **state)
{
	struct rig r;
	struct json_object *o;
	char text[512];

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	o = rig_call(&r, "decoderawtransaction",
		     "[\"0200000000010000000000000000015100000000\"]");
	assert_json(field(o, "vin"), "[]");
	assert_int_equal(json_object_array_length(field(o, "vout")), 1);
	json_object_put(o);
	assert_int_equal(rig_fail(&r, "decoderawtransaction",
		"[\"0200000000010000000000000000015100000000\",true]",
		text), -22);
	rig_close(&r);
}

int test_rpc_tx(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decodescript_vectors),
		cmocka_unit_test(test_decodescript),
		cmocka_unit_test(test_validateaddress),
		cmocka_unit_test(test_decoderawtransaction),
		cmocka_unit_test(test_ambiguous),
	};

	return cmocka_run_group_tests_name("rpc_tx", tests, NULL, NULL);
}
