/*
 * The text of the torrc that the warden's tor runs with.  Pure.
 */
#ifndef CLOISTER_TOR_TORRC_H
#define CLOISTER_TOR_TORRC_H

#include "base/bytes.h"

struct torrc_params {
	const char *data_dir;     /* tor's own */
	const char *socks_path;   /* unix socket of the SOCKS port */
	const char *seeds_path;   /* the same for seeds' names, or NULL */
	const char *onion_dir;    /* directory of the public onion, or NULL */
	const char *onion_target; /* unix socket that it leads to */
	uint16_t onion_port;      /* its virtual port */
	uint16_t p2p_port;        /* peers' usual port */
	struct span extra;        /* the owner's lines, put first */
};

/**
 * Append the text.  Ours follows the owner's lines, so that for an option
 * that can be given once ours holds.
 */
void torrc_write(struct bytes *out, const struct torrc_params *p);
/** The command that gives tor the onion service of p, as the torrc does;
 * with its NUL. */
void torrc_write_setconf(struct bytes *out, const struct torrc_params *p);

#endif
