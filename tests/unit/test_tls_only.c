/*
 * A client with a context of its own meets the node that is meant, another
 * one, and one that only says so.
 */
#include "config.h"

#include "test_tls.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/cert_forge.h"
#include "tls/cert_priv.h"
#include "tls/tls_only.h"

struct server {
	EVP_PKEY *identity, *signer, *leaf;
	struct forge_id id;
	int64_t from_unix;
};

static void add(SSL_CTX *ctx, const struct forge *f, bool leaf)
{
	struct bytes der = {0};
	X509 *x;

	forge_make(&der, f);
	x = cert_read(bytes_span(&der));
	assert_non_null(x);
	assert_int_equal(leaf ? SSL_CTX_use_certificate(ctx, x)
			      : SSL_CTX_add1_chain_cert(ctx, x), 1);
	X509_free(x);
	bytes_clear(&der);
}

static SSL_CTX *server_ctx(struct server *s)
{
	struct forge root = forge_root(s->identity, &s->id);
	struct forge leaf = forge_leaf(s->identity, s->leaf, &s->id,
				       s->from_unix);
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	assert_non_null(ctx);
	leaf.signer = s->signer;
	add(ctx, &leaf, true);
	add(ctx, &root, false);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, s->leaf), 1);
	return ctx;
}

/* Does the client finish its handshake? */
static bool meet(struct server *s, struct tls_only *only)
{
	SSL_CTX *at[2] = { server_ctx(s), SSL_CTX_new(TLS_method()) };
	SSL *ssl[2];
	BIO *bio[2];
	int done = 0;

	tls_only_set(at[1], only);
	assert_int_equal(BIO_new_bio_pair(&bio[0], 65536, &bio[1], 65536), 1);
	for (int i = 0; i < 2; i++) {
		ssl[i] = SSL_new(at[i]);
		SSL_set_bio(ssl[i], bio[i], bio[i]);
	}
	SSL_set_accept_state(ssl[0]);
	SSL_set_connect_state(ssl[1]);
	for (int i = 0; i < 8 && done != 1; i++) {
		done = SSL_do_handshake(ssl[1]);
		(void)SSL_do_handshake(ssl[0]);
	}
	for (int i = 0; i < 2; i++) {
		SSL_free(ssl[i]);
		SSL_CTX_free(at[i]);
	}
	ERR_clear_error();
	return done == 1;
}

static void test_the_one(void **state)
{
	struct server s = { .identity = forge_key("ED25519"),
			    .leaf = forge_key("ED25519"),
			    .from_unix = time(NULL) };
	EVP_PKEY *other = forge_key("ED25519");
	struct forge_id other_id;
	struct tls_only only = { .fail = TLS_OK };

	(void)state;
	forge_id_of(&s.id, s.identity);
	forge_id_of(&other_id, other);
	s.signer = s.identity;
	only.id = s.id.id;
	assert_true(meet(&s, &only));
	assert_true(only.asked);
	assert_int_equal(only.fail, TLS_OK);
	/* Sound, but another. */
	only.id = other_id.id;
	assert_false(meet(&s, &only));
	assert_int_equal(only.fail, TLS_UNKNOWN_ID);
	/* The one's names and root, with a leaf that another has signed. */
	only.id = s.id.id;
	s.signer = other;
	assert_false(meet(&s, &only));
	assert_int_not_equal(only.fail, TLS_OK);
	/* Long over. */
	s.signer = s.identity;
	s.from_unix -= 400 * 86400;
	assert_false(meet(&s, &only));
	assert_int_equal(only.fail, TLS_EXPIRED);
	EVP_PKEY_free(s.identity);
	EVP_PKEY_free(s.leaf);
	EVP_PKEY_free(other);
}

int test_tls_only(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_one),
	};

	return cmocka_run_group_tests_name("tls_only", tests, NULL, NULL);
}
