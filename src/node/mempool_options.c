/*
 * Options about the mempool, checked.
 */
#include "config.h"

#include "node/mempool_options.h"

#include "base/amount.h"

/* Memory for forty of the largest clusters, as the reference node asks. */
#define CLUSTERS_AT_LEAST 40

static enum err rate(int64_t *out, const struct settings *s, const char *name,
		     struct why *why)
{
	const char *text = settings_text(s, name);

	if (amount_parse(out, text) && amount_ok(*out))
		return ERR_NONE;
	return why_set(why, ERR_INPUT, "-%s=%s is no amount: write BTC per "
		       "1000 vbytes, as 0.00001", name, text);
}

enum err mempool_options_make(struct config *c, const struct settings *s,
			      struct why *why)
{
	struct policy *p = &c->policy;
	enum err e;

	policy_defaults(p);
	e = rate(&p->min_relay_sat_kvb, s, "minrelaytxfee", why);
	if (!e)
		e = rate(&p->incremental_sat_kvb, s, "incrementalrelayfee",
			 why);
	if (!e)
		e = rate(&p->dust_sat_kvb, s, "dustrelayfee", why);
	if (e)
		return e;
	p->require_standard = !settings_bool(s, "acceptnonstdtxn");
	if (!p->require_standard && c->params.id == CHAIN_MAIN)
		return why_set(why, ERR_INPUT, "-acceptnonstdtxn works on "
			       "test chains only");
	p->permit_bare_multisig = settings_bool(s, "permitbaremultisig");
	p->data_carrier = settings_bool(s, "datacarrier");
	p->data_carrier_bytes = (size_t)settings_int(s, "datacarriersize");
	p->cluster_count = (unsigned)settings_int(s, "limitclustercount");
	p->cluster_bytes = settings_int(s, "limitclustersize") * 1000;
	p->max_memory_bytes = (size_t)settings_int(s, "maxmempool") * 1000000;
	p->expiry_s = settings_int(s, "mempoolexpiry") * 3600;
	c->blocks_only = settings_bool(s, "blocksonly");
	c->persist_mempool = settings_bool(s, "persistmempool");
	if (p->max_memory_bytes < (size_t)p->cluster_bytes *
				  CLUSTERS_AT_LEAST)
		return why_set(why, ERR_INPUT, "-maxmempool must be at least "
			       "%lld MB with this -limitclustersize",
			       (long long)(p->cluster_bytes *
					   CLUSTERS_AT_LEAST + 999999) /
			       1000000);
	return ERR_NONE;
}
