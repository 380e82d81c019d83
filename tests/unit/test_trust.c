/*
 * Unit tests of trusted peers' records, invites and enrolment's messages.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "tls/enrol_msg.h"
#include "tls/invite.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- records ---- */

static struct trust_peer *put(struct trust_store *s, const char *name,
			      uint8_t id)
{
	struct trust_peer *p = trust_add(s);
	uint8_t key[ONION_KEY_BYTES];

	assert_non_null(p);
	snprintf(p->name, sizeof p->name, "%s", name);
	p->state = TRUST_MEMBER;
	p->roles = ROLE_PEER | ROLE_WITNESS;
	memset(p->id.key, id, sizeof p->id.key);
	memset(key, id, sizeof key);
	onion_format(p->way.onion, key);
	memset(p->way.key, id + 1, sizeof p->way.key);
	strcpy(p->door.name, "d0123456789");
	memset(p->door.client, id + 2, sizeof p->door.client);
	p->created = 1700000000;
	p->last_seen = 1700000009;
	return p;
}

static void test_records_round_trip(void **state)
{
	struct trust_store s = {0}, got;
	struct bytes a = {0}, b = {0};
	unsigned bad;

	(void)state;
	put(&s, "kim", 1);
	put(&s, "my-other-node", 2);
	trust_store_write(&a, &s);
	assert_true(trust_store_read(&got, &bad, bytes_span(&a)));
	assert_int_equal(bad, 0);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.v[1]->name, "my-other-node");
	assert_string_equal(got.v[1]->way.onion, s.v[1]->way.onion);
	assert_int_equal(got.v[0]->last_seen, 1700000009);
	assert_int_equal(got.v[0]->roles, ROLE_PEER | ROLE_WITNESS);
	trust_store_write(&b, &got);
	assert_true(span_eq(bytes_span(&a), bytes_span(&b)));
	assert_ptr_equal(trust_get(&got, "kim"), got.v[0]);
	assert_null(trust_get(&got, "ki"));
	assert_ptr_equal(trust_get_id(&got, &s.v[1]->id), got.v[1]);
	trust_remove(&got, got.v[0]);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.v[0]->name, "my-other-node");
	trust_store_clear(&s);
	trust_store_clear(&got);
	bytes_clear(&a);
	bytes_clear(&b);
}

/* Any digit changed anywhere: that record is lost, no other, and nothing
 * false is taken. */
static void test_damage_costs_one_record(void **state)
{
	struct trust_store s = {0}, got;
	struct bytes a = {0};
	unsigned bad;
	size_t first;

	(void)state;
	put(&s, "kim", 1);
	put(&s, "lee", 2);
	put(&s, "max", 3);
	trust_store_write(&a, &s);
	first = (size_t)((uint8_t *)memchr(a.p, '\n', a.n) - a.p) + 1;
	for (size_t i = first; i < a.n; i++) {
		uint8_t was = a.p[i];

		if (was == '\n')
			continue;
		a.p[i] = was == '0' ? '1' : '0';
		assert_true(trust_store_read(&got, &bad, bytes_span(&a)));
		assert_int_equal(bad, 1);
		assert_int_equal(got.n, 2);
		trust_store_clear(&got);
		a.p[i] = was;
	}
	/* cut short */
	for (size_t n = first; n < a.n - 1; n++) {
		assert_true(trust_store_read(&got, &bad, span_of(a.p, n)));
		assert_true(got.n + bad <= 3);
		for (size_t i = 0; i < got.n; i++)
			assert_string_equal(got.v[i]->name, s.v[i]->name);
		trust_store_clear(&got);
	}
	/* another beginning: nothing at all */
	a.p[0]++;
	assert_false(trust_store_read(&got, &bad, bytes_span(&a)));
	a.p[0]--;
	a.p[first - 2]++;       /* version 2 */
	assert_false(trust_store_read(&got, &bad, bytes_span(&a)));
	trust_store_clear(&s);
	bytes_clear(&a);
}

