/*
 * The identity key on disk, and what signs with it.  How key files behave in
 * general is tested with the onion's (test_tor_keys.c).
 */
#include "config.h"

#include "test_tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/keys_rig.h"
#include "tls/signer.h"

#define NOW INT64_C(1800000000)

static struct identity_store store_in(const char *dir)
{
	return (struct identity_store){ .dir = dir };
}

static void is_made_once(void **state)
{
	struct identity_store s = store_in(*state);
	struct identity a, b;
	struct why why;
	struct stat st;
	char *path = xasprintf("%s/keys/node_identity.key",
			       (const char *)*state);

	assert_false(identity_exists(&s));
	assert_int_equal(identity_load(&s, &a, &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "no key yet"));
	identity_clear(&a);
	assert_int_equal(identity_open(&s, &a, &why), ERR_NONE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(identity_exists(&s));
	assert_int_equal(identity_open(&s, &b, &why), ERR_NONE);
	assert_true(node_id_eq(&a.id, &b.id));
	assert_true(secret_equal(&a.seed, &b.seed));
	identity_clear(&b);
	/* Lost: never replaced in silence. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(identity_open(&s, &b, &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "-newidentity"));
	assert_true(identity_exists(&s));
	identity_clear(&b);
	assert_int_equal(identity_set_aside(&s, &why), ERR_NONE);
	assert_int_equal(identity_open(&s, &b, &why), ERR_NONE);
	assert_false(node_id_eq(&a.id, &b.id));
	identity_clear(&a);
	identity_clear(&b);
	free(path);
}

static void goes_under_a_passphrase_and_back(void **state)
{
	struct secret pass = test_keys_secret("correct horse");
	struct identity_store s = store_in(*state);
	struct identity a, b;
	struct why why;
	bool changed;

	assert_int_equal(identity_open(&s, &a, &why), ERR_NONE);
	assert_false(a.encrypted);
	s.passphrase = &pass;
	assert_int_equal(identity_open(&s, &b, &why), ERR_NONE);
	assert_true(b.encrypted);
	assert_true(node_id_eq(&a.id, &b.id));
	identity_clear(&b);
	s.passphrase = NULL;
	assert_int_equal(identity_open(&s, &b, &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "-keypassfile"));
	identity_clear(&b);
	assert_int_equal(identity_restore(&s, &changed, &a, false, &why),
			 ERR_NONE);
	assert_true(changed);
	assert_int_equal(identity_load(&s, &b, &why), ERR_NONE);
	assert_true(secret_equal(&a.seed, &b.seed));
	identity_clear(&a);
	identity_clear(&b);
	secret_clear(&pass);
}

static struct tls_signer *signer(struct node_id *id,
				 const struct signer_options *o)
{
	struct identity who;
	struct secret seed = {0};
	struct tls_signer *s;

	secret_init(&seed, 32);
	memset(seed.p, 7, 32);
	seed.n = 32;
	assert_true(identity_from_seed(&who, &seed));
	*id = who.id;
	s = tls_signer_new(&who, o);
	identity_clear(&who);
	secret_clear(&seed);
	return s;
}

static void signs_a_key_and_nothing_else(void **state)
{
	const struct cert_rules rules = { .now_unix = NOW };
	struct tls_key *leaf = tls_key_new();
	struct bytes request = {0}, answer = {0}, again = {0};
	struct sign_answer a, b;
	struct cert_facts f;
	struct node_id id;
	struct tls_signer *s = signer(&id, NULL);
	uint8_t public_key[32];
	struct span chain[2];

	(void)state;
	tls_key_public(public_key, leaf);
	sign_request_write(&request, public_key);
	assert_true(request.n <= SIGN_REQUEST_MAX);
	assert_int_equal(tls_sign(s, &answer, bytes_span(&request), NOW),
			 SIGN_OK);
	assert_true(answer.n <= SIGN_ANSWER_MAX);
	assert_true(sign_answer_read(&a, bytes_span(&answer)));
	assert_memory_equal(a.public_key, public_key, 32);
	chain[0] = a.leaf;
	chain[1] = a.root;
	assert_int_equal(cert_check(&f, chain, 2, &rules), TLS_OK);
	assert_true(node_id_eq(&f.id, &id));
	assert_int_equal(f.until_unix, NOW + CERT_LEAF_LIFE_S);
	/* The root is the same each time: it can be handed out. */
	assert_int_equal(tls_sign(s, &again, bytes_span(&request), NOW + 99),
			 SIGN_OK);
	assert_true(sign_answer_read(&b, bytes_span(&again)));
	assert_true(span_eq(a.root, b.root));
	assert_false(span_eq(a.leaf, b.leaf));
	/* Neither the request nor the answer may be anything else. */
	again.n = 0;
	for (size_t n = 0; n < request.n; n++)
		assert_int_equal(tls_sign(s, &again, span_of(request.p, n),
					  NOW), SIGN_MALFORMED);
	bytes_append(&request, "", 1);
	assert_int_equal(tls_sign(s, &again, bytes_span(&request), NOW),
			 SIGN_MALFORMED);
	request.p[0]++;
	assert_int_equal(tls_sign(s, &again, span_of(request.p, 33), NOW),
			 SIGN_MALFORMED);
	assert_int_equal(again.n, 0);
	for (size_t n = 0; n < answer.n; n++)
		assert_false(sign_answer_read(&b, span_of(answer.p, n)));
	bytes_clear(&request);
	bytes_clear(&answer);
	bytes_clear(&again);
	tls_key_free(leaf);
	tls_signer_free(s);
}

static void signs_not_too_often(void **state)
{
	const struct signer_options o = { .burst = 3, .every_s = 10 };
	struct bytes request = {0}, answer = {0};
	uint8_t key[32] = { 9 };
	struct node_id id;
	struct tls_signer *s = signer(&id, &o);
	unsigned signed_n = 0;

	(void)state;
	sign_request_write(&request, key);
	for (int i = 0; i < 10; i++)
		signed_n += tls_sign(s, &answer, bytes_span(&request),
				     NOW + i / 5) == SIGN_OK;
	assert_int_equal(signed_n, 3);
	assert_int_equal(tls_sign(s, &answer, bytes_span(&request), NOW + 10),
			 SIGN_OK);
	assert_int_equal(tls_sign(s, &answer, bytes_span(&request), NOW + 10),
			 SIGN_TOO_OFTEN);
	/* A clock set back does not stop it for long. */
	assert_int_equal(tls_sign(s, &answer, bytes_span(&request),
				  NOW - 86400), SIGN_TOO_OFTEN);
	assert_int_equal(tls_sign(s, &answer, bytes_span(&request),
				  NOW - 86400 + 10), SIGN_OK);
	bytes_clear(&request);
	bytes_clear(&answer);
	tls_signer_free(s);
}

int test_tls_identity(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_made_once, test_keys_enter,
						test_keys_leave),
		cmocka_unit_test_setup_teardown(
			goes_under_a_passphrase_and_back, test_keys_enter,
			test_keys_leave),
		cmocka_unit_test(signs_a_key_and_nothing_else),
		cmocka_unit_test(signs_not_too_often),
	};

	return cmocka_run_group_tests_name("tls: identity", tests, NULL,
					   NULL);
}
