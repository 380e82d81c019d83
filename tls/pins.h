/*
 * Which node ids are known, and which of them are trusted.  The trust store
 * fills it; handshakes ask it.  Loop thread only.
 */
#ifndef CLOISTER_TLS_PINS_H
#define CLOISTER_TLS_PINS_H

#include "tls/node_id.h"

#define PIN_NAME_MAX 32

enum pin_state {
	PIN_UNKNOWN,     /* never heard of, or forgotten */
	PIN_TRUSTED,
	PIN_REVOKED,     /* was trusted: refused with that as the cause */
};

struct pin {
	enum pin_state state;
	char name[PIN_NAME_MAX + 1];     /* the owner's, for the log */
};

struct pins;
struct pins *pins_new(void);
void pins_free(struct pins *p);             /* NULL is fine */
/** PIN_UNKNOWN forgets it.  name is cut at PIN_NAME_MAX bytes. */
void pins_set(struct pins *p, const struct node_id *id, enum pin_state state,
	      const char *name);
/** Borrowed until the next pins_set(); one of state PIN_UNKNOWN if it is
 * not there. */
const struct pin *pins_get(const struct pins *p, const struct node_id *id);
size_t pins_count(const struct pins *p, enum pin_state state);

#endif
