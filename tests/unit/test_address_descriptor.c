/*
 * Extended keys and descriptors: the BIPs' vectors, expansion, refusals.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "address/address.h"
#include "address/descriptor.h"
#include "address/descriptor_text.h"
#include "address/ext_key.h"
#include "tests/unit/test_address.h"

/* BIP32, test vector 1. */
#define VECTOR1_PRV "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3j" \
	"PPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
#define VECTOR1_PUB "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybG" \
	"hePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
/* … and its m/0'. */
#define VECTOR1_0H "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WE" \
	"jWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw"
/* … and m/0'/1. */
#define VECTOR1_0H_1 "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJ" \
	"f3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ"
/* BIP86: the first account. */
#define ACCOUNT "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYW" \
	"cLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"

static struct chain_params params;

static void assert_key_text(const struct ext_key *k, const char *want)
{
	char text[BASE58_MAX_CHARS];

	ext_key_encode(text, &params, k);
	assert_string_equal(text, want);
}

static void test_bip32(void **state)
{
	struct ext_key k, pub, child;

	(void)state;
	assert_true(ext_key_decode(&k, &params, VECTOR1_PRV));
	assert_true(k.is_private);
	assert_key_text(&k, VECTOR1_PRV);
	ext_key_neuter(&pub, &k);
	assert_key_text(&pub, VECTOR1_PUB);
	assert_false(ext_key_derive(&child, &pub, EXT_KEY_HARDENED));
	assert_true(ext_key_derive(&child, &k, EXT_KEY_HARDENED));
	ext_key_neuter(&pub, &child);
	assert_key_text(&pub, VECTOR1_0H);
	/* By the private key and by the public one: the same. */
	assert_true(ext_key_derive(&child, &child, 1));
	ext_key_neuter(&child, &child);
	assert_true(ext_key_derive(&pub, &pub, 1));
	assert_key_text(&child, VECTOR1_0H_1);
	assert_key_text(&pub, VECTOR1_0H_1);
	k.depth = 255;
	assert_false(ext_key_derive(&child, &k, 0));
}

/* BIP32, test vector 5: none of these is a key. */
static void test_bip32_invalid(void **state)
{
	static const char *const bad[] = {
		"xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6"
		"LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
		"xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6"
		"Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
		"xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6"
		"N8ZMMXctdiCjxTNq964yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
		"xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzF9"
		"3Y5wvzdUayhgkkFoicQZcP3y52uPPxFnfoLZB21Teqt1VvEHx",
		"xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ"
		"29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet9",
		"", "xpub", "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss",
	};
	struct ext_key k;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(ext_key_decode(&k, &params, bad[i]));
}

/* The addresses of text at an index, one a line. */
static char *addresses_at(const char *text, uint32_t index)
{
	struct descriptors all;
	struct descriptor_scripts s;
	char *out = xstrdup("");
	struct why why;

	if (!descriptors_read(&all, &params, text, false, &why))
		fail_msg("%s: %s", text, why.text);
	for (size_t i = 0; i < all.n; i++) {
		assert_true(descriptor_scripts(&s, all.d[i], index));
		for (size_t k = 0; k < s.n; k++) {
			char a[ADDRESS_MAX_CHARS], *longer;

			if (!address_of_script(a, &params,
					       bytes_span(&s.s[k])))
				memcpy(a, "-", 2);
			longer = xasprintf("%s%s%s", out, *out ? "\n" : "",
					   a);
			free(out);
			out = longer;
		}
		descriptor_scripts_clear(&s);
	}
	descriptors_clear(&all);
	return out;
}

static void assert_addresses(const char *text, uint32_t index,
			     const char *want)
{
	char *got = addresses_at(text, index);

	assert_string_equal(got, want);
	free(got);
}

#define G "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define X "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

