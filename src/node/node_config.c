/*
 * From settings to a typed, checked configuration.
 */
#include "config.h"

#include "node/node_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "conf/chain_choice.h"
#include "conf/conf_file.h"
#include "crypto/onion_address.h"
#include "net/loopback.h"
#include "node/mempool_options.h"
#include "node/node_walls.h"
#include "validation/chain.h"

#define MAX_SCRIPT_THREADS 64

/* ---- reading ---- */

enum err config_read_settings(struct settings *s, int argc,
			      char *const *argv, struct why *why)
{
	char *dir, *path;
	int used;
	enum err e;

	e = settings_parse_args(s, &used, argc, argv, why);
	if (e)
		return e;
	if (used < argc)
		return why_set(why, ERR_INPUT, "unexpected argument \"%s\": "
			       "options begin with a dash", argv[used]);
	e = conf_file_load(&dir, &path, s, why);
	if (!e && settings_has(s, "user") && !settings_has(s, "datadir"))
		e = why_set(why, ERR_INPUT, "-user=%s needs -datadir=DIR, a "
			    "directory which that user may write to",
			    settings_text(s, "user"));
	if (!e)
		settings_force(s, "datadir", dir);
	free(dir);
	free(path);
	return e;
}

/* ---- checking ---- */

static enum err activation_height(struct chain_params *p, const char *text,
				  struct why *why)
{
	static const char *const names[BURIED_COUNT] = {
		[BURIED_BIP34] = "bip34", [BURIED_BIP66] = "dersig",
		[BURIED_BIP65] = "cltv", [BURIED_CSV] = "csv",
		[BURIED_SEGWIT] = "segwit",
	};
	const char *at = strchr(text, '@');

	for (int i = 0; at && i < BURIED_COUNT; i++) {
		size_t n = strlen(names[i]);
		char *end;
		long height;

		if ((size_t)(at - text) != n || strncmp(text, names[i], n))
			continue;
		height = strtol(at + 1, &end, 10);
		if (at[1] < '0' || at[1] > '9' || *end || height >= INT32_MAX)
			break;
		p->buried_height[i] = (int)height;
		return ERR_NONE;
	}
	return why_set(why, ERR_INPUT, "-testactivationheight=%s: write "
		       "NAME@HEIGHT, NAME one of bip34, dersig, cltv, csv, "
		       "segwit", text);
}

static enum err test_snapshot(struct chain_params *p, const char *text,
			      struct why *why)
{
	struct snapshot_params *s = &p->snapshots[p->snapshot_count];
	char hash[65], coins[65];
	unsigned long long txs;

	if (p->snapshot_count == SNAPSHOTS_MAX)
		return why_set(why, ERR_INPUT, "too many -testsnapshot");
	if (sscanf(text, "%9d:%64[0-9a-f]:%64[0-9a-f]:%19llu", &s->height,
		   hash, coins, &txs) != 4 || s->height <= 0 || !txs ||
	    !hash_from_rpc_hex(s->hash.b, hash) ||
	    !hash_from_rpc_hex(s->coins_hash, coins))
		return why_set(why, ERR_INPUT, "-testsnapshot=%.100s: write "
			       "HEIGHT:BLOCK:COINS:TXS", text);
	s->chain_txs = txs;
	p->snapshot_count++;
	return ERR_NONE;
}

static enum err make_snapshots(struct config *c, const struct settings *s,
			       struct why *why)
{
	const char *const *list;
	size_t n = settings_list(s, "testsnapshot", &list);
	enum err e = ERR_NONE;

	for (size_t i = 0; !e && i < n; i++)
		e = test_snapshot(&c->params, list[i], why);
	return e;
}

static enum err make_regtest(struct config *c, const struct settings *s,
			     struct why *why)
{
	const char *const *list;
	size_t n = settings_list(s, "testactivationheight", &list);
	bool regtest = c->params.id == CHAIN_REGTEST;
	enum err e;

