/*
 * Private doors, with tor's half of the conversation played here.
 */
#include "config.h"

#include "test_tor.h"

#include "base/clock.h"
#include "base/file.h"
#include "tor/client_key.h"
#include "tor/doors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "d0123456789"
#define OTHER "dabcdefabcd"

struct rig {
	struct doors *doors;
	char *dir;
	char asked[1024];         /* the command that waits for its answer */
	unsigned asks, gone, listeners;
	int listener;
	struct link_door told;    /* the last */
};

static void on_ask(void *arg, const char *command)
{
	struct rig *r = arg;

	assert_string_equal(r->asked, "");    /* one at a time */
	snprintf(r->asked, sizeof r->asked, "%s", command);
	r->asks++;
}

static void on_door(void *arg, const struct link_door *d)
{
	struct rig *r = arg;

	r->told = *d;
}

static void on_listener(void *arg, const struct link_door_wish *w, int fd)
{
	struct rig *r = arg;

	r->listeners++;
	if (w->port == DOOR_P2P)
		r->listener = fd;
}

static void on_gone(void *arg, const char *name)
{
	struct rig *r = arg;

	assert_int_equal(name[0], 'd');
	r->gone++;
}

static void rig_open(struct rig *r)
{
	static const struct doors_events events = {
		on_ask, on_door, on_listener, on_gone,
	};
	struct doors_options o = {0};
	char *run;
	struct why why;

	memset(r, 0, sizeof *r);
	r->dir = test_tor_dir_new();
	run = path_join(r->dir, "run");
	assert_int_equal(dir_make(run, 0700, &why), ERR_NONE);
	free(run);
	o.dir = r->dir;
	r->doors = doors_new(&o, &events, r);
}

static void rig_close(struct rig *r)
{
	doors_free(r->doors);
	test_tor_dir_free(r->dir);
}

static void answer(struct rig *r, int code)
{
	const struct control_line line = {
		.code = code, .last = true, .text = "said",
	};

	assert_string_not_equal(r->asked, "");
	r->asked[0] = '\0';
	doors_reply(r->doors, &line);
}

static void wish(struct rig *r, const char *name, uint8_t client)
{
	struct link_msg m = { .type = LINK_DOOR_ADD };

	strcpy(m.u.wish.name, name);
	m.u.wish.ports = DOOR_PORT_BIT(DOOR_P2P) | DOOR_PORT_BIT(DOOR_ENROL);
	memset(m.u.wish.client, client, sizeof m.u.wish.client);
	doors_message(r->doors, &m);
}

static void unwish(struct rig *r, const char *name, bool forget)
{
	struct link_msg m = { .type = LINK_DOOR_REMOVE };

	strcpy(m.u.wish.name, name);
	m.u.wish.forget = forget;
	doors_message(r->doors, &m);
}

static void told_all(struct rig *r)
{
	const struct link_msg m = { .type = LINK_DOORS_TOLD };

	doors_message(r->doors, &m);
}

static bool there(struct rig *r, const char *file)
{
	char *path = path_join(r->dir, file);
	bool is = file_exists(path);

	free(path);
	return is;
}

static bool can_connect(struct rig *r, const char *file)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool ok;

	snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", r->dir, file);
	ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
	close(fd);
	return ok;
}

static void event(struct rig *r, const char *what)
{
	char text[200];

	snprintf(text, sizeof text, "HS_DESC %s %.56s UNKNOWN x", what,
		 r->told.address);
	doors_event(r->doors, text, 0);
}

