/*
 * Marks: life, arrived N, move, flushing TIP N, flushed, invalid HASH,
 * replacing K, replaced.
 */
#include "config.h"

#include "tests/crash/promise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_hash(struct block_hash *h, const char *text)
{
	char hex[65] = "";

	if (strlen(text) >= 64)
		memcpy(hex, text, 64);
	CHECK(hash_from_rpc_hex(h->b, hex));
}

static bool begins(const char **rest, const char *text, const char *word)
{
	size_t n = strlen(word);

	*rest = text + n;
	return strncmp(text, word, n) == 0;
}

static void moved(struct promise *p)
{
	p->life_moves++;
	p->moves = MAX_OF(p->moves, p->life_moves);
}

static void flushing(struct promise *p, const char *text)
{
	CHECK(p->tip_n < PROMISE_TIPS_MAX);
	read_hash(&p->tips[p->tip_n++], text);
	p->next_blocks = strtoul(text + 65, NULL, 10);
}

static void flushed(struct promise *p)
{
	CHECK(p->tip_n > 0);
	p->any = true;
	p->tips[0] = p->tips[p->tip_n - 1];
	p->tip_n = 1;
	p->blocks = p->next_blocks;
	p->moves = p->life_moves = 0;
}

static void replacing(struct promise *p, const char *text)
{
	CHECK(p->file_n + 1 < PROMISE_FILES_MAX);
	p->files[++p->file_n] = (unsigned)strtoul(text, NULL, 10);
}

void promise_read(struct promise *p, const char *mark)
{
	const char *rest;

	if (begins(&rest, mark, "life")) {
		p->life_moves = 0;
	} else if (begins(&rest, mark, "arrived ")) {
		p->arrived = strtoul(rest, NULL, 10);
	} else if (begins(&rest, mark, "move")) {
		moved(p);
	} else if (begins(&rest, mark, "flushing ")) {
		flushing(p, rest);
	} else if (begins(&rest, mark, "flushed")) {
		flushed(p);
	} else if (begins(&rest, mark, "invalid ")) {
		CHECK(p->invalid_n < PROMISE_INVALID_MAX);
		read_hash(&p->invalid[p->invalid_n++], rest);
	} else if (begins(&rest, mark, "replacing ")) {
		replacing(p, rest);
	} else if (begins(&rest, mark, "replaced")) {
		p->files[0] = p->files[p->file_n];
		p->file_n = 0;
	} else {
		fprintf(stderr, "what is the mark '%s'?\n", mark);
		abort();
	}
}
