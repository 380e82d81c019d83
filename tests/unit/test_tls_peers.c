/*
 * Our streams with peers that are OpenSSL and nothing of ours: bad chains,
 * old TLS, no TLS.
 */
#include "config.h"

#include "tests/unit/test_tls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cert_forge.h"
#include "tests/unit/tls_rig.h"

/* Our node, and a peer's keys. */
struct scene {
	struct loop *loop;
	struct tls_side us;
	struct tls_place place;
	struct tls_end e;
	EVP_PKEY *identity, *leaf;
	struct forge_id id;
	struct forge root_f, leaf_f;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;                  /* the peer's socket */
	int done;                /* of the peer's handshake: 1, or -1 */
	size_t roots;            /* certificates behind the leaf */
	bool no_alpn;
};

static int enter(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->loop = loop_new();
	tls_side_start(&s->us, s->loop, 1, NULL, NULL);
	tls_side_wait(&s->us, s->loop);
	s->identity = forge_key("ED25519");
	s->leaf = forge_key("ED25519");
	forge_id_of(&s->id, s->identity);
	s->root_f = forge_root(s->identity, &s->id);
	s->leaf_f = forge_leaf(s->identity, s->leaf, &s->id, RIG_NOW);
	pins_set(s->us.pins, &s->id.id, PIN_TRUSTED, "peer");
	s->place = tls_place_only(&s->id.id);
	s->ctx = SSL_CTX_new(TLS_method());
	s->roots = 1;
	s->fd = -1;
	*state = s;
	return 0;
}

static int leave(void **state)
{
	struct scene *s = *state;

	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	tls_end_clear(&s->e);
	tls_side_stop(&s->us);
	loop_free(s->loop);
	EVP_PKEY_free(s->identity);
	EVP_PKEY_free(s->leaf);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return 0;
}

static X509 *made(const struct forge *f)
{
	struct bytes der = {0};
	const unsigned char *p;
	X509 *x;

	forge_make(&der, f);
	p = der.p;
	x = d2i_X509(NULL, &p, (long)der.n);
	assert_non_null(x);
	bytes_clear(&der);
	return x;
}

/* The peer shows leaf_f and root_f. */
static void peer_chain(struct scene *s)
{
	X509 *leaf = made(&s->leaf_f), *root = made(&s->root_f);

	SSL_CTX_set_security_level(s->ctx, 0);
	assert_int_equal(SSL_CTX_use_certificate(s->ctx, leaf), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, s->leaf_f.key), 1);
	for (size_t i = 0; i < s->roots; i++)
		assert_int_equal(SSL_CTX_add1_chain_cert(s->ctx, root), 1);
	X509_free(leaf);
	X509_free(root);
}

static void peer_begin(struct scene *s, bool as_server)
{
	static const unsigned char p2p[] = "\x0c" "cloister/p2p";
	int fd[2];

	tls_sockets(fd);
	s->fd = fd[1];
	s->ssl = SSL_new(s->ctx);
	SSL_set_fd(s->ssl, s->fd);
	if (as_server) {
		SSL_set_accept_state(s->ssl);
		tls_end_connect(&s->e, &s->us, fd[0], &s->place);
		return;
	}
	if (!s->no_alpn)
		SSL_set_alpn_protos(s->ssl, p2p, sizeof p2p - 1);
	SSL_set_connect_state(s->ssl);
	tls_end_accept(&s->e, &s->us, fd[0], &s->place);
}

static void peer_step(struct scene *s)
{
	char buf[100];
	int n;

	if (s->done == 0) {
		n = SSL_do_handshake(s->ssl);
		s->done = n == 1 ? 1 :
			SSL_get_error(s->ssl, n) == SSL_ERROR_WANT_READ ? 0
									: -1;
	} else if (s->done == 1) {
		n = SSL_read(s->ssl, buf, sizeof buf);
		if (n <= 0 && SSL_get_error(s->ssl, n) != SSL_ERROR_WANT_READ)
			s->done = -1;
	}
}

static void run(struct scene *s)
{
	int64_t end = clock_mono_ms() + 20000;

	while ((!s->e.told || s->done == 0) && clock_mono_ms() < end) {
		peer_step(s);
		loop_run_once(s->loop, 1);
	}
	assert_true(s->e.told);
}

