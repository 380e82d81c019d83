/*
 * A failing world: killed processes, interrupted flushes, torn and damaged
 * files, a full disk.  Every coin of flush k carries k in its height, so a
 * state that mixes flushes shows itself.
 */
#include "config.h"

#include "tests/unit/test_chainstate.h"

#include "base/file.h"
#include "base/writer.h"
#include "chainstate/coin_journal_priv.h"
#include "chainstate/coins_priv.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define COINS 1500

static const struct coins_options options = { 4 << 20, 1 << 20, false };

static struct coins *open_coins(const char *dir, bool journal)
{
	struct coins *c;
	struct why why;

	need_ok(coins_open(&c, dir, &options, &why), &why);
	if (journal) {
		c->batch_coins = 0;
		c->step_bytes = 4000;
	}
	return c;
}

static void coin_of_round(struct coin *coin, uint8_t script[COIN_SCRIPT_MAX],
			  size_t i, int round)
{
	coin_from_seed(coin, script, i);
	coin->height = round;
}

/* The even coins are in every round, an odd one in odd rounds only; before
 * the first there are none. */
static bool in_round(size_t i, int round)
{
	return round && (i % 2 == 0 || round % 2);
}

static enum err write_round(struct coins *c, int round, struct why *why)
{
	struct block_hash tip = hash_from_seed((uint64_t)round);
	uint8_t script[COIN_SCRIPT_MAX];
	struct arena a = { 0 };
	enum err e = ERR_NONE;

	for (size_t i = 0; i < COINS && !e; i++) {
		struct outpoint o;
		struct coin coin;
		bool found;

		outpoint_from_seed(&o, i);
		e = coins_spend(c, &found, &coin, &a, &o, why);
		coin_of_round(&coin, script, i, round);
		if (!e && in_round(i, round))
			e = coins_add(c, &o, &coin, i % 3 == 0, why);
	}
	arena_clear(&a);
	return e ? e : coins_flush(c, &tip, round % 3 == 0, why);
}

/* In children too, so without cmocka's jumps. */
static bool round_is(struct coins *c, int round)
{
	uint8_t script[COIN_SCRIPT_MAX];
	struct why why;

	for (size_t i = 0; i < COINS; i++) {
		struct coin coin, want;
		struct outpoint o;
		bool found;

		outpoint_from_seed(&o, i);
		if (coins_get(c, &found, &coin, &o, &why)) {
			fprintf(stderr, "%s\n", why.text);
			return false;
		}
		if (found != in_round(i, round))
			return false;
		coin_of_round(&want, script, i, round);
		if (found && (coin.value_sat != want.value_sat ||
			      coin.height != want.height ||
			      coin.coinbase != want.coinbase ||
			      !span_eq(coin.script, want.script)))
			return false;
	}
	return true;
}

static void check_round(struct coins *c, int round)
{
	assert_true(round_is(c, round));
}

static int tip_round(const struct coins *c)
{
	struct block_hash tip;
	uint64_t round = 0;

	if (coins_tip(c, &tip))
		memcpy(&round, tip.b, sizeof(round));
	return (int)round;
}

/* Rounds until killed, or `count` and then a death without any close. */
static int rounds_child(const char *dir, bool journal, int count)
{
	struct coins *c;
	struct why why;

	if (coins_open(&c, dir, &options, &why))
		return 2;
	if (journal) {
		c->batch_coins = 0;
		c->step_bytes = 4000;
	}
	for (int round = tip_round(c) + 1; count != 0; round++, count--)
		if (write_round(c, round, &why))
			return 3;
	return 0;
}

/*
 * A child is this program anew: LevelDB's own thread does not live on in a
 * forked one.
 */
static pid_t child_start(const char *what, const char *dir, bool journal,
			 int count)
{
	char number[16];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	snprintf(number, sizeof(number), "%d", count);
	execl("/proc/self/exe", "test_chainstate", "--child", what, dir,
	      journal ? "journal" : "batch", number, (char *)NULL);
	_exit(1);
}

