/*
 * The node process, put together.
 *
 *~ This is the one place that knows everybody.  node_run() makes the parts,
 * in the order in which they need each other, and runs the loop; the chain
 * opens on its own thread meanwhile, and chain_opened() lets peers and RPC
 * begin.  node_stop() starts the end; node_run() then takes the parts down in
 * reverse.  Next: chain_owner.c (the chain's side), peers.c (connections),
 * chain_port.c (questions from the one to the other), rpc_port.c.
 */
#include "config.h"

#include "node/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/reader.h"
#include "node/addr_files.h"
#include "node/rpc_port.h"
#include "node/seed_names.h"
#include "tor/inherited.h"
#include "tor/tor_transport.h"

#define CHAIN_QUEUE 64
#define SAVE_EVERY_MS (15 * 60 * 1000)
#define STOP_POLL_MS 50
#define STOP_ANSWER_MS 2000      /* for RPC answers under way */

/* ---- the end ---- */

/* The loop ends when the last RPC answer is out, or is too slow. */
static void on_stop_timer(void *arg)
{
	struct node *n = arg;

	if (!n->rpc || rpc_busy(n->rpc) == 0 ||
	    clock_mono_ms() - n->stop_ms > STOP_ANSWER_MS)
		loop_stop(n->loop);
}

void node_stop(struct node *n, const char *why)
{
	if (n->stop_ms)
		return;
	n->stop_ms = clock_mono_ms();
	log_info(LOG_NODE, "stopping: %s", why);
	atomic_store(&n->owner->stopping, true);
	if (n->rpc)
		rpc_stop(n->rpc);
	timer_set_every(n->stop_timer, STOP_POLL_MS);
}

/* An end that is nobody's wish: also told on standard error. */
static void node_fail(struct node *n, const struct why *why)
{
	log_error(LOG_NODE, "%s", why->text);
	fprintf(stderr, "Error: %s\n", why->text);
	n->exit_status = 1;
	node_stop(n, "trouble");
}

/* ---- what the chain tells ---- */

static void on_tip(void *ctx, const struct tip_event *e)
{
	struct node *n = ctx;

	p2p_on_tip(peers_engine(n->peers), e);
	if (n->rpc)
		rpc_tip_changed(n->rpc, &e->tip.hash, e->tip.height);
}

static void on_mempool_added(void *ctx, const struct mempool_tx *t)
{
	struct node *n = ctx;

	p2p_on_mempool_added(peers_engine(n->peers), t);
}

static void on_mempool_removed(void *ctx, const struct wtxid *id,
			       int64_t min_fee_sat_kvb)
{
	struct node *n = ctx;

	p2p_on_mempool_removed(peers_engine(n->peers), id, min_fee_sat_kvb);
}

static void on_checked(void *ctx, const struct block_hash *hash,
		       enum verdict verdict, const char *reason)
{
	struct node *n = ctx;

	p2p_on_block_checked(peers_engine(n->peers), hash, verdict, reason);
}

static void on_trouble(void *ctx, const struct why *why)
{
	node_fail(ctx, why);
}

static void on_imported(void *ctx, const struct why *refused)
{
	struct node *n = ctx;

	log_info(LOG_NODE, "import done");
	if (!n->cfg->stop_after_import)
		return;
	if (refused) {
		fprintf(stderr, "Error: cannot import: %s\n", refused->text);
		n->exit_status = 1;
	}
	node_stop(n, "-stopafterblockimport");
}

/* ---- opening the chain ---- */

struct open_job {
	struct job job;
	struct node *node;
	enum err err;
	struct why why;
};

static void open_run(struct job *job, void *owner)
{
	struct open_job *j = CONTAINER_OF(job, struct open_job, job);

	j->err = chain_owner_open(owner, &j->why);
}

static void addresses_save(void *arg)
{
	struct node *n = arg;
	char *dir;

	if (!n->peers_started)
		return;
	dir = path_join(n->cfg->chain_dir, NODE_DIR);
	addr_files_save(peers_engine(n->peers), dir);
	free(dir);
}

static void addresses_load(struct node *n)
{
	char *dir = path_join(n->cfg->chain_dir, NODE_DIR);

	addr_files_load(peers_engine(n->peers), dir);
	free(dir);
}

