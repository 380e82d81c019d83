/*
 * Chains that end in the owner's CA, and its CRL.
 */
#include "config.h"

#include "tests/unit/test_tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/cert_forge.h"
#include "tests/unit/keys_rig.h"
#include "tests/unit/tls_rig.h"
#include "tls/tls_ca_priv.h"

#define NOW INT64_C(1800000000)

struct scene {
	char *dir, *ca_path, *crl_path;
	EVP_PKEY *ca_key, *identity, *leaf;
	struct forge_id id;
	struct forge ca_f, mid_f, leaf_f;
	struct tls_ca *ca;
	struct cert_rules rules;
	struct cert_facts facts;
};

static X509 *made(const struct forge *f)
{
	struct bytes der = {0};
	X509 *x;

	forge_make(&der, f);
	x = cert_read(bytes_span(&der));
	assert_non_null(x);
	bytes_clear(&der);
	return x;
}

static void put(const char *path, X509 *x, X509_CRL *crl)
{
	BIO *b = BIO_new_file(path, "w");

	assert_non_null(b);
	if (x)
		assert_true(PEM_write_bio_X509(b, x));
	if (crl)
		assert_true(PEM_write_bio_X509_CRL(b, crl));
	BIO_free(b);
}

/* The CA's list, with at most one serial number on it. */
static void put_crl(struct scene *s, long revoked)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, NOW);
	X509 *ca = made(&s->ca_f);

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca));
	X509_CRL_set1_lastUpdate(crl, t);
	X509_CRL_set1_nextUpdate(crl, t);
	if (revoked) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *n = ASN1_INTEGER_new();

		ASN1_INTEGER_set(n, revoked);
		X509_REVOKED_set_serialNumber(r, n);
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(crl, r);
		ASN1_INTEGER_free(n);
	}
	assert_true(X509_CRL_sign(crl, s->ca_key, EVP_sha256()));
	put(s->crl_path, NULL, crl);
	ASN1_TIME_free(t);
	X509_CRL_free(crl);
	X509_free(ca);
}

static int enter(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);
	void *dir;
	X509 *ca;

	assert_int_equal(test_keys_enter(&dir), 0);
	s->dir = dir;
	s->ca_path = path_join(s->dir, "ca.pem");
	s->crl_path = path_join(s->dir, "crl.pem");
	s->ca_key = forge_key("P-256");
	s->identity = forge_key("ED25519");
	s->leaf = forge_key("ED25519");
	forge_id_of(&s->id, s->identity);
	s->rules.now_unix = NOW;
	s->ca_f = forge_root(s->identity, &s->id);
	s->ca_f.key = s->ca_f.signer = s->ca_key;
	s->ca_f.digest = "SHA256";
	s->ca_f.subject = s->ca_f.issuer = "The club's CA";
	s->ca_f.uri[0] = NULL;
	s->ca_f.pathlen = s->ca_f.usage = -1;   /* it signs CRLs, too */
	/* The CA's word for the identity key, and its leaf. */
	s->mid_f = forge_root(s->identity, &s->id);
	s->mid_f.signer = s->ca_key;
	s->mid_f.digest = "SHA256";
	s->mid_f.issuer = s->ca_f.subject;
	s->leaf_f = forge_leaf(s->identity, s->leaf, &s->id, NOW);
	ca = made(&s->ca_f);
	put(s->ca_path, ca, NULL);
	X509_free(ca);
	*state = s;
	return 0;
}

static int leave(void **state)
{
	struct scene *s = *state;
	void *dir = s->dir;

	tls_ca_free(s->ca);
	EVP_PKEY_free(s->ca_key);
	EVP_PKEY_free(s->identity);
	EVP_PKEY_free(s->leaf);
	free(s->ca_path);
	free(s->crl_path);
	free(s);
	return test_keys_leave(&dir);
}

static void begin(struct scene *s, bool crl)
{
	struct why why;

	tls_ca_free(s->ca);
	s->ca = NULL;
	assert_int_equal(tls_ca_new(&s->ca, s->ca_path,
				    crl ? s->crl_path : NULL, &why),
			 ERR_NONE);
}

