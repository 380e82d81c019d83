/*
 * Reading and writing scripts: operations one by one, numbers, the forms
 * that consensus knows, signature-operation counts.  Executing them is
 * script_verify.h.  Pure; any thread.
 */
#ifndef CLOISTER_CONSENSUS_SCRIPT_H
#define CLOISTER_CONSENSUS_SCRIPT_H

#include "base/bytes.h"
#include "consensus/opcode.h"

#define SCRIPT_MAX_BYTES 10000u
#define SCRIPT_MAX_ELEMENT_BYTES 520u
#define SCRIPT_MAX_OPS 201u
#define SCRIPT_MAX_STACK 1000u
#define SCRIPT_MAX_MULTISIG_KEYS 20

/* ---- reading --------------------------------------------------------- */

struct script_iter {
	const uint8_t *p;       /* the next operation */
	const uint8_t *end;
	bool bad;               /* stopped at a push that runs over the end */
};

struct script_op {
	unsigned code;
	struct span data;       /* what it pushes, if code <= OP_PUSHDATA4 */
};

static inline struct script_iter script_iter_of(struct span s)
{
	return (struct script_iter){ s.p, s.n ? s.p + s.n : s.p, false };
}

/**
 * Read the next operation; op->data borrows from the script.
 *
 * return   false at the end, or (it->bad) at a malformed push, of which p
 *          then stands after the length, if that was complete
 */
NODISCARD bool script_next(struct script_iter *it, struct script_op *op);

/** Is this push the shortest way to push its data?  (BIP62 rules 3, 4.) */
bool script_push_is_minimal(const struct script_op *op);
/** Only pushes (OP_RESERVED counts as one), all well formed. */
bool script_is_push_only(struct span script);

/** A signature in strict DER (BIP66) and a defined hash type behind it. */
bool script_signature_is_strict(struct span sig);

/* ---- numbers --------------------------------------------------------- */

/**
 * Read a number of at most max_bytes (4 nearly everywhere, 5 for lock times).
 * minimal: refuse longer encodings than needed.
 */
NODISCARD bool script_number_read(int64_t *out, struct span s, size_t max_bytes,
				  bool minimal);
/** Encode; returns the length, 0 to 9. */
size_t script_number_write(uint8_t out[static 9], int64_t v);

/* ---- forms ----------------------------------------------------------- */

/** BIP16. */
bool script_is_p2sh(struct span script);
/** BIP141: *program borrows from script. */
bool script_is_witness_program(struct span script, unsigned *version,
			       struct span *program);
/** Pay-to-anchor: witness version 1, program 4e73. */
bool script_is_p2a(struct span script);
/** BIP341 output. */
bool script_is_p2tr(struct span script);
/** Can never be spent: OP_RETURN first, or too long. */
bool script_is_unspendable(struct span script);

/* ---- signature operations -------------------------------------------- */

/** accurate: OP_n before CHECKMULTISIG counts n, not 20. */
unsigned script_sigops(struct span script, bool accurate);
/** BIP16: those of the redeem script, if script_pubkey is P2SH; else 0. */
unsigned script_sigops_p2sh(struct span script_pubkey, struct span script_sig);
/** BIP141: those of a witness program, bare or in P2SH; else 0. */
unsigned script_sigops_witness(struct span script_pubkey,
			       struct span script_sig,
			       const struct span *witness,
			       uint32_t witness_count);

/* ---- writing --------------------------------------------------------- */

void script_push_op(struct bytes *b, unsigned op);
/** Length and data; no number opcodes even for short data. */
void script_push_data(struct bytes *b, struct span data);
/** OP_0, OP_1NEGATE, OP_1 to OP_16, or the encoded number as data. */
void script_push_number(struct bytes *b, int64_t v);

/**
 * Copy script without the places where, at an operation's start, the bytes
 * of pattern stand (the original node's FindAndDelete).
 *
 * out      script.n bytes, may be script.p; NULL: only count
 * out_n    length of the result
 * return   how many were found; out is written only if not 0
 */
unsigned script_find_and_delete(uint8_t *out, size_t *out_n,
				struct span script, struct span pattern);

#endif
