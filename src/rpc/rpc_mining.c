/*
 * Methods that bring blocks in, and on regtest make them.
 */
#include "config.h"

#include <stdlib.h>

#include "address/address.h"
#include "address/descriptor.h"
#include "consensus/witness_commitment.h"
#include "mempool/pick.h"
#include "rpc/raw_tx.h"
#include "rpc/rpc_util.h"
#include "validation/miner.h"

/* ---- submitting ---- */

/* The text submitblock answers with; NULL: accepted. */
static struct json_object *submit_result(const struct block_result *res)
{
	char text[160];

	/* It came in well; that it stands on a bad block is another's fault,
	 * found out while trying to reach this one. */
	if (res->is_new && res->finding.verdict == VERDICT_BAD_PREV)
		return json_object_new_string("inconclusive");
	if (res->finding.verdict != VERDICT_OK) {
		finding_text(text, &res->finding, true);
		return json_object_new_string(text);
	}
	if (!res->is_new)
		return json_object_new_string("duplicate");
	if ((res->node->status & BLOCK_VALID_MASK) < BLOCK_VALID_SCRIPTS)
		return json_object_new_string("inconclusive");
	return NULL;
}

/* Does segwit hold for it?  Not if nobody knows where it belongs. */
static bool has_segwit(const struct chain *c, const struct block *b)
{
	const struct header_node *prev = chain_lookup(c, &b->header.prev);

	return prev && buried_active(chain_params(c), BURIED_SEGWIT,
				     prev->height + 1);
}

/*
 * Miners may leave out the coinbase's witness nonce (32 zero bytes) although
 * the block carries a commitment: the same block with it, or b again.
 */
static struct block *with_witness_nonce(struct block *b TAKES)
{
	struct tx_in *in = b->tx[0].in;
	struct bytes raw = { 0 };
	static const uint8_t zero[32];
	const struct span nonce = span_of(zero, sizeof zero);
	struct tx coinbase;
	struct tx_in one;

	if (witness_commitment_output(b) < 0 || b->tx[0].in_count != 1 ||
	    in->witness_count)
		return b;
	one = *in;
	one.witness = &nonce;
	one.witness_count = 1;
	coinbase = b->tx[0];
	coinbase.in = &one;
	tx_finish(&coinbase);
	block_header_write(&raw, &b->header);
	write_compact(&raw, b->tx_count);
	tx_write(&raw, &coinbase, true);
	for (uint32_t i = 1; i < b->tx_count; i++)
		write_span(&raw, b->tx[i].raw);
	block_unref(b);
	b = block_decode(&raw);
	CHECK(b);
	return b;
}

static void submitblock(struct rpc_call *call)
{
	const char *hex = "";
	struct bytes raw = { 0 };
	struct block_result res = { 0 };
	struct why why = { 0 };
	struct block *b = NULL;

	if (!rpc_arg_str(call, 0, &hex))
		return;
	if (hex_append(&raw, hex))
		b = block_decode(&raw);
	else
		bytes_clear(&raw);
	if (!b) {
		rpc_fail(call, RPC_DESERIALIZATION_ERROR,
			 "Block decode failed");
		return;
	}
	if (b->tx_count && has_segwit(call->chain, b))
		b = with_witness_nonce(b);
	if (chain_submit_block(call->chain, &res, b, &why))
		rpc_fail_trouble(call, &why);
	else
		call->result = submit_result(&res);
	block_unref(b);
}

static void submitheader(struct rpc_call *call)
{
	const char *hex = "";
	uint8_t raw[BLOCK_HEADER_BYTES];
	struct reader r = reader_of(span_of(raw, sizeof raw));
	struct block_header h;
	struct headers_result res = { 0 };
	struct why why = { 0 };
	char text[160];

	if (!rpc_arg_str(call, 0, &hex))
		return;
	if (!hex_decode(raw, sizeof raw, hex) ||
	    !block_header_read(&h, &r)) {
		rpc_fail(call, RPC_DESERIALIZATION_ERROR,
			 "Block header decode failed");
		return;
	}
	if (!chain_lookup(call->chain, &h.prev)) {
		char prev[65];

		hash_to_rpc_hex(prev, h.prev.b);
		rpc_fail(call, RPC_VERIFY_ERROR,
			 "Must submit previous header (%s) first", prev);
		return;
	}
	if (chain_accept_headers(call->chain, &res, &h, 1, true, &why)) {
		rpc_fail_trouble(call, &why);
	} else if (res.finding.verdict != VERDICT_OK) {
		finding_text(text, &res.finding, true);
		rpc_fail(call, RPC_VERIFY_ERROR, "%s", text);
	}
}

/* ---- making ---- */

static bool make_block(struct rpc_call *call, struct block **out,
		       struct span script, const struct tx *txs, size_t n)
{
	struct why why = { 0 };

