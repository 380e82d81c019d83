/*
 * A chain that somebody shows us, judged.  What is certified is the id, by the
 * identity key itself; so there are exactly two certificates, and nothing of
 * X.509's path building.
 */
#include "config.h"

#include "tls/cert.h"

#include <string.h>
#include <time.h>

#include "tls/cert_priv.h"

#define CHAIN_N 2

/* ---- reading ------------------------------------------------------------- */

X509 *cert_read(struct span der)
{
	const unsigned char *p = der.p;
	X509 *x;

	if (der.n == 0 || der.n > CERT_DER_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.n);
	if (x && p != der.p + der.n) {
		X509_free(x);
		x = NULL;
	}
	ERR_clear_error();
	return x;
}

bool cert_time(int64_t *out, const ASN1_TIME *t)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

/* ---- one certificate ----------------------------------------------------- */

static bool extensions_ok(X509 *x)
{
	return X509_get_version(x) == X509_VERSION_3 &&
	       !(X509_get_extension_flags(x) &
		 (EXFLAG_INVALID | EXFLAG_CRITICAL | EXFLAG_PROXY));
}

/* The signature's algorithm is the issuer's key's: no other is looked at. */
static enum tls_fail signature_check(X509 *x, EVP_PKEY *issuer)
{
	if (X509_get_signature_nid(x) != NID_ED25519)
		return TLS_KEY_TYPE;
	return X509_verify(x, issuer) == 1 ? TLS_OK : TLS_BAD_SIGNATURE;
}

static enum tls_fail root_check(struct cert_facts *out, X509 *root)
{
	EVP_PKEY *key = X509_get0_pubkey(root);
	size_t n = NODE_ID_SIZE;

	if (!key)
		return TLS_BAD_CERT;
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(key, out->id.key, &n) != 1 ||
	    n != NODE_ID_SIZE)
		return TLS_KEY_TYPE;
	out->has_id = true;
	if (!extensions_ok(root) ||
	    !(X509_get_extension_flags(root) & EXFLAG_CA) ||
	    X509_get_pathlen(root) != 0 ||
	    X509_get_key_usage(root) != KU_KEY_CERT_SIGN ||
	    X509_NAME_cmp(X509_get_subject_name(root),
			  X509_get_issuer_name(root)) != 0)
		return TLS_BAD_CERT;
	return signature_check(root, key);
}

static bool leaf_key_ok(EVP_PKEY *key, EVP_PKEY *root)
{
	char group[32];
	size_t n;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		return !root || EVP_PKEY_eq(key, root) != 1;
	case EVP_PKEY_EC:
		return EVP_PKEY_get_group_name(key, group, sizeof group,
					       &n) == 1 &&
		       strcmp(group, SN_X9_62_prime256v1) == 0;
	default:
		return false;
	}
}

bool cert_uri_id(struct node_id *out, X509 *x)
{
	const size_t scheme_n = sizeof NODE_ID_URI_SCHEME - 1;
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL,
						NULL);
	char text[NODE_ID_TEXT_SIZE], again[NODE_ID_TEXT_SIZE];
	unsigned ours = 0;
	bool ok = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		struct span uri;

		if (g->type != GEN_URI)
			continue;
		uri = span_of(ASN1_STRING_get0_data(g->d.ia5),
			      (size_t)ASN1_STRING_length(g->d.ia5));
		if (uri.n < scheme_n ||
		    memcmp(uri.p, NODE_ID_URI_SCHEME, scheme_n) != 0)
			continue;
		ours++;
		if (uri.n != scheme_n + sizeof text - 1)
			continue;
		memcpy(text, uri.p + scheme_n, sizeof text - 1);
		text[sizeof text - 1] = '\0';
		ok = node_id_read(out, text, NULL);
	}
	GENERAL_NAMES_free(names);
	if (!ok || ours != 1)
		return false;
	node_id_write(again, out);      /* lower case */
	return memcmp(text, again, sizeof text) == 0;
}

enum tls_fail cert_leaf_fields(X509 *leaf, EVP_PKEY *root)
{
	EVP_PKEY *key = X509_get0_pubkey(leaf);
	uint32_t both = XKU_SSL_SERVER | XKU_SSL_CLIENT;

	if (!key)
		return TLS_BAD_CERT;
	if (!leaf_key_ok(key, root))
		return TLS_KEY_TYPE;
	if (!extensions_ok(leaf) ||
	    (X509_get_extension_flags(leaf) & EXFLAG_CA) ||
	    X509_get_key_usage(leaf) != KU_DIGITAL_SIGNATURE ||
	    X509_get_extended_key_usage(leaf) != both)
		return TLS_BAD_CERT;
	return TLS_OK;
}

static enum tls_fail leaf_check(X509 *leaf, X509 *root,
				const struct node_id *id)
{
	EVP_PKEY *key = X509_get0_pubkey(root);
	enum tls_fail f = cert_leaf_fields(leaf, key);
	struct node_id named;

	if (f)
		return f;
	if (X509_NAME_cmp(X509_get_issuer_name(leaf),
			  X509_get_subject_name(root)) != 0)
		return TLS_BAD_CERT;
	if (!cert_uri_id(&named, leaf) || !node_id_eq(&named, id))
		return TLS_WRONG_SAN;
	return signature_check(leaf, key);
}

/* ---- time ---------------------------------------------------------------- */

enum tls_fail cert_dates(X509 *x, const struct cert_rules *rules,
			 int64_t *from, int64_t *until, int64_t *used)
{
	int64_t early, late;

	if (!cert_time(from, X509_get0_notBefore(x)) ||
	    !cert_time(until, X509_get0_notAfter(x)))
		return TLS_BAD_CERT;
	early = *from - rules->now_unix;
	late = rules->now_unix - *until;
	if (early > rules->skew_s)
		return TLS_NOT_YET_VALID;
	if (late > rules->skew_s)
		return TLS_EXPIRED;
	*used = MAX_OF(*used, MAX_OF(early, late));
	return TLS_OK;
}

/* ---- the chain ----------------------------------------------------------- */

enum tls_fail cert_check_x509(struct cert_facts *out, X509 *const *chain,
			      size_t n, const struct cert_rules *rules)
{
	int64_t from, until;
	enum tls_fail f;

	memset(out, 0, sizeof *out);
	if (n > CHAIN_N)
		return TLS_TOO_DEEP;
	if (n < CHAIN_N)
		return TLS_NO_CERT;
	f = root_check(out, chain[1]);
	if (!f)
		f = leaf_check(chain[0], chain[1], &out->id);
	if (!f)
		f = cert_dates(chain[1], rules, &from, &until,
			       &out->skew_used_s);
	if (!f)
		f = cert_dates(chain[0], rules, &out->from_unix,
			       &out->until_unix, &out->skew_used_s);
	ERR_clear_error();
	return f;
}

enum tls_fail cert_check(struct cert_facts *out, const struct span *chain,
			 size_t n, const struct cert_rules *rules)
{
	X509 *x[CHAIN_N] = { NULL, NULL };
	enum tls_fail f = TLS_OK;

	memset(out, 0, sizeof *out);
	if (n > CHAIN_N)
		return TLS_TOO_DEEP;
	for (size_t i = 0; i < n && !f; i++) {
		x[i] = cert_read(chain[i]);
		if (!x[i])
			f = chain[i].n > CERT_DER_MAX ? TLS_OVERSIZED
						      : TLS_BAD_CERT;
	}
	if (!f)
		f = cert_check_x509(out, x, n, rules);
	for (size_t i = 0; i < CHAIN_N; i++)
		X509_free(x[i]);
	return f;
}
