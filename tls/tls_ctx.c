/*
 * The rules of every handshake: TLS 1.3 alone, both sides show certificates,
 * nothing is resumed, and who may pass is judged by us (cert_check.c), not by
 * the library.
 */
#include "config.h"

#include "tls/tls_node_priv.h"

#include <string.h>

#define CERT_LIST_MAX 16384      /* bytes of the other side's certificates */
#define CHAIN_MAX 128            /* certificates looked at, at most */

#define CIPHERS "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:" \
		"TLS_AES_128_GCM_SHA256"
#define SIGNATURES "ed25519:ECDSA+SHA256"
/* The first list that the library knows all of. */
static const char *const groups[] = {
	"X25519MLKEM768:X25519:P-256",
	"X25519:P-256",
};

/* ---- who is it ----------------------------------------------------------- */

static int on_verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
				SSL_get_ex_data_X509_STORE_CTX_idx());
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
	X509 *chain[CHAIN_MAX];
	size_t n = (size_t)MAX_OF(sk_X509_num(sent), 0);
	enum tls_fail f;

	(void)arg;
	n = MIN_OF(n, CHAIN_MAX);
	for (size_t i = 0; i < n; i++)
		chain[i] = sk_X509_value(sent, (int)i);
	f = tls_stream_judge(SSL_get_app_data(ssl), chain, n);
	/* Whatever it was, the other side is told "handshake_failure". */
	X509_STORE_CTX_set_error(store, f ? X509_V_ERR_APPLICATION_VERIFICATION
					  : X509_V_OK);
	return f == TLS_OK;
}

/* ---- what for ------------------------------------------------------------ */

struct alpn {
	const char *name;        /* its length before it, as on the wire */
	enum tls_purpose purpose;
};

static const struct alpn alpns[] = {
	{ "\x0c" "cloister/p2p", TLS_P2P },
	{ "\x0e" "cloister/enrol", TLS_ENROL },
	{ "\x0c" "cloister/rpc", TLS_RPC },
	{ "\x08" "http/1.1", TLS_RPC },
};

struct span tls_alpn_of(enum tls_purpose p)
{
	for (size_t i = 0; i < ARRAY_SIZE(alpns); i++)
		if (alpns[i].purpose == p)
			return span_of(alpns[i].name, strlen(alpns[i].name));
	CHECK(false);
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
		   const unsigned char *in, unsigned in_n, void *arg)
{
	enum tls_purpose p = tls_stream_purpose(SSL_get_app_data(ssl));

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(alpns); i++) {
		const unsigned char *name = (const uint8_t *)alpns[i].name;

		if (alpns[i].purpose != p)
			continue;
		if (SSL_select_next_proto((unsigned char **)out, out_n, name,
					  name[0] + 1u, in, in_n) ==
		    OPENSSL_NPN_NEGOTIATED)
			return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- the context --------------------------------------------------------- */

static void set_groups(SSL_CTX *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (SSL_CTX_set1_groups_list(ctx, groups[i]) == 1) {
			ERR_clear_error();
			return;
		}
	CHECK(false);
}

static void set_chain(SSL_CTX *ctx, const struct tls_key *leaf_key,
		      struct span leaf, struct span root)
{
	X509 *l = cert_read(leaf), *r = cert_read(root);

	CHECK(l && r && SSL_CTX_use_certificate(ctx, l) == 1 &&
	      SSL_CTX_use_PrivateKey(ctx, tls_key_pkey(leaf_key)) == 1 &&
	      SSL_CTX_add1_chain_cert(ctx, r) == 1);
	X509_free(l);
	X509_free(r);
}

SSL_CTX *tls_ctx_new(const struct tls_key *leaf_key, struct span leaf,
		     struct span root)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	CHECK(ctx);
	CHECK(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	      SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	      SSL_CTX_set_ciphersuites(ctx, CIPHERS) == 1 &&
	      SSL_CTX_set1_sigalgs_list(ctx, SIGNATURES) == 1 &&
	      SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	      SSL_CTX_set_max_early_data(ctx, 0) == 1);
	set_groups(ctx);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
			    SSL_OP_NO_RENEGOTIATION |
			    SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
	/* The chain is what is given here: none is looked for. */
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	set_chain(ctx, leaf_key, leaf, root);
	return ctx;
}

/* ---- causes -------------------------------------------------------------- */

static enum tls_fail fail_of_alert(int reason)
{
	switch (reason - SSL_AD_REASON_OFFSET) {
	case SSL_AD_PROTOCOL_VERSION:
		return TLS_TOO_OLD;
	case SSL_AD_NO_APPLICATION_PROTOCOL:
		return TLS_WRONG_PURPOSE;
	default:
		return TLS_ALERT;
	}
}

static enum tls_fail fail_of_reason(int reason)
{
	switch (reason) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
		return TLS_NOT_TLS;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_UNSUPPORTED_SSL_VERSION:
	case SSL_R_UNKNOWN_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
		return TLS_TOO_OLD;
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return TLS_NO_CERT;
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
		return TLS_OVERSIZED;
	case SSL_R_BAD_SIGNATURE:
		return TLS_BAD_SIGNATURE;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return TLS_WRONG_PURPOSE;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_WRONG_SIGNATURE_TYPE:
		return TLS_NO_COMMON;
	case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
	case SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS:
		return TLS_KEY_TYPE;
	case SSL_R_CERT_LENGTH_MISMATCH:
		return TLS_BAD_CERT;
	default:
		return TLS_PROTOCOL;
	}
}

enum tls_fail tls_fail_of_library(void)
{
	unsigned long e = ERR_peek_error();
	int lib = ERR_GET_LIB(e), reason = ERR_GET_REASON(e);

	ERR_clear_error();
	if (lib == ERR_LIB_ASN1 || lib == ERR_LIB_X509)
		return TLS_BAD_CERT;
	if (lib != ERR_LIB_SSL)
		return TLS_PROTOCOL;
	if (reason >= SSL_AD_REASON_OFFSET)
		return fail_of_alert(reason);
	return fail_of_reason(reason);
}
