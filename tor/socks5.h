/*
 * The client's side of SOCKS5 (RFC 1928, RFC 1929, tor's extended errors) as
 * a machine that takes and gives bytes: no socket, no clock.  Always asks for
 * a name and sends user name and password, which keep circuits apart.
 */
#ifndef CLOISTER_TOR_SOCKS5_H
#define CLOISTER_TOR_SOCKS5_H

#include "base/bytes.h"

#define SOCKS5_CRED_MAX 64        /* of user name and of password */

enum socks5_status {
	SOCKS5_MORE,              /* send what is in out, then feed more */
	SOCKS5_DONE,              /* connected; what follows is the peer's */
	SOCKS5_FAILED,            /* see error */
};

/* Why it failed: tor's answer, or ours. */
enum socks5_error {
	SOCKS5_OK,
	SOCKS5_GENERAL,           /* 01: for an onion, its target is dead */
	SOCKS5_NOT_ALLOWED,       /* 02 */
	SOCKS5_NET_UNREACHABLE,   /* 03 */
	SOCKS5_HOST_UNREACHABLE,  /* 04 */
	SOCKS5_REFUSED,           /* 05 */
	SOCKS5_TTL_EXPIRED,       /* 06: tor gave up waiting */
	SOCKS5_BAD_COMMAND,       /* 07 */
	SOCKS5_BAD_ADDRESS_TYPE,  /* 08 */
	SOCKS5_ONION_NOT_FOUND,   /* F0: no descriptor */
	SOCKS5_ONION_BAD_DESC,    /* F1: descriptor cannot be read */
	SOCKS5_ONION_INTRO,       /* F2: introduction failed */
	SOCKS5_ONION_REND,        /* F3: rendezvous failed */
	SOCKS5_ONION_NEED_AUTH,   /* F4: client authorization missing */
	SOCKS5_ONION_BAD_AUTH,    /* F5: client authorization wrong */
	SOCKS5_ONION_BAD_ADDRESS, /* F6: address malformed */
	SOCKS5_ONION_INTRO_TIMEOUT, /* F7 */
	SOCKS5_UNKNOWN_REPLY,     /* another code */
	SOCKS5_PROTOCOL,          /* not SOCKS5, or no password allowed */
	SOCKS5_ERROR_COUNT,
};

struct socks5 {
	int state;
	enum socks5_error error;
	uint8_t reply_code;       /* of the last reply */
	char user[SOCKS5_CRED_MAX + 1];
	char pass[SOCKS5_CRED_MAX + 1];
	char host[256];
	uint16_t port;
};

/**
 * Begin a CONNECT to host:port; appends the first bytes to out.  host has 1
 * to 255 bytes; user and pass 1 to SOCKS5_CRED_MAX.
 */
void socks5_start(struct socks5 *s, struct bytes *out, const char *host,
		  uint16_t port, const char *user, const char *pass);
/**
 * Take bytes from the proxy.  *used is how many were eaten (never part of a
 * field: keep the rest and come again with more behind it); after SOCKS5_DONE
 * the rest belongs to the connection.  Appends what is to be sent to out.
 */
enum socks5_status socks5_feed(struct socks5 *s, size_t *used,
			       struct bytes *out, struct span in);
/**
 * How many bytes to read next so that none of the connection's own is taken:
 * `have` are those read and not yet eaten.  At least 1 while SOCKS5_MORE.
 */
size_t socks5_wants(const struct socks5 *s, struct span have);
/** Forget the credentials. */
void socks5_clear(struct socks5 *s);

const char *socks5_error_text(enum socks5_error e);

#endif
