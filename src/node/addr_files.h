/*
 * peers.dat and anchors.dat: what the peer-to-peer engine knows of addresses,
 * across restarts.  Loop thread.
 */
#ifndef CLOISTER_NODE_ADDR_FILES_H
#define CLOISTER_NODE_ADDR_FILES_H

#include "p2p/p2p.h"

/**
 * Read both from the chain's directory.  A damaged one is put aside, with a
 * warning, and is no reason to stop.  anchors.dat is removed once read.
 */
void addr_files_load(struct p2p *p2p, const char *dir);
/** Write what changed. */
void addr_files_save(struct p2p *p2p, const char *dir);

#endif
