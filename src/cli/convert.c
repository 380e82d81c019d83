/*
 * Which parameters are JSON.
 */
#include "config.h"

#include "cli/convert.h"

#include <stdlib.h>
#include <string.h>

static const struct param {
	const char *method;
	unsigned index;
	const char *name;
} params[] = {
	{ "addnode", 2, "v2transport" },
	{ "addpeeraddress", 1, "port" },
	{ "addpeeraddress", 2, "tried" },
	{ "addconnection", 2, "v2transport" },
	{ "combinepsbt", 0, "txs" },
	{ "createrawtransaction", 0, "inputs" },
	{ "createrawtransaction", 1, "outputs" },
	{ "createrawtransaction", 2, "locktime" },
	{ "createrawtransaction", 3, "replaceable" },
	{ "decoderawtransaction", 1, "iswitness" },
	{ "deriveaddresses", 1, "range" },
	{ "disconnectnode", 1, "nodeid" },
	{ "dumptxoutset", 2, "options" },
	{ "dumptxoutset", 2, "rollback" },
	{ "echojson", 0, "arg0" },
	{ "echojson", 1, "arg1" },
	{ "echojson", 2, "arg2" },
	{ "echojson", 3, "arg3" },
	{ "echojson", 4, "arg4" },
	{ "echojson", 5, "arg5" },
	{ "echojson", 6, "arg6" },
	{ "echojson", 7, "arg7" },
	{ "echojson", 8, "arg8" },
	{ "echojson", 9, "arg9" },
	{ "estimatesmartfee", 0, "conf_target" },
	{ "generateblock", 1, "transactions" },
	{ "generateblock", 2, "submit" },
	{ "generatetoaddress", 0, "nblocks" },
	{ "generatetoaddress", 2, "maxtries" },
	{ "generatetodescriptor", 0, "num_blocks" },
	{ "generatetodescriptor", 2, "maxtries" },
	{ "getblock", 1, "verbosity" },
	{ "getblock", 1, "verbose" },
	{ "getblockfrompeer", 1, "peer_id" },
	{ "getblockhash", 0, "height" },
	{ "getblockheader", 1, "verbose" },
	{ "getblockstats", 0, "hash_or_height" },
	{ "getblockstats", 1, "stats" },
	{ "getblocktemplate", 0, "template_request" },
	{ "getchaintxstats", 0, "nblocks" },
	{ "getmempoolancestors", 1, "verbose" },
	{ "getmempooldescendants", 1, "verbose" },
	{ "getnetworkhashps", 0, "nblocks" },
	{ "getnetworkhashps", 1, "height" },
	{ "getnodeaddresses", 0, "count" },
	{ "getrawmempool", 0, "verbose" },
	{ "getrawmempool", 1, "mempool_sequence" },
	{ "getrawtransaction", 1, "verbosity" },
	{ "getrawtransaction", 1, "verbose" },
	{ "gettxout", 1, "n" },
	{ "gettxout", 2, "include_mempool" },
	{ "gettxoutproof", 0, "txids" },
	{ "gettxoutsetinfo", 1, "hash_or_height" },
	{ "gettxoutsetinfo", 2, "use_index" },
	{ "gettxspendingprevout", 0, "outputs" },
	{ "gettxspendingprevout", 1, "options" },
	{ "importmempool", 1, "options" },
	{ "logging", 0, "include" },
	{ "logging", 1, "exclude" },
	{ "mockscheduler", 0, "delta_time" },
	{ "peeraccept", 3, "timeout" },
	{ "peerinvite", 2, "lifetime" },
	{ "prioritisetransaction", 1, "dummy" },
	{ "prioritisetransaction", 2, "fee_delta" },
	{ "pruneblockchain", 0, "height" },
	{ "scanblocks", 1, "scanobjects" },
	{ "scantxoutset", 1, "scanobjects" },
	{ "sendrawtransaction", 1, "maxfeerate" },
	{ "sendrawtransaction", 2, "maxburnamount" },
	{ "setmocktime", 0, "timestamp" },
	{ "setnetworkactive", 0, "state" },
	{ "stop", 0, "wait" },
	{ "submitpackage", 0, "package" },
	{ "submitpackage", 1, "maxfeerate" },
	{ "submitpackage", 2, "maxburnamount" },
	{ "testmempoolaccept", 0, "rawtxs" },
	{ "testmempoolaccept", 1, "maxfeerate" },
	{ "utxoupdatepsbt", 1, "descriptors" },
	{ "verifychain", 0, "checklevel" },
	{ "verifychain", 1, "nblocks" },
	{ "waitforblock", 1, "timeout" },
	{ "waitforblockheight", 0, "height" },
	{ "waitforblockheight", 1, "timeout" },
	{ "waitfornewblock", 0, "timeout" },
};

static bool by_index(const char *method, size_t i)
{
	for (size_t k = 0; k < ARRAY_SIZE(params); k++)
		if (params[k].index == i &&
		    strcmp(params[k].method, method) == 0)
			return true;
	return false;
}

static bool by_name(const char *method, const char *name)
{
	for (size_t k = 0; k < ARRAY_SIZE(params); k++)
		if (strcmp(params[k].method, method) == 0 &&
		    strcmp(params[k].name, name) == 0)
			return true;
	return false;
}

/* *ok false, and why, if the word should be JSON and is not. */
static struct json_object *value_of(const char *word, bool is_json, bool *ok,
				    struct why *why)
{
	struct json_object *o;
	enum json_tokener_error e;

	*ok = true;
	if (!is_json)
		return json_object_new_string(word);
	o = json_tokener_parse_verbose(word, &e);
	*ok = e == json_tokener_success;
	if (!*ok)
		why_set(why, ERR_INPUT, "Error parsing JSON: %.300s", word);
	return o;
}

struct json_object *convert_positional(const char *method,
				       char *const *words, size_t n,
				       struct why *why)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		bool ok;

		json_object_array_add(a, value_of(words[i],
						  by_index(method, i), &ok,
						  why));
		if (!ok) {
			json_object_put(a);
			return NULL;
		}
	}
	return a;
}

static bool add_named(struct json_object *o, const char *method,
		      const char *word, size_t name_n, struct why *why)
{
	char *name = xmemdup(word, name_n + 1);
	struct json_object *value;
	bool ok;

	name[name_n] = 0;
	value = value_of(word + name_n + 1, by_name(method, name), &ok, why);
	if (ok && json_object_object_get_ex(o, name, NULL)) {
		why_set(why, ERR_INPUT, "Parameter %s is given twice", name);
		json_object_put(value);
		ok = false;
	} else if (ok) {
		json_object_object_add(o, name, value);
	}
	free(name);
	return ok;
}

struct json_object *convert_named(const char *method, char *const *words,
				  size_t n, struct why *why)
{
	struct json_object *o = json_object_new_object();
	struct json_object *args = json_object_new_array();
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		const char *eq = strchr(words[i], '=');

		if (eq) {
			ok = add_named(o, method, words[i],
				       (size_t)(eq - words[i]), why);
			continue;
		}
		json_object_array_add(args, value_of(words[i],
			by_index(method, json_object_array_length(args)),
			&ok, why));
	}
	if (ok && json_object_array_length(args))
		ok = json_object_object_add(o, "args",
					    json_object_get(args)) == 0;
	json_object_put(args);
	if (!ok) {
		json_object_put(o);
		return NULL;
	}
	return o;
}
