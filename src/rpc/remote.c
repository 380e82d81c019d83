/*
 * Callers whom somebody else has let in (a trusted peer's door): what they may
 * call is decided here and nowhere else.  Loop thread.
 */
#include "config.h"

#include <string.h>

#include "rpc/server.h"

/* All that looks at the chain, the mempool or its arguments alone.  What
 * tells of other peers, of onion addresses, files or trust is not here. */
static const char *const readable[] = {
	"decoderawtransaction", "decodescript", "estimatesmartfee",
	"getbestblockhash", "getblock", "getblockchaininfo", "getblockcount",
	"getblockfilter", "getblockhash", "getblockheader", "getchainstates",
	"getchaintips", "getconnectioncount", "getdeploymentinfo",
	"getdescriptorinfo", "getdifficulty", "getindexinfo",
	"getmempoolancestors", "getmempoolcluster", "getmempooldescendants",
	"getmempoolentry", "getmempoolfeeratediagram", "getmempoolinfo",
	"getmininginfo", "getnetworkhashps", "getrawmempool",
	"getrawtransaction", "gettxout", "gettxoutsetinfo",
	"gettxspendingprevout", "help", "uptime", "validateaddress",
	"waitforblock", "waitforblockheight", "waitfornewblock",
};

bool rpc_may_call(enum rpc_right right, const struct rpc_method *m)
{
	switch (right) {
	case RPC_NOTHING:
		return false;
	case RPC_READ:
		for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
			if (strcmp(readable[i], m->name) == 0)
				return true;
		return false;
	case RPC_ADMIN:
		return strcmp(m->category, "Trusted peers") != 0;
	case RPC_OWNER:
		return true;
	}
	return false;
}

void exchange_answer(struct exchange *x, int status)
{
	rpc_answer_fn *answer = x->answer;
	struct span text = { 0 };

	if (!answer)
		return;
	if (x->reply)
		text = json_text(x->reply);
	x->answer = NULL;
	answer(status, text, x->answer_arg);
}

void rpc_take(struct rpc *r, struct span body, enum rpc_right right,
	      rpc_answer_fn *answer, void *arg)
{
	static const char full[] = "Work queue depth exceeded";
	static const char late[] = "Shutting down";
	struct json_object *root;
	struct exchange *x;
	bool ok;

	/* The rest is the owner's: he may want to remove a peer. */
	if (r->exchange_count >= r->work_queue / 2) {
		answer(503, span_of(full, sizeof full - 1), arg);
		return;
	}
	if (atomic_load(&r->stopping)) {
		answer(503, span_of(late, sizeof late - 1), arg);
		return;
	}
	x = exchange_new(r, right);
	x->answer = answer;
	x->answer_arg = arg;
	root = json_parse(body, &ok);
	exchange_begin(x, root, ok);
}

void rpc_forget(struct rpc *r, const void *arg)
{
	for (struct exchange *x = r->exchanges; x; x = x->next) {
		if (!x->answer || x->answer_arg != arg)
			continue;
		x->answer = NULL;
		/* Nor is the rest of a batch done. */
		x->right = RPC_NOTHING;
		exchange_hurry(x);
	}
}
