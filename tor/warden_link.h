/*
 * The warden's end of the link.  States are sent as they are when there is
 * room, not queued: a slow node gets the newest.
 */
#ifndef CLOISTER_TOR_WARDEN_LINK_H
#define CLOISTER_TOR_WARDEN_LINK_H

#include "tor/link.h"

struct event_base;
struct warden_link;

struct warden_link_events {
	/** One that the node may send; LINK_SOCKS_OPEN wants an answer
	 * (warden_link_socks). */
	void (*message)(void *arg, const struct link_msg *m);
	/** The node says what cannot be read: it is not to be trusted. */
	void (*nonsense)(void *arg);
};

/** Takes fd over. */
struct warden_link *warden_link_new(struct event_base *base, int fd,
				    const struct warden_link_events *events,
				    void *arg);
void warden_link_free(struct warden_link *l);       /* NULL is fine */

void warden_link_tor_state(struct warden_link *l,
			   const struct link_tor_state *s);
void warden_link_health(struct warden_link *l, const struct health *h);
/** By its name, the public one or a private one. */
void warden_link_door(struct warden_link *l, const struct link_door *d);
/** A private door's listener (name and port), which stays the caller's. */
void warden_link_door_listen(struct warden_link *l,
			     const struct link_door_wish *w, int fd);
/** Nothing more is said of a private door. */
void warden_link_door_gone(struct warden_link *l, const char *name);
void warden_link_stop(struct warden_link *l);
/** log_fd: of the log's file, which goes along; must stay open.  Or -1. */
void warden_link_log_reopen(struct warden_link *l, int log_fd);
/** Answer a LINK_SIGN; the newest answer counts. */
void warden_link_signed(struct warden_link *l, struct span answer);
/** Answer a LINK_SOCKS_OPEN; fd (-1 unless result is OK) is handed over. */
void warden_link_socks(struct warden_link *l, const struct link_socks *s,
		       TAKES int fd);

#endif
