/*
 * The power-cut simulator.  A workload runs on a watched disk (tap.so); then
 * states that the disk might hold after a cut, at any moment and with any
 * part of what was not synced, are laid out, and a chain must open each of
 * them, carry on to the same tip and the same MuHash, and replay no more than
 * what came since the last flush.
 *
 *   crash_sim [--states N] [--seed S] [--jobs N] [--dir DIR] [--keep]
 *             [--strict] [--one NUMBER] [--again]
 *   crash_sim --dir DIR --chain BLOCKS [--seed S]
 *
 * --again takes the log that is in DIR from another run; --one tries one of
 * its states.  The second only makes a chain: DIR/blocks.dat, and tip and
 * MuHash in DIR/expect.
 */
#include "config.h"

#include "base/file.h"
#include "tests/crash/disk.h"
#include "tests/crash/verdict.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVES 7
#define BLOCKS 230
#define BLOCKS_PRUNED 420
#define JOBS_MAX 16
#define TEXT_BYTES 400

struct options {
	unsigned states, jobs;
	uint64_t seed;
	const char *dir, *tap;
	bool keep, strict, again;
	int chain;
	long one;
};

/* The log, in memory. */
struct tap_log {
	const uint8_t *p;
	size_t n, records;
};

/* What a child found, in memory that it shares with us. */
struct found {
	struct verdict_sum sum;
	unsigned bound;
	char what[120];
	bool done;
};

struct sim {
	struct options opt;
	struct arrivals arrivals;
	struct tap_log log;
	struct found *found;
	char *self, *log_path, *control_path, *root;
};

/* ---- the log ------------------------------------------------------------ */

static void log_map(struct tap_log *log, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t at = 0;

	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	log->n = (size_t)st.st_size;
	log->records = 0;
	log->p = mmap(NULL, log->n ? log->n : 1, PROT_READ, MAP_PRIVATE, fd,
		      0);
	CHECK(log->p != MAP_FAILED);
	close(fd);
	while (at < log->n) {
		struct tap_record r;

		memcpy(&r, log->p + at, sizeof(r));
		at += sizeof(r) + r.n;
		log->records++;
	}
	CHECK(at == log->n);
}

/* The first `count` records onto the disk, their marks into the promise. */
static void log_replay(const struct tap_log *log, size_t count,
		       struct disk *d, struct promise *p)
{
	const uint8_t *at = log->p;

	for (; count; count--) {
		struct tap_record r;
		char text[200] = "";

		memcpy(&r, at, sizeof(r));
		at += sizeof(r);
		if (r.op == TAP_MARK) {
			memcpy(text, at, MIN_OF(r.n, sizeof(text) - 1));
			promise_read(p, text);
		} else if (d) {
			disk_apply(d, &r, at);
		}
		at += r.n;
	}
}

/* ---- lives -------------------------------------------------------------- */

/* Run this program again with other arguments, under tap.so. */
static int run_watched(const struct sim *s, const char *root,
		       const char *log, char *const argv[])
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		setenv("LD_PRELOAD", s->opt.tap, 1);
		setenv("ASAN_OPTIONS", "verify_asan_link_order=0:"
		       "detect_leaks=0", 1);
		setenv(TAP_ROOT, root, 1);
		setenv(TAP_LOG, log, 1);
		setenv(TAP_CONTROL, s->control_path, 1);
		execv(s->self, argv);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static void control_write(const struct sim *s, const struct tap_control *c)
{
	struct why why;

	if (file_replace(s->control_path, span_of(c, sizeof(*c)), 0600,
			 &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(2);
	}
}

/* How each life ends: cleanly, by a kill between two steps, or by one at any
 * call that changes the disk. */
static void record_life(struct sim *s, int life, size_t from, size_t to)
{
	struct tap_control c = { .armed = life % 3 == 2,
				 .calls = TAP_FAIL_WRITE | TAP_FAIL_SYNC |
					  TAP_FAIL_RENAME | TAP_FAIL_UNLINK,
				 .error = TAP_KILL };
	struct prng rng;
	char *text[6];
	char *argv[] = { s->self, (char *)"--life", s->root, NULL, NULL,
			 NULL, NULL, NULL, NULL, NULL };
	int status;

	prng_seed(&rng, s->opt.seed + (uint64_t)life);
	c.skip = (uint32_t)prng_below(&rng, 400);
	control_write(s, &c);
	text[0] = xstrdup(s->opt.dir);
	text[1] = xasprintf("%zu", from);
	text[2] = xasprintf("%zu", to);
	text[3] = xasprintf("%llu", (unsigned long long)s->opt.seed);
	text[4] = xasprintf("%d", life % 2);
	text[5] = xasprintf("%d", life % 3 == 1 || to == s->arrivals.n
					   ? LIFE_CLOSED : LIFE_KILLED);
	memcpy(argv + 3, text, sizeof(text));
	status = run_watched(s, s->root, s->log_path, argv);
	if (c.armed ? WIFEXITED(status) && WEXITSTATUS(status)
		    : !WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "life %d of the workload ended with %d\n",
			life, status);
		exit(2);
	}
	for (int i = 0; i < 6; i++)
		free(text[i]);
}

