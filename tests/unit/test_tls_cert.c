/*
 * Chains as they may be shown to us, sound and not.
 */
#include "config.h"

#include "test_tls.h"

#include <stdlib.h>

#include "tests/unit/cert_forge.h"
#include "tls/cert.h"

#define NOW INT64_C(1800000000)
#define DAY 86400

/* An identity, its leaf, and what would be sound. */
struct scene {
	EVP_PKEY *identity, *leaf, *other;
	struct forge_id id, other_id;
	struct forge root_f, leaf_f;
	struct cert_rules rules;
	struct cert_facts facts;
};

static int enter(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->identity = forge_key("ED25519");
	s->leaf = forge_key("ED25519");
	s->other = forge_key("ED25519");
	forge_id_of(&s->id, s->identity);
	forge_id_of(&s->other_id, s->other);
	s->root_f = forge_root(s->identity, &s->id);
	s->leaf_f = forge_leaf(s->identity, s->leaf, &s->id, NOW);
	s->rules.now_unix = NOW;
	*state = s;
	return 0;
}

static int leave(void **state)
{
	struct scene *s = *state;

	EVP_PKEY_free(s->identity);
	EVP_PKEY_free(s->leaf);
	EVP_PKEY_free(s->other);
	free(s);
	return 0;
}

static enum tls_fail check_n(struct scene *s, size_t n)
{
	struct bytes leaf = {0}, root = {0};
	struct span *chain = xcalloc(n + 2, sizeof *chain);
	enum tls_fail f;

	forge_make(&leaf, &s->leaf_f);
	forge_make(&root, &s->root_f);
	for (size_t i = 0; i < n; i++)
		chain[i] = bytes_span(i ? &root : &leaf);
	f = cert_check(&s->facts, chain, n, &s->rules);
	bytes_clear(&leaf);
	bytes_clear(&root);
	free(chain);
	return f;
}

static enum tls_fail check(struct scene *s)
{
	return check_n(s, 2);
}

static void a_sound_chain(void **state)
{
	struct scene *s = *state;

	assert_int_equal(check(s), TLS_OK);
	assert_true(s->facts.has_id);
	assert_true(node_id_eq(&s->facts.id, &s->id.id));
	assert_int_equal(s->facts.until_unix, NOW + DAY);
	assert_int_equal(s->facts.from_unix, NOW - 3600);
	assert_int_equal(s->facts.skew_used_s, 0);
}

static void chains_of_other_lengths(void **state)
{
	struct scene *s = *state;

	assert_int_equal(check_n(s, 0), TLS_NO_CERT);
	assert_int_equal(check_n(s, 1), TLS_NO_CERT);
	assert_int_equal(check_n(s, 3), TLS_TOO_DEEP);
	assert_int_equal(check_n(s, 100), TLS_TOO_DEEP);
}

static void validity_with_tolerance(void **state)
{
	struct scene *s = *state;
	static const struct {
		int64_t from, until, skew;
		enum tls_fail want;
		int64_t used;
	} cases[] = {
		{ 0, 0, 0, TLS_OK, 0 },
		{ -9, -1, 0, TLS_EXPIRED, 0 },
		{ 1, 9, 0, TLS_NOT_YET_VALID, 0 },
		{ -9, -100, 100, TLS_OK, 100 },
		{ -9, -101, 100, TLS_EXPIRED, 0 },
		{ 100, 999, 100, TLS_OK, 100 },
		{ 101, 999, 100, TLS_NOT_YET_VALID, 0 },
		{ -9 * DAY, -DAY, CERT_SKEW_S, TLS_OK, DAY },
		{ DAY, 9 * DAY, CERT_SKEW_S, TLS_OK, DAY },
		{ -9 * DAY, -2 * DAY, CERT_SKEW_S, TLS_EXPIRED, 0 },
		/* No time between its dates at all. */
		{ 50, -50, 0, TLS_NOT_YET_VALID, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		s->leaf_f.from_unix = NOW + cases[i].from;
		s->leaf_f.until_unix = NOW + cases[i].until;
		s->rules.skew_s = cases[i].skew;
		assert_int_equal(check(s), cases[i].want);
		if (!cases[i].want)
			assert_int_equal(s->facts.skew_used_s, cases[i].used);
	}
	s->leaf_f = forge_leaf(s->identity, s->leaf, &s->id, NOW);
	s->root_f.until_unix = NOW - 1;
	s->rules.skew_s = 0;
	assert_int_equal(check(s), TLS_EXPIRED);
	s->root_f.until_unix = NOW + 1;
	s->root_f.from_unix = NOW + 1;
	assert_int_equal(check(s), TLS_NOT_YET_VALID);
}

static void names_of_others(void **state)
{
	struct scene *s = *state;
	struct forge sound = s->leaf_f;

	s->leaf_f.uri[0] = s->other_id.uri;
	assert_int_equal(check(s), TLS_WRONG_SAN);
	s->leaf_f.uri[0] = NULL;
	assert_int_equal(check(s), TLS_WRONG_SAN);
	s->leaf_f.uri[0] = s->id.text;          /* without the scheme */
	assert_int_equal(check(s), TLS_WRONG_SAN);
	s->leaf_f = sound;
	s->leaf_f.uri[1] = s->other_id.uri;     /* one too many */
	assert_int_equal(check(s), TLS_WRONG_SAN);
	s->leaf_f.uri[1] = s->id.uri;
	assert_int_equal(check(s), TLS_WRONG_SAN);
	s->leaf_f.uri[1] = "https://example.org/";
	assert_int_equal(check(s), TLS_OK);
}

static void keys_of_other_types(void **state)
{
	static const struct {
		const char *type;
		enum tls_fail want;
	} leaves[] = {
		{ "P-256", TLS_OK },
		{ "P-384", TLS_KEY_TYPE },
		{ "RSA", TLS_KEY_TYPE },
		{ "ED448", TLS_KEY_TYPE },
	};
	struct scene *s = *state;
	struct forge root = s->root_f;

	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		s->leaf_f.key = forge_key(leaves[i].type);
		assert_int_equal(check(s), leaves[i].want);
		EVP_PKEY_free(s->leaf_f.key);
	}
	s->leaf_f.key = s->leaf;
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		s->root_f.key = forge_key(leaves[i].type);
		s->root_f.signer = s->root_f.key;
		s->root_f.digest = leaves[i].type[0] == 'E' ? NULL : "SHA256";
		assert_int_equal(check(s), TLS_KEY_TYPE);
		assert_false(s->facts.has_id);
		EVP_PKEY_free(s->root_f.key);
	}
	s->root_f = root;
	s->leaf_f.key = s->identity;            /* one key for both */
	assert_int_equal(check(s), TLS_KEY_TYPE);
}

