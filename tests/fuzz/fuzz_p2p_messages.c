/*
 * Every message type: what is read is written back as the same bytes, and
 * its size is as said.  First byte: the type.
 */
#include "config.h"

#include "p2p/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_items(const struct msg *m)
{
	struct addrv2_item item;
	struct reader r;
	size_t i;

	if (m->type == MSG_INV)
		for (i = 0; i < m->u.inv.n; i++)
			(void)inv_item_get(&m->u.inv, i);
	if (m->type == MSG_HEADERS)
		for (i = 0; i < m->u.headers.n; i++)
			(void)headers_get(&m->u.headers, i);
	if (m->type == MSG_GETHEADERS)
		for (i = 0; i < m->u.locator.n; i++)
			(void)locator_get(&m->u.locator, i);
	if (m->type != MSG_ADDRV2)
		return;
	r = reader_of(m->u.addrv2.items);
	for (i = 0; i < m->u.addrv2.n; i++)
		CHECK(addrv2_item_read(&item, &r));
	CHECK(reader_left(&r) == 0);
}

/* Flags are one byte that means true when it is not zero. */
static bool lossy(const struct msg *m, struct span in)
{
	if (m->type == MSG_SENDCMPCT)
		return in.p[0] > 1;
	return m->type == MSG_VERSION && m->u.version.has_relay &&
	       in.p[in.n - 1] > 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes out = { 0 };
	struct msg m;
	size_t used = 0;
	struct span in;

	if (!n)
		return 0;
	in = span_of(data + 1, n - 1);
	if (!msg_read(&m, &used, (enum msg_type)(data[0] % MSG_TYPE_COUNT),
		      in))
		return 0;
	CHECK(used <= in.n);
	in.n = used;
	read_items(&m);
	msg_write(&out, &m);
	CHECK(msg_size(&m) == out.n && out.n == used);
	CHECK(lossy(&m, in) || span_eq(bytes_span(&out), in));
	bytes_clear(&out);
	return 0;
}
