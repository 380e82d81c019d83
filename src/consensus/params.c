/*
 * The five chains.  Numbers are written as the world shows them and turned
 * into params on demand; what is asked for often is computed from those.
 */
#include "config.h"

#include "consensus/params.h"

#include "consensus/script_flags.h"
#include "crypto/hash.h"

#define FULL_SUBSIDY_SAT (50 * COIN_SAT)

static const struct flag_exception main_exceptions[] = {
	/* 00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22:
	 * breaks P2SH */
	{ { { 0x22, 0x9c, 0x4f, 0xac, 0x88, 0xba, 0xb1, 0x94,
	      0xeb, 0x08, 0xf1, 0xa5, 0x28, 0xcc, 0x30, 0x8d,
	      0xed, 0x23, 0x97, 0xf4, 0xf4, 0xeb, 0x6e, 0x75,
	      0xdc, 0x02 } }, SCRIPT_VERIFY_NONE },
	/* 0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad:
	 * breaks Taproot */
	{ { { 0xad, 0x95, 0xe3, 0xa1, 0x5e, 0xe5, 0xff, 0xd5,
	      0x85, 0xc5, 0xe8, 0x1d, 0x44, 0xb5, 0x6a, 0x98,
	      0x1e, 0x84, 0x2d, 0x5b, 0xc3, 0x14, 0x0f } },
	  SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS },
};

static const struct flag_exception testnet3_exceptions[] = {
	/* 00000000dd30457c001f4095d208cc1296b0eed002427aa599874af7a432b105:
	 * breaks P2SH */
	{ { { 0x05, 0xb1, 0x32, 0xa4, 0xf7, 0x4a, 0x87, 0x99,
	      0xa5, 0x7a, 0x42, 0x02, 0xd0, 0xee, 0xb0, 0x96,
	      0x12, 0xcc, 0x08, 0xd2, 0x95, 0x40, 0x1f, 0x00,
	      0x7c, 0x45, 0x30, 0xdd } }, SCRIPT_VERIFY_NONE },
};

static const char first_text[] = "The Times 03/Jan/2009 Chancellor on brink "
				 "of second bailout for banks";
static const uint8_t first_script[] = {
	0x41, 0x04, 0x67, 0x8a, 0xfd, 0xb0, 0xfe, 0x55, 0x48, 0x27, 0x19,
	0x67, 0xf1, 0xa6, 0x71, 0x30, 0xb7, 0x10, 0x5c, 0xd6, 0xa8, 0x28,
	0xe0, 0x39, 0x09, 0xa6, 0x79, 0x62, 0xe0, 0xea, 0x1f, 0x61, 0xde,
	0xb6, 0x49, 0xf6, 0xbc, 0x3f, 0x4c, 0xef, 0x38, 0xc4, 0xf3, 0x55,
	0x04, 0xe5, 0x1e, 0xc1, 0x12, 0xde, 0x5c, 0x38, 0x4d, 0xf7, 0xba,
	0x0b, 0x8d, 0x57, 0x8a, 0x4c, 0x70, 0x2b, 0x6b, 0xf1, 0x1d, 0x5f,
	0xac,
};
static const char first_merkle_root[] =
	"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";

static const char testnet4_text[] =
	"03/May/2024 "
	"000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e";
static const uint8_t testnet4_script[] = {
	/* A push of 33 zero bytes, OP_CHECKSIG. */
	33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xac,
};
static const char testnet4_merkle_root[] =
	"7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e";

/* The default signet's: 1 of 2. */
static const uint8_t default_challenge[] = {
	0x51, 0x21, 0x03, 0xad, 0x5e, 0x0e, 0xda, 0xd1, 0x8c, 0xb1, 0xf0,
	0xfc, 0x0d, 0x28, 0xa3, 0xd4, 0xf1, 0xf3, 0xe4, 0x45, 0x64, 0x03,
	0x37, 0x48, 0x9a, 0xbb, 0x10, 0x40, 0x4f, 0x2d, 0x1e, 0x08, 0x6b,
	0xe4, 0x30, 0x21, 0x03, 0x59, 0xef, 0x50, 0x21, 0x96, 0x4f, 0xe2,
	0x2d, 0x6f, 0x8e, 0x05, 0xb2, 0x46, 0x3c, 0x95, 0x40, 0xce, 0x96,
	0x88, 0x3f, 0xe3, 0xb2, 0x78, 0x76, 0x0f, 0x04, 0x8f, 0x51, 0x89,
	0xf2, 0xe6, 0xc4, 0x52, 0xae,
};