static void chain_opened(struct node *n)
{
	addresses_load(n);
	peers_start(n->peers);
	n->peers_started = true;
	if (n->trust)
		trust_start(n->trust, n->peers);
	timer_set_every(n->save_timer, SAVE_EVERY_MS);
	if (n->rpc)
		rpc_set_ready(n->rpc, n->chain);
	if (n->link)
		node_link_ready(n->link);
	actor_set_idle(n->chain, chain_owner_idle);
	log_info(LOG_NODE, "started");
}

static void open_done(struct job *job)
{
	struct open_job *j = CONTAINER_OF(job, struct open_job, job);
	struct node *n = j->node;

	if (j->err && j->err != ERR_STOPPED)
		node_fail(n, &j->why);
	else if (!j->err && !n->stop_ms)
		chain_opened(n);
	free(j);
}

/* ---- what the warden tells ---- */

static void on_tor_state(void *arg, const struct link_tor_state *s)
{
	struct node *n = arg;

	log_debug(LOG_TOR, "tor is %s, %u %%: %s", tor_phase_name(s->phase),
		  (unsigned)s->bootstrap_percent, s->summary);
	if (n->peers && n->cfg->use_tor)
		p2p_set_tor_ready(peers_engine(n->peers),
				  s->phase == TOR_READY);
	if (n->trust)
		trust_tor_ready(n->trust, s->phase == TOR_READY);
	if (s->problem[0])
		n->tor_problem_at = clock_unix(&n->clock);
}

static void tell_address(struct node *n, const char *onion, uint16_t port)
{
	if (n->peers &&
	    !p2p_set_local_onion(peers_engine(n->peers), onion, port))
		log_warn(LOG_NODE, "the address of our onion service is "
			 "malformed");
}

static void on_door(void *arg, const struct link_door *d)
{
	struct node *n = arg;
	bool up = d->state == DOOR_REACHABLE;

	if (n->self_dial)
		self_dial_set(n->self_dial, up ? d->address : NULL, d->port);
	if (!up)
		tell_address(n, NULL, 0);
}

static void on_private_door(void *arg, const struct link_door *d)
{
	struct node *n = arg;

	if (n->trust)
		trust_door(n->trust, d);
}

static void on_door_listener(void *arg, const char *name,
			     enum door_port port, int fd)
{
	struct node *n = arg;

	if (n->trust)
		trust_door_listener(n->trust, name, port, fd);
	else
		close(fd);
}

static void on_signed(void *arg, struct span answer)
{
	struct node *n = arg;
	struct why why;

	if (n->tls && tls_node_answer(n->tls, answer, &why))
		log_error(LOG_TLS, "%s", why.text);
}

/* Proven: now others may hear of it. */
static void on_self_dialled(void *ctx, bool alive)
{
	struct node *n = ctx;
	const struct link_door *d = node_link_public_door(n->link);

	tell_address(n, alive ? d->address : NULL, d->port);
	node_link_door_checked(n->link, alive);
}

static void on_link_stop(void *arg)
{
	node_stop(arg, "asked to");
}

static void on_log_reopen(void *arg, int fd)
{
	(void)arg;
	if (fd >= 0)
		log_use(fd);
}

static void on_socks(void *arg, const struct link_socks *s, int fd)
{
	struct node *n = arg;

	if (n->tor)
		tor_transport_opened(n->tor, s, fd);
	else if (fd >= 0)
		close(fd);
}

static void socks_ask(void *ctx, uint32_t id, enum socks_kind kind)
{
	struct node *n = ctx;

	node_link_socks_open(n->link, id, kind);
}

static void on_link_lost(void *arg)
{
	node_stop(arg, "the warden is gone");
}

static void close_circuit(void *ctx, uint32_t circuit)
{
	struct node *n = ctx;

	if (n->link)
		node_link_close_circuit(n->link, circuit);
}

static void refresh(void *ctx, const char *host)
{
	struct node *n = ctx;

	if (n->link)
		node_link_refresh(n->link, host);
}

/* ---- putting it together ---- */