/* middle: how often the identity's certificate is shown. */
static enum tls_fail check(struct scene *s, size_t middle)
{
	X509 *chain[8];
	enum tls_fail f;

	chain[0] = made(&s->leaf_f);
	for (size_t i = 1; i <= middle; i++)
		chain[i] = made(&s->mid_f);
	f = tls_ca_check(s->ca, &s->facts, chain, 1 + middle, &s->rules);
	for (size_t i = 0; i <= middle; i++)
		X509_free(chain[i]);
	return f;
}

static void by_the_ca(struct scene *s)
{
	s->leaf_f.signer = s->ca_key;
	s->leaf_f.digest = "SHA256";
	s->leaf_f.issuer = s->ca_f.subject;
}

static void sound_chains(void **state)
{
	struct scene *s = *state;

	begin(s, false);
	assert_int_equal(check(s, 1), TLS_OK);
	assert_true(s->facts.by_ca && s->facts.has_id);
	assert_true(node_id_eq(&s->facts.id, &s->id.id));
	assert_int_equal(s->facts.until_unix, NOW + 86400);
	by_the_ca(s);
	assert_int_equal(check(s, 0), TLS_OK);
	assert_true(node_id_eq(&s->facts.id, &s->id.id));
}

static void strangers(void **state)
{
	struct scene *s = *state;

	begin(s, false);
	assert_int_equal(check(s, 0), TLS_UNKNOWN_ID);
	assert_false(s->facts.by_ca || s->facts.has_id);
	/* A self-signed identity, as pinning has it. */
	s->mid_f = forge_root(s->identity, &s->id);
	assert_int_equal(check(s, 1), TLS_UNKNOWN_ID);
	/* Somebody with a CA of the same name. */
	s->mid_f.issuer = s->ca_f.subject;
	s->mid_f.signer = s->leaf;
	assert_int_not_equal(check(s, 1), TLS_OK);
	assert_int_equal(check(s, 6), TLS_TOO_DEEP);
}

static void ids_must_be_named_all_the_way(void **state)
{
	struct scene *s = *state;
	EVP_PKEY *other = forge_key("ED25519");
	struct forge_id t;

	forge_id_of(&t, other);
	begin(s, false);
	/* A certified node that would speak for another. */
	s->leaf_f.uri[0] = t.uri;
	assert_int_equal(check(s, 1), TLS_WRONG_SAN);
	assert_false(s->facts.has_id);
	s->leaf_f.uri[0] = NULL;
	assert_int_equal(check(s, 1), TLS_WRONG_SAN);
	s->leaf_f.uri[0] = s->id.uri;
	s->mid_f.uri[0] = NULL;
	assert_int_equal(check(s, 1), TLS_WRONG_SAN);
	by_the_ca(s);
	s->leaf_f.uri[0] = "cloister:kim";
	assert_int_equal(check(s, 0), TLS_WRONG_SAN);
	EVP_PKEY_free(other);
}

static void dates_and_fields(void **state)
{
	struct scene *s = *state;

	begin(s, false);
	s->leaf_f.until_unix = NOW - 1;
	assert_int_equal(check(s, 1), TLS_EXPIRED);
	s->rules.skew_s = 1;
	assert_int_equal(check(s, 1), TLS_OK);
	assert_int_equal(s->facts.skew_used_s, 1);
	s->leaf_f.until_unix = NOW + 9;
	s->mid_f.from_unix = NOW + 2;
	assert_int_equal(check(s, 1), TLS_NOT_YET_VALID);
	s->mid_f.from_unix = NOW;
	s->leaf_f.client = false;
	assert_int_equal(check(s, 1), TLS_BAD_CERT);
}

static void a_ca_that_has_expired(void **state)
{
	struct scene *s = *state;
	X509 *ca;

	s->ca_f.until_unix = NOW - 1;
	ca = made(&s->ca_f);
	put(s->ca_path, ca, NULL);
	X509_free(ca);
	begin(s, false);
	assert_int_equal(check(s, 1), TLS_EXPIRED);
	assert_false(s->facts.by_ca || s->facts.has_id);
	s->rules.skew_s = 1;
	assert_int_equal(check(s, 1), TLS_OK);
}