static void test_a_door_comes_and_goes(void **state)
{
	struct rig r;
	char id[57];

	(void)state;
	rig_open(&r);
	/* Before tor is up the address and the sockets are there already. */
	wish(&r, NAME, 1);
	assert_string_equal(r.told.name, NAME);
	assert_int_equal(r.told.state, DOOR_NONE);
	assert_int_equal(strlen(r.told.address), 62);
	assert_int_equal(r.listeners, 2);
	assert_true(can_connect(&r, "run/" NAME "p"));
	assert_false(there(&r, "run/" NAME "r"));
	assert_int_equal(r.asks, 0);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	assert_memory_equal(r.asked, "ADD_ONION ED25519-V3:", 21);
	assert_non_null(strstr(r.asked, "Flags=DiscardPK,V3Auth,"
				       "MaxStreamsCloseCircuit MaxStreams="));
	assert_non_null(strstr(r.asked, " Port=8333,unix:/tmp/"));
	assert_non_null(strstr(r.asked, " Port=8331,unix:/tmp/"));
	assert_null(strstr(r.asked, "PoW"));
	assert_non_null(strstr(r.asked, " ClientAuthV3=aeaqcaibaeaqcaibaeaqcai"
				       "baeaqcaibaeaqcaibaeaqcaibaeaq"));
	answer(&r, 250);
	assert_int_equal(r.told.state, DOOR_PUBLISHING);
	event(&r, "UPLOAD");
	event(&r, "UPLOADED");
	assert_int_equal(r.told.state, DOOR_REACHABLE);
	/* Removed: shut at once, tor told, the key gone for good. */
	snprintf(id, sizeof id, "%s", r.told.address);
	assert_true(there(&r, "keys/onion_" NAME ".key"));
	unwish(&r, NAME, true);
	assert_int_equal(r.gone, 1);
	assert_false(can_connect(&r, "run/" NAME "p"));
	assert_memory_equal(r.asked, "DEL_ONION ", 10);
	assert_string_equal(r.asked + 10, id);
	answer(&r, 250);
	assert_false(there(&r, "keys/onion_" NAME ".key"));
	assert_false(there(&r, "keys/onion_" NAME ".addr"));
	assert_int_equal(r.asks, 2);
	rig_close(&r);
}

static void test_an_address_outlives_tor_and_us(void **state)
{
	struct rig r;
	char address[LINK_ADDRESS_MAX + 1];

	(void)state;
	rig_open(&r);
	wish(&r, NAME, 1);
	memcpy(address, r.told.address, sizeof address);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	answer(&r, 250);
	doors_tor_down(r.doors);
	assert_int_equal(r.told.state, DOOR_NONE);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	assert_memory_equal(r.asked, "ADD_ONION", 9);
	answer(&r, 250);
	/* Not wished any more, but not to be forgotten. */
	unwish(&r, NAME, false);
	answer(&r, 250);
	assert_true(there(&r, "keys/onion_" NAME ".key"));
	wish(&r, NAME, 1);
	assert_string_equal(r.told.address, address);
	rig_close(&r);
}

static void test_a_new_client_key_replaces_the_old(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	wish(&r, NAME, 1);
	answer(&r, 250);
	wish(&r, NAME, 2);
	assert_memory_equal(r.asked, "DEL_ONION", 9);
	answer(&r, 250);
	assert_non_null(strstr(r.asked, "ClientAuthV3=aibaeaqcai"));
	/* Changed once more before tor has answered. */
	wish(&r, NAME, 3);
	answer(&r, 250);
	assert_memory_equal(r.asked, "DEL_ONION", 9);
	answer(&r, 250);
	assert_non_null(strstr(r.asked, "ClientAuthV3=ambqgayd"));
	answer(&r, 250);
	assert_string_equal(r.asked, "");
	rig_close(&r);
}

static void test_a_key_replaced_is_removed_too(void **state)
{
	struct rig r;
	struct link_msg auth = { .type = LINK_CLIENT_AUTH_ADD,
				 .u.auth = { .address = TEST_TOR_ADDRESS } };

	(void)state;
	rig_open(&r);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	doors_message(r.doors, &auth);
	answer(&r, 250);
	auth.u.auth.key[0] = 1;
	doors_message(r.doors, &auth);
	assert_memory_equal(r.asked, "ONION_CLIENT_AUTH_REMOVE", 24);
	auth.type = LINK_CLIENT_AUTH_REMOVE;
	doors_message(r.doors, &auth);
	answer(&r, 250);
	assert_string_equal(r.asked, "");
	assert_int_equal(r.asks, 2);
	rig_close(&r);
}