static void wait_for(pid_t pid, int want)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), want);
}

static void kill_run(const char *dir, bool journal)
{
	int last = 0;

	/* Longer and longer: where the machine is busy, the first ones end
	 * before a round does. */
	for (int i = 0; i < 12 || (!last && i < 100); i++) {
		pid_t pid = child_start("rounds", dir, journal, -1);
		struct coins *c;
		int status;

		usleep(20000 + (useconds_t)random_below(40000 * (uint64_t)(i + 1)));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		c = open_coins(dir, journal);
		assert_true(tip_round(c) >= last);
		last = tip_round(c);
		if (last)
			check_round(c, last);
		coins_close(c);
	}
	print_message("%d rounds survived\n", last);
	assert_true(last > 0);
}

static void test_kill_during_batches(void **state)
{
	char *dir = in_dir(state, "kill-batch");

	kill_run(dir, false);
	free(dir);
}

static void test_kill_during_journals(void **state)
{
	char *dir = in_dir(state, "kill-journal");

	kill_run(dir, true);
	free(dir);
}

/* Leave a complete journal of round 2 beside the state of round 1, with the
 * first `applied` of its changes in the database. */
static void interrupt(const char *dir, int applied)
{
	struct block_hash tip = hash_from_seed(2);
	struct store_options so = { .write_buffer_bytes = 1 << 20,
				    .block_cache_bytes = 1 << 20 };
	struct store_batch *b = store_batch_new();
	struct bytes value = { 0 };
	struct journal *j;
	struct store *s;
	struct why why;

	need_ok(store_open(&s, dir, &so, &why), &why);
	need_ok(journal_begin(&j, dir, 2, &tip, &why), &why);
	write_u64(&value, 2);
	store_batch_put(b, span_of(APPLYING_KEY, 1), bytes_span(&value));
	for (size_t i = 0; i < COINS; i++) {
		uint8_t key[COIN_KEY_MAX], script[COIN_SCRIPT_MAX];
		struct outpoint o;
		struct coin coin;
		struct span k;

		outpoint_from_seed(&o, i);
		k = span_of(key, coin_key_encode(key, &o));
		coin_of_round(&coin, script, i, 2);
		value.n = 0;
		coin_value_write(&value, &coin);
		journal_put(j, k, i % 2 ? span_of(NULL, 0)
					: bytes_span(&value));
		if ((int)i >= applied)
			continue;
		if (i % 2)
			store_batch_delete(b, k);
		else
			store_batch_put(b, k, bytes_span(&value));
	}
	need_ok(journal_end(j, &why), &why);
	if (applied)
		need_ok(store_write(s, b, &why), &why);
	store_batch_free(b);
	bytes_clear(&value);
	store_close(s);
}

static void prepare(const char *dir)
{
	struct coins *c = open_coins(dir, false);
	struct why why;

	need_ok(write_round(c, 1, &why), &why);
	coins_close(c);
}

static void test_journal_is_finished(void **state)
{
	const int applied[] = { 0, 1, COINS / 2, COINS };

	for (size_t i = 0; i < ARRAY_SIZE(applied); i++) {
		char name[32];
		char *dir, *journal;
		struct coins *c;

		snprintf(name, sizeof(name), "journal%zu", i);
		dir = in_dir(state, name);
		journal = path_join(dir, "flush.journal");
		prepare(dir);
		interrupt(dir, applied[i]);
		c = open_coins(dir, false);
		assert_int_equal(tip_round(c), 2);
		check_round(c, 2);
		coins_close(c);
		assert_false(file_exists(journal));
		c = open_coins(dir, false);
		assert_int_equal(tip_round(c), 2);
		check_round(c, 2);
		coins_close(c);
		free(journal);
		free(dir);
	}
}

