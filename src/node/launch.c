/*
 * Everything that needs the machine: directories, the lock, listeners on
 * loopback.  The node inherits what it may use.
 */
#include "config.h"

#include "node/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "net/loopback.h"
#include "node/node_walls.h"
#include "tls/signer.h"
#include "tor/inherited.h"
#include "tor/onion_store.h"
#include "tor/warden.h"

#define RPC_SOCKET "rpc.sock"
#define RPC_TCP_MAX 7            /* and one unix socket */
#define OPTIONS_MAX (1024 * 1024)
#define WANTED_FILES 4096

struct launch {
	const struct config *cfg;
	struct warden_fd fds[WARDEN_FDS_MAX];
	char names[WARDEN_FDS_MAX][32];
	size_t n;
	char *rpc_socket;        /* to unlink at the end */
	struct walls_plan walls;
	struct secret passphrase;        /* of the keys; may be empty */
	struct tls_signer *signer;       /* NULL until it is asked for */
	struct clock clock;
};

static void add_fd(struct launch *l, int fd, const char *name)
{
	CHECK(l->n < WARDEN_FDS_MAX);
	snprintf(l->names[l->n], sizeof l->names[0], "%s", name);
	l->fds[l->n].fd = fd;
	l->fds[l->n].name = l->names[l->n];
	l->n++;
}

/* ---- listeners ---- */

static enum err listen_unix(int *out, const char *path, struct why *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof sun.sun_path)
		return why_set(why, ERR_INPUT, "the path of the RPC socket, "
			       "%s, is longer than the %zu bytes a unix socket "
			       "may have; use a shorter -datadir", path,
			       sizeof sun.sun_path - 1);
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return why_errno(why, "cannot make a unix socket");
	/* The directory is locked: whatever stands there is a leftover. */
	(void)unlink(path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof sun) ||
	    chmod(path, 0600) || listen(fd, 64)) {
		enum err e = why_errno(why, "cannot listen on %s", path);

		close(fd);
		return e;
	}
	*out = fd;
	return ERR_NONE;
}

static enum err open_rpc(struct launch *l, struct why *why)
{
	const struct host_list *tcp = &l->cfg->rpc_bind;
	char name[32];
	enum err e;
	int fd;

	if (!l->cfg->server)
		return ERR_NONE;
	if (tcp->n > RPC_TCP_MAX)
		return why_set(why, ERR_INPUT, "-rpcbind is given %zu times; "
			       "%d is the most", tcp->n, RPC_TCP_MAX);
	for (size_t i = 0; i < tcp->n; i++) {
		uint16_t port = tcp->v[i].port;

		e = loopback_listen(&fd, tcp->v[i].host, &port, why);
		if (e)
			return e;
		snprintf(name, sizeof name, "rpc%zu", i);
		add_fd(l, fd, name);
	}
	l->rpc_socket = path_join(l->cfg->run_dir, RPC_SOCKET);
	e = listen_unix(&fd, l->rpc_socket, why);
	if (e)
		return e;
	snprintf(name, sizeof name, "rpc%zu", tcp->n);
	add_fd(l, fd, name);
	return ERR_NONE;
}

static enum err open_plain(struct launch *l, struct why *why)
{
	uint16_t port = l->cfg->bind.port;
	enum err e;
	int fd;

	if (!l->cfg->plain_listen)
		return ERR_NONE;
	e = loopback_listen(&fd, l->cfg->bind.host, &port, why);
	if (!e)
		add_fd(l, fd, "plain");
	return e;
}

/* ---- settings for the node ---- */

static enum err hand_over(struct launch *l, const struct settings *s,
			  struct why *why)
{
	struct bytes text = { 0 };
	enum err e = ERR_NONE;
	int fd = memfd_create("cloister-options", MFD_CLOEXEC);

	if (fd < 0)
		return why_errno(why, "cannot make a memory file");
	settings_dump(s, &text);
	if (text.n)
		e = file_pwrite(fd, text.p, text.n, 0, "options", why);
	bytes_wipe(text.p, text.n);
	bytes_clear(&text);
	add_fd(l, fd, "options");
	return e;
}