/* What alert came is all that the peer learns. */
static void peer_is_told_no_more(struct scene *s)
{
	for (int i = 0; i < 200 && s->done >= 0; i++) {
		peer_step(s);
		loop_run_once(s->loop, 1);
	}
	assert_int_equal(s->done, -1);
}

static void as_client(struct scene *s, enum tls_fail want)
{
	peer_chain(s);
	peer_begin(s, false);
	run(s);
	if (s->e.result.fail != want)
		print_message("it is: %s\n",
			      tls_fail_text(s->e.result.fail));
	assert_int_equal(s->e.result.fail, want);
	if (want)
		peer_is_told_no_more(s);
}

static int select_alpn(SSL *ssl, const unsigned char **out,
		       unsigned char *out_n, const unsigned char *in,
		       unsigned in_n, void *arg)
{
	(void)ssl;
	(void)arg;
	(void)in_n;
	*out = in + 1;
	*out_n = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static int anybody(X509_STORE_CTX *c, void *arg)
{
	(void)c;
	(void)arg;
	return 1;
}

static void as_server(struct scene *s, enum tls_fail want)
{
	peer_chain(s);
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(s->ctx, anybody, NULL);
	if (!s->no_alpn)
		SSL_CTX_set_alpn_select_cb(s->ctx, select_alpn, NULL);
	peer_begin(s, true);
	run(s);
	if (s->e.result.fail != want)
		print_message("it is: %s\n",
			      tls_fail_text(s->e.result.fail));
	assert_int_equal(s->e.result.fail, want);
}

static void sound_client(void **state)
{
	struct scene *s = *state;

	as_client(s, TLS_OK);
	assert_true(node_id_eq(&s->e.result.id, &s->id.id));
	assert_int_equal(SSL_write(s->ssl, "version", 7), 7);
	while (s->e.got.n < 7)
		loop_run_once(s->loop, 100);
	assert_memory_equal(s->e.got.p, "version", 7);
	assert_int_equal(SSL_version(s->ssl), TLS1_3_VERSION);
	assert_int_equal(SSL_session_reused(s->ssl), 0);
	assert_int_equal(SSL_SESSION_has_ticket(SSL_get_session(s->ssl)), 0);
	/* Our chain is ours. */
	assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(s->ssl)), 2);
}

static void sound_server(void **state)
{
	as_server(*state, TLS_OK);
}

static void p256_leaf(void **state)
{
	struct scene *s = *state;

	s->leaf_f.key = forge_key("P-256");
	as_client(s, TLS_OK);
	EVP_PKEY_free(s->leaf_f.key);
}

/* Each of these once as client and once as server. */
#define BOTH(name, want, ...) \
	static void name##_client(void **state) \
	{ \
		struct scene *s = *state; \
		__VA_ARGS__; \
		as_client(s, want); \
	} \
	static void name##_server(void **state) \
	{ \
		struct scene *s = *state; \
		__VA_ARGS__; \
		as_server(s, want); \
	}

BOTH(unknown, TLS_UNKNOWN_ID,
     pins_set(s->us.pins, &s->id.id, PIN_UNKNOWN, NULL))
BOTH(revoked, TLS_REVOKED,
     pins_set(s->us.pins, &s->id.id, PIN_REVOKED, "peer"))
BOTH(wrong_door, TLS_WRONG_DOOR, s->place.only = s->us.id)
BOTH(expired, TLS_EXPIRED, s->leaf_f.until_unix = RIG_NOW - 2 * 86400)
BOTH(early, TLS_NOT_YET_VALID, s->leaf_f.from_unix = RIG_NOW + 2 * 86400)
BOTH(wrong_san, TLS_WRONG_SAN, s->leaf_f.uri[0] = "cloister:clid1else")
BOTH(root_missing, TLS_NO_CERT, s->roots = 0)
BOTH(deep, TLS_TOO_DEEP, s->roots = 5)
BOTH(hundred, TLS_OVERSIZED, s->roots = 100)
BOTH(oversized, TLS_OVERSIZED, s->leaf_f.junk = 30000)
BOTH(not_a_ca, TLS_BAD_CERT, s->root_f.ca = 0)

static EVP_PKEY *rsa_leaf(struct scene *s)
{
	s->leaf_f.key = forge_key("RSA");
	return s->leaf_f.key;
}