static void set_hash(uint8_t out[static 32], const char *hex)
{
	CHECK(hash_from_rpc_hex(out, hex));
}

static void set_number(struct u256 *out, const char *hex)
{
	CHECK(u256_from_hex(out, hex));
}

static void set_genesis(struct chain_params *p, uint32_t time, uint32_t nonce,
			uint32_t bits, const char *hash)
{
	p->genesis.version = 1;
	p->genesis.time = time;
	p->genesis.nonce = nonce;
	p->genesis.bits = bits;
	set_hash(p->genesis.merkle_root, first_merkle_root);
	set_hash(p->genesis_hash.b, hash);
	p->genesis_coinbase_text = first_text;
	p->genesis_output_script = first_script;
	p->genesis_output_script_n = sizeof first_script;
}

/* txs: up to there, about; for progress only. */
static void add_snapshot(struct chain_params *p, int height, const char *hash,
			 const char *coins_hash, uint64_t txs)
{
	struct snapshot_params *s = &p->snapshots[p->snapshot_count++];

	s->height = height;
	set_hash(s->hash.b, hash);
	set_hash(s->coins_hash, coins_hash);
	s->chain_txs = txs;
}

static void set_main_snapshots(struct chain_params *p)
{
	add_snapshot(p, 840000,
		"0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5",
		"a2a5521b1b5ab65f67818e5e8eccabb7171a517f9e2382208f77687310768f96",
		991032194);
	add_snapshot(p, 880000,
		"000000000000000000010b17283c3c400507969a9c2afd1dcf2082ec5cca2880",
		"dbd190983eaf433ef7c15f78a278ae42c00ef52e0fd2a54953782175fbadcea9",
		1145604538);
	add_snapshot(p, 910000,
		"0000000000000000000108970acb9522ffd516eae17acddcb1bd16469194a821",
		"4daf8a17b4902498c5787966a2b51c613acdab5df5db73f196fa59a4da2f1568",
		1226586151);
	add_snapshot(p, 935000,
		"0000000000000000000147034958af1652b2b91bba607beacc5e72a56f0fb5ee",
		"e4b90ef9eae834f56c4b64d2d50143cee10ad87994c614d7d04125e2a6025050",
		1300000000);
}

static void set_buried(struct chain_params *p, int bip34, int bip66,
		       int bip65, int csv, int segwit)
{
	p->buried_height[BURIED_BIP34] = bip34;
	p->buried_height[BURIED_BIP66] = bip66;
	p->buried_height[BURIED_BIP65] = bip65;
	p->buried_height[BURIED_CSV] = csv;
	p->buried_height[BURIED_SEGWIT] = segwit;
}

/* What all chains have in common, or all but mainnet. */
static struct chain_params common_params(enum chain_id id)
{
	struct chain_params p = {
		.id = id,
		.target_timespan_s = 14 * 24 * 60 * 60,
		.target_spacing_s = 10 * 60,
		.halving_interval = 210000,
		.base58_pubkey = 111,
		.base58_script = 196,
		.base58_secret = 239,
		.base58_xpub = { 0x04, 0x35, 0x87, 0xcf },
		.base58_xprv = { 0x04, 0x35, 0x83, 0x94 },
		.bech32_hrp = "tb",
	};

	set_number(&p.pow_limit,
		   "00000000ffffffffffffffffffffffff"
		   "ffffffffffffffffffffffffffffffff");
	return p;
}

static void set_magic(struct chain_params *p, uint8_t a, uint8_t b, uint8_t c,
		      uint8_t d)
{
	p->magic[0] = a;
	p->magic[1] = b;
	p->magic[2] = c;
	p->magic[3] = d;
}

static void set_main(struct chain_params *p)
{
	static const uint8_t xpub[4] = { 0x04, 0x88, 0xb2, 0x1e };
	static const uint8_t xprv[4] = { 0x04, 0x88, 0xad, 0xe4 };

	p->name = "main";
	p->dir = "";
	set_magic(p, 0xf9, 0xbe, 0xb4, 0xd9);
	p->p2p_port = 8333;
	p->rpc_port = 8332;
	set_genesis(p, 1231006505, 2083236893, 0x1d00ffff,
		    "000000000019d6689c085ae165831e93"
		    "4ff763ae46a2a6c172b3f1b60a8ce26f");
	set_buried(p, 227931, 363725, 388381, 419328, 481824);
	set_hash(p->bip34_hash.b, "000000000000024b89b42a942fe0d9fe"
				  "a3bb44ab7bd1b19115dd6a759c0808b8");
	p->exceptions = main_exceptions;
	p->exception_count = ARRAY_SIZE(main_exceptions);
	set_number(&p->minimum_chain_work, "1128750f82f4c366153a3a030");
	set_hash(p->assume_valid.b, "00000000000000000000ccebd6d74d91"
				    "94d8dcdc1d177c478e094bfad51ba5ac");
	p->base58_pubkey = 0;
	p->base58_script = 5;
	p->base58_secret = 128;
	memcpy(p->base58_xpub, xpub, sizeof xpub);
	memcpy(p->base58_xprv, xprv, sizeof xprv);
	p->bech32_hrp = "bc";
	set_main_snapshots(p);
}