static void test_addresses(void **state)
{
	(void)state;
	assert_addresses("tr(" ACCOUNT "/0/*)", 0, "bc1p5cyxnuxmeuwuvkwfem96"
			 "lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr");
	assert_addresses("tr([73c5da0a/86'/0'/0']" ACCOUNT "/<0;1>/*)", 0,
			 "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjj"
			 "wudpxqkedrcr\n"
			 "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax"
			 "5h60wqwruhk7");
	assert_addresses("tr(" ACCOUNT "/0/*)", 1, "bc1p4qhjn9zdvkux4e44uhx8"
			 "tc55attvtyu358kutcqkudyccelu0was9fqzwh");
	/* BIP67: the keys' order in the text is no matter. */
	assert_addresses("sh(sortedmulti(2,"
		"02ff12471208c14bd580709cb2358d98975247d8765f92bc25eab3b2763e"
		"d605f8,02fe6f0a5a297eb38c391581c4413e084773ea23954d93f7753db"
		"7dc0adc188b2f))", 0, "39bgKC7RFbpoCRbtD5KEdkYKtNyhpsNa3Z");
	/* BIP173 and the key one. */
	assert_addresses("combo(" G ")", 0,
			 "-\n1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH\n"
			 "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\n"
			 "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN");
	assert_addresses("wsh(pk(" G "))", 0, "bc1qrp33g0q5c5txsp9arysrx4k6zdk"
			 "fs4nce4xj0gdcccefvpysxf3qccfmv3");
	assert_addresses("rawtr(" X ")", 0, "bc1p0xlxvlhemja6c4dqv22uapctqupfh"
			 "lxm9h8z3k2e72q4k9hcz7vqzk5jj0");
}

/* BIP341's wallet vectors: one leaf, and three. */
static void test_trees(void **state)
{
	(void)state;
	assert_addresses("tr(187791b6f712a8ea41c8ecdd0ee77fab3e85263b37e1ec18"
		"a3651926b3a6cf27,pk(d85a959b0290bf19bb89ed43c916be835475d013"
		"da4b362117393e25a48229b8))", 0, "bc1pz37fc4cn9ah8anwm4xqqhvx"
		"ygjf9rjf2resrw8h8w4tmvcs0863sa2e586");
	assert_addresses("tr(e0dfe2300b0dd746a3f8674dfd4525623639042569d829c7"
		"f0eed9602d263e6f,{pk(72ea6adcf1d371dea8fba1035a09f3d24ed5a05"
		"9799bae114084130ee5898e69),{pk(2352d137f2f3ab38d1eaa97675887"
		"3377fa5ebb817372c71e2c542313d4abda8),pk(7337c0dd4253cb86f2c4"
		"3a2351aadd82cccb12a172cd120452b9bb8324f2186a)}})", 0, "bc1pj"
		"xmy65eywgafs5tsunw95ruycpqcqnev6ynxp7jaasylcgtcxczs6n332e");
}

static void assert_shown(const char *text, const char *want, bool is_private)
{
	struct descriptors all;
	struct why why;
	char *got, *sealed;

	if (!descriptors_read(&all, &params, text, false, &why))
		fail_msg("%s: %s", text, why.text);
	got = descriptor_text(all.d[0]);
	sealed = descriptor_seal(want);
	assert_string_equal(got, sealed);
	assert_int_equal(descriptor_has_private_keys(all.d[0]), is_private);
	free(got);
	free(sealed);
	descriptors_clear(&all);
}

