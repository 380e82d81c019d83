/*
 * The address book as bytes: peers.dat.  docs/storage.md has the layout.
 */
#include "config.h"

#include "p2p/addrbook_priv.h"

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

#define FILE_VERSION 2
#define SUM_BYTES 32
#define HEAD_BYTES (7 + 1 + 16 + 4)
#define ENTRY_MIN (ONION_KEY_BYTES + 2 + 8 + 5 * 8 + 4 + 1 + 1)
#define COMMON_FLAG 0x80         /* beside the number of places */
#define PAUSE_MAX_S (2 * BOOK_DAY_S)

static const uint8_t file_magic[7] = { 'C', 'L', 'P', 'E', 'E', 'R', 'S' };

static void write_entry(struct bytes *out, const struct book_addr *a)
{
	size_t i;

	bytes_append(out, a->e.onion.key, ONION_KEY_BYTES);
	write_u16(out, a->e.onion.port);
	write_u64(out, a->e.services);
	write_u64(out, (uint64_t)a->e.seen);
	write_u64(out, (uint64_t)a->e.last_try);
	write_u64(out, (uint64_t)a->e.last_success);
	write_u64(out, (uint64_t)a->e.not_before);
	write_u64(out, (uint64_t)a->last_counted);
	write_u32(out, a->e.failures);
	write_u8(out, a->e.source);
	/* No places: in the tried table. */
	write_u8(out, a->refs | (a->e.common ? COMMON_FLAG : 0));
	for (i = 0; i < a->refs; i++)
		write_u16(out, a->bucket[i]);
}

void addrbook_write(struct addrbook *b, struct bytes *out)
{
	size_t at = out->n, i;
	uint8_t sum[SUM_BYTES];

	bytes_append(out, file_magic, sizeof file_magic);
	write_u8(out, FILE_VERSION);
	write_u64(out, b->secret[0]);
	write_u64(out, b->secret[1]);
	write_u32(out, (uint32_t)b->count);
	for (i = 0; i < b->count; i++)
		write_entry(out, b->all[i]);
	sha256d(sum, out->p + at, out->n - at);
	bytes_append(out, sum, sizeof sum);
	b->changed = false;
}

/* A time in the past; a clock that went back must not freeze an entry. */
static int64_t read_past(struct reader *r, int64_t latest)
{
	int64_t t = (int64_t)read_u64(r);

	return t < 0 ? 0 : MIN_OF(t, latest);
}

static void read_entry(struct addrbook *b, struct reader *r)
{
	struct book_addr a = { 0 };
	unsigned refs, i;
	bool fine = true;

	read_copy(r, a.e.onion.key, ONION_KEY_BYTES);
	a.e.onion.port = read_u16(r);
	a.e.services = read_u64(r);
	a.e.seen = read_past(r, b->now);
	a.e.last_try = read_past(r, b->now);
	a.e.last_success = read_past(r, b->now);
	a.e.not_before = read_past(r, b->now + PAUSE_MAX_S);
	a.last_counted = read_past(r, b->now);
	a.e.failures = read_u32(r);
	a.e.source = read_u8(r);
	refs = read_u8(r);
	a.e.common = refs & COMMON_FLAG;
	refs &= ~(unsigned)COMMON_FLAG;
	a.tried = refs == 0;
	for (i = 0; i < refs; i++) {
		uint16_t bucket = read_u16(r);

		fine = fine && i < BOOK_REFS_MAX && bucket < BOOK_NEW_BUCKETS;
		if (fine)
			a.bucket[a.refs++] = bucket;
	}
	if (r->failed || !fine || !a.e.onion.port)
		return;
	b->last_good = MAX_OF(b->last_good, a.e.last_success);
	/* Entries that contradict each other: the first one counts. */
	if (!book_restore(b, &a))
		return;
}

enum book_read addrbook_read(struct addrbook *b, struct span data)
{
	struct reader r = reader_of(data);
	uint8_t sum[SUM_BYTES];
	uint32_t i, n;

	if (data.n < HEAD_BYTES + SUM_BYTES ||
	    memcmp(data.p, file_magic, sizeof file_magic) != 0)
		return BOOK_READ_DAMAGED;
	if (data.p[sizeof file_magic] != FILE_VERSION)
		return BOOK_READ_VERSION;
	sha256d(sum, data.p, data.n - sizeof sum);
	if (memcmp(sum, data.p + data.n - sizeof sum, sizeof sum) != 0)
		return BOOK_READ_DAMAGED;
	r.end -= sizeof sum;
	read_span(&r, sizeof file_magic + 1);
	book_empty(b);
	b->secret[0] = read_u64(&r);
	b->secret[1] = read_u64(&r);
	n = read_u32(&r);
	for (i = 0; i < n && reader_left(&r) >= ENTRY_MIN; i++)
		read_entry(b, &r);
	b->changed = false;
	return BOOK_READ_OK;
}
