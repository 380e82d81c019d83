/*
 * Outbound connections through tor: net/transport.h over tor's SOCKS port on
 * a unix socket that somebody else connects.  Only v3 onion addresses are
 * dialled, and, where it is asked for, the seeds' names it was given.  Loop
 * thread only.
 *
 * Each dial has user name and password of its own, so no two peers share a
 * circuit; dials with the same isolation key (see struct dial_target) may.
 */
#ifndef CLOISTER_TOR_TOR_TRANSPORT_H
#define CLOISTER_TOR_TOR_TRANSPORT_H

#include "net/transport.h"
#include "tor/link.h"

struct loop;

/* Who opens connections to tor's SOCKS port: the warden, over the link. */
struct socks_source {
	/** Answered by tor_transport_opened(), or never. */
	void (*open)(void *ctx, uint32_t id, enum socks_kind kind);
	void *ctx;
};

/** seed_names: NULL at the end, must outlive the transport; NULL: none. */
struct transport *tor_transport_new(struct loop *l,
				    const struct socks_source *source,
				    const char *const *seed_names);
/** The connection asked for under s->id; fd as in LINK_SOCKS. */
void tor_transport_opened(struct transport *t, const struct link_socks *s,
			  TAKES int fd);

#endif