static void test_a_new_node_tells_anew(void **state)
{
	struct rig r;
	struct link_msg auth = { .type = LINK_CLIENT_AUTH_ADD,
				 .u.auth = { .address = TEST_TOR_ADDRESS } };

	(void)state;
	rig_open(&r);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	wish(&r, NAME, 1);
	answer(&r, 250);
	wish(&r, OTHER, 1);
	answer(&r, 250);
	doors_message(r.doors, &auth);
	assert_memory_equal(r.asked, "ONION_CLIENT_AUTH_ADD 25njqamc", 30);
	assert_non_null(strstr(r.asked, " x25519:AAAAAAA"));
	answer(&r, 250);
	r.listeners = 0;
	doors_node_started(r.doors);
	wish(&r, OTHER, 1);
	assert_int_equal(r.listeners, 2);       /* handed over again */
	assert_string_equal(r.asked, "");
	told_all(&r);
	assert_int_equal(r.gone, 1);
	assert_memory_equal(r.asked, "DEL_ONION", 9);
	answer(&r, 250);
	assert_memory_equal(r.asked, "ONION_CLIENT_AUTH_REMOVE 25nj", 29);
	answer(&r, 251);
	assert_string_equal(r.asked, "");
	assert_true(can_connect(&r, "run/" OTHER "p"));
	/* A door dropped so keeps its key. */
	assert_true(there(&r, "keys/onion_" NAME ".key"));
	rig_close(&r);
}

/* The link keeps nothing of a door that is gone: it must not hear of it. */
static void test_what_is_gone_is_not_told_of(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	wish(&r, NAME, 1);
	assert_memory_equal(r.asked, "ADD_ONION", 9);
	unwish(&r, NAME, true);
	memset(&r.told, 0, sizeof r.told);
	answer(&r, 512);
	assert_string_equal(r.told.name, "");
	wish(&r, OTHER, 1);
	answer(&r, 250);
	assert_string_equal(r.told.name, OTHER);
	unwish(&r, OTHER, true);
	memset(&r.told, 0, sizeof r.told);
	doors_tor_down(r.doors);
	assert_string_equal(r.told.name, "");
	rig_close(&r);
}

static void test_refusals_and_bounds(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	doors_tor_up(r.doors, clock_mono_ms() - 10000);
	wish(&r, NAME, 1);
	answer(&r, 512);
	assert_int_equal(r.told.state, DOOR_FAILED);
	assert_non_null(strstr(r.told.problem, "512 said"));
	assert_string_equal(r.asked, "");       /* not at once again */
	for (int i = 1; i < LINK_DOORS_MAX; i++) {
		char name[12];

		snprintf(name, sizeof name, "d%010d", i);
		wish(&r, name, 1);
		assert_string_equal(r.told.name, name);
		answer(&r, 250);
		assert_int_equal(r.told.state, DOOR_PUBLISHING);
	}
	wish(&r, OTHER, 1);
	assert_string_equal(r.told.name, OTHER);
	assert_int_equal(r.told.state, DOOR_FAILED);
	assert_string_equal(r.told.address, "");
	assert_false(there(&r, "keys/onion_" OTHER ".key"));
	rig_close(&r);
}

static void test_client_keys(void **state)
{
	/* RFC 7748, 6.1: Bob's */
	static const char private[] = "5dab087e624a8a4b79e17f8b83800ee66f3bb"
				      "1292618b6fd1c2f8b27ff88e0eb";
	static const char public[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c"
				     "85b78674dadfc7e146f882b4f";
	uint8_t key[32], want[32], got[32], other[32];

	(void)state;
	assert_true(hex_decode(key, 32, private));
	assert_true(hex_decode(want, 32, public));
	assert_true(client_key_public(got, key));
	assert_memory_equal(got, want, 32);
	assert_true(client_key_make(key, got));
	assert_true(client_key_make(other, want));
	assert_memory_not_equal(got, want, 32);
	assert_memory_not_equal(key, other, 32);
}

int test_tor_doors(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_door_comes_and_goes),
		cmocka_unit_test(test_an_address_outlives_tor_and_us),
		cmocka_unit_test(test_a_new_client_key_replaces_the_old),
		cmocka_unit_test(test_a_key_replaced_is_removed_too),
		cmocka_unit_test(test_a_new_node_tells_anew),
		cmocka_unit_test(test_what_is_gone_is_not_told_of),
		cmocka_unit_test(test_refusals_and_bounds),
		cmocka_unit_test(test_client_keys),
	};

	return cmocka_run_group_tests_name("tor: doors", tests, NULL, NULL);
}
