/*
 * A million headers: time to take them, and, in a process of its own, time
 * and memory of a start with them.
 *
 *   bench_headers make DIR N      bench_headers open DIR
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "consensus/block_check.h"
#include "validation/chain.h"

#define LOT 2000

static void need(const struct why *why, enum err e)
{
	if (!e)
		return;
	fprintf(stderr, "bench_headers: %s\n", why->text);
	exit(1);
}

static void mine(struct block_header *h, struct block_hash *hash,
		 const struct chain_params *p)
{
	do {
		h->nonce++;
		block_header_hash(hash, h);
	} while (!pow_ok(p, hash, h->bits));
}

static void make(struct chain *c, long n)
{
	const struct chain_params *p = chain_params(c);
	struct block_header *lot = xcalloc(LOT, sizeof(*lot));
	struct block_hash hash = p->genesis_hash;
	struct headers_result res;
	struct why why;
	long done = 0;

	while (done < n) {
		size_t count = 0;

		for (; count < LOT && done < n; count++, done++) {
			lot[count] = p->genesis;
			lot[count].prev = hash;
			lot[count].time += (uint32_t)done + 1;
			lot[count].version = 0x20000000;
			mine(&lot[count], &hash, p);
		}
		need(&why, chain_accept_headers(c, &res, lot, count, true,
						&why));
		CHECK(res.new_headers == count);
	}
	need(&why, chain_flush(c, &why));
	free(lot);
}

int main(int argc, char **argv)
{
	struct chain_params params = chain_params_get(CHAIN_REGTEST);
	struct chain_options opt = {
		.params = &params, .dbcache_bytes = (size_t)40 << 20,
	};
	bool making = argc == 4 && strcmp(argv[1], "make") == 0;
	struct rusage use;
	struct chain *c;
	struct why why;
	int64_t start = clock_mono_us();

	if (!making && (argc != 3 || strcmp(argv[1], "open") != 0)) {
		fprintf(stderr, "usage: bench_headers make DIR N | open DIR\n");
		return 2;
	}
	opt.dir = argv[2];
	opt.workers = workers_new(1);
	need(&why, chain_open(&c, &opt, &why));
	if (making)
		make(c, strtol(argv[3], NULL, 10));
	getrusage(RUSAGE_SELF, &use);
	printf("{\"wall\": %.3f, \"cpu\": %.3f, \"rss\": %ld, "
	       "\"height\": %d}\n", (double)(clock_mono_us() - start) / 1e6,
	       (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
	       use.ru_maxrss * 1024, chain_best_header(c)->height);
	chain_close(c);
	workers_free(opt.workers);
	return 0;
}
