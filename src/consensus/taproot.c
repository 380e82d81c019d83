/*
 * Taproot spends (BIP341, "Script validation rules", in its order) and the
 * start of tapscript (BIP342).
 */
#include "config.h"

#include "consensus/taproot.h"

#include "base/writer.h"
#include "consensus/hash_field_priv.h"
#include "consensus/interpreter_priv.h"
#include "crypto/secp.h"

#define ANNEX_TAG 0x50
#define LEAF_VERSION_MASK 0xfe
#define CONTROL_BASE_BYTES 33
#define CONTROL_NODE_BYTES 32
#define CONTROL_MAX_NODES 128

void taproot_leaf_hash(uint8_t out[static 32], uint8_t leaf_version,
		       struct span script)
{
	struct sha256 h;

	sha256_tagged_init(&h, "TapLeaf");
	sha256_update(&h, &leaf_version, 1);
	hash_var(&h, script);
	sha256_final(&h, out);
}

void taproot_branch_hash(uint8_t out[static 32], const uint8_t a[static 32],
			 const uint8_t b[static 32])
{
	bool a_first = memcmp(a, b, 32) < 0;
	struct sha256 h;

	sha256_tagged_init(&h, "TapBranch");
	sha256_update(&h, a_first ? a : b, 32);
	sha256_update(&h, a_first ? b : a, 32);
	sha256_final(&h, out);
}

void taproot_tweak(uint8_t out[static 32],
		   const uint8_t internal[static 32], const uint8_t *root)
{
	struct sha256 h;

	sha256_tagged_init(&h, "TapTweak");
	sha256_update(&h, internal, 32);
	if (root)
		sha256_update(&h, root, 32);
	sha256_final(&h, out);
}

/* BIP341: SHA256 of the annex with its length. */
static void annex_hash(uint8_t out[static 32], struct span annex)
{
	struct sha256 h;

	sha256_init(&h);
	hash_var(&h, annex);
	sha256_final(&h, out);
}

/* Does the output key commit to this leaf along the control block's path?
 * From the leaf k0 up to the root, then Q = P + t G with Q's parity. */
static bool is_committed(struct span control, struct span program,
			 const uint8_t leaf[static 32])
{
	const uint8_t *internal = control.p + 1;
	uint8_t node[32];
	size_t at;

	memcpy(node, leaf, 32);
	for (at = CONTROL_BASE_BYTES; at < control.n;
	     at += CONTROL_NODE_BYTES)
		taproot_branch_hash(node, node, control.p + at);
	taproot_tweak(node, internal, node);
	return secp_xonly_tweak_check(program.p, control.p[0] & 1, internal,
				      node);
}

static bool is_control_size(size_t n)
{
	return n >= CONTROL_BASE_BYTES &&
	       n <= CONTROL_BASE_BYTES +
		    CONTROL_NODE_BYTES * CONTROL_MAX_NODES &&
	       (n - CONTROL_BASE_BYTES) % CONTROL_NODE_BYTES == 0;
}

/* BIP342: operations that make a script valid as it stands. */
static bool is_op_success(unsigned op)
{
	return op == 80 || op == 98 || (op >= 126 && op <= 129) ||
	       (op >= 131 && op <= 134) || op == 137 || op == 138 ||
	       op == 141 || op == 142 || (op >= 149 && op <= 153) ||
	       (op >= 187 && op <= 254);
}

/*
 * Is there an OP_SUCCESSx before anything malformed?  *err: what to answer
 * at once, if not SCRIPT_OK or if true is returned.
 */
static bool has_success(enum script_error *err, struct span script,
			uint32_t flags)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;

	*err = SCRIPT_OK;
	while (script_next(&it, &op)) {
		if (!is_op_success(op.code))
			continue;
		if (flags & SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS)
			*err = SCRIPT_ERR_DISCOURAGE_OP_SUCCESS;
		return true;
	}
	if (it.bad)
		*err = SCRIPT_ERR_BAD_OPCODE;
	return false;
}

/* BIP342: the size of the witness as serialised, and a first signature. */
static int64_t signature_budget(const struct tx_in *in)
{
	size_t n = compact_size(in->witness_count);
	uint32_t i;

	for (i = 0; i < in->witness_count; i++)
		n += compact_size(in->witness[i].n) + in->witness[i].n;
	return (int64_t)n + TAPSCRIPT_WEIGHT_OFFSET;
}

/* elements: those of the witness below script, control block and annex. */
static enum script_error tapscript_verify(const struct spend *spend,
					  uint32_t flags, struct stack *stack,
					  struct span script,
					  uint32_t elements,
					  struct sighash_tap *tap)
{
	const struct tx_in *in = &spend->tx->in[spend->in];
	enum script_error err;

	/* This comes before all limits, on elements too. */
	if (has_success(&err, script, flags) || err)
		return err;
	if (elements > SCRIPT_MAX_STACK)
		return SCRIPT_ERR_STACK_SIZE;
	return witness_run(spend, flags, SIG_TAPSCRIPT, stack, script,
			   elements, tap, signature_budget(in));
}

/* BIP341, two or more elements: a script, its control block above it, and
 * below them what the script runs on. */
static enum script_error script_path(const struct spend *spend,
				     uint32_t flags, struct stack *stack,
				     struct span program, uint32_t elements,
				     struct sighash_tap *tap)
{
	const struct tx_in *in = &spend->tx->in[spend->in];
	struct span control = in->witness[elements - 1];
	struct span script = in->witness[elements - 2];
	uint8_t leaf_version;

	if (!is_control_size(control.n))
		return SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE;
	/* The low bit of the first byte is the parity of Q. */
	leaf_version = control.p[0] & LEAF_VERSION_MASK;
	taproot_leaf_hash(tap->leaf_hash, leaf_version, script);
	if (!is_committed(control, program, tap->leaf_hash))
		return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
	tap->has_leaf = true;
	if (leaf_version == TAPROOT_LEAF_TAPSCRIPT)
		return tapscript_verify(spend, flags, stack, script,
					elements - 2, tap);
	if (flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION)
		return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION;
	return SCRIPT_OK;       /* leaf versions to come */
}

/* BIP341, "Script validation rules", from their beginning: nothing, an annex,
 * the key path, the script path. */
enum script_error taproot_verify(const struct spend *spend, uint32_t flags,
				 struct stack *stack, struct span program)
{
	const struct tx_in *in = &spend->tx->in[spend->in];
	uint32_t elements = in->witness_count;
	struct sighash_tap tap;
	struct span last;

	if (!(flags & SCRIPT_VERIFY_TAPROOT))
		return SCRIPT_OK;
	if (elements == 0)
		return SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
	tap.has_annex = tap.has_leaf = tap.has_single = false;
	/* The annex is looked at by signatures only. */
	last = in->witness[elements - 1];
	if (elements >= 2 && last.n && last.p[0] == ANNEX_TAG) {
		annex_hash(tap.annex_hash, last);
		tap.has_annex = true;
		elements--;
	}
	if (elements == 1)
		return signature_check_schnorr(spend, &tap, in->witness[0],
					       program.p);
	return script_path(spend, flags, stack, program, elements, &tap);
}
