/*
 * Asks our consensus library what it thinks, a line at a time, for tests that
 * compare it with other people's programs.  Words stand apart by one space;
 * bytes are hex, "-" where there are none; SPENT is VALUE:SCRIPT,… for each
 * input in order, FLAGS a number of SCRIPT_VERIFY_… bits.  One answer a line.
 *
 *   tx TX                    ok TXID WTXID WEIGHT TX STRIPPED | bad
 *   check TX                 ok | REASON
 *   sigops TX                COUNT (the original way)
 *   block BLOCK              ok HASH MERKLE WITNESSMERKLE N WEIGHT REASON | bad
 *   legacy TX IN TYPE CODE           message hash
 *   v0 TX IN TYPE CODE SPENT         message hash
 *   taproot TX IN TYPE SPENT LEAF ANNEX   message hash | none
 *   verify TX FLAGS SPENT    ok | no IN NAME
 *   address CHAIN TEXT       ok SCRIPT | bad
 *   script CHAIN SCRIPT      ok ADDRESS | none
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "consensus/block_check.h"
#include "consensus/sighash.h"
#include "consensus/tx_inputs.h"

#define MAX_WORDS 8

/* One question: its words, and memory until it is answered. */
struct question {
	char *word[MAX_WORDS];
	size_t words;
	struct arena arena;
	struct tx tx;
	struct tx_out *spent;
};

/* ---- reading words ---- */

static const char *word_at(const struct question *q, size_t i)
{
	return i < q->words ? q->word[i] : "";
}

static bool bytes_of(struct question *q, struct span *out, const char *hex)
{
	struct bytes b = { 0 };
	bool ok = strcmp(hex, "-") == 0 || hex_append(&b, hex);

	*out = arena_copy(&q->arena, bytes_span(&b));
	bytes_clear(&b);
	return ok;
}

static bool number_of(uint64_t *out, const char *word)
{
	char *end;

	*out = strtoull(word, &end, 10);
	return word[0] && !*end;
}

/* As the reference node reads hex: with witness, and nothing behind it. */
static bool tx_of(struct question *q, const char *hex)
{
	struct span raw;
	struct reader r;

	if (!bytes_of(q, &raw, hex))
		return false;
	r = reader_of(raw);
	return tx_read(&q->tx, &r, &q->arena, true) && reader_left(&r) == 0;
}

static bool spent_of(struct question *q, char *list)
{
	uint32_t n = 0;
	char *item;

	q->spent = arena_calloc(&q->arena, q->tx.in_count,
				sizeof *q->spent);
	while ((item = strsep(&list, ",")) != NULL) {
		char *value = strsep(&item, ":");
		uint64_t sat;

		if (n == q->tx.in_count || !item || !number_of(&sat, value) ||
		    !bytes_of(q, &q->spent[n].script_pubkey, item))
			return false;
		q->spent[n++].value_sat = (int64_t)sat;
	}
	return n == q->tx.in_count;
}

static bool spend_of(struct question *q, struct spend *s,
		     struct sighash_cache *cache, uint64_t *type)
{
	uint64_t in;

	if (!tx_of(q, word_at(q, 1)) || !number_of(&in, word_at(q, 2)) ||
	    !number_of(type, word_at(q, 3)) || in >= q->tx.in_count)
		return false;
	*s = (struct spend){ &q->tx, (uint32_t)in, q->spent, cache };
	return true;
}

static bool chain_of(struct chain_params *p, const char *name)
{
	static const struct {
		const char *name;
		enum chain_id id;
	} chains[] = {
		{ "main", CHAIN_MAIN }, { "test", CHAIN_TESTNET4 },
		{ "regtest", CHAIN_REGTEST },
	};

	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		if (strcmp(chains[i].name, name) == 0) {
			*p = chain_params_get(chains[i].id);
			return true;
		}
	}
	return false;
}

/* ---- answers ---- */

static void say_hex(const uint8_t *p, size_t n)
{
	char *hex = hex_new(span_of(p, n));

	printf(" %s", n ? hex : "-");
	free(hex);
}

static bool ask_tx(struct question *q)
{
	struct bytes whole = { 0 }, stripped = { 0 };

	if (!tx_of(q, word_at(q, 1))) {
		puts("bad");
		return true;
	}
	tx_write(&whole, &q->tx, true);
	tx_write(&stripped, &q->tx, false);
	CHECK(whole.n == tx_size(&q->tx, true));
	CHECK(stripped.n == tx_size(&q->tx, false));
	printf("ok");
	say_hex(q->tx.txid.b, 32);
	say_hex(q->tx.wtxid.b, 32);
	printf(" %llu", (unsigned long long)tx_weight(&q->tx));
	say_hex(whole.p, whole.n);
	say_hex(stripped.p, stripped.n);
	putchar('\n');
	bytes_clear(&whole);
	bytes_clear(&stripped);
	return true;
}

static bool ask_check(struct question *q)
{
	enum verdict v;

	if (!tx_of(q, word_at(q, 1)))
		return false;
	v = tx_check(&q->tx);
	puts(v ? verdict_reason(v) : "ok");
	return true;
}

static bool ask_sigops(struct question *q)
{
	if (!tx_of(q, word_at(q, 1)))
		return false;
	printf("%u\n", (unsigned)tx_legacy_sigops(&q->tx));
	return true;
}

