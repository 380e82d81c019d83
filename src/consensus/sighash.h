/*
 * What a signature signs: the message of each generation of script.  Pure;
 * any thread.
 */
#ifndef CLOISTER_CONSENSUS_SIGHASH_H
#define CLOISTER_CONSENSUS_SIGHASH_H

#include "consensus/script_verify.h"
#include "crypto/hash.h"

enum {
	SIGHASH_DEFAULT = 0,             /* BIP341 only */
	SIGHASH_ALL = 1,
	SIGHASH_NONE = 2,
	SIGHASH_SINGLE = 3,
	SIGHASH_ANYONECANPAY = 0x80,
};

/* Which rules a signature or script is under. */
enum sig_version {
	SIG_BASE,                /* the original ones, P2SH too */
	SIG_WITNESS_V0,          /* BIP143 */
	SIG_TAPROOT,             /* BIP341 key path */
	SIG_TAPSCRIPT,           /* BIP342 */
};

/* One input and all that its signatures may commit to. */
struct spend {
	const struct tx *tx;
	uint32_t in;
	const struct tx_out *spent;      /* by all inputs, in order */
	const struct sighash_cache *cache;
};

/**
 * The original message.
 *
 * code     script from the last OP_CODESEPARATOR executed, signatures
 *          already deleted; separators in it are left out here
 *
 * SIGHASH_SINGLE without a matching output gives the number one, as ever.
 * Only s->tx and s->in are used.
 */
void sighash_legacy(uint8_t out[static 32], const struct spend *s,
		    struct span code, uint32_t hash_type);

/** BIP143.  Needs s->cache with has_bip143, and spent[in]'s value. */
void sighash_v0(uint8_t out[static 32], const struct spend *s,
		struct span code, uint32_t hash_type);

/*
 * Sighashes of one scriptCode up to the last field (the hash type), kept
 * because a script may check many signatures over one code.  {0} is empty;
 * for one input and one sig_version.
 */
struct sighash_memo {
	struct span code;        /* same address and length: same code */
	uint8_t have;            /* bit per state */
	struct sha256 state[6];
};

/** sighash_legacy or sighash_v0 with such a memo. */
void sighash_ecdsa(uint8_t out[static 32], struct sighash_memo *memo,
		   const struct spend *s, enum sig_version version,
		   struct span code, uint32_t hash_type);

/* What BIP341 messages say of the spend besides the transaction. */
struct sighash_tap {
	bool has_annex, has_leaf, has_single;
	uint8_t annex_hash[32];
	uint8_t leaf_hash[32];           /* script path only */
	uint32_t codesep_pos;            /* script path; ffffffff: none */
	uint8_t single[32];              /* filled when first needed */
};

/**
 * BIP341, and with t->has_leaf its BIP342 extension.  Needs s->cache with
 * has_bip341.
 *
 * return   false: no such hash type, or no output for SIGHASH_SINGLE
 */
NODISCARD bool sighash_taproot(uint8_t out[static 32], const struct spend *s,
			       struct sighash_tap *t, uint8_t hash_type);

#endif