static void record(struct sim *s)
{
	for (int life = 0; life < LIVES; life++) {
		struct promise p = { .any = false };

		if (life) {
			log_map(&s->log, s->log_path);
			log_replay(&s->log, s->log.records, NULL, &p);
		}
		record_life(s, life, p.arrived,
			    MAX_OF(p.arrived, s->arrivals.n *
					      (size_t)(life + 1) / LIVES));
	}
	log_map(&s->log, s->log_path);
}

/* ---- states ------------------------------------------------------------- */

static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *ent;

	while (d && (ent = readdir(d))) {
		char *full = path_join(path, ent->d_name);

		if (strcmp(ent->d_name, ".") && strcmp(ent->d_name, "..") &&
		    unlink(full) && errno == EISDIR)
			remove_dir(full);
		free(full);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static struct cut choose_cut(struct prng *rng)
{
	struct cut c = { .names = (enum cut_names)prng_below(rng,
							     NAMES_KINDS),
			 .data = (enum cut_data)prng_below(rng, DATA_KINDS),
			 .seed = prng_u64(rng) };

	return c;
}

/* Open the state and let it recover, watched; then cut that short too. */
static void cut_again(struct sim *s, const char *dir, struct prng *rng,
		      struct promise *p, struct found *f)
{
	char *log = xasprintf("%s.log", dir);
	char *again = xasprintf("%s.again", dir);
	char *argv[] = { s->self, (char *)"--recover", (char *)dir,
			 (char *)s->opt.dir, NULL, NULL, NULL };
	struct disk *d = disk_new(s->opt.strict);
	struct cut cut = choose_cut(rng);
	struct tap_log l;
	size_t at, n = strlen(f->what);
	char *feed = xasprintf("%zu", p->arrived);
	char *seed = xasprintf("%llu", (unsigned long long)s->opt.seed);

	argv[4] = feed;
	argv[5] = seed;
	disk_load(d, dir);
	if (run_watched(s, dir, log, argv)) {
		snprintf(f->sum.text, sizeof(f->sum.text),
			 "the watched recovery failed");
	} else {
		log_map(&l, log);
		at = prng_below(rng, l.records + 1);
		snprintf(f->what + n, sizeof(f->what) - n,
			 ", again %zu of %zu names %d data %d", at,
			 l.records, (int)cut.names, (int)cut.data);
		log_replay(&l, at, d, p);
		disk_lay_out(d, again, &cut);
		state_check(&f->sum, again, &s->arrivals, p,
			    workload_prunes(s->opt.seed));
	}
	if (!s->opt.keep)
		remove_dir(again);
	unlink(log);
	disk_free(d);
	free(seed);
	free(feed);
	free(again);
	free(log);
}

static void try_state(struct sim *s, size_t number)
{
	struct found *f = &s->found[number];
	char *dir = xasprintf("%s/state%zu", s->opt.dir, number);
	struct promise p = { .any = false };
	struct disk *d = disk_new(s->opt.strict);
	struct prng rng;
	struct cut cut;
	size_t at;

	prng_seed(&rng, s->opt.seed * 7919 + number);
	cut = choose_cut(&rng);
	at = prng_below(&rng, s->log.records + 1);
	snprintf(f->what, sizeof(f->what), "record %zu of %zu names %d "
		 "data %d", at, s->log.records, (int)cut.names,
		 (int)cut.data);
	log_replay(&s->log, at, d, &p);
	f->bound = p.moves;
	remove_dir(dir);
	disk_lay_out(d, dir, &cut);
	if (number % 8 == 7)
		cut_again(s, dir, &rng, &p, f);
	else
		state_check(&f->sum, dir, &s->arrivals, &p,
			    workload_prunes(s->opt.seed));
	f->bound = MAX_OF(f->bound, p.moves);
	disk_free(d);
	f->done = true;
	if (!s->opt.keep)
		remove_dir(dir);
	free(dir);
}

static void wait_one(unsigned *running)
{
	int status;

	CHECK(wait(&status) > 0);
	(*running)--;
}

/* A process for each state: a crash of ours is a finding like others. */
static void try_all(struct sim *s)
{
	unsigned running = 0;

	for (size_t i = 0; i < s->opt.states; i++) {
		if (s->opt.one >= 0 && (size_t)s->opt.one != i)
			continue;
		if (running == s->opt.jobs)
			wait_one(&running);
		fflush(stdout);
		switch (fork()) {
		case -1:
			CHECK(false);
			break;
		case 0:
			try_state(s, i);
			_exit(0);
		default:
			running++;
		}
	}
	while (running)
		wait_one(&running);
}

static int report(const struct sim *s)
{
	unsigned bad = 0, replayed = 0, bound = 0, tried = 0;

	for (size_t i = 0; i < s->opt.states; i++) {
		const struct found *f = &s->found[i];

		if (s->opt.one >= 0 && (size_t)s->opt.one != i)
			continue;
		tried++;
		replayed = MAX_OF(replayed, f->sum.replayed);
		bound = MAX_OF(bound, f->bound);
		if (f->done && !f->sum.text[0])
			continue;
		bad++;
		printf("state %zu (%s): %s\n", i, f->what,
		       f->done ? f->sum.text : "the process died");
	}
	printf("power cuts: %u states of %zu records, %u failed, at most %u "
	       "blocks replayed (longest flush interval: %u), seed %llu\n",
	       tried, s->log.records, bad, replayed, bound,
	       (unsigned long long)s->opt.seed);
	return bad || !tried;
}

/* ---- the program -------------------------------------------------------- */

static int run_life(char **argv)
{
	struct arrivals a;
	struct why why;
	enum err e;

	arrivals_load(&a, argv[1]);
	e = workload_run(argv[0], &a, strtoul(argv[2], NULL, 10),
			 strtoul(argv[3], NULL, 10),
			 strtoull(argv[4], NULL, 10), atoi(argv[5]),
			 (enum life_end)atoi(argv[6]), &why);
	if (e)
		fprintf(stderr, "%s\n", why.text);
	return e != ERR_NONE;
}

static int run_recover(char **argv)
{
	struct arrivals a;
	struct life l;
	enum err e;
	size_t to = strtoul(argv[2], NULL, 10);

	arrivals_load(&a, argv[1]);
	mark("life");
	e = life_open(&l, argv[0],
		      workload_prunes(strtoull(argv[3], NULL, 10)));
	l.told = true;
	if (!e)
		e = life_forgive(&l);
	if (!e)
		e = life_feed(&l, &a, to);
	if (!e)
		e = life_flush(&l, to);
	if (e)
		fprintf(stderr, "%s\n", l.why.text);
	life_close(&l);
	return e != ERR_NONE;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	*o = (struct options){ .states = 100, .jobs = 2, .seed = 1,
			       .one = -1 };
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--keep") == 0) {
			o->keep = true;
			continue;
		}
		if (strcmp(argv[i], "--strict") == 0) {
			o->strict = true;
			continue;
		}
		if (strcmp(argv[i], "--again") == 0) {
			o->again = true;
			continue;
		}
		if (!next)
			return false;
		if (strcmp(argv[i], "--states") == 0)
			o->states = (unsigned)atoi(next);
		else if (strcmp(argv[i], "--jobs") == 0)
			o->jobs = (unsigned)atoi(next);
		else if (strcmp(argv[i], "--seed") == 0)
			o->seed = strtoull(next, NULL, 10);
		else if (strcmp(argv[i], "--dir") == 0)
			o->dir = next;
		else if (strcmp(argv[i], "--tap") == 0)
			o->tap = next;
		else if (strcmp(argv[i], "--chain") == 0)
			o->chain = atoi(next);
		else if (strcmp(argv[i], "--one") == 0)
			o->one = atol(next);
		else
			return false;
		i++;
	}
	return o->dir && (o->tap || o->chain) && o->states && o->jobs &&
	       o->jobs <= JOBS_MAX;
}

