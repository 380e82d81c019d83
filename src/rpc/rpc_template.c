/*
 * getblocktemplate (BIP22, BIP23, BIP9, BIP145, BIP325): what a miner needs
 * for the next block, and whether the block he thinks of would do.
 */
#include "config.h"

#include <stdlib.h>

#include "consensus/block_check.h"
#include "consensus/witness_commitment.h"
#include "mempool/pick.h"
#include "rpc/rpc_util.h"

#define VERSION_BITS_TOP 0x20000000
#define TIMEWARP_S 600           /* BIP94, which others may enforce too */
/* A change of the mempool alone is worth a new template after so long. */
#define LONGPOLL_FIRST_MS 60000
#define LONGPOLL_MS 10000
#define SIGOPS_LIMIT 80000

static struct json_object *request_get(struct rpc_call *call,
				       const char *key)
{
	struct json_object *o = rpc_arg(call, 0);

	return o ? json_object_object_get(o, key) : NULL;
}

static bool has_rule(struct rpc_call *call, const char *rule)
{
	struct json_object *list = request_get(call, "rules");
	size_t n = json_object_is_type(list, json_type_array) ?
		   json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		/* NULL for a null. */
		const char *s = json_object_get_string(
				json_object_array_get_idx(list, i));

		if (s && strcmp(s, rule) == 0)
			return true;
	}
	return false;
}

/* ---- waiting for a new one ---- */

static bool longpoll_read(struct rpc_call *call, struct block_hash *tip,
			  uint64_t *sequence, bool *given)
{
	struct json_object *o = request_get(call, "longpollid");
	const char *s = json_object_get_string(o);
	char hex[65], *end;

	*given = o != NULL;
	if (!o)
		return true;
	if (json_object_is_type(o, json_type_string) && strlen(s) > 64) {
		memcpy(hex, s, 64);
		hex[64] = 0;
		*sequence = strtoull(s + 64, &end, 10);
		if (!*end && hash_from_rpc_hex(tip->b, hex))
			return true;
	}
	rpc_fail(call, RPC_INVALID_PARAMETER, "longpollid is not one that a "
		 "template had");
	return false;
}

/* Park the call while what it knows is all there is. */
static bool wait_for_news(struct rpc_call *call)
{
	struct block_hash tip = chain_tip(call->chain)->hash, known = tip;
	uint64_t sequence = 0;
	bool given;

	if (!longpoll_read(call, &known, &sequence, &given))
		return true;
	if (!given || !block_hash_eq(&known, &tip) ||
	    sequence != mempool_sequence(call->mempool) ||
	    atomic_load(call->stopping))
		return false;
	call->wait = (struct rpc_wait){
		.kind = RPC_WAIT_CHANGE, .hash = tip, .again = true,
		.timeout_ms = call->waited ? LONGPOLL_MS : LONGPOLL_FIRST_MS,
	};
	call->waited = true;
	return true;
}

/* ---- the template ---- */

static struct json_object *strings(const char *const *s, size_t n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(s[i]));
	return list;
}

static struct json_object *depends_json(const struct pick *p, size_t i)
{
	struct json_object *list = json_object_new_array();
	uint64_t parents = entry_parents(p->v[i]);

	for (size_t k = 0; k < i; k++)
		if (p->v[k]->cluster == p->v[i]->cluster &&
		    parents >> p->v[k]->slot & 1)
			json_object_array_add(list, json_object_new_int64(
						(int64_t)k + 1));
	return list;
}

static struct json_object *txs_json(const struct pick *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n; i++) {
		const struct tx *tx = entry_tx(p->v[i]);
		struct json_object *o = json_object_new_object();

		json_add_hex(o, "data", tx->raw);
		json_add_hash(o, "txid", tx->txid.b);
		json_add_hash(o, "hash", tx->wtxid.b);
		json_add(o, "depends", depends_json(p, i));
		json_add_int(o, "fee", p->v[i]->fee_sat);
		json_add_int(o, "sigops", p->v[i]->sigops_cost);
		json_add_int(o, "weight", (int64_t)tx_weight(tx));
		json_object_array_add(list, o);
	}
	return list;
}

/* The script that commits to these transactions, the coinbase being first
 * with an id of zeros. */
