/*
 * Our leaf as PEM, for programs that are not the node.
 */
#include "config.h"

#include "tls/tls_node_priv.h"

#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>

/* What was written, as a new string; the BIO's own is wiped. */
static char *take_text(BIO *b)
{
	char *p, *text;
	long n = BIO_get_mem_data(b, &p);

	CHECK(n > 0);
	text = xcalloc(1, (size_t)n + 1);
	memcpy(text, p, (size_t)n);
	bytes_wipe(p, (size_t)n);
	BIO_free(b);
	return text;
}

bool tls_node_pem(const struct tls_node *n, char **chain, char **key)
{
	BIO *c, *k;
	STACK_OF(X509) *above = NULL;

	if (!n->ctx)
		return false;
	c = BIO_new(BIO_s_mem());
	k = BIO_new(BIO_s_mem());
	CHECK(c && k && SSL_CTX_get0_chain_certs(n->ctx, &above) == 1);
	CHECK(PEM_write_bio_X509(c, SSL_CTX_get0_certificate(n->ctx)) == 1);
	for (int i = 0; i < sk_X509_num(above); i++)
		CHECK(PEM_write_bio_X509(c, sk_X509_value(above, i)) == 1);
	CHECK(PEM_write_bio_PrivateKey(k, SSL_CTX_get0_privatekey(n->ctx),
				       NULL, NULL, 0, NULL, NULL) == 1);
	*chain = take_text(c);
	*key = take_text(k);
	return true;
}