static enum err make_rpc(struct node *n, struct why *why)
{
	const struct config *cfg = n->cfg;
	int fds[RPC_LISTENERS_MAX];
	struct rpc_options opt = {
		.base = loop_event_base(n->loop),
		.listen_fds = fds,
		.params = &cfg->params,
		.clock = &n->clock,
		.start_mono_ms = clock_mono_ms(),
		.log_path = cfg->log_path,
		.user_agent = USER_AGENT,
		.cookie_path = cfg->rpc_password ? NULL : cfg->rpc_cookie,
		.user = cfg->rpc_user,
		.password = cfg->rpc_password,
		.rpcauth = cfg->rpc_auth,
		.rpcauth_count = cfg->rpc_auth_n,
		.work_queue = cfg->rpc_work_queue,
		.timeout_s = cfg->rpc_timeout_s,
		.warmup = "Loading block index…",
	};
	struct rpc_ports ports;

	if (!cfg->server)
		return ERR_NONE;
	for (size_t i = 0; i < RPC_LISTENERS_MAX; i++) {
		char name[16];
		int fd;

		snprintf(name, sizeof name, "rpc%zu", i);
		fd = inherited_fd(name);
		if (fd >= 0)
			fds[opt.listen_count++] = fd;
	}
	rpc_port_fill(&ports, n);
	return rpc_new(&n->rpc, &opt, &ports, why);
}

static void sign_ask(void *ctx, struct span request)
{
	struct node *n = ctx;

	node_link_sign(n->link, request);
}

/* What tells the chains apart, for invites. */
static uint32_t chain_tag(const struct chain_params *params)
{
	struct reader r = reader_of(span_of(params->magic,
					    sizeof params->magic));

	return read_u32(&r);
}

/* Trusted peers are behind doors, and doors need Tor. */
static void make_trust(struct node *n)
{
	const struct tls_node_options tls = {
		.loop = n->loop, .clock = &n->clock, .pins = n->pins,
		.request = sign_ask, .ctx = n,
		.skew_s = n->cfg->leaf_skew_s,
		.ca = n->ca,
	};
	struct trust_options o = {
		.loop = n->loop,
		.clock = &n->clock,
		.chain = chain_tag(&n->cfg->params),
		.tor = n->tor,
		.pins = n->pins,
		.link = n->link,
		.rpc = n->rpc,
	};
	char *dir = path_join(n->cfg->chain_dir, NODE_DIR);
	char *path = path_join(dir, "trusted");

	n->tls = tls_node_new(&tls);
	o.tls = n->tls;
	o.path = path;
	n->trust = trust_new(&o);
	free(dir);
	free(path);
}

static void make_peers(struct node *n)
{
	const struct socks_source socks = { socks_ask, n };
	const struct self_dial_events self = { on_self_dialled, n };
	struct peers_options opt = {
		.loop = n->loop,
		.cfg = n->cfg,
		.clock = &n->clock,
		.chain = n->chain_port,
		.onion_listener = inherited_fd("public"),
		.plain_listener = inherited_fd("plain"),
		.close_circuit = close_circuit,
		.refresh = refresh,
		.ctx = n,
	};

	if (n->cfg->use_tor) {
		n->tor = tor_transport_new(n->loop, &socks, n->cfg->dns_seed
				? seed_names(n->cfg->params.id) : NULL);
		n->self_dial = self_dial_new(n->loop, n->tor, &self);
		make_trust(n);
	}
	opt.tor = n->tor;
	opt.trust = n->trust;
	n->peers = peers_new(&opt);
}

static void make_chain(struct node *n)
{
	const struct chain_sink sink = {
		.ctx = n,
		.tip = on_tip,
		.checked = on_checked,
		.mempool_added = on_mempool_added,
		.mempool_removed = on_mempool_removed,
		.trouble = on_trouble,
		.imported = on_imported,
	};

	n->owner = chain_owner_new(n->cfg, &n->clock, n->mailbox, &sink);
	n->chain = actor_new("chain", n->owner, n->mailbox, CHAIN_QUEUE,
			     true);
	n->chain_port = chain_port_new(n->chain);
}

static enum err node_make(struct node *n, struct why *why)
{
	static const struct node_link_events link_events = {
		.tor_state = on_tor_state,
		.door = on_door,
		.private_door = on_private_door,
		.door_listener = on_door_listener,
		.is_signed = on_signed,
		.stop = on_link_stop,
		.log_reopen = on_log_reopen,
		.socks = on_socks,
		.lost = on_link_lost,
	};
	struct open_job *open;
	int fd = inherited_fd("link");