static void test_shown(void **state)
{
	char *at;
	struct descriptors all;
	struct why why;

	(void)state;
	assert_shown("sh(wsh(multi(1," G ",[0a0B0c0D/1'/2h]" G ")))",
		     "sh(wsh(multi(1," G ",[0a0b0c0d/1'/2h]" G ")))",
		     false);
	assert_shown("pkh(" VECTOR1_PRV "/0'/1/*)",
		     "pkh(" VECTOR1_PUB "/0'/1/*)", true);
	assert_shown("tr(" G ",{pk(" X "),multi_a(1," X "," G ")})",
		     "tr(" X ",{pk(" X "),multi_a(1," X "," X ")})", false);
	assert_shown("wpkh(KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
		     ")", "wpkh(" G ")", true);
	assert_true(descriptors_read(&all, &params, "wpkh(" VECTOR1_PUB
				     "/1/*)", false, &why));
	assert_true(descriptor_is_ranged(all.d[0]));
	at = descriptor_text_at(all.d[0], 3);
	assert_memory_equal(at, "wpkh([3442193e/1/3]0", 20);
	free(at);
	descriptors_clear(&all);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "sh(sh(pk(" G ")))", "Can only have sh() at top level" },
		{ "wsh(wpkh(" G "))", "Can only have wpkh() at top level or "
				      "inside sh()" },
		{ "wsh(wsh(pk(" G ")))", "Can only have wsh() at top level "
					 "or inside sh()" },
		{ "sh(combo(" G "))", "Can only have combo() at top level" },
		{ "sh(addr(x))", "Can only have addr() at top level" },
		{ "sh(" G ")", "A function is needed within P2SH" },
		{ "pk()", "pk(): No key provided" },
		{ "pk(xyz)", "pk(): key 'xyz' is not valid" },
		{ "pk([zz]" G ")", "pk(): Fingerprint is not 4 bytes (2 "
				   "characters instead of 8 characters)" },
		{ "pk([0000000x]" G ")", "pk(): Fingerprint '0000000x' is "
					 "not hex" },
		{ "wpkh(0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2"
		  "815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a685541"
		  "99c47d08ffb10d4b8)", "wpkh(): Uncompressed keys are not "
					"allowed" },
		{ "pkh(" VECTOR1_PUB "/2147483648)", "pkh(): Key path value "
						      "2147483648 is out of "
						      "range" },
		{ "pkh(" VECTOR1_PUB "/x)", "pkh(): Key path value 'x' is "
					     "not a valid uint32" },
		{ "multi(0," G ")", "Multisig threshold cannot be 0, must be "
				    "at least 1" },
		{ "multi(a," G ")", "Multi threshold 'a' is not valid" },
		{ "multi(2," G ")", "Multisig threshold cannot be larger "
				    "than the number of keys; threshold is 2 "
				    "but only 1 keys specified" },
		{ "multi(1," G "," G "," G "," G ")", "Cannot have 4 pubkeys "
		  "in bare multisig; only at most 3 pubkeys" },
		{ "multi_a(1," G ")", "Can only have "
				      "multi_a/sortedmulti_a inside tr()" },
		{ "tr(" X ",{pk(" X ")})", "tr(): expected ',' after script "
					   "expression" },
		{ "tr(" X ",{pk(" X "),pk(" X "),pk(" X ")})", "tr(): expected "
		  "'}' after script expression" },
		{ "tr(" X ",pk(" X "),pk(" X "))", "tr(): unexpected ',pk("
		  "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28' after its "
		  "script tree" },
		{ "pk(" VECTOR1_PUB "/<0>/*)", "Multipath specifiers need "
		  "between 2 and 64 paths, and the same number everywhere" },
		{ "pk(" VECTOR1_PUB "/<0;1)", "Multipath specifiers need "
		  "between 2 and 64 paths, and the same number everywhere" },
		{ "wsh(and_v(v:pk(" G "),older(1)))", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct descriptors all;
		struct why why = { 0 };

		assert_false(descriptors_read(&all, &params, cases[i].text,
					      false, &why));
		assert_int_equal(all.n, 0);
		if (cases[i].reason)
			assert_string_equal(why.text, cases[i].reason);
		else
			assert_non_null(strstr(why.text, "Miniscript"));
	}
}

/* 128 levels are the most; more is refused, not run out of stack. */
static void test_deep_tree(void **state)
{
	struct bytes b = { 0 };
	struct descriptors all;
	struct why why = { 0 };

	(void)state;
	bytes_append(&b, "tr(" X ",", 4 + 64);
	for (int i = 0; i < 100000; i++)
		bytes_append(&b, "{", 1);
	bytes_append(&b, ")", 2);
	assert_false(descriptors_read(&all, &params, (char *)b.p, false,
				      &why));
	assert_string_equal(why.text, "tr() supports at most 128 nesting "
			    "levels");
	bytes_clear(&b);
}

int run_descriptor_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bip32),
		cmocka_unit_test(test_bip32_invalid),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_deep_tree),
	};

	params = chain_params_get(CHAIN_MAIN);
	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