static void set_testnet3(struct chain_params *p)
{
	p->name = "test";
	p->dir = "testnet3";
	set_magic(p, 0x0b, 0x11, 0x09, 0x07);
	p->p2p_port = 18333;
	p->rpc_port = 18332;
	set_genesis(p, 1296688602, 414098458, 0x1d00ffff,
		    "000000000933ea01ad0ee984209779ba"
		    "aec3ced90fa3f408719526f8d77f4943");
	p->allow_min_difficulty = true;
	set_buried(p, 21111, 330776, 581885, 770112, 834624);
	set_hash(p->bip34_hash.b, "0000000023b3a96d3484e5abb3755c41"
				  "3e7d41500f8e2a5c3f0dd01299cd8ef8");
	p->exceptions = testnet3_exceptions;
	p->exception_count = ARRAY_SIZE(testnet3_exceptions);
	set_number(&p->minimum_chain_work, "17dde1c649f3708d14b6");
	set_hash(p->assume_valid.b, "000000007a61e4230b28ac5cb6b5e5a0"
				    "130de37ac1faf2f8987d2fa6505b67f4");
}

static void set_testnet4(struct chain_params *p)
{
	p->name = "testnet4";
	p->dir = "testnet4";
	set_magic(p, 0x1c, 0x16, 0x3f, 0x28);
	p->p2p_port = 48333;
	p->rpc_port = 48332;
	set_genesis(p, 1714777860, 393743547, 0x1d00ffff,
		    "00000000da84f2bafbbc53dee25a72ae"
		    "507ff4914b867c565be350b0da8bf043");
	set_hash(p->genesis.merkle_root, testnet4_merkle_root);
	p->genesis_coinbase_text = testnet4_text;
	p->genesis_output_script = testnet4_script;
	p->genesis_output_script_n = sizeof testnet4_script;
	p->allow_min_difficulty = true;
	p->enforce_bip94 = true;
	set_buried(p, 1, 1, 1, 1, 1);
	set_number(&p->minimum_chain_work, "9a0fe15d0177d086304");
	set_hash(p->assume_valid.b, "0000000002368b1e4ee27e2e85676ae6"
				    "f9f9e69579b29093e9a82c170bf7cf8a");
}

static void set_signet(struct chain_params *p)
{
	p->name = "signet";
	p->dir = "signet";
	p->p2p_port = 38333;
	p->rpc_port = 38332;
	chain_params_set_signet(p, span_of(default_challenge,
					   sizeof default_challenge));
	set_genesis(p, 1598918400, 52613770, 0x1e0377ae,
		    "00000008819873e925422c1ff0f99f7c"
		    "c9bbb232af63a077a480a3633bee1ef6");
	set_number(&p->pow_limit,
		   "00000377ae0000000000000000000000"
		   "00000000000000000000000000000000");
	set_buried(p, 1, 1, 1, 1, 1);
	set_number(&p->minimum_chain_work, "b463ea0a4b8");
	set_hash(p->assume_valid.b, "00000008414aab61092ef93f1aacc54c"
				    "f9e9f16af29ddad493b908a01ff5c329");
}

static void set_regtest(struct chain_params *p)
{
	p->name = "regtest";
	p->dir = "regtest";
	set_magic(p, 0xfa, 0xbf, 0xb5, 0xda);
	p->p2p_port = 18444;
	p->rpc_port = 18443;
	set_genesis(p, 1296688602, 2, 0x207fffff,
		    "0f9188f13cb7b2c71f2a335e3a4fc328"
		    "bf5beb436012afca590b1a11466e2206");
	set_number(&p->pow_limit,
		   "7fffffffffffffffffffffffffffffff"
		   "ffffffffffffffffffffffffffffffff");
	p->allow_min_difficulty = true;
	p->no_retargeting = true;
	p->target_timespan_s = 24 * 60 * 60;
	p->halving_interval = 150;
	set_buried(p, 1, 1, 1, 1, 0);
	p->bech32_hrp = "bcrt";
}