	if (!miner_make_block(call->chain, out, script, txs, n, &why))
		return true;
	if (why.err == ERR_INPUT)
		rpc_fail(call, RPC_VERIFY_ERROR, "TestBlockValidity failed: "
			 "bad-txns-inputs-missingorspent, %s", why.text);
	else
		rpc_fail_trouble(call, &why);
	return false;
}

static bool submit_made(struct rpc_call *call, struct block *b)
{
	struct block_result res = { 0 };
	struct why why = { 0 };
	char text[160];

	if (chain_submit_block(call->chain, &res, b, &why)) {
		rpc_fail_trouble(call, &why);
		return false;
	}
	if (res.finding.verdict != VERDICT_OK) {
		finding_text(text, &res.finding, true);
		rpc_fail(call, RPC_VERIFY_ERROR,
			 "TestBlockValidity failed: %s", text);
		return false;
	}
	return true;
}

/* A block of the best of the mempool. */
static bool make_next(struct rpc_call *call, struct block **out,
		      struct span script)
{
	struct miner_job job = { .script = script };
	struct pick pick;
	struct why why = { 0 };
	struct tx *txs;
	enum err e;

	pick_make(&pick, call->mempool, &pick_defaults);
	txs = xcalloc(pick.n + 1, sizeof *txs);
	for (size_t i = 0; i < pick.n; i++)
		txs[i] = *entry_tx(pick.v[i]);
	job.txs = txs;
	job.tx_count = pick.n;
	job.fees_sat = pick.fee_sat;
	e = miner_build(call->chain, out, &job, &why);
	free(txs);
	pick_clear(&pick);
	if (e)
		rpc_fail_trouble(call, &why);
	return !e;
}

static void generate(struct rpc_call *call, struct span script, int n)
{
	struct json_object *hashes = json_object_new_array();
	struct block *b;

	for (int i = 0; i < n && !atomic_load(call->stopping); i++) {
		if (!make_next(call, &b, script))
			break;
		if (submit_made(call, b))
			json_object_array_add(hashes, json_hash(b->hash.b));
		block_unref(b);
		if (call->error.code)
			break;
	}
	call->result = hashes;
}

static void generatetoaddress(struct rpc_call *call)
{
	const char *address = "";
	struct bytes script = { 0 };
	int n = 0;

	if (!rpc_arg_int(call, 0, &n) || !rpc_arg_str(call, 1, &address))
		return;
	if (!address_to_script(&script, call->params, address, NULL))
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
			 "Error: Invalid address");
	else
		generate(call, bytes_span(&script), n);
	bytes_clear(&script);
}

static void generatetodescriptor(struct rpc_call *call)
{
	const char *text = "";
	struct bytes script = { 0 };
	struct why why = { 0 };
	int n = 0;

	if (!rpc_arg_int(call, 0, &n) || !rpc_arg_str(call, 1, &text))
		return;
	if (!descriptor_to_script(&script, call->params, text, &why))
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", why.text);
	else
		generate(call, bytes_span(&script), n);
	bytes_clear(&script);
}

/* The transactions of argument 1: raw, or ids of the mempool's. */
static bool read_txs(struct rpc_call *call, struct shared_tx **txs, size_t n)
{
	struct json_object *list = rpc_arg(call, 1);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *s = json_object_is_type(o, json_type_string) ?
				json_object_get_string(o) : "";
		const struct mempool_entry *e;
		struct raw_tx raw;
		struct txid id;

		if (strlen(s) == 64 && hash_from_rpc_hex(id.b, s)) {
			e = mempool_get(call->mempool, &id);
			if (e) {
				txs[i] = shared_tx_ref(e->tx);
				continue;
			}
			rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
				 "Transaction %s not in mempool.", s);
			return false;
		}
		if (!raw_tx_read(&raw, s, true, true)) {
			rpc_fail(call, RPC_DESERIALIZATION_ERROR,
				 "Transaction decode failed for %s. Make "
				 "sure the tx has at least one input.", s);
			return false;
		}
		txs[i] = shared_tx_copy(&raw.tx);
		raw_tx_clear(&raw);
	}
	return true;
}

static void show_made(struct rpc_call *call, const struct block *b,
		      bool submitted)
{
	call->result = json_object_new_object();
	json_add_hash(call->result, "hash", b->hash.b);
	if (!submitted)
		json_add_hex(call->result, "hex", b->raw);
}

static void make_with(struct rpc_call *call, struct span script,
		      struct shared_tx *const *given, size_t n, bool submit)
{
	struct tx *txs = xcalloc(n + 1, sizeof *txs);
	struct block *b;

