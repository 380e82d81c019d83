/*
 * From descriptors to scripts.
 */
#include "config.h"

#include "address/descriptor_priv.h"

#include <stdlib.h>

#include "address/address.h"
#include "consensus/script.h"
#include "consensus/taproot.h"
#include "crypto/hash.h"
#include "crypto/secp.h"

/* A key as bytes of its script. */
struct raw_key {
	uint8_t b[65];
	size_t n;
};

static struct span raw_span(const struct raw_key *k)
{
	return span_of(k->b, k->n);
}

static void write_pkh(struct bytes *out, const struct raw_key *k)
{
	uint8_t id[20];

	hash160(id, k->b, k->n);
	script_write_p2pkh(out, id);
}

static void write_wpkh(struct bytes *out, const struct raw_key *k)
{
	uint8_t id[20];

	hash160(id, k->b, k->n);
	script_write_witness(out, 0, span_of(id, sizeof id));
}

static void write_pk(struct bytes *out, const struct raw_key *k)
{
	script_push_data(out, raw_span(k));
	script_push_op(out, OP_CHECKSIG);
}

static void write_multi(struct bytes *out, const struct descriptor *d,
			const struct raw_key *keys)
{
	script_push_number(out, d->threshold);
	for (size_t i = 0; i < d->keys_n; i++)
		script_push_data(out, raw_span(&keys[i]));
	script_push_number(out, (int64_t)d->keys_n);
	script_push_op(out, OP_CHECKMULTISIG);
}

static void write_multi_a(struct bytes *out, const struct descriptor *d,
			  const struct raw_key *keys)
{
	for (size_t i = 0; i < d->keys_n; i++) {
		script_push_data(out, raw_span(&keys[i]));
		script_push_op(out, i ? OP_CHECKSIGADD : OP_CHECKSIG);
	}
	script_push_number(out, d->threshold);
	script_push_op(out, OP_NUMEQUAL);
}