	if (!regtest && (n || settings_bool(s, "test-bip94") ||
			 settings_has(s, "mocktime") ||
			 settings_has(s, "leaflife")))
		return why_set(why, ERR_INPUT, "-testactivationheight, "
			       "-test-bip94, -mocktime and -leaflife work on "
			       "regtest only");
	for (size_t i = 0; i < n; i++) {
		e = activation_height(&c->params, list[i], why);
		if (e)
			return e;
	}
	if (settings_bool(s, "test-bip94"))
		c->params.enforce_bip94 = true;
	c->mock_time = settings_int(s, "mocktime");
	if (settings_has(s, "leaflife")) {
		c->leaf_life_s = settings_int(s, "leaflife");
		c->leaf_skew_s = MAX_OF(c->leaf_life_s / 4, 1);
	}
	return ERR_NONE;
}

static enum err make_signet(struct config *c, const struct settings *s,
			    struct why *why)
{
	const char *hex = settings_text(s, "signetchallenge");
	size_t n;

	if (!hex)
		return ERR_NONE;
	if (c->params.id != CHAIN_SIGNET)
		return why_set(why, ERR_INPUT, "-signetchallenge works on "
			       "signet only");
	n = strlen(hex) / 2;
	if (n == 0 || n > sizeof c->signet_challenge ||
	    !hex_decode(c->signet_challenge, n, hex))
		return why_set(why, ERR_INPUT, "-signetchallenge must be hex, "
			       "of 1 to %zu bytes",
			       sizeof c->signet_challenge);
	chain_params_set_signet(&c->params,
				span_of(c->signet_challenge, n));
	return ERR_NONE;
}

static enum err make_chain(struct config *c, const struct settings *s,
			   struct why *why)
{
	const char *name, *text;
	enum err e = chain_choice_make(&name, s, why);

	if (e)
		return e;
	CHECK(chain_params_by_name(&c->params, name));
	e = make_regtest(c, s, why);
	if (!e)
		e = make_snapshots(c, s, why);
	if (!e)
		e = make_signet(c, s, why);
	if (e)
		return e;
	text = settings_text(s, "assumevalid");
	if (text && strcmp(text, "0") == 0) {
		c->check_all_scripts = true;
		memset(&c->params.assume_valid, 0,
		       sizeof c->params.assume_valid);
	} else if (text && !hash_from_rpc_hex(c->params.assume_valid.b, text)) {
		return why_set(why, ERR_INPUT, "-assumevalid=%s is no block "
			       "hash: 64 hex digits, or 0", text);
	}
	text = settings_text(s, "minimumchainwork");
	if (text && !u256_from_hex(&c->params.minimum_chain_work, text))
		return why_set(why, ERR_INPUT, "-minimumchainwork=%s is no "
			       "number in hex", text);
	return ERR_NONE;
}

static enum err make_indexes(struct config *c, const struct settings *s,
			     struct why *why)
{
	const char *filter = settings_text(s, "blockfilterindex");

	c->txindex = settings_bool(s, "txindex");
	c->statsindex = settings_bool(s, "coinstatsindex");
	if (!filter || strcmp(filter, "0") == 0)
		return ERR_NONE;
	c->filterindex = strcmp(filter, "basic") == 0 ||
			 strcmp(filter, "1") == 0;
	if (!c->filterindex)
		return why_set(why, ERR_INPUT, "Unknown -blockfilterindex "
			       "value %s.", filter);
	return ERR_NONE;
}

#define PRUNE_MIN_MIB 550

static enum err make_prune(struct config *c, const struct settings *s,
			   struct why *why)
{
	int64_t mib = settings_int(s, "prune");

	c->fast_prune = settings_bool(s, "fastprune");
	if (c->fast_prune && c->params.id != CHAIN_REGTEST)
		return why_set(why, ERR_INPUT, "-fastprune works on regtest "
			       "only");
	if (mib < 0)
		return why_set(why, ERR_INPUT, "Prune cannot be configured "
			       "with a negative value.");
	if (mib > 1 && mib < PRUNE_MIN_MIB && !c->fast_prune)
		return why_set(why, ERR_INPUT, "Prune configured below the "
			       "minimum of %d MiB.  Please use a higher "
			       "number.", PRUNE_MIN_MIB);
	c->verify_blocks = (int)settings_int(s, "checkblocks");
	if (!c->verify_blocks)
		c->verify_blocks = INT32_MAX;
	c->verify_level = (int)settings_int(s, "checklevel");
	c->reindex = settings_bool(s, "reindex");
	c->reindex_chainstate = settings_bool(s, "reindex-chainstate") &&
				!c->reindex;
	if (mib && c->reindex_chainstate)
		return why_set(why, ERR_INPUT, "Prune mode is incompatible "
			       "with -reindex-chainstate. Use full -reindex "
			       "instead.");
	if (mib && c->txindex)
		return why_set(why, ERR_INPUT, "Prune mode is incompatible "
			       "with -txindex.");
	c->prune_bytes = mib == 1 ? CHAIN_PRUNE_MANUAL : (uint64_t)mib << 20;
	return ERR_NONE;
}

