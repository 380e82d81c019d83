/*
 * Chains that end in the owner's CA.  Here the library builds the path; what
 * it does not know is checked around it: ids, dates with tolerance, usages.
 */
#include "config.h"

#include "tls/tls_ca_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define CERTS_MAX 16             /* in the CA's file */
#define CRLS_MAX 64
#define SENT_MAX 4
#define STRENGTH 2               /* of signatures: 112 bits */

struct tls_ca {
	X509 *certs[CERTS_MAX];
	size_t certs_n;
	X509_STORE *store;       /* with the CRLs */
	char *crl_path;
	struct stat crl_stat;    /* as it was read */
	unsigned crl_reads;      /* so often */
};

/* ---- files --------------------------------------------------------------- */

static enum err open_text(BIO **out, struct bytes *text, const char *path,
			  struct why *why)
{
	enum err e = file_read(text, path, FILE_MAX_BYTES, why);

	if (e)
		return e;
	*out = BIO_new_mem_buf(text->p, (int)text->n);
	CHECK(*out);
	return ERR_NONE;
}

static enum err read_certs(struct tls_ca *ca, const char *path,
			   struct why *why)
{
	struct bytes text = {0};
	BIO *in = NULL;
	enum err e = open_text(&in, &text, path, why);
	X509 *x;

	while (!e && ca->certs_n < CERTS_MAX &&
	       (x = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		ca->certs[ca->certs_n++] = x;
		if (X509_check_ca(x) != 1)
			e = why_set(why, ERR_INPUT, "%s: a certificate in it "
				    "is no CA's", path);
	}
	if (!e && !ca->certs_n)
		e = why_set(why, ERR_INPUT, "%s holds no certificate (PEM)",
			    path);
	BIO_free(in);
	bytes_clear(&text);
	ERR_clear_error();
	return e;
}

static void new_store(struct tls_ca *ca)
{
	X509_STORE_free(ca->store);
	ca->store = X509_STORE_new();
	CHECK(ca->store);
	for (size_t i = 0; i < ca->certs_n; i++)
		CHECK(X509_STORE_add_cert(ca->store, ca->certs[i]) == 1);
}

static enum err read_crls(struct tls_ca *ca, struct why *why)
{
	struct bytes text = {0};
	BIO *in = NULL;
	enum err e = open_text(&in, &text, ca->crl_path, why);
	unsigned n = 0;
	X509_CRL *crl;

	while (!e && n < CRLS_MAX &&
	       (crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL))) {
		CHECK(X509_STORE_add_crl(ca->store, crl) == 1);
		X509_CRL_free(crl);
		n++;
	}
	if (!e && !n)
		e = why_set(why, ERR_INPUT, "%s holds no CRL (PEM)",
			    ca->crl_path);
	BIO_free(in);
	bytes_clear(&text);
	ERR_clear_error();
	return e;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Read the CRL if it is not the one we know.  Without one, none is in the
 * store, and the library lets nobody pass. */
static void look_at_crl(struct tls_ca *ca)
{
	struct stat st = { .st_ino = 0 };
	struct why why;

	if (!ca->crl_path)
		return;
	if (stat(ca->crl_path, &st))
		memset(&st, 0, sizeof st);
	if (ca->crl_reads && same_file(&st, &ca->crl_stat))
		return;
	ca->crl_stat = st;
	ca->crl_reads++;
	new_store(ca);
	if (read_crls(ca, &why))
		log_error(LOG_TLS, "-trustcrl: %s: nobody is accepted by the "
			  "CA until it is there", why.text);
	else
		log_info(LOG_TLS, "-trustcrl: %s is read", ca->crl_path);
}

enum err tls_ca_new(struct tls_ca **out, const char *ca_path,
		    const char *crl_path, struct why *why)
{
	struct tls_ca *ca = xcalloc(1, sizeof *ca);
	enum err e = read_certs(ca, ca_path, why);

	if (e) {
		tls_ca_free(ca);
		return e;
	}
	ca->crl_path = crl_path ? xstrdup(crl_path) : NULL;
	new_store(ca);
	look_at_crl(ca);
	*out = ca;
	return ERR_NONE;
}

void tls_ca_free(struct tls_ca *ca)
{
	if (!ca)
		return;
	for (size_t i = 0; i < ca->certs_n; i++)
		X509_free(ca->certs[i]);
	X509_STORE_free(ca->store);
	free(ca->crl_path);
	free(ca);
}

/* ---- chains -------------------------------------------------------------- */

static enum tls_fail fail_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_REVOKED:
		return TLS_REVOKED;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return TLS_BAD_SIGNATURE;
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		return TLS_TOO_DEEP;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return TLS_UNKNOWN_ID;
	default:
		return TLS_BAD_CERT;
	}
}

/* What the library leaves to us: ids and usages below the CA's own, and all
 * dates. */
static enum tls_fail below_check(struct cert_facts *out,
				 STACK_OF(X509) *chain,
				 const struct cert_rules *rules)
{
	X509 *leaf = sk_X509_value(chain, 0);
	int below = sk_X509_num(chain) - 1;
	enum tls_fail f = cert_leaf_fields(leaf, NULL);
	struct node_id id;
	int64_t from, until;

	for (int i = 0; i < below && !f; i++) {
		X509 *x = sk_X509_value(chain, i);

		if (!cert_uri_id(&id, x) ||
		    (i && !node_id_eq(&id, &out->id)))
			return TLS_WRONG_SAN;
		out->id = id;
		f = cert_dates(x, rules, &from, &until, &out->skew_used_s);
		if (i)
			continue;
		out->from_unix = from;
		out->until_unix = until;
	}
	/* A CA that has expired vouches for nobody. */
	return f ? f : cert_dates(sk_X509_value(chain, below), rules, &from,
				  &until, &out->skew_used_s);
}

unsigned tls_ca_list_reads(struct tls_ca *ca)
{
	look_at_crl(ca);
	return ca->crl_reads;
}

enum tls_fail tls_ca_check(struct tls_ca *ca, struct cert_facts *out,
			   X509 *const *chain, size_t n,
			   const struct cert_rules *rules)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *rest = sk_X509_new_null();
	unsigned long flags = X509_V_FLAG_NO_CHECK_TIME;
	enum tls_fail f;

	memset(out, 0, sizeof *out);
	CHECK(ctx && rest);
	look_at_crl(ca);
	for (size_t i = 1; i < MIN_OF(n, (size_t)SENT_MAX); i++)
		CHECK(sk_X509_push(rest, chain[i]));
	CHECK(n && X509_STORE_CTX_init(ctx, ca->store, chain[0], rest) == 1);
	if (ca->crl_path)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	X509_STORE_CTX_set_flags(ctx, flags);
	X509_VERIFY_PARAM_set_depth(X509_STORE_CTX_get0_param(ctx), 1);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx),
					 STRENGTH);
	if (n > SENT_MAX)
		f = TLS_TOO_DEEP;
	else if (X509_verify_cert(ctx) == 1)
		f = below_check(out, X509_STORE_CTX_get0_chain(ctx), rules);
	else
		f = fail_of(X509_STORE_CTX_get_error(ctx));
	out->has_id = out->by_ca = f == TLS_OK;
	X509_STORE_CTX_free(ctx);
	sk_X509_free(rest);
	ERR_clear_error();
	return f;
}
