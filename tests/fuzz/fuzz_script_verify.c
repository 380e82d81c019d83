/*
 * Any scripts, witness and flags: the answer is the same each time, and
 * fewer flags never make a good spend bad (every flag is a soft fork).
 */
#include "config.h"

#include "consensus/script.h"
#include "consensus/script_verify.h"
#include "consensus/taproot.h"
#include "crypto/hash.h"
#include "crypto/secp.h"

#define ALL_FLAGS ((1u << 21) - 1)
#define MAX_WITNESS 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct fuzz_spend {
	struct tx tx;
	struct tx_in in[2];
	struct tx_out out, spent[2];
	struct span witness[MAX_WITNESS];
	struct sighash_cache cache;
	uint8_t form[34], control[33];
};

static uint32_t trim(uint32_t flags)
{
	flags &= ALL_FLAGS;
	if (!(flags & SCRIPT_VERIFY_P2SH))
		flags &= ~(uint32_t)SCRIPT_VERIFY_WITNESS;
	if (!(flags & SCRIPT_VERIFY_WITNESS))
		flags &= ~(uint32_t)SCRIPT_VERIFY_CLEANSTACK;
	return flags;
}

/* Half of all bytes should not be spent on guessing hashes: where asked,
 * make the output that commits to the last element. */
static void make_form(struct fuzz_spend *s, unsigned kind)
{
	static const uint8_t nums[32] = {
		0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b,
		0x4b, 0x60, 0x35, 0xe9, 0x7a, 0x5e, 0x07, 0x8a, 0x5a, 0x0f,
		0x28, 0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80,
		0x3a, 0xc0,
	};
	struct tx_in *in = &s->in[0];
	struct span last;
	uint8_t tweak[32];
	int parity;

	if (!in->witness_count)
		return;
	last = s->witness[in->witness_count - 1];
	s->form[0] = kind == 1 ? OP_0 : OP_1;
	s->form[1] = 32;
	if (kind == 1) {
		sha256(s->form + 2, last.p, last.n);
	} else {
		taproot_leaf_hash(tweak, TAPROOT_LEAF_TAPSCRIPT, last);
		taproot_tweak(tweak, nums, tweak);
		CHECK(secp_xonly_tweak_add(s->form + 2, &parity, nums,
					   tweak));
		s->control[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | parity);
		memcpy(s->control + 1, nums, 32);
		s->witness[in->witness_count++] = span_of(s->control, 33);
	}
	s->spent[0].script_pubkey = span_of(s->form, 34);
}

static void read_spend(struct fuzz_spend *s, struct reader *r)
{
	uint8_t kind = read_u8(r);
	struct tx_in *in = &s->in[0];

	memset(s, 0, sizeof *s);
	s->tx.version = read_u8(r);
	s->tx.lock_time = read_u32(r);
	in->sequence = read_u32(r);
	s->out.value_sat = read_u8(r);
	in->script_sig = read_var_span(r);
	s->spent[0].script_pubkey = read_var_span(r);
	in->witness = s->witness;
	while (reader_left(r) && in->witness_count < MAX_WITNESS - 1)
		s->witness[in->witness_count++] = read_var_span(r);
	if (kind & 3)
		make_form(s, kind & 3);
	s->tx.in = s->in;
	s->tx.in_count = kind & 4 ? 2 : 1;
	s->tx.out = &s->out;
	s->tx.out_count = 1;
	sighash_cache_init(&s->cache, &s->tx, s->spent);
}

static bool verify(const struct fuzz_spend *s, uint32_t flags,
		   enum script_error *err)
{
	bool ok = script_verify(&s->tx, 0, s->spent, flags, &s->cache, err);

	CHECK(ok == (*err == SCRIPT_OK));
	CHECK(*err != SCRIPT_ERR_UNKNOWN);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader r = reader_of(span_of(data, n));
	uint32_t flags = trim(read_u32(&r)), bit;
	uint32_t fewer = trim(flags & read_u32(&r));
	enum script_error err, again;
	struct fuzz_spend s;
	bool ok;

	read_spend(&s, &r);
	ok = verify(&s, flags, &err);
	CHECK(verify(&s, flags, &again) == ok && again == err);
	if (!ok)
		return 0;
	CHECK(verify(&s, fewer, &again));
	for (bit = 1; bit < ALL_FLAGS; bit <<= 1)
		CHECK(verify(&s, trim(flags & ~bit), &again));
	return 0;
}