static bool ask_block(struct question *q)
{
	struct chain_params p = chain_params_get(CHAIN_REGTEST);
	struct bytes raw = { 0 };
	uint8_t root[32], witness_root[32];
	struct finding f;
	struct block *b;
	bool mutated;

	if (!hex_append(&raw, word_at(q, 1)))
		return false;
	b = block_decode(&raw);
	if (!b) {
		puts("bad");
		return true;
	}
	block_merkle_root(root, &mutated, b);
	block_witness_merkle_root(witness_root, b);
	block_check(&f, &p, b);
	printf("ok");
	say_hex(b->hash.b, 32);
	say_hex(root, 32);
	say_hex(witness_root, 32);
	printf(" %u %llu %s\n", b->tx_count,
	       (unsigned long long)block_weight(b),
	       f.verdict ? verdict_reason(f.verdict) : "ok");
	block_unref(b);
	return true;
}

static void say_hash(const uint8_t hash[static 32])
{
	char hex[65];

	hex_encode(hex, hash, 32);
	puts(hex);
}

static bool ask_legacy(struct question *q)
{
	struct sighash_cache cache = { 0 };
	struct span code;
	struct spend s;
	uint8_t hash[32];
	uint64_t type;

	if (!spend_of(q, &s, &cache, &type) ||
	    !bytes_of(q, &code, word_at(q, 4)))
		return false;
	sighash_legacy(hash, &s, code, (uint32_t)type);
	say_hash(hash);
	return true;
}

static bool ask_v0(struct question *q)
{
	struct sighash_cache cache = { 0 };
	struct span code;
	struct spend s;
	uint8_t hash[32];
	uint64_t type;

	if (!spend_of(q, &s, &cache, &type) ||
	    !bytes_of(q, &code, word_at(q, 4)) || !spent_of(q, q->word[5]))
		return false;
	s.spent = q->spent;
	sighash_cache_init(&cache, &q->tx, q->spent);
	if (!cache.has_bip143)
		return false;
	sighash_v0(hash, &s, code, (uint32_t)type);
	say_hash(hash);
	return true;
}

static bool ask_taproot(struct question *q)
{
	struct sighash_tap t = { .codesep_pos = 0xffffffff };
	struct sighash_cache cache = { 0 };
	struct bytes annex_field = { 0 };
	struct span leaf, annex;
	struct spend s;
	uint8_t hash[32];
	uint64_t type;

	if (!spend_of(q, &s, &cache, &type) || !spent_of(q, q->word[4]) ||
	    !bytes_of(q, &leaf, word_at(q, 5)) ||
	    !bytes_of(q, &annex, word_at(q, 6)))
		return false;
	s.spent = q->spent;
	sighash_cache_init(&cache, &q->tx, q->spent);
	if (!cache.has_bip341)
		return false;
	t.has_leaf = leaf.n == 32;
	if (t.has_leaf)
		memcpy(t.leaf_hash, leaf.p, 32);
	t.has_annex = annex.n > 0;
	write_var_span(&annex_field, annex);
	sha256(t.annex_hash, annex_field.p, annex_field.n);
	bytes_clear(&annex_field);
	if (sighash_taproot(hash, &s, &t, (uint8_t)type))
		say_hash(hash);
	else
		puts("none");
	return true;
}

static bool ask_verify(struct question *q)
{
	struct sighash_cache cache;
	enum script_error err;
	uint64_t flags;

	if (!tx_of(q, word_at(q, 1)) || !number_of(&flags, word_at(q, 2)) ||
	    !spent_of(q, q->word[3]))
		return false;
	sighash_cache_init(&cache, &q->tx, q->spent);
	for (uint32_t i = 0; i < q->tx.in_count; i++) {
		if (!script_verify(&q->tx, i, q->spent, (uint32_t)flags,
				   &cache, &err)) {
			printf("no %u %s\n", i, script_error_name(err));
			return true;
		}
	}
	puts("ok");
	return true;
}

static bool ask_address(struct question *q)
{
	struct chain_params p;
	struct bytes script = { 0 };

	if (!chain_of(&p, word_at(q, 1)))
		return false;
	if (address_to_script(&script, &p, word_at(q, 2), NULL)) {
		printf("ok");
		say_hex(script.p, script.n);
		putchar('\n');
	} else {
		puts("bad");
	}
	bytes_clear(&script);
	return true;
}

static bool ask_script(struct question *q)
{
	char text[ADDRESS_MAX_CHARS];
	struct chain_params p;
	struct span script;

	if (!chain_of(&p, word_at(q, 1)) ||
	    !bytes_of(q, &script, word_at(q, 2)))
		return false;
	if (address_of_script(text, &p, script))
		printf("ok %s\n", text);
	else
		puts("none");
	return true;
}

static bool answer(struct question *q)
{
	static const struct {
		const char *name;
		size_t words;
		bool (*ask)(struct question *q);
	} kinds[] = {
		{ "tx", 2, ask_tx }, { "check", 2, ask_check },
		{ "sigops", 2, ask_sigops }, { "block", 2, ask_block }, { "legacy", 5, ask_legacy },
		{ "v0", 6, ask_v0 }, { "taproot", 7, ask_taproot },
		{ "verify", 4, ask_verify }, { "address", 3, ask_address },
		{ "script", 3, ask_script },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, word_at(q, 0)) == 0 &&
		    kinds[i].words == q->words)
			return kinds[i].ask(q);
	}
	return false;
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct question q = { 0 };
		char *rest = line;

		line[strcspn(line, "\n")] = 0;
		while (rest && q.words < MAX_WORDS)
			q.word[q.words++] = strsep(&rest, " ");
		if (!answer(&q))
			puts("what");
		arena_clear(&q.arena);
	}
	free(line);
	return 0;
}
