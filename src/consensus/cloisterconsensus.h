/*
 * libcloisterconsensus: Bitcoin's rules as a library.  Bytes in, an answer
 * out: no files, network, clock, log or threads, and nothing kept between
 * calls.
 *
 *   cc prog.c $(pkg-config --cflags --libs libcloisterconsensus)
 *
 * Threads: any thread may call anything at any time, with arguments that no
 * other thread is writing.  A call wants 100 kB of stack.
 *
 * Memory: what is passed in is only read, and only during the call.  A call
 * takes memory in proportion to the bytes passed to it and gives it all
 * back; if there is none to be had, it ends the process (abort), as it does,
 * with a line on standard error, if it finds a bug in itself.
 *
 * Hashes are 32 bytes in the order in which they are hashed; people know
 * them reversed, as cloister_hash_hex() writes them.  Amounts are satoshi.
 */
#ifndef CLOISTERCONSENSUS_H
#define CLOISTERCONSENSUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with every addition; what is here now will not change. */
#define CLOISTER_CONSENSUS_VERSION 1

enum cloister_status {
	CLOISTER_OK = 0,          /* no rule that was asked about is broken */
	CLOISTER_INVALID = 1,     /* one is: see the finding */
	CLOISTER_MALFORMED = 2,   /* the bytes are not one transaction, or
				   * not one block, and nothing else */
	CLOISTER_ERR_INPUT = 3,   /* the transaction has no such input */
	CLOISTER_ERR_OUTPUTS = 4, /* not one spent output for each input */
	CLOISTER_ERR_FLAGS = 5,   /* unknown, or without what they need */
	CLOISTER_ERR_CHAIN = 6,   /* no such chain */
	CLOISTER_ERR_ARGUMENT = 7 /* NULL where bytes should be, or more than
				   * CLOISTER_MAX_BYTES of them */
};

/* Of a transaction, a block or a script; far beyond what can be valid. */
#define CLOISTER_MAX_BYTES (32u << 20)

/* Which rule, in the reference node's words. */
struct cloister_finding {
	char text[160];           /* "" if nothing is wrong */
	int32_t tx;               /* its index in the block, or -1 */
	int32_t input;            /* its index in the transaction, or -1 */
};

/* The soft forks that govern scripts; their values are those of the
 * reference node. */
#define CLOISTER_VERIFY_NONE 0u
#define CLOISTER_VERIFY_P2SH (1u << 0)                   /* BIP16 */
#define CLOISTER_VERIFY_DERSIG (1u << 2)                 /* BIP66 */
#define CLOISTER_VERIFY_NULLDUMMY (1u << 4)              /* BIP147 */
#define CLOISTER_VERIFY_CHECKLOCKTIMEVERIFY (1u << 9)    /* BIP65 */
#define CLOISTER_VERIFY_CHECKSEQUENCEVERIFY (1u << 10)   /* BIP112 */
#define CLOISTER_VERIFY_WITNESS (1u << 11)  /* BIP141, 143; needs P2SH */
#define CLOISTER_VERIFY_TAPROOT (1u << 17)  /* BIP341, 342; needs WITNESS */
/* All of them: today's blocks. */
#define CLOISTER_VERIFY_ALL                                             \
	(CLOISTER_VERIFY_P2SH | CLOISTER_VERIFY_DERSIG |                \
	 CLOISTER_VERIFY_NULLDUMMY |                                    \
	 CLOISTER_VERIFY_CHECKLOCKTIMEVERIFY |                          \
	 CLOISTER_VERIFY_CHECKSEQUENCEVERIFY | CLOISTER_VERIFY_WITNESS | \
	 CLOISTER_VERIFY_TAPROOT)

struct cloister_output {
	int64_t value_sat;
	const uint8_t *script;    /* NULL if script_n is 0 */
	size_t script_n;
};

/* A transaction with all that it spends. */
struct cloister_spend {
	const uint8_t *tx;        /* serialised, with its witness if any */
	size_t tx_n;
	const struct cloister_output *spent;  /* by each input, in order */
	size_t spent_n;
};

/* In place of an input's index: each of them. */
#define CLOISTER_ALL_INPUTS UINT32_MAX

/**
 * Do the scripts and the witness of an input allow it to spend its output?
 *
 * finding  out, in every case; may be NULL
 * input    from 0, or CLOISTER_ALL_INPUTS, which costs less than asking for
 *          one after the other
 * flags    CLOISTER_VERIFY_…
 * return   CLOISTER_OK, _INVALID, _MALFORMED, _ERR_INPUT, _ERR_OUTPUTS,
 *          _ERR_FLAGS or _ERR_ARGUMENT
 *
 * This is about scripts alone: whether the outputs exist, are unspent and
 * mature, and whether the amounts add up, is not looked at.
 */
enum cloister_status
cloister_verify_spend(struct cloister_finding *finding,
		      const struct cloister_spend *spend, uint32_t input,
		      uint32_t flags);

/**
 * Check all that can be said of a block without knowing any other: its work
 * against the target that it names, its merkle root, its size, its coinbase,
 * each transaction by itself, its signature operations (those of P2SH and of
 * witnesses apart), and on signet its signature.  The reference node's
 * CheckBlock.
 *
 * finding  out, in every case; may be NULL
 * chain    "main", "test", "testnet4", "signet" or "regtest"
 * return   CLOISTER_OK, _INVALID, _MALFORMED, _ERR_CHAIN or _ERR_ARGUMENT
 */
enum cloister_status
cloister_check_block(struct cloister_finding *finding, const uint8_t *block,
		     size_t n, const char *chain);

/* What a transaction says of itself. */
struct cloister_tx {
	uint8_t txid[32], wtxid[32];
	uint32_t version, lock_time;
	uint32_t input_count, output_count;
	uint32_t size_bytes, stripped_bytes, weight_wu;
	int has_witness, is_coinbase;     /* 1 or 0 */
};

/** *out is filled if the answer is CLOISTER_OK; else _MALFORMED or
 * _ERR_ARGUMENT.  Only the form is looked at, no rule. */
enum cloister_status cloister_decode_tx(struct cloister_tx *out,
					const uint8_t *tx, size_t n);

/* What a block says of itself. */
struct cloister_block {
	uint8_t hash[32], prev[32], merkle_root[32];
	uint32_t version, time, bits, nonce;
	uint32_t tx_count;
	uint64_t input_count, output_count;
	uint32_t size_bytes, stripped_bytes, weight_wu;
};

/** As cloister_decode_tx(). */
enum cloister_status cloister_decode_block(struct cloister_block *out,
					   const uint8_t *block, size_t n);

/** 64 digits, bytes reversed, and a NUL. */
void cloister_hash_hex(char hex[65], const uint8_t hash[32]);

/** A status as words: "invalid"; never NULL. */
const char *cloister_status_text(enum cloister_status status);

#ifdef __cplusplus
}
#endif

#endif