enum err launch_inherited_settings(struct settings *s, struct why *why)
{
	static const char once[] = "reindex=0\nreindex-chainstate=0\n";
	int fd = inherited_fd("options");
	struct stat st;
	char *text = NULL;
	enum err e;

	if (fd < 0 || fstat(fd, &st) || st.st_size > OPTIONS_MAX)
		return why_set(why, ERR_STATE, "the node process is started "
			       "by cloisterd, not by hand (unset "
			       "CLOISTER_FDS)");
	text = xcalloc(1, (size_t)st.st_size + 1);
	e = file_pread(fd, text, (size_t)st.st_size, 0, "options", why);
	if (!e)
		e = settings_load(s, text, why);
	/* What is done once is not done again by the process that takes our
	 * place after a crash: the last word counts. */
	if (!e)
		e = file_pwrite(fd, once, sizeof once - 1,
				(uint64_t)st.st_size, "options", why);
	bytes_wipe(text, (size_t)st.st_size);
	free(text);
	close(fd);
	return e;
}

/* ---- the directory and the log ---- */

static enum err open_directory(struct launch *l, struct why *why)
{
	const struct config *cfg = l->cfg;
	enum err e = dir_make(cfg->datadir, 0700, why);
	int fd;

	if (!e)
		e = dir_make(cfg->chain_dir, 0700, why);
	if (!e)
		e = dir_lock(&fd, cfg->chain_dir, why);
	if (e)
		return e;
	/* The node holds the lock too: it ends with the last of the two. */
	add_fd(l, fd, "lock");
	return dir_make(cfg->run_dir, 0700, why);
}

enum err launch_open_log(const struct config *cfg, struct why *why)
{
	enum err e = log_open(cfg->log_path, cfg->print_to_console, why);

	if (e)
		return e;
	for (size_t i = 0; i < cfg->debug_n; i++) {
		if (!log_enable(cfg->debug[i]))
			return why_set(why, ERR_INPUT, "-debug=%s is no log "
				       "category; known are %s, all, none",
				       cfg->debug[i], log_cat_names());
	}
	return ERR_NONE;
}

static void raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= WANTED_FILES)
		return;
	r.rlim_cur = MIN_OF((rlim_t)WANTED_FILES, r.rlim_max);
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

static enum err plan_walls(struct launch *l, struct why *why)
{
	int fd = -1;
	enum err e = node_walls_plan(&l->walls, &fd, l->cfg, why);

	if (fd >= 0)
		add_fd(l, fd, "walls");
	return e;
}

/* ---- keys ---- */

/* Before anything else is opened: a descriptor's number must be its own. */
static enum err read_passphrase(struct launch *l, struct why *why)
{
	enum err e = passphrase_read(&l->passphrase, &l->cfg->keys.passphrase,
				     why);

	/* The node and tor need not know where. */
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	return e;
}

/* Only now: the directory is locked. */
static enum err renew_onion(const struct launch *l, struct why *why)
{
	const struct onion_store store = {
		.dir = l->cfg->chain_dir, .name = "public",
	};
	enum err e;

	if (!l->cfg->keys.new_onion)
		return ERR_NONE;
	e = onion_store_set_aside(&store, why);
	if (!e)
		log_info(LOG_NODE, "-newonion: this node gets a new onion "
			 "address; keys of the old one are set aside in %s"
			 "/keys", l->cfg->chain_dir);
	return e;
}

/* ---- the identity ---- */

static enum err renew_identity(const struct launch *l, struct why *why)
{
	const struct identity_store store = { .dir = l->cfg->chain_dir };
	enum err e;

	if (!l->cfg->keys.new_identity)
		return ERR_NONE;
	e = identity_set_aside(&store, why);
	if (!e)
		log_info(LOG_NODE, "-newidentity: this node gets a new node "
			 "id, which every trusted peer must be told; the key "
			 "of the old one is set aside in %s/keys",
			 l->cfg->chain_dir);
	return e;
}