static unsigned script_threads(int64_t par)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		cores = 1;
	if (par <= 0)
		par += cores;
	if (par < 1)
		par = 1;
	return (unsigned)MIN_OF(par, MAX_SCRIPT_THREADS);
}

/* Read the addresses of one option. */
static enum err make_hosts(struct host_list *out, const struct settings *s,
			   const char *option, uint16_t port,
			   struct why *why)
{
	const char *const *list;
	size_t n = settings_list(s, option, &list);

	out->v = xcalloc(n + 1, sizeof *out->v);
	for (size_t i = 0; i < n; i++) {
		if (!host_port_parse(&out->v[i], list[i], port))
			return why_set(why, ERR_INPUT, "-%s=%s is no address; "
				       "write ADDR or ADDR:PORT", option,
				       list[i]);
		out->n++;
	}
	return ERR_NONE;
}

static bool looks_like_onion(const char *host)
{
	size_t n = strlen(host);

	return n == ONION_TEXT_SIZE - 1 && strcmp(host + n - 6, ".onion") == 0;
}

/* Peers are onions; on regtest's plain loopback, loopback addresses too. */
static enum err check_peers(struct config *c, const struct host_list *l,
			    const char *option, struct why *why)
{
	bool regtest = c->params.id == CHAIN_REGTEST;

	for (size_t i = 0; i < l->n; i++) {
		const char *host = l->v[i].host;

		if (host_is_onion(host))
			continue;
		if (regtest && loopback_address_ok(host)) {
			c->plain = true;
			continue;
		}
		if (loopback_address_ok(host))
			return why_set(why, ERR_INPUT, "-%s=%s: plain TCP on "
				       "loopback is for regtest only; peers "
				       "are v3 onion addresses", option, host);
		if (looks_like_onion(host))
			return why_set(why, ERR_INPUT, "-%s=%s: a character "
				       "of this onion address is wrong (its "
				       "checksum says so)", option, host);
		return why_set(why, ERR_INPUT, "-%s=%s: peers are v3 onion "
			       "addresses (56 characters and .onion)", option,
			       host);
	}
	return ERR_NONE;
}

static bool any_onion(const struct host_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (host_is_onion(l->v[i].host))
			return true;
	return false;
}

static enum err make_bind(struct config *c, const struct settings *s,
			  uint16_t port, struct why *why)
{
	const char *text = settings_text(s, "bind");

	if (!text)
		return ERR_NONE;
	if (c->params.id != CHAIN_REGTEST)
		return why_set(why, ERR_INPUT, "-bind works on regtest only; "
			       "on %s peers reach this node through its onion "
			       "service alone", c->params.name);
	if (!host_port_parse(&c->bind, text, port) ||
	    !loopback_address_ok(c->bind.host))
		return why_set(why, ERR_INPUT, "-bind=%s is no loopback "
			       "address (127.0.0.1)", text);
	c->plain = true;
	c->plain_listen = true;
	return ERR_NONE;
}

static enum err make_walls(struct config *c, const struct settings *s,
			   struct why *why)
{
	const char *text = settings_text(s, "walls");

	c->user = settings_text(s, "user");
	c->walls = WALLS_BEST;
	if (text && !walls_mode_read(&c->walls, text))
		return why_set(why, ERR_INPUT, "-walls=%s: it is strict, auto "
			       "or off", text);
	if (c->walls == WALLS_OFF && c->params.id != CHAIN_REGTEST)
		return why_set(why, ERR_INPUT, "-walls=off works on regtest "
			       "only; -walls=auto starts with those that "
			       "this system offers");
	if (!c->plain)
		return ERR_NONE;
	/* Who connects by TCP needs the network. */
	if (c->walls == WALLS_STRICT)
		return why_set(why, ERR_INPUT, "-walls=strict and plain TCP "
			       "(-bind, loopback peers) exclude each other");
	c->walls = WALLS_OFF;
	return ERR_NONE;
}

