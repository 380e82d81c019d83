/*
 * Why a handshake did not succeed: for our log and the owner, never for the
 * other side, who is told no more than that it failed.
 */
#ifndef CLOISTER_TLS_TLS_FAIL_H
#define CLOISTER_TLS_TLS_FAIL_H

enum tls_fail {
	TLS_OK = 0,
	/* whom we speak with */
	TLS_UNKNOWN_ID,     /* a sound identity that nobody pinned */
	TLS_WRONG_DOOR,     /* a trusted one, at another's place */
	TLS_REVOKED,        /* its pin, or its certificate by the CA */
	/* what it shows */
	TLS_NO_CERT,        /* none, or the leaf alone */
	TLS_EXPIRED,
	TLS_NOT_YET_VALID,
	TLS_WRONG_SAN,      /* the URI is missing, doubled or another id's */
	TLS_KEY_TYPE,       /* not Ed25519 (leaf: or P-256), or one key twice */
	TLS_BAD_SIGNATURE,  /* of a certificate or of the handshake */
	TLS_BAD_CERT,       /* malformed, or fields that we do not use so */
	TLS_TOO_DEEP,       /* more certificates than a chain has */
	TLS_OVERSIZED,
	/* how it speaks */
	TLS_NOT_TLS,
	TLS_TOO_OLD,        /* TLS 1.2 or before */
	TLS_WRONG_PURPOSE,  /* of the ALPN names none that belongs here */
	TLS_NO_COMMON,      /* cipher, group or signature */
	TLS_PROTOCOL,       /* anything else that TLS forbids */
	TLS_ALERT,          /* the other side refused us */
	/* the way */
	TLS_CLOSED,         /* the stream ended in mid-handshake */
	TLS_TIMEOUT,
	TLS_DROPPED,        /* by us: revoked meanwhile, or we are ending */
	TLS_BUSY,           /* too many handshakes at once at this place */
	TLS_NOT_READY,      /* we have no leaf certificate yet */
	TLS_FAIL_COUNT,
};

/** Words for the log: "unknown identity", … */
const char *tls_fail_text(enum tls_fail f);
/** One word for RPC: "unknown-id", … */
const char *tls_fail_name(enum tls_fail f);

#endif
