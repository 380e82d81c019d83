/*
 * Methods that ask a real regtest chain.
 */
#include "config.h"

#include "test_rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GENESIS \
	"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
#define NO_BLOCK \
	"00000000000000000000000000000000000000000000000000000000000000ff"

static void check(struct rig *r, const char *method, const char *params,
		  const char *want)
{
	struct json_object *o = rig_call(r, method, params);

	assert_json(o, want);
	json_object_put(o);
}

static void check_fail(struct rig *r, const char *method,
		       const char *params, int code, const char *want)
{
	char text[512];

	assert_int_equal(rig_fail(r, method, params, text), code);
	assert_string_equal(text, want);
}

static void test_genesis(void **state)
{
	struct rig r;
	struct json_object *o;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check(&r, "getblockcount", "[]", "0");
	check(&r, "getbestblockhash", "[]", "\"" GENESIS "\"");
	check(&r, "getblockhash", "[0]", "\"" GENESIS "\"");
	check(&r, "getblockhash", "{\"height\":0}", "\"" GENESIS "\"");
	check(&r, "getdifficulty", "[]", "4.656542373906925e-10");
	check(&r, "getchaintips", "[]", "[{\"height\":0,\"hash\":\"" GENESIS
	      "\",\"branchlen\":0,\"status\":\"active\"}]");
	check(&r, "getblockheader", "[\"" GENESIS "\"]",
	      "{\"hash\":\"" GENESIS "\",\"confirmations\":1,\"height\":0,"
	      "\"version\":1,\"versionHex\":\"00000001\",\"merkleroot\":"
	      "\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afde"
	      "da33b\",\"time\":1296688602,\"mediantime\":1296688602,"
	      "\"nonce\":2,\"bits\":\"207fffff\",\"target\":\"7fffff00000000"
	      "00000000000000000000000000000000000000000000000000\","
	      "\"difficulty\":4.656542373906925e-10,\"chainwork\":\"00000000"
	      "00000000000000000000000000000000000000000000000000000002\","
	      "\"nTx\":1}");
	check(&r, "getblockheader", "[\"" GENESIS "\",false]",
	      "\"0100000000000000000000000000000000000000000000000000000000000"
	      "000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9f"
	      "b8aa4b1e5e4adae5494dffff7f2002000000\"");
	o = rig_call(&r, "getblockchaininfo", "[]");
	assert_string_equal(field_str(o, "chain"), "regtest");
	assert_int_equal(field_int(o, "headers"), 0);
	assert_json(field(o, "pruned"), "false");
	assert_json(field(o, "warnings"), "[]");
	json_object_put(o);
	o = rig_call(&r, "getblock", "[\"" GENESIS "\",2]");
	assert_int_equal(field_int(o, "size"), 285);
	assert_int_equal(field_int(o, "weight"), 1140);
	json_object_put(o);
	o = rig_call(&r, "getblock", "[\"" GENESIS "\",0]");
	assert_int_equal(json_object_get_string_len(o), 570);
	json_object_put(o);
	rig_close(&r);
}

static void test_errors(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check_fail(&r, "getblock", "[\"" NO_BLOCK "\"]", -5,
		   "Block not found");
	check_fail(&r, "getblockhash", "[-1]", -8,
		   "Block height out of range");
	check_fail(&r, "getblockhash", "[5000000000]", -1,
		   "JSON integer out of range");
	check_fail(&r, "getblockhash", "[1.5]", -1,
		   "JSON integer out of range");
	check_fail(&r, "getblockhash", "[\"x\"]", -3, "Wrong type passed:\n"
		   "{\n  \"Position 1 (height)\": \"JSON value of type string "
		   "is not of expected type number\"\n}");
	check_fail(&r, "getblock", "[\"" GENESIS "\",\"x\"]", -3,
		   "JSON value of type string is not of expected type "
		   "number");
	check_fail(&r, "getblock", "[\"00\"]", -8, "blockhash must be of "
		   "length 64 (not 2, for '00')");
	check_fail(&r, "getblock", "[\"zz00000000000000000000000000000000000"
		   "000000000000000000000000000\"]", -8, "blockhash must be "
		   "hexadecimal string (not 'zz000000000000000000000000000000"
		   "00000000000000000000000000000000')");
	check_fail(&r, "getblockhash", "{\"hight\":0}", -8,
		   "Unknown named parameter hight");
	check_fail(&r, "getblockhash", "{\"args\":[0],\"height\":0}", -8,
		   "Parameter height specified twice both as positional and "
		   "named argument");
	check_fail(&r, "getblockhash", "[0,1]", -1,
		   "getblockhash height\n\nThe hash of the active chain's "
		   "block at a height.\n\nArguments:\n1. height (number, "
		   "required)    0 is the genesis block\n");
	check(&r, "getblock", "{\"args\":[\"" GENESIS "\"],\"verbose\":false}",
	      "\"010000000000000000000000000000000000000000000000000000000000"
	      "0000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a"
	      "9fb8aa4b1e5e4adae5494dffff7f2002000000010100000001000000000000"
	      "0000000000000000000000000000000000000000000000000000ffffffff4d"
	      "04ffff001d0104455468652054696d65732030332f4a616e2f323030392043"
	      "68616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261"
	      "696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104"
	      "678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61de"
	      "b649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf1"
	      "1d5fac00000000\"");
	rig_close(&r);
}