/* Options that say the opposite of each other are a mistake. */
static enum err check_trusted_only(const struct settings *s, struct why *why)
{
	static const char *const others[] = {
		"connect", "addnode", "seednode", "bind",
	};
	static const char *const doors[] = { "listen", "publiconion" };
	bool only = settings_bool(s, "trustedonly");

	for (size_t i = 0; i < ARRAY_SIZE(others) && only; i++)
		if (settings_has(s, others[i]))
			return why_set(why, ERR_INPUT, "-trustedonly=1 and "
				       "-%s contradict each other", others[i]);
	for (size_t i = 0; i < ARRAY_SIZE(doors) && only; i++)
		if (settings_has(s, doors[i]) && settings_bool(s, doors[i]))
			return why_set(why, ERR_INPUT, "-trustedonly=1 and "
				       "-%s=1 contradict each other", doors[i]);
	if (settings_has(s, "publiconion") && settings_bool(s, "publiconion") &&
	    settings_has(s, "listen") && !settings_bool(s, "listen"))
		return why_set(why, ERR_INPUT, "-publiconion=1 and -listen=0 "
			       "contradict each other");
	return ERR_NONE;
}

static enum err make_ca(struct config *c, const struct settings *s,
			struct why *why)
{
	const char *ca = settings_text(s, "trustca");
	const char *crl = settings_text(s, "trustcrl");

	if (crl && !ca)
		return why_set(why, ERR_INPUT, "-trustcrl goes with "
			       "-trustca=FILE");
	c->trust_ca = ca ? conf_path_absolute(ca) : NULL;
	c->trust_crl = crl ? conf_path_absolute(crl) : NULL;
	return ERR_NONE;
}

static enum err make_peers(struct config *c, const struct settings *s,
			   struct why *why)
{
	uint16_t port = settings_has(s, "port")
			? (uint16_t)settings_int(s, "port")
			: c->params.p2p_port;
	bool listen;
	enum err e;

	e = make_bind(c, s, port, why);
	if (!e)
		e = make_hosts(&c->connect, s, "connect",
			       c->params.p2p_port, why);
	if (!e)
		e = make_hosts(&c->addnode, s, "addnode",
			       c->params.p2p_port, why);
	if (!e)
		e = make_hosts(&c->seednode, s, "seednode",
			       c->params.p2p_port, why);
	if (!e)
		e = check_peers(c, &c->connect, "connect", why);
	if (!e)
		e = check_peers(c, &c->addnode, "addnode", why);
	if (!e)
		e = check_peers(c, &c->seednode, "seednode", why);
	if (e)
		return e;
	e = check_trusted_only(s, why);
	if (e)
		return e;
	c->trusted_only = settings_bool(s, "trustedonly");
	c->connect_only = settings_has(s, "connect") || c->trusted_only;
	c->no_outbound = settings_negated(s, "connect");
	c->max_connections = (unsigned)settings_int(s, "maxconnections");
	listen = settings_has(s, "listen") ? settings_bool(s, "listen")
					   : !c->connect_only ||
						     c->plain_listen;
	c->plain_listen = c->plain_listen && listen;
	c->onion_port = port;
	/* Plain loopback takes Tor's place unless an onion is asked for. */
	c->use_tor = c->trusted_only || any_onion(&c->connect) || any_onion(&c->addnode) ||
		     any_onion(&c->seednode) ||
		     (!c->plain && (listen || !c->connect_only));
	c->publish_onion = c->use_tor && listen && !c->plain_listen &&
			   (!settings_has(s, "publiconion") ||
			    settings_bool(s, "publiconion"));
	c->dns_seed = settings_bool(s, "dnsseed") && c->use_tor &&
		      !c->connect_only && !c->no_outbound &&
		      c->params.id == CHAIN_MAIN;
	c->tor_program = settings_text(s, "tor");
	c->torrc = settings_text(s, "torrc");
	if (settings_has(s, "torversion")) {
		if (strcmp(settings_text(s, "torversion"), "any") != 0)
			return why_set(why, ERR_INPUT, "-torversion=%s: the "
				       "one value it takes is \"any\"",
				       settings_text(s, "torversion"));
		c->any_tor_version = true;
	}
	return ERR_NONE;
}