static void revoked_by_the_list(void **state)
{
	struct scene *s = *state;

	by_the_ca(s);
	/* No list yet: nobody. */
	begin(s, true);
	assert_int_equal(check(s, 0), TLS_BAD_CERT);
	put_crl(s, 0);
	assert_int_equal(check(s, 0), TLS_OK);
	/* It is read again when it has changed. */
	put_crl(s, 7);
	assert_int_equal(check(s, 0), TLS_REVOKED);
	put_crl(s, 99);
	assert_int_equal(check(s, 0), TLS_OK);
	assert_int_equal(truncate(s->crl_path, 10), 0);
	assert_int_equal(check(s, 0), TLS_BAD_CERT);
	assert_int_equal(unlink(s->crl_path), 0);
	assert_int_equal(check(s, 0), TLS_BAD_CERT);
}

/* A session of whom the CA vouches for, with a program that is no node. */
static SSL *meet(struct scene *s, struct loop *l, struct tls_side *us,
		 struct tls_end *e, int fd[static 2])
{
	static const unsigned char p2p[] = "\x0c" "cloister/p2p";
	struct tls_place place = tls_place_only(&s->id.id);
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	X509 *leaf = made(&s->leaf_f);
	SSL *ssl;

	assert_int_equal(SSL_CTX_use_certificate(ctx, leaf), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, s->leaf), 1);
	X509_free(leaf);
	tls_sockets(fd);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fd[1]);
	SSL_set_alpn_protos(ssl, p2p, sizeof p2p - 1);
	SSL_set_connect_state(ssl);
	tls_end_accept(e, us, fd[0], &place);
	for (int i = 0; i < 10000 && !e->told; i++) {
		(void)SSL_do_handshake(ssl);
		loop_run_once(l, 1);
	}
	assert_true(e->told);
	assert_int_equal(e->result.fail, TLS_OK);
	return ssl;
}

static void a_new_list_ends_sessions(void **state)
{
	struct scene *s = *state;
	struct loop *l = loop_new();
	struct tls_side us = {0};
	struct tls_end e = {0};
	struct tls_node_options o = {0};
	SSL *ssl;
	int fd[2];

	by_the_ca(s);
	put_crl(s, 0);
	begin(s, true);
	o.ca = s->ca;
	tls_side_start(&us, l, 1, &o, NULL);
	tls_side_wait(&us, l);
	pins_set(us.pins, &s->id.id, PIN_TRUSTED, "kim");
	ssl = meet(s, l, &us, &e, fd);
	tls_node_look(us.node);
	tls_run_for(l, 50);
	assert_false(e.ended);
	put_crl(s, 7);
	tls_node_look(us.node);
	tls_run_until(l, &e.ended);
	assert_int_equal(e.end, CONN_ERROR);
	SSL_free(ssl);
	close(fd[1]);
	tls_end_clear(&e);
	tls_side_stop(&us);
	loop_free(l);
}

static void files_that_are_no_cas(void **state)
{
	struct scene *s = *state;
	X509 *x = made(&s->leaf_f);
	struct why why;

	put(s->ca_path, x, NULL);
	assert_int_equal(tls_ca_new(&s->ca, s->ca_path, NULL, &why),
			 ERR_INPUT);
	assert_non_null(strstr(why.text, "no CA's"));
	put(s->ca_path, NULL, NULL);
	assert_int_equal(tls_ca_new(&s->ca, s->ca_path, NULL, &why),
			 ERR_INPUT);
	assert_int_equal(unlink(s->ca_path), 0);
	assert_int_equal(tls_ca_new(&s->ca, s->ca_path, NULL, &why), ERR_IO);
	X509_free(x);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int test_tls_ca(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sound_chains),
		TEST(strangers),
		TEST(ids_must_be_named_all_the_way),
		TEST(dates_and_fields),
		TEST(a_ca_that_has_expired),
		TEST(revoked_by_the_list),
		TEST(a_new_list_ends_sessions),
		TEST(files_that_are_no_cas),
	};

	return cmocka_run_group_tests_name("tls: CA", tests, NULL, NULL);
}