/* Blocks are made, shown, spent from, left and taken back. */
static void test_making(void **state)
{
	struct rig r;
	struct json_object *hashes, *o, *tx;
	char params[256], hash[65], txid[65];

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	hashes = rig_call(&r, "generatetodescriptor", "[101,\"raw(51)\"]");
	assert_int_equal(json_object_array_length(hashes), 101);
	check(&r, "getblockcount", "[]", "101");
	strcpy(hash, json_object_get_string(
		json_object_array_get_idx(hashes, 0)));
	snprintf(params, sizeof params, "[\"%s\"]", hash);
	o = rig_call(&r, "getblock", params);
	assert_int_equal(field_int(o, "confirmations"), 101);
	assert_string_equal(field_str(o, "previousblockhash"), GENESIS);
	assert_string_equal(field_str(o, "nextblockhash"),
			    json_object_get_string(
				json_object_array_get_idx(hashes, 1)));
	strcpy(txid, json_object_get_string(
		json_object_array_get_idx(field(o, "tx"), 0)));
	json_object_put(o);
	snprintf(params, sizeof params, "[\"%s\",0]", txid);
	o = rig_call(&r, "gettxout", params);
	assert_int_equal(field_int(o, "confirmations"), 101);
	assert_json(field(o, "value"), "50.00000000");
	assert_json(field(o, "coinbase"), "true");
	assert_json(field(o, "scriptPubKey"), "{\"asm\":\"1\",\"desc\":"
		    "\"raw(51)#8lvh9jxk\",\"hex\":\"51\",\"type\":"
		    "\"nonstandard\"}");
	json_object_put(o);
	snprintf(params, sizeof params, "[\"%s\",1,\"%s\"]", txid, hash);
	tx = rig_call(&r, "getrawtransaction", params);
	assert_json(field(tx, "in_active_chain"), "true");
	assert_int_equal(field_int(tx, "confirmations"), 101);
	assert_string_equal(field_str(tx, "blockhash"), hash);
	json_object_put(tx);
	o = rig_call(&r, "gettxoutsetinfo", "[\"muhash\"]");
	assert_int_equal(field_int(o, "txouts"), 101);
	assert_json(field(o, "total_amount"), "5050.00000000");
	assert_int_equal(strlen(field_str(o, "muhash")), 64);
	json_object_put(o);
	check_fail(&r, "gettxoutsetinfo", "[\"sha1\"]", -8,
		   "'sha1' is not a valid hash_type");
	snprintf(params, sizeof params, "[\"%s\"]", json_object_get_string(
		json_object_array_get_idx(hashes, 99)));
	check(&r, "invalidateblock", params, "null");
	check(&r, "getblockcount", "[]", "99");
	o = rig_call(&r, "getchaintips", "[]");
	assert_int_equal(json_object_array_length(o), 2);
	assert_string_equal(field_str(json_object_array_get_idx(o, 0),
				      "status"), "invalid");
	assert_int_equal(field_int(json_object_array_get_idx(o, 0),
				   "branchlen"), 2);
	json_object_put(o);
	check(&r, "reconsiderblock", params, "null");
	check(&r, "getblockcount", "[]", "101");
	json_object_put(hashes);
	rig_close(&r);
}

