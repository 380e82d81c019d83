/*
 * What differs from chain to chain.  Constant data; pass a pointer.
 */
#ifndef CLOISTER_CONSENSUS_PARAMS_H
#define CLOISTER_CONSENSUS_PARAMS_H

#include "consensus/block.h"
#include "consensus/u256.h"

enum chain_id {
	CHAIN_MAIN,
	CHAIN_TESTNET3,
	CHAIN_TESTNET4,
	CHAIN_SIGNET,
	CHAIN_REGTEST,
};

/* Buried deployments, settable on regtest by -testactivationheight. */
enum buried {
	BURIED_BIP34,
	BURIED_BIP66,
	BURIED_BIP65,
	BURIED_CSV,      /* BIP68, 112, 113 */
	BURIED_SEGWIT,   /* BIP141, 143, 147 */
	BURIED_COUNT,
};

/* A block whose script flags are fewer than its height's. */
struct flag_exception {
	struct block_hash hash;
	uint32_t flags;
};

#define SNAPSHOTS_MAX 8

/* A state of the coins that the software's authors vouch for. */
struct snapshot_params {
	int height;
	struct block_hash hash;  /* of the block */
	uint8_t coins_hash[32];  /* hash_serialized_3 */
	uint64_t chain_txs;      /* up to the block; for progress only */
};

struct chain_params {
	enum chain_id id;
	const char *name;        /* "main", "test", "testnet4", "signet", "regtest" */
	const char *dir;         /* below the data directory; "" on mainnet */
	uint8_t magic[4];
	uint16_t p2p_port, rpc_port;

	struct block_header genesis;
	struct block_hash genesis_hash;
	const char *genesis_coinbase_text;
	const uint8_t *genesis_output_script;
	size_t genesis_output_script_n;

	struct u256 pow_limit;
	bool allow_min_difficulty;       /* testnets and regtest */
	bool enforce_bip94;
	bool no_retargeting;
	int64_t target_timespan_s, target_spacing_s;
	uint32_t halving_interval;

	int buried_height[BURIED_COUNT];
	struct block_hash bip34_hash;    /* zero: none */
	const struct flag_exception *exceptions;
	size_t exception_count;

	struct u256 minimum_chain_work;
	struct block_hash assume_valid;  /* zero: none */
	struct snapshot_params snapshots[SNAPSHOTS_MAX]; /* lowest first */
	size_t snapshot_count;

	const uint8_t *signet_challenge; /* NULL unless signet */
	size_t signet_challenge_n;

	uint8_t base58_pubkey, base58_script, base58_secret;
	uint8_t base58_xpub[4], base58_xprv[4];
	const char *bech32_hrp;
};

/** A fresh copy to adjust (activation heights, minimum work, challenge);
 * values only, no heap. */
struct chain_params chain_params_get(enum chain_id id);
/** By Core's name ("main", "test", "testnet4", "signet", "regtest"). */
NODISCARD bool chain_params_by_name(struct chain_params *out,
				    const char *name);
/** Signet with another challenge; challenge is borrowed. */
void chain_params_set_signet(struct chain_params *p, struct span challenge);
/** The whole genesis block, serialised. */
void genesis_block_write(struct bytes *out, const struct chain_params *p);

/** Last block of a retarget period? height is the next block's. */
int64_t difficulty_interval(const struct chain_params *p);
int64_t block_subsidy_sat(const struct chain_params *p, int height);
/** Script flags (SCRIPT_VERIFY_…) for a block: Core GetBlockScriptFlags. */
uint32_t block_script_flags(const struct chain_params *p, int height,
			    const struct block_hash *hash);
bool buried_active(const struct chain_params *p, enum buried d, int height);

#endif