static int by_bytes(const void *a, const void *b)
{
	const struct raw_key *x = a, *y = b;
	int c = memcmp(x->b, y->b, MIN_OF(x->n, y->n));

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

/* The keys at an index, 32 bytes each where they are x-only; NULL: one
 * cannot be derived. */
static struct raw_key *keys_at(const struct descriptor *d, uint32_t index)
{
	struct raw_key *keys = xcalloc(d->keys_n + 1, sizeof *keys);

	for (size_t i = 0; i < d->keys_n; i++) {
		if (!desc_key_at(keys[i].b, &keys[i].n, &d->keys[i], index)) {
			free(keys);
			return NULL;
		}
		if (d->keys[i].xonly) {
			memmove(keys[i].b, keys[i].b + 1, 32);
			keys[i].n = 32;
		}
	}
	if (d->kind == DESC_SORTEDMULTI || d->kind == DESC_SORTEDMULTI_A)
		qsort(keys, d->keys_n, sizeof *keys, by_bytes);
	return keys;
}

static bool write_leaf(struct bytes *out, const struct descriptor *d,
		       uint32_t index)
{
	struct raw_key *keys = keys_at(d, index);

	if (!keys)
		return false;
	if (d->kind == DESC_PK)
		write_pk(out, keys);
	else
		write_multi_a(out, d, keys);
	free(keys);
	return true;
}

/* Each leaf joins the branches to its left that are as deep as it. */
static bool tree_root(uint8_t root[static 32], const struct descriptor *d,
		      uint32_t index)
{
	uint8_t waiting[DESC_TREE_DEPTH_MAX + 1][32];
	bool have[DESC_TREE_DEPTH_MAX + 1] = { false };

	for (size_t i = 0; i < d->leaves_n; i++) {
		unsigned depth = d->leaves[i].depth;
		struct bytes script = { 0 };
		uint8_t hash[32];

		if (!write_leaf(&script, d->leaves[i].d, index)) {
			bytes_clear(&script);
			return false;
		}
		taproot_leaf_hash(hash, TAPROOT_LEAF_TAPSCRIPT,
				  bytes_span(&script));
		bytes_clear(&script);
		for (; depth && have[depth]; depth--) {
			taproot_branch_hash(hash, waiting[depth], hash);
			have[depth] = false;
		}
		memcpy(waiting[depth], hash, 32);
		have[depth] = true;
	}
	memcpy(root, waiting[0], 32);
	return true;
}

static bool write_tr(struct bytes *out, const struct descriptor *d,
		     const struct raw_key *key, uint32_t index)
{
	uint8_t root[32], tweak[32], output[32];
	int parity;

	if (d->leaves_n && !tree_root(root, d, index))
		return false;
	taproot_tweak(tweak, key->b, d->leaves_n ? root : NULL);
	if (!secp_xonly_tweak_add(output, &parity, key->b, tweak))
		return false;
	script_write_witness(out, 1, span_of(output, sizeof output));
	return true;
}

/* All but sh(), wsh() and combo(). */
static bool write_script(struct bytes *out, const struct descriptor *d,
			 uint32_t index)
{
	struct raw_key *keys = keys_at(d, index);
	bool ok = true;

	if (!keys)
		return false;
	switch (d->kind) {
	case DESC_PK:
		write_pk(out, keys);
		break;
	case DESC_PKH:
		write_pkh(out, keys);
		break;
	case DESC_WPKH:
		write_wpkh(out, keys);
		break;
	case DESC_MULTI:
	case DESC_SORTEDMULTI:
		write_multi(out, d, keys);
		break;
	case DESC_TR:
		ok = write_tr(out, d, keys, index);
		break;
	case DESC_RAWTR:
		script_write_witness(out, 1, raw_span(keys));
		break;
	case DESC_ADDR:
	case DESC_RAW:
		bytes_append(out, d->script.p, d->script.n);
		break;
	case DESC_COMBO:
	case DESC_MULTI_A:
	case DESC_SORTEDMULTI_A:
	case DESC_SH:
	case DESC_WSH:
		ok = false;
		break;
	}
	free(keys);
	return ok;
}

/* Put the script behind the hash of sh() or wsh(). */
static void wrap(struct bytes *script, enum desc_kind kind)
{
	struct bytes out = { 0 };
	uint8_t hash[32];

	if (kind == DESC_SH) {
		hash160(hash, script->p, script->n);
		script_write_p2sh(&out, hash);
	} else {
		sha256(hash, script->p, script->n);
		script_write_witness(&out, 0, span_of(hash, sizeof hash));
	}
	bytes_clear(script);
	*script = out;
}

static bool write_combo(struct descriptor_scripts *out,
			const struct descriptor *d, uint32_t index)
{
	struct raw_key *key = keys_at(d, index);

	if (!key)
		return false;
	write_pk(&out->s[0], key);
	write_pkh(&out->s[1], key);
	out->n = 2;
	if (key->n == 33) {
		write_wpkh(&out->s[2], key);
		write_wpkh(&out->s[3], key);
		wrap(&out->s[3], DESC_SH);
		out->n = 4;
	}
	free(key);
	return true;
}

bool descriptor_scripts(struct descriptor_scripts *out,
			const struct descriptor *d, uint32_t index)
{
	const struct descriptor *inner = d;

	*out = (struct descriptor_scripts){ .n = 0 };
	if (d->kind == DESC_COMBO)
		return write_combo(out, d, index);
	while (inner->sub)
		inner = inner->sub;
	out->n = 1;
	if (!write_script(&out->s[0], inner, index)) {
		descriptor_scripts_clear(out);
		return false;
	}
	/* From the inside out: at most sh(wsh(…)). */
	if (inner != d && d->sub != inner)
		wrap(&out->s[0], d->sub->kind);
	if (inner != d)
		wrap(&out->s[0], d->kind);
	return true;
}

void descriptor_scripts_clear(struct descriptor_scripts *s)
{
	for (size_t i = 0; i < DESCRIPTOR_SCRIPTS_MAX; i++)
		bytes_clear(&s->s[i]);
	s->n = 0;
}

bool descriptor_to_script(struct bytes *out, const struct chain_params *p,
			  const char *text, struct why *why)
{
	struct descriptor_scripts s = { .n = 0 };
	struct descriptors all;
	bool ok = false;

	if (!descriptors_read(&all, p, text, false, why))
		return false;
	if (all.n > 1) {
		why_set(why, ERR_INPUT, "Multipath descriptor not accepted");
	} else if (descriptor_is_ranged(all.d[0])) {
		why_set(why, ERR_INPUT, "Ranged descriptor not accepted. "
			"Maybe pass through deriveaddresses first?");
	} else if (!descriptor_scripts(&s, all.d[0], 0)) {
		why_set(why, ERR_INPUT, "Cannot derive script without "
			"private keys");
	} else {
		const struct bytes *one = &s.s[s.n == 1 ? 0 : s.n / 2];

		bytes_append(out, one->p, one->n);
		ok = true;
	}
	descriptor_scripts_clear(&s);
	descriptors_clear(&all);
	return ok;
}