static void add_commitment(struct json_object *o, const struct pick *p)
{
	static const uint8_t head[6] = { 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed };
	uint8_t script[WITNESS_COMMITMENT_BYTES], nonce[32] = { 0 };
	struct tx *txs = xcalloc(p->n + 1, sizeof *txs);
	struct block b = { .tx = txs, .tx_count = (uint32_t)p->n + 1 };

	for (size_t i = 0; i < p->n; i++)
		txs[i + 1] = *entry_tx(p->v[i]);
	memcpy(script, head, sizeof head);
	witness_commitment_hash(script + sizeof head, &b, nonce);
	json_add_hex(o, "default_witness_commitment",
		     span_of(script, sizeof script));
	free(txs);
}

static bool ancestor(struct block_header *out, int height, void *arg)
{
	const struct header_node *n = header_node_ancestor(arg, height);

	if (n)
		header_node_header(out, n);
	return n != NULL;
}

struct times {
	int64_t min, now;
	uint32_t bits;
};

static void times_of(struct times *t, struct rpc_call *call)
{
	struct header_node *tip = chain_tip(call->chain);
	struct block_header prev;

	t->min = header_node_mtp(tip) + 1;
	if ((tip->height + 1) % difficulty_interval(call->params) == 0)
		t->min = MAX_OF(t->min, (int64_t)tip->time - TIMEWARP_S);
	t->now = MAX_OF(t->min, chain_now(call->chain));
	header_node_header(&prev, tip);
	t->bits = next_bits(call->params, &prev, tip->height,
			    (uint32_t)t->now, ancestor, tip);
}

static void add_limits(struct json_object *o, const struct times *t)
{
	static const char *const mutable[] = { "time", "transactions",
					       "prevblock" };

	target_json_add(o, t->bits);
	json_add_int(o, "mintime", t->min);
	json_add(o, "mutable", strings(mutable, ARRAY_SIZE(mutable)));
	json_add_str(o, "noncerange", "00000000ffffffff");
	json_add_int(o, "sigoplimit", SIGOPS_LIMIT);
	json_add_int(o, "sizelimit", MAX_BLOCK_WEIGHT_WU);
	json_add_int(o, "weightlimit", MAX_BLOCK_WEIGHT_WU);
	json_add_int(o, "curtime", t->now);
}

static struct json_object *longpoll_json(struct rpc_call *call)
{
	struct json_object *o;
	char hex[65], *id;

	hash_to_rpc_hex(hex, chain_tip(call->chain)->hash.b);
	id = xasprintf("%s%llu", hex, (unsigned long long)
		       mempool_sequence(call->mempool));
	o = json_object_new_string(id);
	free(id);
	return o;
}

static struct json_object *template_json(struct rpc_call *call,
					 const struct pick *p)
{
	static const char *const can[] = { "proposal" };
	static const char *const rules[] = { "csv", "!segwit", "taproot",
					     "!signet" };
	const struct chain_params *params = call->params;
	struct header_node *tip = chain_tip(call->chain);
	struct json_object *o = json_object_new_object();
	bool signet = params->signet_challenge != NULL;
	struct times t;

	times_of(&t, call);
	json_add(o, "capabilities", strings(can, ARRAY_SIZE(can)));
	json_add_int(o, "version", VERSION_BITS_TOP);
	json_add(o, "rules", strings(rules, signet ? 4 : 3));
	json_add(o, "vbavailable", json_object_new_object());
	json_add_int(o, "vbrequired", 0);
	json_add_hash(o, "previousblockhash", tip->hash.b);
	json_add(o, "transactions", txs_json(p));
	json_add(o, "coinbaseaux", json_object_new_object());
	json_add_int(o, "coinbasevalue", p->fee_sat +
		     block_subsidy_sat(params, tip->height + 1));
	json_add(o, "longpollid", longpoll_json(call));
	add_limits(o, &t);
	bits_json_add(o, t.bits);
	json_add_int(o, "height", tip->height + 1);
	if (signet)
		json_add_hex(o, "signet_challenge",
			     span_of(params->signet_challenge,
				     params->signet_challenge_n));
	add_commitment(o, p);
	return o;
}

static bool rules_ok(struct rpc_call *call)
{
	if (call->params->signet_challenge && !has_rule(call, "signet")) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "getblocktemplate must "
			 "be called with the signet rule set (call with "
			 "{\"rules\": [\"segwit\", \"signet\"]})");
		return false;
	}
	if (!has_rule(call, "segwit")) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "getblocktemplate must "
			 "be called with the segwit rule set (call with "
			 "{\"rules\": [\"segwit\"]})");
		return false;
	}
	return true;
}

