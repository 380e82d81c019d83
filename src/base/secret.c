/*
 * Memory for secrets: anonymous pages between two that cannot be touched.
 */
#include "config.h"

#include "base/secret.h"

#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Bytes of whole pages for cap of them, without the guards. */
static size_t pages_for(size_t cap)
{
	size_t page = page_size();

	return (cap + page - 1) / page * page;
}

void secret_init(struct secret *s, size_t cap)
{
	size_t page = page_size(), inner = pages_for(cap);
	uint8_t *p;

	CHECK(cap > 0 && cap <= 1 << 20);
	p = mmap(NULL, inner + 2 * page, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(mprotect(p + page, inner, PROT_READ | PROT_WRITE) == 0);
	/* Wishes: where the system refuses one, it is still usable. */
	(void)mlock(p + page, inner);
	(void)madvise(p + page, inner, MADV_DONTDUMP);
	(void)madvise(p + page, inner, MADV_WIPEONFORK);
	s->p = p + page;
	s->n = 0;
	s->cap = cap;
}

void secret_clear(struct secret *s)
{
	size_t page = page_size();

	if (s->p) {
		bytes_wipe(s->p, s->cap);
		(void)munmap(s->p - page, pages_for(s->cap) + 2 * page);
	}
	*s = (struct secret){ NULL, 0, 0 };
}

void secret_append(struct secret *s, const void *p, size_t n)
{
	CHECK(n <= s->cap - s->n);
	if (n)
		memcpy(s->p + s->n, p, n);
	s->n += n;
}

void secret_cut(struct secret *s, size_t n)
{
	CHECK(n <= s->n);
	if (s->n > n)
		bytes_wipe(s->p + n, s->n - n);
	s->n = n;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->n == b->n && (a->n == 0 || bytes_equal_ct(a->p, b->p, a->n));
}