static void test_damaged_journal(void **state)
{
	char *dir = in_dir(state, "journal-bad");
	char *journal = path_join(dir, "flush.journal");
	struct coins *c;
	struct why why;

	/* Not begun to be applied: as if the flush had never been. */
	prepare(dir);
	interrupt(dir, 0);
	file_cut(journal, file_bytes(journal) / 2);
	c = open_coins(dir, false);
	assert_int_equal(tip_round(c), 1);
	check_round(c, 1);
	coins_close(c);
	assert_false(file_exists(journal));

	interrupt(dir, 0);
	file_flip(journal, file_bytes(journal) / 2);
	c = open_coins(dir, false);
	assert_int_equal(tip_round(c), 1);
	coins_close(c);

	/* Begun: the state is a mixture, and that must be said. */
	interrupt(dir, 100);
	file_flip(journal, file_bytes(journal) / 2);
	assert_int_equal(coins_open(&c, dir, &options, &why), ERR_CORRUPT);
	assert_non_null(strstr(why.text, dir));
	free(journal);
	free(dir);
}

static void test_old_journal_is_not_applied(void **state)
{
	char *dir = in_dir(state, "journal-old");
	char *journal = path_join(dir, "flush.journal");
	char *copy = path_join(dir, "copy");
	struct coins *c;
	struct why why;

	prepare(dir);
	interrupt(dir, 0);
	assert_int_equal(link(journal, copy), 0);
	c = open_coins(dir, false);
	need_ok(write_round(c, 3, &why), &why);
	coins_close(c);
	assert_int_equal(rename(copy, journal), 0);
	c = open_coins(dir, false);
	assert_int_equal(tip_round(c), 3);
	check_round(c, 3);
	coins_close(c);
	assert_false(file_exists(journal));
	free(copy);
	free(journal);
	free(dir);
}

static void test_second_opener_is_told(void **state)
{
	char *dir = in_dir(state, "twice");
	struct coins *c = open_coins(dir, false), *d;
	struct why why;

	assert_int_equal(coins_open(&d, dir, &options, &why), ERR_STATE);
	assert_null(d);
	assert_non_null(strstr(why.text, dir));
	coins_close(c);
	free(dir);
}

/* ---- LevelDB's log ------------------------------------------------------ */

/* Two flushes in one log, which nobody closed. */
static char *two_rounds(const char *dir, long *first_bytes)
{
	char *log;

	wait_for(child_start("rounds", dir, false, 1), 0);
	log = file_like(dir, ".log");
	*first_bytes = file_bytes(log);
	free(log);
	wait_for(child_start("rounds", dir, false, 2), 0);
	log = file_like(dir, ".log");
	assert_true(file_bytes(log) > 100000);
	return log;
}

static void test_torn_log(void **state)
{
	for (int kind = 0; kind < 3; kind++) {
		char name[32];
		char *dir, *log;
		struct coins *c;
		long first;

		snprintf(name, sizeof(name), "torn%d", kind);
		dir = in_dir(state, name);
		log = two_rounds(dir, &first);
		if (kind == 0) {
			file_cut(log, file_bytes(log) - 10);
		} else if (kind == 1) {
			/* The length was written, the last pages were not. */
			long size = file_bytes(log);

			file_cut(log, size - 50000);
			file_cut(log, size);
		} else {
			file_flip(log, -40000);
		}
		c = open_coins(dir, false);
		assert_int_equal(tip_round(c), 2);
		check_round(c, 2);
		coins_close(c);
		c = open_coins(dir, false);
		assert_int_equal(tip_round(c), 2);
		check_round(c, 2);
		coins_close(c);
		free(log);
		free(dir);
	}
}

static void test_damage_in_the_middle_of_the_log(void **state)
{
	char *dir = in_dir(state, "middle");
	struct coins *c;
	struct why why;
	char *log;
	long first;

	log = two_rounds(dir, &first);
	file_flip(log, 1000);
	assert_int_equal(coins_open(&c, dir, &options, &why), ERR_CORRUPT);
	assert_null(c);
	assert_non_null(strstr(why.text, dir));
	/* And again: the first look must not have hidden it. */
	assert_int_equal(coins_open(&c, dir, &options, &why), ERR_CORRUPT);
	free(log);
	free(dir);
}

