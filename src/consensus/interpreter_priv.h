/*
 * One script being executed.  interpreter.c has the loop and the control
 * operations; the families of operations have a file each.  Every function
 * here that returns enum script_error returns SCRIPT_OK to go on.
 */
#ifndef CLOISTER_CONSENSUS_INTERPRETER_PRIV_H
#define CLOISTER_CONSENSUS_INTERPRETER_PRIV_H

#include "consensus/script_stack_priv.h"
#include "consensus/sighash.h"

/* BIP342: each signature checked uses this much of the witness's weight. */
#define TAPSCRIPT_SIGOP_WEIGHT 50
/* … on top of which every input is given one signature. */
#define TAPSCRIPT_WEIGHT_OFFSET 50

/*
 * The IFs around the current operation.  Executing needs only to know
 * whether all of their branches are taken, so the depth and that of the
 * outermost branch not taken are enough: constant time for each operation.
 */
struct conditions {
	uint32_t depth;
	uint32_t skipped;        /* 1 is the outermost; 0: all are taken */
};

struct eval {
	const struct spend *spend;
	uint32_t flags;
	enum sig_version version;
	struct stack *stack;
	struct span code;        /* from the last OP_CODESEPARATOR on */
	unsigned op_count;       /* BASE and V0 */
	uint32_t op_pos;         /* index of the operation */
	struct conditions ifs;
	struct sighash_memo *memo;
	struct sighash_tap *tap; /* TAPSCRIPT */
	int64_t weight_left;     /* TAPSCRIPT */
};

/**
 * Run script on stack to its end.
 *
 * tap, weight  for TAPSCRIPT, else NULL and 0
 */
enum script_error script_run(const struct spend *spend, uint32_t flags,
			     enum sig_version version, struct stack *stack,
			     struct span script, struct sighash_tap *tap,
			     int64_t weight);

/* Families of operations. */
enum script_error eval_stack_op(struct eval *e, unsigned op);
enum script_error eval_number_op(struct eval *e, unsigned op);
enum script_error eval_hash_op(struct eval *e, unsigned op);
enum script_error eval_signature_op(struct eval *e, unsigned op);
enum script_error eval_locktime_op(struct eval *e, unsigned op);

/** Are there n elements on the main stack? */
static inline bool eval_has(const struct eval *e, uint32_t n)
{
	return e->stack->n >= n;
}

/** The number that is the i-th from the top. */
NODISCARD bool eval_number(int64_t *out, const struct eval *e, uint32_t i,
			   size_t max_bytes);
/** Replace the n top elements by a truth value; if `verify`, by nothing when
 * it is true and by `err` when it is not. */
enum script_error eval_answer(struct eval *e, uint32_t n, bool v, bool verify,
			      enum script_error err);

/* Signatures: signature_check.c. */

/** BIP66, BIP146, BIP143's policy and the original hash types, by flags. */
enum script_error signature_encoding(struct span sig, uint32_t flags);
enum script_error pubkey_encoding(struct span pubkey, uint32_t flags,
				  enum sig_version version);
/** An ECDSA signature with its hash type over this code. */
bool signature_check_ecdsa(const struct eval *e, struct span sig,
			   struct span pubkey, struct span code);
/** BIP341: a Schnorr signature, with hash type if 65 bytes. */
enum script_error signature_check_schnorr(const struct spend *spend,
					  struct sighash_tap *tap,
					  struct span sig,
					  const uint8_t xonly[static 32]);

/* Taproot: taproot.c.  stack is scratch. */
enum script_error taproot_verify(const struct spend *spend, uint32_t flags,
				 struct stack *stack, struct span program);
/** BIP141: run a witness script on these elements; it must leave one true. */
enum script_error witness_run(const struct spend *spend, uint32_t flags,
			      enum sig_version version, struct stack *stack,
			      struct span script, uint32_t element_count,
			      struct sighash_tap *tap, int64_t weight);

#endif
