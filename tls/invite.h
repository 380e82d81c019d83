/*
 * The invite: one line that a person passes on.  "clinv1" and base 32, case
 * does not matter, white space inside neither; with a checksum.  Who has it
 * can find one door, knows whose it is, and may be enrolled there once.
 * Pure; any thread.
 */
#ifndef CLOISTER_TLS_INVITE_H
#define CLOISTER_TLS_INVITE_H

#include "tls/trust_store.h"

#define INVITE_TEXT_SIZE 224     /* with a NUL */

struct invite {
	uint32_t chain;          /* message start: of which chain */
	uint8_t onion[ONION_KEY_BYTES];
	uint8_t key[TRUST_KEY_SIZE];     /* X25519, private: finds the door */
	struct node_id id;       /* who must answer there */
	uint8_t token[TRUST_TOKEN_SIZE];
	int64_t expires;         /* unix, 32 bits of it */
};

enum invite_verdict {
	INVITE_OK,
	INVITE_FOREIGN,          /* it does not begin as one */
	INVITE_NEWER,
	INVITE_LENGTH,
	INVITE_ALTERED,          /* a wrong digit, or the checksum */
};

void invite_write(char out[static INVITE_TEXT_SIZE], const struct invite *i);
/** *out is set if INVITE_OK.  Expiry is the caller's to look at. */
enum invite_verdict invite_read(struct invite *out, const char *text);
/** What is wrong, for a person. */
const char *invite_verdict_text(enum invite_verdict v);

#endif
