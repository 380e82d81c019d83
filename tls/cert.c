/*
 * Keys, and certificates made: every field is fixed here, so that all nodes'
 * look alike.
 */
#include "config.h"

#include "tls/cert.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "tls/cert_priv.h"

/* 2026-01-01 and RFC 5280's "no expiration": the key decides, not the date. */
#define ROOT_FROM "20260101000000Z"
#define ROOT_UNTIL "99991231235959Z"
#define KEY_ID_SIZE 20
#define SERIAL_SIZE 16

struct tls_key {
	EVP_PKEY *pkey;
};

/* ---- keys ---------------------------------------------------------------- */

static struct tls_key *key_of(EVP_PKEY *pkey)
{
	struct tls_key *k;

	if (!pkey)
		return NULL;
	k = xcalloc(1, sizeof *k);
	k->pkey = pkey;
	return k;
}

struct tls_key *tls_key_new(void)
{
	struct tls_key *k = key_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));

	CHECK(k);
	return k;
}

struct tls_key *tls_key_from_seed(const struct secret *seed)
{
	if (seed->n != 32)
		return NULL;
	return key_of(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						   seed->p, seed->n));
}

void tls_key_free(struct tls_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

void tls_key_public(uint8_t out[static 32], const struct tls_key *k)
{
	size_t n = 32;

	CHECK(EVP_PKEY_get_raw_public_key(k->pkey, out, &n) == 1 && n == 32);
}

EVP_PKEY *tls_key_pkey(const struct tls_key *k)
{
	return k->pkey;
}

/* ---- fields -------------------------------------------------------------- */

void cert_uri(char out[static CERT_URI_SIZE], const struct node_id *id)
{
	const size_t n = sizeof NODE_ID_URI_SCHEME - 1;

	memcpy(out, NODE_ID_URI_SCHEME, n);
	node_id_write(out + n, id);
}

/* Distinct by key and purpose, positive, of a fixed length. */
static void set_serial(X509 *x, const char *what, struct span about)
{
	struct sha256 h;
	uint8_t hash[32];
	BIGNUM *n;

	sha256_tagged_init(&h, what);
	sha256_update(&h, about.p, about.n);
	sha256_final(&h, hash);
	hash[0] = (hash[0] & 0x3f) | 0x40;
	n = BN_bin2bn(hash, SERIAL_SIZE, NULL);
	CHECK(n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
	BN_free(n);
}

static void name_add(X509_NAME *name, const char *field, const char *value)
{
	CHECK(X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
					 (const unsigned char *)value, -1, -1,
					 0) == 1);
}

static void add_ext(X509 *x, int nid, void *value, bool critical)
{
	CHECK(X509_add1_ext_i2d(x, nid, value, critical, 0) == 1);
}

static void add_constraints(X509 *x, bool ca)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();

	CHECK(bc);
	if (ca) {
		bc->ca = 0xff;
		bc->pathlen = ASN1_INTEGER_new();
		CHECK(bc->pathlen && ASN1_INTEGER_set(bc->pathlen, 0));
	}
	add_ext(x, NID_basic_constraints, bc, true);
	BASIC_CONSTRAINTS_free(bc);
}

/* bit: its number in KeyUsage. */
static void add_usage(X509 *x, int bit)
{
	ASN1_BIT_STRING *b = ASN1_BIT_STRING_new();

	CHECK(b && ASN1_BIT_STRING_set_bit(b, bit, 1));
	add_ext(x, NID_key_usage, b, true);
	ASN1_BIT_STRING_free(b);
}

static void add_both_usages(X509 *x)
{
	EXTENDED_KEY_USAGE *eku = EXTENDED_KEY_USAGE_new();

	CHECK(eku && sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_server_auth)) &&
	      sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_client_auth)));
	add_ext(x, NID_ext_key_usage, eku, false);
	EXTENDED_KEY_USAGE_free(eku);
}

static void name_push(GENERAL_NAMES *names, int type, const char *text)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	CHECK(g && s && ASN1_STRING_set(s, text, -1));
	GENERAL_NAME_set0_value(g, type, s);
	CHECK(sk_GENERAL_NAME_push(names, g));
}

