/*
 * What two nodes say to each other at the enrolment port of a door, inside
 * TLS: a length (u16, little-endian) and that many bytes, u8 version, u8
 * type, fields.  Fields have fixed sizes.  Pure; any thread.
 *
 * Enrolment: the guest says REDEEM, the host WELCOME or REFUSE.  Later on,
 * either side may say MOVE to the other ("my door for you is this one from
 * now on"), which is answered with MOVED.  KNOCK asks for nothing but that
 * answer: whoever hears it at a new door knows that the door works.
 */
#ifndef CLOISTER_TLS_ENROL_MSG_H
#define CLOISTER_TLS_ENROL_MSG_H

#include "tls/trust_store.h"

#define ENROL_MESSAGE_MAX 256    /* bytes with the length */

enum enrol_type {
	ENROL_REDEEM = 1,
	ENROL_WELCOME = 2,
	ENROL_REFUSE = 3,
	ENROL_MOVE = 4,
	ENROL_MOVED = 5,
	ENROL_KNOCK = 6,
};

enum enrol_reason {
	ENROL_NO_SUCH_INVITE,    /* used, withdrawn, or never made */
	ENROL_EXPIRED,
	ENROL_NOT_ALLOWED,       /* a question for others than you */
	ENROL_BUSY,              /* trouble here: try again */
	ENROL_REASON_COUNT,
};

/* A door for the other side. */
struct enrol_door {
	uint8_t onion[ONION_KEY_BYTES];
	uint8_t key[TRUST_KEY_SIZE];     /* X25519, private */
};

struct enrol_msg {
	enum enrol_type type;
	uint8_t token[TRUST_TOKEN_SIZE]; /* REDEEM */
	struct enrol_door door;          /* REDEEM, MOVE */
	uint8_t roles;                   /* WELCOME: what they are here */
	enum enrol_reason reason;        /* REFUSE */
};

void enrol_msg_write(struct bytes *out, const struct enrol_msg *m);

enum enrol_read {
	ENROL_READ_OK,
	ENROL_READ_MORE,         /* not whole yet */
	ENROL_READ_BAD,
};
/** Read the message that in begins with; *used is set if OK. */
enum enrol_read enrol_msg_read(struct enrol_msg *m, size_t *used,
			       struct span in);
const char *enrol_reason_text(enum enrol_reason r);

#endif