	if (fd < 0)
		return why_set(why, ERR_STATE, "the node process is started "
			       "by cloisterd, not by hand (no link inherited)");
	if (n->cfg->mock_time)
		clock_set_mock(&n->clock, n->cfg->mock_time);
	n->loop = loop_new();
	/* Opened before the walls: listeners, cookie.  After: the rest. */
	if (make_rpc(n, why) || node_walls_inherit(&n->walls, why) ||
	    node_walls_raise(&n->walls, n->cfg, why))
		return why->err;
	if (n->cfg->trust_ca && tls_ca_new(&n->ca, n->cfg->trust_ca,
					   n->cfg->trust_crl, why))
		return why->err;
	n->mailbox = mailbox_new();
	n->mailbox_watch = watch_mailbox_new(n->loop, n->mailbox);
	n->pins = pins_new();
	n->stop_timer = timer_new(n->loop, on_stop_timer, n);
	n->save_timer = timer_new(n->loop, addresses_save, n);
	make_chain(n);
	n->link = node_link_new(loop_event_base(n->loop), fd, &link_events,
				n);
	make_peers(n);
	open = xcalloc(1, sizeof *open);
	open->job.run = open_run;
	open->job.done = open_done;
	open->node = n;
	actor_post_urgent(n->chain, &open->job);
	return ERR_NONE;
}

/* ---- closing ---- */

struct close_job {
	struct job job;
	struct node *node;
	enum err err;
	struct why why;
};

static void close_run(struct job *job, void *owner)
{
	struct close_job *j = CONTAINER_OF(job, struct close_job, job);

	j->err = chain_owner_close(owner, &j->why);
}

static void close_done(struct job *job)
{
	struct close_job *j = CONTAINER_OF(job, struct close_job, job);

	if (j->err) {
		log_error(LOG_NODE, "%s", j->why.text);
		fprintf(stderr, "Error: %s\n", j->why.text);
		j->node->exit_status = 1;
	}
	free(j);
}

static void close_chain(struct node *n)
{
	struct close_job *j = xcalloc(1, sizeof *j);

	j->job.run = close_run;
	j->job.done = close_done;
	j->node = n;
	atomic_store(&n->owner->stopping, true);
	actor_set_idle(n->chain, NULL);
	actor_post_urgent(n->chain, &j->job);
	actor_stop(n->chain);
	mailbox_drain(n->mailbox);
}

static void node_clear(struct node *n)
{
	if (n->rpc)
		rpc_stop(n->rpc);
	if (n->peers_started)
		addresses_save(n);
	if (n->chain)
		close_chain(n);
	self_dial_free(n->self_dial);
	trust_stop(n->trust);
	peers_free(n->peers);
	trust_free(n->trust);
	tls_node_free(n->tls);
	pins_free(n->pins);
	tls_ca_free(n->ca);
	transport_free(n->tor);
	rpc_free(n->rpc);
	node_link_free(n->link);
	chain_port_unref(n->chain_port);
	actor_free(n->chain);
	chain_owner_free(n->owner);
	timer_free(n->stop_timer);
	timer_free(n->save_timer);
	watch_free(n->mailbox_watch);
	mailbox_free(n->mailbox);
	loop_free(n->loop);
}

int node_run(const struct config *cfg)
{
	struct node n = { .cfg = cfg };
	struct why why;

	log_info(LOG_NODE, "node process for %s in %s, %u script threads, "
		 "dbcache %zu MiB", cfg->params.name, cfg->chain_dir,
		 cfg->script_threads, cfg->dbcache_bytes >> 20);
	if (cfg->dbcache_bytes < cfg->dbcache_least_bytes)
		log_info(LOG_NODE, "dbcache is taken as %zu MiB (-dbcachemin)",
			 cfg->dbcache_least_bytes >> 20);
	if (node_make(&n, &why)) {
		log_error(LOG_NODE, "%s", why.text);
		fprintf(stderr, "Error: %s\n", why.text);
		n.exit_status = 1;
	} else {
		loop_run(n.loop);
	}
	node_clear(&n);
	log_info(LOG_NODE, "node process ends");
	return n.exit_status;
}