/* A transaction that spends output 0 of txid into two anyone-can-spends. */
static void spend_hex(char out[static 512], const char *txid)
{
	uint8_t id[32];
	char wire[65];

	assert_true(hash_from_rpc_hex(id, txid));
	hex_encode(wire, id, 32);
	snprintf(out, 512, "0200000001%s0000000000ffffffff02"
		 "00e1f505000000000151" "00f2052401000000015100000000",
		 wire);
}

static void test_spending(void **state)
{
	struct rig r;
	struct json_object *o, *b, *tx;
	char params[2048], txid[65], hex[512], hash[65];

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	json_object_put(rig_call(&r, "generatetodescriptor",
				 "[101,\"raw(51)\"]"));
	o = rig_call(&r, "getblockhash", "[1]");
	snprintf(params, sizeof params, "[\"%s\"]",
		 json_object_get_string(o));
	json_object_put(o);
	b = rig_call(&r, "getblock", params);
	strcpy(txid, json_object_get_string(
		json_object_array_get_idx(field(b, "tx"), 0)));
	json_object_put(b);
	spend_hex(hex, txid);
	snprintf(params, sizeof params, "[\"raw(51)\",[\"%s\"]]", hex);
	o = rig_call(&r, "generateblock", params);
	strcpy(hash, field_str(o, "hash"));
	json_object_put(o);
	snprintf(params, sizeof params, "[\"%s\",3]", hash);
	b = rig_call(&r, "getblock", params);
	tx = json_object_array_get_idx(field(b, "tx"), 1);
	assert_json(field(tx, "fee"), "0.00663296");
	assert_string_equal(field_str(tx, "hex"), hex);
	o = json_object_array_get_idx(field(tx, "vin"), 0);
	assert_json(field(field(o, "prevout"), "value"), "50.00000000");
	assert_json(field(field(o, "prevout"), "generated"), "true");
	assert_int_equal(field_int(field(o, "prevout"), "height"), 1);
	json_object_put(b);
	snprintf(params, sizeof params, "[\"%s\",0]", txid);
	check(&r, "gettxout", params, "null");
	/* Spent already: no block can be made of it again. */
	snprintf(params, sizeof params, "[\"raw(51)\",[\"%s\"]]", hex);
	assert_int_equal(rig_fail(&r, "generateblock", params, params), -25);
	assert_non_null(strstr(params, "TestBlockValidity failed: "
			       "bad-txns-inputs-missingorspent"));
	rig_close(&r);
}

/* A block as miners give it: without the coinbase's witness. */
static char *without_coinbase_witness(const char *hex)
{
	struct bytes raw = { 0 };
	struct block *b;
	char *out;

	assert_true(hex_append(&raw, hex));
	b = block_decode(&raw);
	assert_non_null(b);
	assert_int_equal(b->tx[0].in[0].witness_count, 1);
	block_header_write(&raw, &b->header);
	write_compact(&raw, b->tx_count);
	for (uint32_t i = 0; i < b->tx_count; i++)
		tx_write(&raw, &b->tx[i], i > 0);
	out = hex_new(bytes_span(&raw));
	bytes_clear(&raw);
	block_unref(b);
	return out;
}

/* The witness nonce is put in where it was left out. */
static void test_submitting_without_nonce(void **state)
{
	struct rig r;
	struct json_object *made, *o;
	char *params, *hex;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	made = rig_call(&r, "generateblock", "[\"raw(51)\",[],false]");
	hex = without_coinbase_witness(field_str(made, "hex"));
	params = xasprintf("[\"%s\"]", hex);
	check(&r, "submitblock", params, "null");
	free(params);
	params = xasprintf("[\"%s\",0]", field_str(made, "hash"));
	o = rig_call(&r, "getblock", params);
	assert_string_equal(json_object_get_string(o),
			    field_str(made, "hex"));
	json_object_put(o);
	json_object_put(made);
	free(params);
	free(hex);
	rig_close(&r);
}