struct chain_params chain_params_get(enum chain_id id)
{
	struct chain_params p = common_params(id);

	switch (id) {
	case CHAIN_MAIN:
		set_main(&p);
		break;
	case CHAIN_TESTNET3:
		set_testnet3(&p);
		break;
	case CHAIN_TESTNET4:
		set_testnet4(&p);
		break;
	case CHAIN_SIGNET:
		set_signet(&p);
		break;
	case CHAIN_REGTEST:
		set_regtest(&p);
		break;
	}
	return p;
}

bool chain_params_by_name(struct chain_params *out, const char *name)
{
	for (int id = CHAIN_MAIN; id <= CHAIN_REGTEST; id++) {
		struct chain_params p = chain_params_get((enum chain_id)id);

		if (strcmp(p.name, name) == 0) {
			*out = p;
			return true;
		}
	}
	return false;
}

void chain_params_set_signet(struct chain_params *p, struct span challenge)
{
	struct bytes b = { 0 };
	uint8_t hash[32];

	p->signet_challenge = challenge.p;
	p->signet_challenge_n = challenge.n;
	write_var_span(&b, challenge);
	sha256d(hash, b.p, b.n);
	memcpy(p->magic, hash, sizeof p->magic);
	bytes_clear(&b);
	/* Those are known of the default signet only. */
	memset(&p->minimum_chain_work, 0, sizeof p->minimum_chain_work);
	memset(&p->assume_valid, 0, sizeof p->assume_valid);
}

void genesis_block_write(struct bytes *out, const struct chain_params *p)
{
	/* Pushes of the difficulty 0x1d00ffff and of the number 4. */
	static const uint8_t head[] = { 4, 0xff, 0xff, 0, 0x1d, 1, 4 };
	size_t text_n = strlen(p->genesis_coinbase_text);
	struct bytes script = { 0 };
	struct tx_in in = { .sequence = TX_SEQUENCE_FINAL };
	struct tx_out value = { .value_sat = FULL_SUBSIDY_SAT };
	struct tx tx = { .version = 1, .in_count = 1, .out_count = 1 };

	bytes_append(&script, head, sizeof head);
	if (text_n > 75)
		write_u8(&script, 0x4c);         /* OP_PUSHDATA1 */
	write_u8(&script, (uint8_t)text_n);
	bytes_append(&script, p->genesis_coinbase_text, text_n);
	in.prevout.n = UINT32_MAX;
	in.script_sig = bytes_span(&script);
	value.script_pubkey = span_of(p->genesis_output_script,
				      p->genesis_output_script_n);
	tx.in = &in;
	tx.out = &value;
	block_header_write(out, &p->genesis);
	write_compact(out, 1);
	tx_write(out, &tx, false);
	bytes_clear(&script);
}

int64_t difficulty_interval(const struct chain_params *p)
{
	return p->target_timespan_s / p->target_spacing_s;
}

int64_t block_subsidy_sat(const struct chain_params *p, int height)
{
	uint32_t halvings = (uint32_t)height / p->halving_interval;

	return halvings >= 64 ? 0 : FULL_SUBSIDY_SAT >> halvings;
}

bool buried_active(const struct chain_params *p, enum buried d, int height)
{
	return height >= p->buried_height[d];
}

/* P2SH, witness and Taproot rules hold for every block ever since, but for
 * the exceptions; the others came with their heights. */
uint32_t block_script_flags(const struct chain_params *p, int height,
			    const struct block_hash *hash)
{
	uint32_t flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS |
			 SCRIPT_VERIFY_TAPROOT;

	for (size_t i = 0; i < p->exception_count; i++) {
		if (block_hash_eq(&p->exceptions[i].hash, hash))
			flags = p->exceptions[i].flags;
	}
	if (buried_active(p, BURIED_BIP66, height))
		flags |= SCRIPT_VERIFY_DERSIG;
	if (buried_active(p, BURIED_BIP65, height))
		flags |= SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY;
	if (buried_active(p, BURIED_CSV, height))
		flags |= SCRIPT_VERIFY_CHECKSEQUENCEVERIFY;
	if (buried_active(p, BURIED_SEGWIT, height))
		flags |= SCRIPT_VERIFY_NULLDUMMY;
	return flags;
}