static void signatures_of_others(void **state)
{
	struct scene *s = *state;
	EVP_PKEY *rsa = forge_key("RSA");

	/* The leaf of a chain put together from two. */
	s->leaf_f.signer = s->other;
	assert_int_equal(check(s), TLS_BAD_SIGNATURE);
	assert_true(s->facts.has_id);
	s->leaf_f.signer = rsa;
	s->leaf_f.digest = "SHA256";
	assert_int_equal(check(s), TLS_KEY_TYPE);
	s->leaf_f = forge_leaf(s->identity, s->leaf, &s->id, NOW);
	s->root_f.signer = s->other;
	assert_int_equal(check(s), TLS_BAD_SIGNATURE);
	EVP_PKEY_free(rsa);
}

static void self_made_is_another_identity(void **state)
{
	struct scene *s = *state;

	/* Sound in itself; but the id is the maker's, not the victim's. */
	s->root_f.key = s->root_f.signer = s->other;
	s->leaf_f.signer = s->other;
	assert_int_equal(check(s), TLS_WRONG_SAN);
	assert_true(node_id_eq(&s->facts.id, &s->other_id.id));
	s->leaf_f.uri[0] = s->other_id.uri;
	assert_int_equal(check(s), TLS_OK);
	assert_true(node_id_eq(&s->facts.id, &s->other_id.id));
}

static void fields_that_are_not_used_so(void **state)
{
	struct scene *s = *state;
	const struct forge root = s->root_f, leaf = s->leaf_f;

#define BAD(which, change) \
	do { \
		s->root_f = root; \
		s->leaf_f = leaf; \
		s->which##_f.change; \
		assert_int_equal(check(s), TLS_BAD_CERT); \
	} while (0)
	BAD(root, ca = 0);
	BAD(root, ca = -1);
	BAD(root, pathlen = -1);
	BAD(root, pathlen = 1);
	BAD(root, usage = 0);
	BAD(root, usage = -1);
	BAD(root, version = 0);
	BAD(root, issuer = "somebody");
	BAD(root, subject = "somebody");
	BAD(root, unknown_critical = true);
	BAD(root, same_extension_twice = true);
	BAD(leaf, ca = 1);
	BAD(leaf, usage = -1);
	BAD(leaf, usage = 5);
	BAD(leaf, server = false);
	BAD(leaf, client = false);
	BAD(leaf, version = 0);
	BAD(leaf, issuer = "somebody");
	BAD(leaf, unknown_critical = true);
	BAD(leaf, same_extension_twice = true);
#undef BAD
	s->root_f = root;
	s->leaf_f = leaf;
	s->leaf_f.junk = 500;           /* not critical: no matter */
	assert_int_equal(check(s), TLS_OK);
}

static void sizes_and_rubbish(void **state)
{
	struct scene *s = *state;
	struct bytes leaf = {0}, root = {0};
	struct span chain[2];

	s->leaf_f.junk = CERT_DER_MAX;
	assert_int_equal(check(s), TLS_OVERSIZED);
	s->leaf_f.junk = 0;
	forge_make(&leaf, &s->leaf_f);
	forge_make(&root, &s->root_f);
	chain[1] = bytes_span(&root);
	for (size_t n = 0; n < leaf.n; n++) {
		chain[0] = span_of(leaf.p, n);
		assert_int_equal(cert_check(&s->facts, chain, 2, &s->rules),
				 TLS_BAD_CERT);
	}
	/* Not a bit of it can be changed. */
	chain[0] = bytes_span(&leaf);
	for (size_t bit = 0; bit < leaf.n * 8; bit++) {
		leaf.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(cert_check(&s->facts, chain, 2,
						&s->rules), TLS_OK);
		leaf.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < root.n * 8; bit++) {
		root.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(cert_check(&s->facts, chain, 2,
						&s->rules), TLS_OK);
		root.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(cert_check(&s->facts, chain, 2, &s->rules), TLS_OK);
	bytes_append(&leaf, "", 1);             /* a byte behind it */
	chain[0] = bytes_span(&leaf);
	assert_int_equal(cert_check(&s->facts, chain, 2, &s->rules),
			 TLS_BAD_CERT);
	bytes_clear(&leaf);
	bytes_clear(&root);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int test_tls_cert(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sound_chain),
		TEST(chains_of_other_lengths),
		TEST(validity_with_tolerance),
		TEST(names_of_others),
		TEST(keys_of_other_types),
		TEST(signatures_of_others),
		TEST(self_made_is_another_identity),
		TEST(fields_that_are_not_used_so),
		TEST(sizes_and_rubbish),
	};

	return cmocka_run_group_tests_name("tls: certificates", tests, NULL,
					   NULL);
}