/* What one node makes, another takes by submitblock. */
static void test_submitting(void **state)
{
	struct rig r, s;
	struct json_object *o, *made;
	char *params, *p;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	rig_open(&s, true);
	rig_start(&s);
	made = rig_call(&r, "generateblock", "[\"raw(51)\",[],false]");
	check(&r, "getblockcount", "[]", "0");
	params = xasprintf("[\"%s\"]", field_str(made, "hex"));
	check(&s, "submitblock", params, "null");
	check(&s, "getblockcount", "[]", "1");
	check(&s, "submitblock", params, "\"duplicate\"");
	/* The header alone. */
	p = xasprintf("[\"%.160s\"]", field_str(made, "hex"));
	check(&r, "submitheader", p, "null");
	o = rig_call(&r, "getblockchaininfo", "[]");
	assert_int_equal(field_int(o, "headers"), 1);
	assert_int_equal(field_int(o, "blocks"), 0);
	json_object_put(o);
	o = rig_call(&r, "getchaintips", "[]");
	assert_string_equal(field_str(json_object_array_get_idx(o, 0),
				      "status"), "headers-only");
	json_object_put(o);
	free(p);
	p = xasprintf("[\"%s\",1]", field_str(made, "hash"));
	check_fail(&r, "getblock", p, -1,
		   "Block not available (not fully downloaded)");
	free(p);
	check_fail(&r, "submitblock", "[\"00\"]", -22,
		   "Block decode failed");
	check_fail(&r, "submitheader", "[\"00\"]", -22,
		   "Block header decode failed");
	/* Another parent: its third byte from the left is changed. */
	params[2 + 12] = params[2 + 12] == '0' ? '1' : '0';
	p = xasprintf("[\"%.160s\"]", params + 2);
	assert_int_equal(rig_fail(&r, "submitheader", p, params), -25);
	free(p);
	free(params);
	json_object_put(made);
	rig_close(&s);
	rig_close(&r);
}

static void test_misc(void **state)
{
	struct rig r;
	struct json_object *o;

	(void)state;
	rig_open(&r, true);
	rig_start(&r);
	check(&r, "echo", "[1,\"a\",null]", "[1,\"a\",null]");
	check(&r, "getindexinfo", "[]", "{}");
	check(&r, "setmocktime", "[1700000000]", "null");
	assert_int_equal(clock_unix(&r.clock), 1700000000);
	check_fail(&r, "setmocktime", "[-1]", -8, "Mocktime must be in the "
		   "range [0, 9223372036], not -1.");
	o = rig_call(&r, "getdeploymentinfo", "[]");
	assert_json(field(field(o, "deployments"), "taproot"),
		    "{\"type\":\"buried\",\"active\":true,\"height\":0}");
	json_object_put(o);
	check_fail(&r, "getnetworkhashps", "[0]", -8, "Invalid nblocks. "
		   "Must be a positive number or -1.");
	check(&r, "getnetworkhashps", "[]", "0");
	o = rig_call(&r, "help", "[]");
	assert_non_null(strstr(json_object_get_string(o),
			       "getbestblockhash\n"
			       "getblock \"blockhash\" ( verbosity )\n"));
	assert_null(strstr(json_object_get_string(o), "generatetoaddress"));
	json_object_put(o);
	check(&r, "help", "[\"nope\"]",
	      "\"help: unknown command: nope\\n\"");
	o = rig_call(&r, "getrpcinfo", "[]");
	assert_string_equal(field_str(json_object_array_get_idx(
		field(o, "active_commands"), 0), "method"), "getrpcinfo");
	json_object_put(o);
	o = rig_call(&r, "logging", "[[\"p2p\"],[]]");
	assert_json(field(o, "p2p"), "true");
	json_object_put(o);
	o = rig_call(&r, "logging", "[[],[\"all\"]]");
	assert_json(field(o, "p2p"), "false");
	json_object_put(o);
	check_fail(&r, "logging", "[[\"nope\"]]", -8,
		   "unknown logging category nope");
	rig_close(&r);
}

static void test_other_chain(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, true);
	r.params.id = CHAIN_SIGNET;
	rig_start(&r);
	check_fail(&r, "setmocktime", "[1]", -1, "setmocktime is for "
		   "regression testing (-regtest mode) only");
	check_fail(&r, "generatetodescriptor", "[1,\"raw(51)\"]", -1,
		   "generatetodescriptor is for regression testing (-regtest "
		   "mode) only");
	r.params.id = CHAIN_REGTEST;
	rig_close(&r);
}

int test_rpc_chain(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genesis),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_making),
		cmocka_unit_test(test_spending),
		cmocka_unit_test(test_submitting),
		cmocka_unit_test(test_submitting_without_nonce),
		cmocka_unit_test(test_misc),
		cmocka_unit_test(test_other_chain),
	};

	return cmocka_run_group_tests_name("rpc_chain", tests, NULL, NULL);
}
