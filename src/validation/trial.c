/*
 * A block tried on the tip and taken back: for proposals.
 */
#include "config.h"

#include <stdlib.h>

#include "validation/flight.h"

/* What needs no coins; the solution of signet is the miner's last step. */
static void check_shape(struct chain *c, struct finding *f,
			const struct block *b)
{
	struct chain_params p = *c->opt.params;
	struct header_node *tip = chain_tip(c);

	p.signet_challenge = NULL;
	p.signet_challenge_n = 0;
	check_header_in_place(c, f, &b->header, tip);
	if (!f->verdict)
		block_check(f, &p, b);
	if (!f->verdict)
		block_check_context(f, &p, b, tip->height + 1,
				    header_node_mtp(tip));
}

/* A node that is in no tree. */
static struct header_node *node_of(struct chain *c, const struct block *b)
{
	struct header_node *n = xcalloc(1, sizeof *n);
	struct header_node *tip = chain_tip(c);

	n->hash = b->hash;
	n->prev = n->skip = tip;
	n->chain_work = tip->chain_work;
	n->height = tip->height + 1;
	n->version = b->header.version;
	n->time = b->header.time;
	n->bits = b->header.bits;
	n->nonce = b->header.nonce;
	n->tx_count = b->tx_count;
	memcpy(n->merkle_root, b->header.merkle_root, sizeof n->merkle_root);
	return n;
}

enum err chain_try_block(struct chain *c, struct finding *f, struct block *b,
			 struct why *why)
{
	struct flight *fl;
	struct header_node *n;
	enum err e, again;

	CHECK(block_hash_eq(&b->header.prev, &chain_tip(c)->hash));
	if (c->flight_count)
		return why_set(why, ERR_STATE, "blocks are being connected; "
			       "try again");
	*f = finding_of(VERDICT_OK);
	check_shape(c, f, b);
	if (f->verdict)
		return ERR_NONE;
	n = node_of(c, b);
	fl = xcalloc(1, sizeof *fl);
	fl->chain = c;
	fl->node = n;
	fl->block = block_ref(b);
	fl->flags = block_script_flags(c->opt.params, n->height, &n->hash);
	fl->check_scripts = true;
	e = flight_apply(fl, f, why);
	if (!e && !f->verdict)
		script_checks_wait(&fl->checks, f);
	script_checks_clear(&fl->checks);
	again = flight_revert(fl, e ? NULL : why);
	flight_free(fl);
	free(n);
	return e ? e : again;
}