static void test_doubles_and_too_many(void **state)
{
	struct trust_store s = {0}, got;
	struct bytes a = {0};
	unsigned bad;
	size_t n;

	(void)state;
	put(&s, "kim", 1);
	put(&s, "kim", 2);
	put(&s, "lee", 1);
	trust_store_write(&a, &s);
	assert_true(trust_store_read(&got, &bad, bytes_span(&a)));
	assert_int_equal(got.n, 1);
	assert_int_equal(bad, 2);
	trust_store_clear(&got);
	trust_store_clear(&s);
	bytes_clear(&a);
	for (n = 0; n < TRUST_PEERS_MAX; n++) {
		char name[20];

		snprintf(name, sizeof name, "p%zu", n);
		put(&s, name, (uint8_t)n);
	}
	assert_null(trust_add(&s));
	trust_store_write(&a, &s);
	assert_true(a.n <= TRUST_FILE_MAX);
	assert_true(trust_store_read(&got, &bad, bytes_span(&a)));
	assert_int_equal(got.n, TRUST_PEERS_MAX);
	assert_int_equal(bad, 0);
	trust_store_clear(&got);
	trust_store_clear(&s);
	bytes_clear(&a);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(trust_name_ok("kim"));
	assert_true(trust_name_ok("node-2"));
	assert_true(trust_name_ok("abcdefghijklmnopqrstuvwxyz012345"));
	assert_false(trust_name_ok("abcdefghijklmnopqrstuvwxyz0123456"));
	assert_false(trust_name_ok(""));
	assert_false(trust_name_ok("Kim"));
	assert_false(trust_name_ok("-kim"));
	assert_false(trust_name_ok("kim-"));
	assert_false(trust_name_ok("k m"));
	assert_false(trust_name_ok("k.m"));
}

