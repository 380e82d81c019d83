/*
 * BIP325: on signet a block is valid if somebody whom the chain's challenge
 * names has signed it.  The solution stands in the coinbase, in the output of
 * the witness commitment; it signs the block without that solution.
 */
#include "config.h"

#include "consensus/block_check.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "consensus/script_verify.h"
#include "consensus/witness_commitment.h"
#include "crypto/hash.h"

#define SIGNET_FLAGS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | \
		      SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_NULLDUMMY)

static const uint8_t solution_tag[4] = { 0xec, 0xc7, 0xda, 0xa2 };

/*
 * Find the push that starts with the tag: what follows the tag is the
 * solution; the script without it goes to rest.
 */
static bool take_solution(struct span *solution, struct bytes *rest,
			  struct span script)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;
	bool found = false;

	while (script_next(&it, &op)) {
		struct span data = op.data;

		if (!found && data.n > sizeof solution_tag &&
		    memcmp(data.p, solution_tag, sizeof solution_tag) == 0) {
			*solution = span_of(data.p + sizeof solution_tag,
					    data.n - sizeof solution_tag);
			data.n = sizeof solution_tag;
			found = true;
		}
		if (data.n)
			script_push_data(rest, data);
		else
			script_push_op(rest, op.code);
	}
	return found;
}

/* A script, then a witness stack, and nothing after them. */
static bool read_solution(struct tx_in *in, struct arena *a,
			  struct span solution)
{
	struct reader r = reader_of(solution);
	struct span *stack;
	uint64_t count;

	in->script_sig = read_var_span(&r);
	count = read_compact(&r);
	if (r.failed || count > reader_left(&r))
		return false;
	stack = arena_calloc(a, (size_t)count + 1, sizeof *stack);
	for (uint64_t i = 0; i < count; i++)
		stack[i] = read_var_span(&r);
	in->witness = stack;
	in->witness_count = (uint32_t)count;
	return !r.failed && reader_left(&r) == 0;
}

/* The id that the coinbase would have with another script in that output. */
static void modified_txid(uint8_t out[static 32], const struct tx *coinbase,
			  int output, struct span script)
{
	struct tx tx = *coinbase;
	size_t n = tx.out_count * sizeof *tx.out;
	struct tx_out *outs = xmemdup(tx.out, n);

	outs[output].script_pubkey = script;
	tx.out = outs;
	tx_finish(&tx);
	memcpy(out, tx.txid.b, 32);
	free(outs);
}

static void modified_merkle_root(uint8_t out[static 32],
				 const struct block *b, int output,
				 struct span script)
{
	uint8_t (*leaves)[32] = xmalloc(b->tx_count * sizeof *leaves);

	modified_txid(leaves[0], &b->tx[0], output, script);
	for (uint32_t i = 1; i < b->tx_count; i++)
		memcpy(leaves[i], b->tx[i].txid.b, 32);
	merkle_root(out, (const uint8_t (*)[32])leaves, b->tx_count);
	free(leaves);
}

/* The transaction whose only output, locked by the challenge, the solution
 * spends.  It pushes what is signed. */
static void spent_txid(struct txid *out, const struct block *b,
		       const uint8_t root[static 32],
		       const struct tx_out *challenge)
{
	struct tx_out copy = *challenge;
	struct tx_in in = { .prevout.n = UINT32_MAX };
	struct tx tx = { .in_count = 1, .out_count = 1 };
	struct bytes signed_part = { 0 }, script = { 0 };

	write_u32(&signed_part, b->header.version);
	bytes_append(&signed_part, b->header.prev.b, 32);
	bytes_append(&signed_part, root, 32);
	write_u32(&signed_part, b->header.time);
	write_u8(&script, OP_0);
	script_push_data(&script, bytes_span(&signed_part));
	in.script_sig = bytes_span(&script);
	tx.in = &in;
	tx.out = &copy;
	tx_finish(&tx);
	*out = tx.txid;
	bytes_clear(&script);
	bytes_clear(&signed_part);
}

static bool verify_solution(struct tx_in *in, const struct tx_out *challenge)
{
	static const uint8_t op_return[] = { OP_RETURN };
	struct tx_out out = { .script_pubkey = { op_return, 1 } };
	struct tx tx = { .in_count = 1, .out_count = 1, .in = in,
			 .out = &out };
	struct sighash_cache cache;
	enum script_error err;

	tx_finish(&tx);
	sighash_cache_init(&cache, &tx, challenge);
	return script_verify(&tx, 0, challenge, SIGNET_FLAGS, &cache, &err);
}

bool signet_solution_ok(const struct chain_params *p, const struct block *b)
{
	struct tx_out challenge = {
		.script_pubkey = { p->signet_challenge,
				   p->signet_challenge_n },
	};
	struct span script, solution = { NULL, 0 };
	struct tx_in in = { 0 };
	struct bytes rest = { 0 };
	struct arena arena = { 0 };
	uint8_t root[32];
	int output;
	bool ok;

	if (block_hash_eq(&b->hash, &p->genesis_hash))
		return true;
	output = witness_commitment_output(b);
	if (output < 0)
		return false;
	script = b->tx[0].out[output].script_pubkey;
	/* Without one the challenge may still be met by nothing. */
	if (take_solution(&solution, &rest, script))
		script = bytes_span(&rest);
	ok = !solution.p || read_solution(&in, &arena, solution);
	if (ok) {
		modified_merkle_root(root, b, output, script);
		spent_txid(&in.prevout.txid, b, root, &challenge);
		ok = verify_solution(&in, &challenge);
	}
	arena_clear(&arena);
	bytes_clear(&rest);
	return ok;
}
