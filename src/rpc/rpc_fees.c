/*
 * Methods about fees.
 */
#include "config.h"

#include <strings.h>

#include "mempool/fee_estimator.h"
#include "rpc/rpc_priv.h"

static bool read_mode(struct rpc_call *call, bool *conservative)
{
	const char *mode = "economical";

	if (!rpc_arg_str(call, 1, &mode))
		return false;
	*conservative = strcasecmp(mode, "conservative") == 0;
	if (*conservative || strcasecmp(mode, "economical") == 0 ||
	    strcasecmp(mode, "unset") == 0)
		return true;
	rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid estimate_mode "
		 "parameter, must be one of: \"unset\", \"economical\", "
		 "\"conservative\"");
	return false;
}

static void estimatesmartfee(struct rpc_call *call)
{
	const struct fee_estimator *f = call->ports->fees_of(call->owner);
	unsigned reach = fee_estimator_reach(f), blocks;
	struct json_object *o, *errors;
	bool conservative;
	int64_t rate, waiting;
	int target = 0;

	if (!rpc_arg_int(call, 0, &target) ||
	    !read_mode(call, &conservative))
		return;
	if (target < 1 || (unsigned)target > reach) {
		rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid conf_target, "
			 "must be between 1 and %u", reach);
		return;
	}
	rate = fee_estimate(f, (unsigned)target, conservative, &blocks);
	waiting = fee_of_mempool(call->mempool, (unsigned)target);
	o = call->result = json_object_new_object();
	if (rate) {
		rate = MAX_OF(rate, mempool_entry_fee(call->mempool));
		json_add_amount(o, "feerate", rate);
	} else {
		errors = json_object_new_array();
		json_object_array_add(errors, json_object_new_string(
			"Insufficient data or no feerate found"));
		json_add(o, "errors", errors);
	}
	json_add_int(o, "blocks", (int64_t)blocks);
	json_add_amount(o, "mempool_feerate",
			MAX_OF(waiting, mempool_entry_fee(call->mempool)));
}

static const struct rpc_method methods[] = {
	{ .name = "estimatesmartfee", .category = "Util",
	  .thread = RPC_ON_CHAIN, .run = estimatesmartfee,
	  .help = "What a transaction should pay per kvB to be mined within "
		  "so many blocks.  feerate is learnt from transactions that "
		  "were mined; mempool_feerate looks only at what waits in "
		  "the mempool now, and who fills that can move it.",
	  .args = { { "conf_target", RPC_NUM, true, "Blocks, 1 to 1008" },
		    { "estimate_mode", RPC_STR, false,
		      "\"economical\" (default) or \"conservative\"" } } },
};

struct rpc_methods rpc_methods_fees(void)
{
	return (struct rpc_methods){ methods, ARRAY_SIZE(methods) };
}
