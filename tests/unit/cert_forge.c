/*
 * Certificates, forged.
 */
#include "config.h"

#include "tests/unit/cert_forge.h"

#include <stdio.h>
#include <stdlib.h>

EVP_PKEY *forge_key(const char *type)
{
	EVP_PKEY *k;

	if (strcmp(type, "RSA") == 0)
		k = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	else if (type[0] == 'P')
		k = EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
	else
		k = EVP_PKEY_Q_keygen(NULL, NULL, type);
	CHECK(k);
	return k;
}

void forge_id_of(struct forge_id *t, EVP_PKEY *key)
{
	size_t n = sizeof t->id.key;

	CHECK(EVP_PKEY_get_raw_public_key(key, t->id.key, &n) == 1);
	node_id_write(t->text, &t->id);
	snprintf(t->uri, sizeof t->uri, "%s%s", NODE_ID_URI_SCHEME, t->text);
}

struct forge forge_root(EVP_PKEY *identity, const struct forge_id *t)
{
	return (struct forge){
		.key = identity, .signer = identity, .subject = t->text,
		.issuer = t->text, .uri = { t->uri },
		.from_unix = 1767225600, .until_unix = INT64_C(4102444800),
		.version = 2, .ca = 1, .pathlen = 0, .usage = 5,
	};
}

struct forge forge_leaf(EVP_PKEY *identity, EVP_PKEY *leaf,
			const struct forge_id *t, int64_t now)
{
	return (struct forge){
		.key = leaf, .signer = identity, .subject = t->text,
		.unit = "leaf", .issuer = t->text, .uri = { t->uri },
		.from_unix = now - 3600, .until_unix = now + 86400,
		.version = 2, .ca = 0, .pathlen = -1, .usage = 0,
		.server = true, .client = true,
	};
}

static void add_ext(X509 *x, int nid, void *value, int critical)
{
	CHECK(X509_add1_ext_i2d(x, nid, value, critical, X509V3_ADD_APPEND));
}

static void add_name(X509_NAME *n, const char *field, const char *text)
{
	if (text)
		CHECK(X509_NAME_add_entry_by_txt(n, field, MBSTRING_ASC,
						 (const uint8_t *)text, -1, -1,
						 0));
}

static void add_constraints(X509 *x, const struct forge *f)
{
	BASIC_CONSTRAINTS *bc;

	if (f->ca < 0)
		return;
	bc = BASIC_CONSTRAINTS_new();
	bc->ca = f->ca ? 0xff : 0;
	if (f->pathlen >= 0) {
		bc->pathlen = ASN1_INTEGER_new();
		ASN1_INTEGER_set(bc->pathlen, f->pathlen);
	}
	add_ext(x, NID_basic_constraints, bc, 1);
	if (f->same_extension_twice)
		add_ext(x, NID_basic_constraints, bc, 1);
	BASIC_CONSTRAINTS_free(bc);
}

static void add_usages(X509 *x, const struct forge *f)
{
	EXTENDED_KEY_USAGE *eku = EXTENDED_KEY_USAGE_new();
	ASN1_BIT_STRING *b = ASN1_BIT_STRING_new();

	if (f->usage >= 0) {
		ASN1_BIT_STRING_set_bit(b, f->usage, 1);
		add_ext(x, NID_key_usage, b, 1);
	}
	if (f->server)
		sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_server_auth));
	if (f->client)
		sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_client_auth));
	if (f->server || f->client)
		add_ext(x, NID_ext_key_usage, eku, 0);
	EXTENDED_KEY_USAGE_free(eku);
	ASN1_BIT_STRING_free(b);
}

static void add_uris(X509 *x, const struct forge *f)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	for (size_t i = 0; i < ARRAY_SIZE(f->uri) && f->uri[i]; i++) {
		GENERAL_NAME *g = GENERAL_NAME_new();
		ASN1_IA5STRING *s = ASN1_IA5STRING_new();

		ASN1_STRING_set(s, f->uri[i], -1);
		GENERAL_NAME_set0_value(g, GEN_URI, s);
		sk_GENERAL_NAME_push(names, g);
	}
	if (f->uri[0])
		add_ext(x, NID_subject_alt_name, names, 0);
	GENERAL_NAMES_free(names);
}

static void add_unknown(X509 *x, size_t n, int critical)
{
	ASN1_OBJECT *o = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	uint8_t *junk = xcalloc(1, n + 1);
	X509_EXTENSION *e;

	ASN1_OCTET_STRING_set(s, junk, (int)n);
	e = X509_EXTENSION_create_by_OBJ(NULL, o, critical, s);
	CHECK(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(s);
	ASN1_OBJECT_free(o);
	free(junk);
}

void forge_make(struct bytes *der, const struct forge *f)
{
	X509 *x = X509_new();
	unsigned char *p = NULL;
	int n;

	CHECK(x && X509_set_version(x, f->version));
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	add_name(X509_get_subject_name(x), "CN", f->subject);
	add_name(X509_get_subject_name(x), "OU", f->unit);
	add_name(X509_get_issuer_name(x), "CN", f->issuer);
	ASN1_TIME_set(X509_getm_notBefore(x), f->from_unix);
	ASN1_TIME_set(X509_getm_notAfter(x), f->until_unix);
	CHECK(X509_set_pubkey(x, f->key));
	if (f->version == 2) {
		add_constraints(x, f);
		add_usages(x, f);
		add_uris(x, f);
	}
	if (f->junk || f->unknown_critical)
		add_unknown(x, f->junk, f->unknown_critical);
	CHECK(X509_sign(x, f->signer, f->digest ? EVP_get_digestbyname(
						f->digest) : NULL));
	n = i2d_X509(x, &p);
	CHECK(n > 0);
	bytes_append(der, p, (size_t)n);
	OPENSSL_free(p);
	X509_free(x);
}