/* Made when the node first asks: a node without Tor never does. */
static struct tls_signer *signer_of(struct launch *l)
{
	const struct identity_store store = {
		.dir = l->cfg->chain_dir, .passphrase = &l->passphrase,
	};
	const struct signer_options o = {
		.leaf_life_s = l->cfg->leaf_life_s,
		.every_s = l->cfg->leaf_life_s ? 1 : 0,
	};
	struct identity id;
	struct why why;

	if (l->signer)
		return l->signer;
	if (identity_open(&store, &id, &why))
		log_error(LOG_TLS, "no identity for trusted peers: %s",
			  why.text);
	else
		l->signer = tls_signer_new(&id, &o);
	identity_clear(&id);
	return l->signer;
}

static bool sign(void *ctx, struct bytes *answer, struct span request)
{
	struct launch *l = ctx;
	struct tls_signer *s = signer_of(l);

	return !s || tls_sign(s, answer, request, clock_unix(&l->clock)) !=
			     SIGN_MALFORMED;
}

/* ---- all of it ---- */

static enum err prepare(struct launch *l, const struct settings *s,
			struct why *why)
{
	enum err e = open_directory(l, why);

	if (!e)
		e = launch_open_log(l->cfg, why);
	if (e)
		return e;
	log_info(LOG_NODE, "cloister %s, chain %s, directory %s",
		 PACKAGE_VERSION, l->cfg->params.name, l->cfg->chain_dir);
	if (l->cfg->plain) {
		log_warn(LOG_NODE, "PLAIN TCP on loopback is on (regtest): "
			 "no walls, no Tor between these peers");
	}
	e = plan_walls(l, why);
	if (!e)
		e = open_rpc(l, why);
	if (!e)
		e = open_plain(l, why);
	if (!e)
		e = hand_over(l, s, why);
	if (!e)
		e = renew_onion(l, why);
	if (!e)
		e = renew_identity(l, why);
	return e;
}

/* The node cannot: its walls keep it out of these directories. */
static void remove_doors(struct launch *l)
{
	if (!l->rpc_socket)
		return;
	(void)unlink(l->rpc_socket);
	if (!l->cfg->rpc_password)
		(void)unlink(l->cfg->rpc_cookie);
	free(l->rpc_socket);
}

int launch(const struct settings *s, const struct config *cfg)
{
	static char *const node_argv[] = { (char *)"cloisterd: node", NULL };
	struct launch l = { .cfg = cfg };
	struct why why;
	int status = 1;

	raise_file_limit();
	clock_set_mock(&l.clock, cfg->mock_time);
	if (read_passphrase(&l, &why) || prepare(&l, s, &why)) {
		fprintf(stderr, "Error: %s\n", why.text);
		for (size_t i = 0; i < l.n; i++)
			close(l.fds[i].fd);
	} else {
		struct warden_options o = {
			.dir = cfg->chain_dir,
			.node_path = "/proc/self/exe",
			.node_argv = node_argv,
			.node_fds = l.fds,
			.n_node_fds = l.n,
			.respawn = cfg->respawn,
			.walls = &l.walls,
			.use_tor = cfg->use_tor,
			.tor_program = cfg->tor_program,
			.tor_extra = cfg->torrc,
			.tor_any_version = cfg->any_tor_version,
			.public_onion = cfg->publish_onion,
			.public_port = cfg->onion_port,
			.p2p_port = cfg->params.p2p_port,
			.passphrase = &l.passphrase,
			.seeds = cfg->dns_seed,
			.sign = sign,
			.ctx = &l,
		};

		status = warden_run(&o);
	}
	tls_signer_free(l.signer);
	secret_clear(&l.passphrase);
	remove_doors(&l);
	log_info(LOG_NODE, "end, exit status %d", status);
	log_close();
	return status;
}