/* We offer no signature that such a key could make: none is shown. */
static void rsa_client(void **state)
{
	struct scene *s = *state;
	EVP_PKEY *k = rsa_leaf(s);

	as_client(s, TLS_NO_CERT);
	EVP_PKEY_free(k);
}

/* A thief has the root, which everybody may see, but no key of it. */
static void somebody_elses_root(void **state)
{
	struct scene *s = *state;
	EVP_PKEY *mine = forge_key("ED25519");

	s->leaf_f.signer = mine;
	as_client(s, TLS_BAD_SIGNATURE);
	assert_true(s->e.result.has_id);        /* as claimed */
	EVP_PKEY_free(mine);
}

static void no_certificate(void **state)
{
	struct scene *s = *state;

	peer_begin(s, false);
	run(s);
	assert_int_equal(s->e.result.fail, TLS_NO_CERT);
	assert_false(s->e.result.has_id);
	peer_is_told_no_more(s);
}

static void no_alpn(void **state)
{
	struct scene *s = *state;

	s->no_alpn = true;
	as_client(s, TLS_WRONG_PURPOSE);
}

static void no_alpn_is_fine_for_rpc(void **state)
{
	struct scene *s = *state;

	s->no_alpn = true;
	s->place.purpose = TLS_RPC;
	as_client(s, TLS_OK);
}

static void no_alpn_server(void **state)
{
	struct scene *s = *state;

	s->no_alpn = true;
	s->place.purpose = TLS_RPC;
	as_server(s, TLS_WRONG_PURPOSE);
}

static void old_client(void **state)
{
	struct scene *s = *state;

	SSL_CTX_set_max_proto_version(s->ctx, TLS1_2_VERSION);
	as_client(s, TLS_TOO_OLD);
}

static void old_server(void **state)
{
	struct scene *s = *state;

	SSL_CTX_set_max_proto_version(s->ctx, TLS1_2_VERSION);
	as_server(s, TLS_TOO_OLD);
}

static void plain_text(void **state)
{
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\xf9\xbe\xb4\xd9version\0\0\0\0\0",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"\x16\x03\x01\x40\x00 a record of 16384 bytes that is none",
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t n = i == 1 ? 16 : strlen(texts[i]);
		int fd[2];

		tls_sockets(fd);
		tls_end_accept(&s->e, &s->us, fd[0], &s->place);
		assert_int_equal(write(fd[1], texts[i], n), n);
		if (i == 3)
			close(fd[1]);
		tls_run_until(s->loop, &s->e.told);
		assert_int_equal(s->e.result.fail,
				 i == 3 ? TLS_CLOSED : TLS_NOT_TLS);
		if (i < 3)
			close(fd[1]);
		tls_end_clear(&s->e);
	}
	/* A server that is none. */
	{
		int fd[2];

		tls_sockets(fd);
		tls_end_connect(&s->e, &s->us, fd[0], &s->place);
		assert_int_equal(write(fd[1], "220 hello\r\n", 11), 11);
		tls_run_until(s->loop, &s->e.told);
		assert_int_equal(s->e.result.fail, TLS_NOT_TLS);
		close(fd[1]);
	}
}

/* Nothing of one session is good for another. */
static void sessions_are_not_resumed(void **state)
{
	struct scene *s = *state;
	SSL_SESSION *session;

	as_client(s, TLS_OK);
	session = SSL_get1_session(s->ssl);
	assert_int_equal(SSL_SESSION_is_resumable(session), 0);
	SSL_SESSION_free(session);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)
#define TESTS(f) TEST(f##_client), TEST(f##_server)

int test_tls_peers(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(sound),
		TEST(p256_leaf),
		TESTS(unknown),
		TESTS(revoked),
		TESTS(wrong_door),
		TESTS(expired),
		TESTS(early),
		TESTS(wrong_san),
		TESTS(root_missing),
		TESTS(deep),
		TESTS(hundred),
		TESTS(oversized),
		TESTS(not_a_ca),
		TEST(rsa_client),
		TEST(somebody_elses_root),
		TEST(no_certificate),
		TEST(no_alpn),
		TEST(no_alpn_is_fine_for_rpc),
		TEST(no_alpn_server),
		TESTS(old),
		TEST(plain_text),
		TEST(sessions_are_not_resumed),
	};

	return cmocka_run_group_tests_name("tls: peers", tests, NULL, NULL);
}