static void make_template(struct rpc_call *call)
{
	struct pick p;

	if (call->params->id == CHAIN_MAIN &&
	    chain_in_initial_download(call->chain)) {
		rpc_fail(call, RPC_IN_INITIAL_DOWNLOAD, "Cloister is in "
			 "initial sync and waiting for blocks...");
		return;
	}
	if (wait_for_news(call) || !rules_ok(call))
		return;
	pick_make(&p, call->mempool, &pick_defaults);
	call->result = template_json(call, &p);
	pick_clear(&p);
}

/* ---- proposals ---- */

static struct json_object *try_block(struct rpc_call *call, struct block *b)
{
	const struct header_node *known = chain_lookup(call->chain, &b->hash);
	struct finding f;
	struct why why = { 0 };
	char text[160];

	if (known && known->status & (BLOCK_FAILED | BLOCK_FAILED_CHILD))
		return json_object_new_string("duplicate-invalid");
	if (known && (known->status & BLOCK_VALID_MASK) >=
		     BLOCK_VALID_SCRIPTS)
		return json_object_new_string("duplicate");
	if (known)
		return json_object_new_string("duplicate-inconclusive");
	if (!block_hash_eq(&b->header.prev, &chain_tip(call->chain)->hash))
		return json_object_new_string("inconclusive-not-best-prevblk");
	if (chain_try_block(call->chain, &f, b, &why)) {
		rpc_fail_trouble(call, &why);
		return NULL;
	}
	if (f.verdict == VERDICT_OK)
		return NULL;
	finding_text(text, &f, true);
	return json_object_new_string(text);
}

static void propose(struct rpc_call *call)
{
	struct json_object *data = request_get(call, "data");
	struct bytes raw = { 0 };
	struct block *b = NULL;

	if (!json_object_is_type(data, json_type_string)) {
		rpc_fail(call, RPC_TYPE_ERROR,
			 "Missing data String key for proposal");
		return;
	}
	if (hex_append(&raw, json_object_get_string(data)))
		b = block_decode(&raw);
	if (!b) {
		bytes_clear(&raw);
		rpc_fail(call, RPC_DESERIALIZATION_ERROR,
			 "Block decode failed");
		return;
	}
	call->result = try_block(call, b);
	block_unref(b);
}

static void getblocktemplate(struct rpc_call *call)
{
	struct json_object *mode = request_get(call, "mode");
	const char *text = mode ? json_object_get_string(mode) : "template";

	if (mode && !json_object_is_type(mode, json_type_string))
		text = "";
	if (strcmp(text, "template") == 0)
		make_template(call);
	else if (strcmp(text, "proposal") == 0)
		propose(call);
	else
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid mode");
}

static void getmininginfo(struct rpc_call *call)
{
	struct header_node *tip = chain_tip(call->chain);
	struct json_object *o, *next;
	struct times t;

	times_of(&t, call);
	o = call->result = json_object_new_object();
	json_add_int(o, "blocks", tip->height);
	bits_json_add(o, tip->bits);
	json_add_double(o, "difficulty", bits_difficulty(tip->bits));
	target_json_add(o, tip->bits);
	json_add_double(o, "networkhashps", hashes_per_second(
				tip, MIN_OF(120, tip->height)));
	json_add_int(o, "pooledtx", (int64_t)mempool_count(call->mempool));
	json_add_amount(o, "blockmintxfee", 1);
	json_add_str(o, "chain", call->params->name);
	next = json_object_new_object();
	json_add_int(next, "height", tip->height + 1);
	bits_json_add(next, t.bits);
	json_add_double(next, "difficulty", bits_difficulty(t.bits));
	target_json_add(next, t.bits);
	json_add(o, "next", next);
	if (call->params->signet_challenge)
		json_add_hex(o, "signet_challenge",
			     span_of(call->params->signet_challenge,
				     call->params->signet_challenge_n));
	json_add(o, "warnings", json_object_get(call->warnings));
}

static const struct rpc_method methods[] = {
	{ .name = "getblocktemplate", .category = "Mining",
	  .thread = RPC_ON_CHAIN, .run = getblocktemplate,
	  .help = "What a miner needs for the next block; with longpollid, "
		  "once it is another one; with mode \"proposal\", null if "
		  "the block in data would be valid, else why not.",
	  .args = { { "template_request", RPC_OBJ, true,
		      "{\"rules\": [\"segwit\"], \"mode\", \"longpollid\", "
		      "\"data\"}" } } },
	{ .name = "getmininginfo", .category = "Mining",
	  .thread = RPC_ON_CHAIN, .run = getmininginfo,
	  .flags = RPC_WARNINGS,
	  .help = "The tip and the next block, as miners see them." },
};

struct rpc_methods rpc_methods_template(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