/* ---- LevelDB's tables --------------------------------------------------- */

/* All coins right, or corruption; never one that is missing or wrong. */
static bool damage_shows(const char *dir)
{
	uint8_t script[COIN_SCRIPT_MAX];
	struct outpoint o[COINS];
	struct coins *c;
	struct why why;
	bool shows = false;
	enum err e = coins_open(&c, dir, &options, &why);

	if (e) {
		assert_int_equal(e, ERR_CORRUPT);
		return true;
	}
	for (size_t i = 0; i < COINS; i++) {
		struct coin coin, want;
		bool found;

		outpoint_from_seed(&o[i], i);
		e = coins_get(c, &found, &coin, &o[i], &why);
		if (e) {
			assert_int_equal(e, ERR_CORRUPT);
			assert_non_null(strstr(why.text, dir));
			shows = true;
			continue;
		}
		assert_true(found);
		coin_of_round(&want, script, i, 1);
		assert_coin_eq(&coin, &want);
	}
	coins_close(c);
	need_ok(coins_open(&c, dir, &options, &why), &why);
	e = coins_prefetch(c, o, COINS, NULL, &why);
	assert_int_equal(e, shows ? ERR_CORRUPT : ERR_NONE);
	coins_close(c);
	return shows;
}

static void test_damaged_table(void **state)
{
	char *dir = in_dir(state, "table");
	struct coins *c;
	char *table;
	long size;
	int shown = 0;

	prepare(dir);
	c = open_coins(dir, false);      /* the log becomes a table */
	coins_close(c);
	table = file_like(dir, ".ldb");
	assert_non_null(table);
	size = file_bytes(table);
	assert_false(damage_shows(dir));
	for (int i = 0; i < 24; i++) {
		long at = (long)random_below((uint64_t)size);

		file_flip(table, at);
		shown += damage_shows(dir);
		file_flip(table, at);
	}
	print_message("%d of 24 flipped bytes showed\n", shown);
	assert_true(shown > 12);
	assert_false(damage_shows(dir));

	file_cut(table, size / 2);
	assert_true(damage_shows(dir));
	assert_int_equal(unlink(table), 0);
	assert_true(damage_shows(dir));
	free(table);
	free(dir);
}

/* A record that LevelDB finds sound and that does not decode. */
static void test_damaged_record(void **state)
{
	char *dir = in_dir(state, "record");
	struct store_options so = { .write_buffer_bytes = 1 << 20,
				    .block_cache_bytes = 1 << 20 };
	struct store_batch *b = store_batch_new();
	uint8_t key[COIN_KEY_MAX];
	struct outpoint o;
	struct coin coin;
	struct coins *c;
	struct store *s;
	struct why why;
	bool found;

	prepare(dir);
	outpoint_from_seed(&o, 8);
	need_ok(store_open(&s, dir, &so, &why), &why);
	store_batch_put(b, span_of(key, coin_key_encode(key, &o)),
			span_of("\1\2\0short", 8));
	need_ok(store_write(s, b, &why), &why);
	store_batch_free(b);
	store_close(s);
	c = open_coins(dir, false);
	assert_int_equal(coins_get(c, &found, &coin, &o, &why), ERR_CORRUPT);
	assert_int_equal(coins_prefetch(c, &o, 1, NULL, &why), ERR_CORRUPT);
	coins_close(c);
	free(dir);
}

/* ---- a full disk -------------------------------------------------------- */

/* Write rounds until there is trouble; exit 0 if it was of the right kind
 * and the state on disk is that of the last good round afterwards. */
