/*
 * Any bytes as mempool.dat, as they are and with a true head before them:
 * loading ends, and the pool is sound.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tests/unit/mempool_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void load(struct rig *r, const char *path)
{
	const struct mempool_load_options opt = { 0 };
	struct mempool_load *l;
	struct why why;
	bool more = true;
	enum err e = mempool_load_open(&l, r->m, path, &opt, &why);

	while (!e && l && more)
		e = mempool_load_step(l, &more, &why);
	CHECK(!e || e == ERR_INPUT);
	mempool_load_free(l);
	rig_check(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t head[17] = { 2, [8] = 8 };
	static struct rig r;             /* one chain for all inputs */
	struct bytes b = { 0 };
	struct why why;
	char path[100];

	if (!r.chain) {
		rig_open(&r, NULL);
		rig_close_at_exit(&r);
	}
	rig_empty(&r);
	snprintf(path, sizeof path, "%s/mempool.dat", r.dir);
	CHECK(!file_replace(path, span_of(data, n), 0600, &why));
	load(&r, path);
	bytes_append(&b, head, sizeof head);
	bytes_append(&b, data, n);
	CHECK(!file_replace(path, bytes_span(&b), 0600, &why));
	load(&r, path);
	bytes_clear(&b);
	return 0;
}