static void test_file(void **state)
{
	char dir[] = "/tmp/cloister-trust-XXXXXX", *path, *aside;
	struct trust_store s = {0}, got;
	struct bytes a = {0};
	struct stat st;
	struct why why;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = path_join(dir, "trusted");
	aside = path_join(dir, "trusted.damaged");
	assert_int_equal(trust_store_load(&got, path, &why), ERR_NONE);
	assert_int_equal(got.n, 0);
	assert_int_equal(why.err, ERR_NONE);
	put(&s, "kim", 1);
	put(&s, "lee", 2);
	assert_int_equal(trust_store_save(&s, path, &why), ERR_NONE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(trust_store_load(&got, path, &why), ERR_NONE);
	assert_int_equal(got.n, 2);
	assert_int_equal(why.err, ERR_NONE);
	assert_false(file_exists(aside));
	trust_store_clear(&got);
	trust_store_write(&a, &s);
	a.p[a.n - 20] ^= 1;
	assert_int_equal(file_replace(path, bytes_span(&a), 0600, &why),
			 ERR_NONE);
	assert_int_equal(trust_store_load(&got, path, &why), ERR_NONE);
	assert_int_equal(got.n, 1);
	assert_int_equal(why.err, ERR_CORRUPT);
	assert_non_null(strstr(why.text, "1 of 2"));
	assert_true(file_exists(aside));
	trust_store_clear(&got);
	assert_int_equal(file_replace(path, span_of("x", 1), 0600, &why),
			 ERR_NONE);
	assert_int_equal(trust_store_load(&got, path, &why), ERR_INPUT);
	assert_int_equal(got.n, 0);
	unlink(path);
	unlink(aside);
	rmdir(dir);
	free(path);
	free(aside);
	bytes_clear(&a);
	trust_store_clear(&s);
}

static void test_roles(void **state)
{
	char text[ROLE_NAMES_SIZE];
	uint8_t bit;

	(void)state;
	assert_true(role_parse(&bit, "rpc-admin"));
	assert_int_equal(bit, ROLE_RPC_ADMIN);
	assert_false(role_parse(&bit, "root"));
	roles_text(text, ROLE_ALL);
	assert_string_equal(text, "peer, witness, rpc-read, rpc-admin, "
			    "snapshot");
	roles_text(text, 0);
	assert_string_equal(text, "");
	assert_null(role_name(3));
}

/* ---- invites ---- */

static struct invite an_invite(void)
{
	struct invite i = { .chain = 0xdab5bffa, .expires = 4000000000 };

	memset(i.onion, 0x11, sizeof i.onion);
	memset(i.key, 0x22, sizeof i.key);
	memset(i.id.key, 0x33, sizeof i.id.key);
	memset(i.token, 0x44, sizeof i.token);
	return i;
}

static void test_invite_round_trip(void **state)
{
	const struct invite i = an_invite();
	struct invite got;
	char text[INVITE_TEXT_SIZE], other[2 * INVITE_TEXT_SIZE];
	size_t n, k = 0;

	(void)state;
	invite_write(text, &i);
	assert_memory_equal(text, "clinv1", 6);
	assert_int_equal(invite_read(&got, text), INVITE_OK);
	assert_int_equal(got.chain, i.chain);
	assert_true(got.expires == i.expires);
	assert_memory_equal(got.onion, i.onion, sizeof i.onion);
	assert_memory_equal(got.key, i.key, sizeof i.key);
	assert_memory_equal(got.id.key, i.id.key, sizeof i.id.key);
	assert_memory_equal(got.token, i.token, sizeof i.token);
	/* as a QR code has it, and as a mail program breaks it */
	for (n = 0; text[n]; n++) {
		other[k++] = (char)toupper((unsigned char)text[n]);
		if (n % 70 == 0)
			other[k++] = '\n';
	}
	other[k] = '\0';
	assert_int_equal(invite_read(&got, other), INVITE_OK);
}

static void test_invite_refuses(void **state)
{
	const struct invite i = an_invite();
	struct invite got;
	char text[INVITE_TEXT_SIZE + 8], one[INVITE_TEXT_SIZE + 8];
	size_t n;

	(void)state;
	invite_write(text, &i);
	n = strlen(text);
	for (size_t k = 6; k < n; k++) {
		strcpy(one, text);
		one[k] = one[k] == 'a' ? 'b' : 'a';
		assert_int_equal(invite_read(&got, one), INVITE_ALTERED);
		one[k] = '1';
		assert_int_equal(invite_read(&got, one), INVITE_ALTERED);
	}
	for (size_t k = 6; k < n; k++) {
		strcpy(one, text);
		one[k] = '\0';
		assert_int_equal(invite_read(&got, one), INVITE_LENGTH);
	}
	strcpy(one, text);
	snprintf(one, sizeof one, "%sa", text);
	assert_int_equal(invite_read(&got, one), INVITE_LENGTH);
	strcpy(one, text);
	one[5] = '2';
	assert_int_equal(invite_read(&got, one), INVITE_NEWER);
	assert_int_equal(invite_read(&got, ""), INVITE_FOREIGN);
	assert_int_equal(invite_read(&got, "clinv"), INVITE_LENGTH);
	assert_int_equal(invite_read(&got, "hello"), INVITE_FOREIGN);
}

static void test_token_hash(void **state)
{
	uint8_t token[TRUST_TOKEN_SIZE] = {0}, a[32], b[32];

	(void)state;
	trust_token_hash(a, token);
	token[15] = 1;
	trust_token_hash(b, token);
	assert_memory_not_equal(a, b, sizeof a);
}

/* ---- messages ---- */

static void test_messages(void **state)
{
	struct enrol_msg m = { .type = ENROL_REDEEM }, got;
	struct bytes b = {0};
	size_t used, n;

	(void)state;
	memset(m.token, 1, sizeof m.token);
	memset(m.door.onion, 2, sizeof m.door.onion);
	memset(m.door.key, 3, sizeof m.door.key);
	enrol_msg_write(&b, &m);
	for (n = 0; n < b.n; n++)
		assert_int_equal(enrol_msg_read(&got, &used, span_of(b.p, n)),
				 ENROL_READ_MORE);
	bytes_append(&b, "more", 4);
	assert_int_equal(enrol_msg_read(&got, &used, bytes_span(&b)),
			 ENROL_READ_OK);
	assert_int_equal(used, b.n - 4);
	assert_memory_equal(got.token, m.token, sizeof m.token);
	assert_memory_equal(got.door.key, m.door.key, sizeof m.door.key);
	/* version, type, length */
	b.p[2]++;
	assert_int_equal(enrol_msg_read(&got, &used, bytes_span(&b)),
			 ENROL_READ_BAD);
	b.p[2]--;
	b.p[3] = 99;
	assert_int_equal(enrol_msg_read(&got, &used, bytes_span(&b)),
			 ENROL_READ_BAD);
	b.p[3] = ENROL_MOVED;
	assert_int_equal(enrol_msg_read(&got, &used, bytes_span(&b)),
			 ENROL_READ_BAD);
	b.p[1] = 0xff;
	assert_int_equal(enrol_msg_read(&got, &used, bytes_span(&b)),
			 ENROL_READ_BAD);
	b.n = 0;
	m = (struct enrol_msg){ .type = ENROL_WELCOME, .roles = 32 };
	enrol_msg_write(&b, &m);
	assert_int_equal(enrol_msg_read(&got, &used, bytes_span(&b)),
			 ENROL_READ_BAD);
	b.n = 0;
	m = (struct enrol_msg){ .type = ENROL_REFUSE,
				.reason = ENROL_EXPIRED };
	enrol_msg_write(&b, &m);
	assert_int_equal(enrol_msg_read(&got, &used, bytes_span(&b)),
			 ENROL_READ_OK);
	assert_int_equal(got.reason, ENROL_EXPIRED);
	bytes_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_round_trip),
		cmocka_unit_test(test_damage_costs_one_record),
		cmocka_unit_test(test_doubles_and_too_many),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_invite_round_trip),
		cmocka_unit_test(test_invite_refuses),
		cmocka_unit_test(test_token_hash),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
