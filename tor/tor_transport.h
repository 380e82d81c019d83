/*
 * Outbound connections through tor: net/transport.h over tor's SOCKS port on
 * a unix socket.  Only v3 onion addresses are dialled.  Loop thread only.
 *
 * Each dial has user name and password of its own, so no two peers share a
 * circuit; dials with the same isolation key (see struct dial_target) may.
 */
#ifndef CLOISTER_TOR_TOR_TRANSPORT_H
#define CLOISTER_TOR_TOR_TRANSPORT_H

#include "base/err.h"
#include "net/transport.h"

struct loop;

/** NULL, with *why, if socks_path does not fit into a socket's address. */
struct transport *tor_transport_new(struct loop *l, const char *socks_path,
				    struct why *why);

#endif