	for (size_t i = 0; i < n; i++)
		txs[i] = given[i]->tx;
	if (make_block(call, &b, script, txs, n)) {
		if (!submit || submit_made(call, b))
			show_made(call, b, submit);
		block_unref(b);
	}
	free(txs);
}

static void generateblock(struct rpc_call *call)
{
	size_t n = json_object_array_length(rpc_arg(call, 1));
	const char *output = "";
	struct shared_tx **txs;
	struct bytes script = { 0 };
	struct why why = { 0 };
	bool submit = true;

	if (!rpc_arg_str(call, 0, &output) ||
	    !rpc_arg_bool(call, 2, &submit))
		return;
	if (!address_to_script(&script, call->params, output, NULL) &&
	    !descriptor_to_script(&script, call->params, output, &why)) {
		rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
			 "Error: Invalid address or descriptor");
		return;
	}
	txs = xcalloc(n + 1, sizeof *txs);
	if (read_txs(call, txs, n))
		make_with(call, bytes_span(&script), txs, n, submit);
	for (size_t i = 0; i < n; i++)
		shared_tx_unref(txs[i]);
	free(txs);
	bytes_clear(&script);
}

/* ---- hash rate ---- */

static void getnetworkhashps(struct rpc_call *call)
{
	const struct header_node *n = chain_tip(call->chain);
	int blocks = 120, height = -1;

	if (!rpc_arg_int(call, 0, &blocks) || !rpc_arg_int(call, 1, &height))
		return;
	if (blocks < -1 || blocks == 0) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid nblocks. "
			 "Must be a positive number or -1.");
		return;
	}
	if (height < -1 || height > n->height) {
		rpc_fail(call, RPC_INVALID_PARAMETER,
			 "Block does not exist at specified height");
		return;
	}
	if (height >= 0)
		n = chain_at(call->chain, height);
	if (blocks == -1)
		blocks = (int)(n->height %
			       difficulty_interval(call->params)) + 1;
	blocks = MIN_OF(blocks, n->height);
	call->result = json_double(hashes_per_second(n, blocks));
}

static const struct rpc_method methods[] = {
	{ .name = "submitblock", .category = "Mining",
	  .thread = RPC_ON_CHAIN, .run = submitblock,
	  .help = "Give the node a block.  null: it is valid and new; else "
		  "why not.",
	  .args = { { "hexdata", RPC_STR, true, "The block in hex" },
		    { "dummy", RPC_ANY, false, "Ignored" } } },
	{ .name = "submitheader", .category = "Mining",
	  .thread = RPC_ON_CHAIN, .run = submitheader,
	  .help = "Give the node a header whose parent it knows.",
	  .args = { { "hexdata", RPC_STR, true, "80 bytes in hex" } } },
	{ .name = "getnetworkhashps", .category = "Mining",
	  .thread = RPC_ON_CHAIN, .run = getnetworkhashps,
	  .help = "Hashes per second, estimated from the last blocks.",
	  .args = { { "nblocks", RPC_NUM, false,
		      "How many (default 120); -1: since the last change "
		      "of difficulty" },
		    { "height", RPC_NUM, false,
		      "As of this height; -1 (default): now" } } },
	{ .name = "generatetoaddress", .category = "Generating",
	  .thread = RPC_ON_CHAIN, .flags = RPC_HIDDEN | RPC_REGTEST,
	  .run = generatetoaddress,
	  .help = "Make blocks at once, paid to an address (regtest only).",
	  .args = { { "nblocks", RPC_NUM, true, "How many" },
		    { "address", RPC_STR, true, "Who gets the reward" },
		    { "maxtries", RPC_NUM, false, "Ignored" } } },
	{ .name = "generatetodescriptor", .category = "Generating",
	  .thread = RPC_ON_CHAIN, .flags = RPC_HIDDEN | RPC_REGTEST,
	  .run = generatetodescriptor,
	  .help = "Make blocks at once, paid to a descriptor's script "
		  "(regtest only).",
	  .args = { { "num_blocks", RPC_NUM, true, "How many" },
		    { "descriptor", RPC_STR, true,
		      "raw(HEX) or addr(ADDRESS)" },
		    { "maxtries", RPC_NUM, false, "Ignored" } } },
	{ .name = "generateblock", .category = "Generating",
	  .thread = RPC_ON_CHAIN, .flags = RPC_HIDDEN | RPC_REGTEST,
	  .run = generateblock,
	  .help = "Make one block with these transactions, in this order "
		  "(regtest only).",
	  .args = { { "output", RPC_STR, true,
		      "Address or descriptor that gets the reward" },
		    { "transactions", RPC_ARR, true,
		      "Raw transactions in hex, or ids of the mempool's" },
		    { "submit", RPC_BOOL, false,
		      "false: only show the block" } } },
};

struct rpc_methods rpc_methods_mining(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