/* The chain is made by a process of its own: LevelDB's thread would not
 * survive our forks. */
static void make_arrivals(const struct sim *s)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		arrivals_make(s->opt.dir, s->opt.seed,
			      s->opt.chain ? s->opt.chain
			      : workload_prunes(s->opt.seed) ? BLOCKS_PRUNED
							     : BLOCKS);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status) {
		fprintf(stderr, "the chain could not be made\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct sim s = { .self = (char *)"/proc/self/exe" };

	if (argc == 9 && strcmp(argv[1], "--life") == 0)
		return run_life(argv + 2);
	if (argc == 6 && strcmp(argv[1], "--recover") == 0)
		return run_recover(argv + 2);
	if (!read_options(&s.opt, argc, argv)) {
		fprintf(stderr, "usage: crash_sim --tap tap.so --dir DIR "
			"[--states N] [--seed S] [--jobs N] [--keep] "
			"[--strict] [--one NUMBER] [--again]\n"
			"       crash_sim --dir DIR --chain BLOCKS "
			"[--seed S]\n");
		return 2;
	}
	s.log_path = path_join(s.opt.dir, "log");
	s.control_path = path_join(s.opt.dir, "control");
	s.root = path_join(s.opt.dir, "watched");
	s.found = mmap(NULL, s.opt.states * sizeof(*s.found),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	CHECK(s.found != MAP_FAILED);
	CHECK(s.opt.again || s.opt.chain || mkdir(s.root, 0700) == 0);
	if (!s.opt.again)
		make_arrivals(&s);
	if (s.opt.chain)
		return 0;
	arrivals_load(&s.arrivals, s.opt.dir);
	if (s.opt.again)
		log_map(&s.log, s.log_path);
	else
		record(&s);
	try_all(&s);
	return report(&s);
}