/* The URI is what nodes look at; the DNS name is for programs like curl, which
 * look for one, and is not resolved by anybody. */
static void add_names(X509 *x, const struct node_id *id)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	char uri[CERT_URI_SIZE], dns[NODE_ID_TEXT_SIZE];

	CHECK(names);
	cert_uri(uri, id);
	node_id_write(dns, id);
	name_push(names, GEN_URI, uri);
	name_push(names, GEN_DNS, dns);
	add_ext(x, NID_subject_alt_name, names, false);
	GENERAL_NAMES_free(names);
}

static ASN1_OCTET_STRING *key_id(const uint8_t public_key[static 32])
{
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	uint8_t hash[32];

	sha256(hash, public_key, 32);
	CHECK(s && ASN1_OCTET_STRING_set(s, hash, KEY_ID_SIZE));
	return s;
}

static void add_key_ids(X509 *x, const uint8_t subject[static 32],
			const uint8_t issuer[static 32])
{
	ASN1_OCTET_STRING *s = key_id(subject);
	AUTHORITY_KEYID *a = AUTHORITY_KEYID_new();

	CHECK(a);
	a->keyid = key_id(issuer);
	add_ext(x, NID_subject_key_identifier, s, false);
	add_ext(x, NID_authority_key_identifier, a, false);
	ASN1_OCTET_STRING_free(s);
	AUTHORITY_KEYID_free(a);
}

static void sign_and_append(struct bytes *der, X509 *x, EVP_PKEY *key)
{
	unsigned char *p = NULL;
	int n;

	CHECK(X509_sign(x, key, NULL) > 0);
	n = i2d_X509(x, &p);
	CHECK(n > 0 && n <= CERT_DER_MAX);
	bytes_append(der, p, (size_t)n);
	OPENSSL_free(p);
	X509_free(x);
}

/* A certificate of an identity, with what root and leaf have in common. */
static X509 *begin(const struct node_id *id)
{
	char text[NODE_ID_TEXT_SIZE];
	X509 *x = X509_new();

	CHECK(x && X509_set_version(x, X509_VERSION_3));
	node_id_write(text, id);
	name_add(X509_get_issuer_name(x), "CN", text);
	name_add(X509_get_subject_name(x), "CN", text);
	add_names(x, id);
	return x;
}

/* ---- the two kinds ------------------------------------------------------- */

void cert_make_root(struct bytes *der, const struct tls_key *identity)
{
	struct node_id id;
	X509 *x;

	tls_key_public(id.key, identity);
	x = begin(&id);
	set_serial(x, "cloister/root-serial", span_of(id.key, NODE_ID_SIZE));
	CHECK(ASN1_TIME_set_string_X509(X509_getm_notBefore(x), ROOT_FROM) &&
	      ASN1_TIME_set_string_X509(X509_getm_notAfter(x), ROOT_UNTIL));
	CHECK(X509_set_pubkey(x, identity->pkey));
	add_constraints(x, true);
	add_usage(x, 5);                /* keyCertSign */
	add_key_ids(x, id.key, id.key);
	sign_and_append(der, x, identity->pkey);
}

void cert_make_leaf(struct bytes *der, const struct tls_key *identity,
		    const struct leaf_terms *t)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
						    t->public_key,
						    sizeof t->public_key);
	struct node_id id;
	X509 *x;

	tls_key_public(id.key, identity);
	x = begin(&id);
	name_add(X509_get_subject_name(x), "OU", "leaf");
	set_serial(x, "cloister/leaf-serial",
		   span_of(t->public_key, sizeof t->public_key));
	CHECK(ASN1_TIME_set(X509_getm_notBefore(x), t->from_unix) &&
	      ASN1_TIME_set(X509_getm_notAfter(x), t->until_unix));
	CHECK(key && X509_set_pubkey(x, key));
	add_constraints(x, false);
	add_usage(x, 0);                /* digitalSignature */
	add_both_usages(x);
	add_key_ids(x, t->public_key, id.key);
	sign_and_append(der, x, identity->pkey);
	EVP_PKEY_free(key);
}
