/*
 * Plain TCP on 127.0.0.0/8, for regtest only: the one way of this process to
 * a socket that is not a unix one.  Whoever makes this transport has checked
 * that the chain is regtest.  Loop thread only.
 */
#ifndef CLOISTER_NET_LOOPBACK_H
#define CLOISTER_NET_LOOPBACK_H

#include "base/err.h"
#include "net/transport.h"

struct loop;

/** True for a numeric address in 127.0.0.0/8, in plain dotted form. */
bool loopback_address_ok(const char *host);
struct transport *loopback_transport_new(struct loop *l);
/** Listen on a loopback address; ERR_INPUT for any other.  Port 0: any, and
 * *port says which. */
NODISCARD enum err loopback_listen(int *fd, const char *host, uint16_t *port,
				   struct why *why);

#endif