static int fill(const char *dir, bool journal, enum err want,
		void (*make_room)(const char *), const char *arg)
{
	struct coins *c;
	struct why why;
	int round = 1;
	enum err e = ERR_NONE;

	if (coins_open(&c, dir, &options, &why))
		return 10;
	if (journal) {
		c->batch_coins = 0;
		c->step_bytes = 4000;
	}
	for (; round < 200 && !e; round++)
		e = write_round(c, round, &why);
	round -= 2;      /* the last good one */
	if (e != want) {
		fprintf(stderr, "%s: %s\n", err_name(e), why.text);
		return 11;
	}
	if (!strstr(why.text, dir))
		return 12;
	coins_close(c);
	make_room(arg);
	if (coins_open(&c, dir, &options, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 13;
	}
	/* A write that failed in its sync may yet be there, whole. */
	if (tip_round(c) != round && tip_round(c) != round + 1)
		return 14;
	if (!round_is(c, tip_round(c)))
		return 15;
	if (write_round(c, tip_round(c) + 1, &why))
		return 16;
	if (!round_is(c, tip_round(c)))
		return 17;
	coins_close(c);
	return 0;
}

static void room_limit(const char *arg)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };

	(void)arg;
	getrlimit(RLIMIT_FSIZE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_FSIZE, &rl);
}

static int limit_child(const char *dir, bool journal)
{
	struct rlimit rl;

	getrlimit(RLIMIT_FSIZE, &rl);
	rl.rlim_cur = 500000;
	setrlimit(RLIMIT_FSIZE, &rl);
	signal(SIGXFSZ, SIG_IGN);
	return fill(dir, journal, ERR_IO, room_limit, NULL);
}

static void test_file_size_limit(void **state)
{
	char *dir = in_dir(state, "limit"), *dir_j = in_dir(state, "limit-j");

	wait_for(child_start("limit", dir, false, 0), 0);
	wait_for(child_start("limit", dir_j, true, 0), 0);
	free(dir);
	free(dir_j);
}

static void room_mount(const char *dir)
{
	(void)mount("none", dir, "tmpfs", MS_REMOUNT, "size=64m");
}

/* 77: no right to mount a small disk. */
static int full_child(const char *dir, bool journal)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", dir, "tmpfs", 0, "size=1500k"))
		return 77;
	return fill(dir, journal, ERR_SPACE, room_mount, dir);
}

static void full_disk(void **state, const char *name, bool journal)
{
	char *dir = in_dir(state, name);
	struct why why;
	int status;
	pid_t pid;

	need_ok(dir_make(dir, 0700, &why), &why);
	pid = child_start("full", dir, journal, 0);
	free(dir);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("no right to mount a small disk: skipped\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_full_disk(void **state)
{
	full_disk(state, "full", false);
}

static void test_full_disk_with_journal(void **state)
{
	full_disk(state, "full-j", true);
}

int crash_child(char **args)
{
	const bool journal = strcmp(args[2], "journal") == 0;
	int rc;

	if (strcmp(args[0], "rounds") == 0)
		rc = rounds_child(args[1], journal, atoi(args[3]));
	else if (strcmp(args[0], "limit") == 0)
		rc = limit_child(args[1], journal);
	else
		rc = full_child(args[1], journal);
	/* Nothing is closed. */
	_exit(rc);
}

int run_crash_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_during_batches),
		cmocka_unit_test(test_kill_during_journals),
		cmocka_unit_test(test_journal_is_finished),
		cmocka_unit_test(test_damaged_journal),
		cmocka_unit_test(test_old_journal_is_not_applied),
		cmocka_unit_test(test_second_opener_is_told),
		cmocka_unit_test(test_torn_log),
		cmocka_unit_test(test_damage_in_the_middle_of_the_log),
		cmocka_unit_test(test_damaged_table),
		cmocka_unit_test(test_damaged_record),
		cmocka_unit_test(test_file_size_limit),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_full_disk_with_journal),
	};

	return cmocka_run_group_tests_name("coins in a failing world", tests,
					   dir_setup, dir_teardown);
}