static enum err make_rpc(struct config *c, const struct settings *s,
			 struct why *why)
{
	uint16_t port = settings_has(s, "rpcport")
			? (uint16_t)settings_int(s, "rpcport")
			: c->params.rpc_port;
	enum err e;

	c->server = settings_bool(s, "server");
	e = make_hosts(&c->rpc_bind, s, "rpcbind", port, why);
	if (e)
		return e;
	for (size_t i = 0; i < c->rpc_bind.n; i++) {
		if (!loopback_address_ok(c->rpc_bind.v[i].host))
			return why_set(why, ERR_INPUT, "-rpcbind=%s: RPC is "
				       "answered on loopback only",
				       c->rpc_bind.v[i].host);
	}
	c->rpc_user = settings_text(s, "rpcuser");
	c->rpc_password = settings_text(s, "rpcpassword");
	if (!c->rpc_user != !c->rpc_password)
		return why_set(why, ERR_INPUT, "-rpcuser and -rpcpassword go "
			       "together; or leave both out and use the "
			       "cookie");
	c->rpc_auth_n = settings_list(s, "rpcauth", &c->rpc_auth);
	c->rpc_timeout_s = (int)settings_int(s, "rpcservertimeout");
	c->rpc_work_queue = (size_t)settings_int(s, "rpcworkqueue");
	c->rpc_cookie = conf_path_below(c->chain_dir,
			      settings_text(s, "rpccookiefile"));
	return ERR_NONE;
}

enum err config_make(struct config *c, const struct settings *s,
		     struct why *why)
{
	const char *log_file = settings_text(s, "debuglogfile");
	enum err e;

	memset(c, 0, sizeof *c);
	e = make_chain(c, s, why);
	if (e)
		return e;
	c->datadir = conf_path_absolute(settings_text(s, "datadir"));
	c->chain_dir = *c->params.dir ? path_join(c->datadir, c->params.dir)
				      : xstrdup(c->datadir);
	c->run_dir = path_join(c->chain_dir, "run");
	if (log_file && strcmp(log_file, "0") != 0)
		c->log_path = conf_path_below(c->chain_dir, log_file);
	c->print_to_console = settings_bool(s, "printtoconsole");
	c->debug_n = settings_list(s, "debug", &c->debug);
	c->snapshot_dir = settings_has(s, "snapshotdir")
		? conf_path_absolute(settings_text(s, "snapshotdir"))
		: path_join(c->chain_dir, NODE_DIR);
	c->dbcache_bytes = (size_t)settings_int(s, "dbcache") << 20;
	c->dbcache_least_bytes = (size_t)settings_int(s, "dbcachemin") << 20;
	c->script_threads = script_threads(settings_int(s, "par"));
	c->respawn = (unsigned)settings_int(s, "respawn");
	c->load_block_n = settings_list(s, "loadblock", &c->load_blocks);
	c->stop_after_import = settings_bool(s, "stopafterblockimport");
	e = make_indexes(c, s, why);
	if (!e)
		e = make_prune(c, s, why);
	if (!e && c->stop_after_import && !c->load_block_n && !c->reindex)
		e = why_set(why, ERR_INPUT, "-stopafterblockimport needs "
			    "-loadblock=FILE or -reindex");
	if (!e)
		e = mempool_options_make(c, s, why);
	if (!e)
		e = make_peers(c, s, why);
	if (!e)
		e = make_ca(c, s, why);
	if (!e)
		e = make_walls(c, s, why);
	if (!e)
		e = key_options_make(&c->keys, s, why);
	if (!e && c->keys.new_onion && !c->publish_onion)
		e = why_set(why, ERR_INPUT, "-newonion: with these options no "
			    "onion service is published");
	if (!e)
		e = make_rpc(c, s, why);
	return e;
}

void config_clear(struct config *c)
{
	free(c->datadir);
	free(c->chain_dir);
	free(c->run_dir);
	free(c->snapshot_dir);
	key_options_clear(&c->keys);
	free(c->log_path);
	free(c->trust_ca);
	free(c->trust_crl);
	free(c->rpc_cookie);
	free(c->connect.v);
	free(c->addnode.v);
	free(c->seednode.v);
	free(c->rpc_bind.v);
	memset(c, 0, sizeof *c);
}
