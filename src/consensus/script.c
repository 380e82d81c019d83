/*
 * Scripts as data: taking them apart, recognising the forms that consensus
 * knows, and putting them together.
 */
#include "config.h"

#include "consensus/script.h"

/* Bytes of the length that follows OP_PUSHDATA1, 2 and 4. */
static size_t length_bytes(unsigned code)
{
	return code < OP_PUSHDATA1 ? 0 : (size_t)1 << (code - OP_PUSHDATA1);
}

bool script_next(struct script_iter *it, struct script_op *op)
{
	size_t n, k, i;

	if (it->p >= it->end || it->bad)
		return false;
	op->code = *it->p++;
	op->data = span_of(NULL, 0);
	if (op->code > OP_PUSHDATA4)
		return true;
	k = length_bytes(op->code);
	if ((size_t)(it->end - it->p) < k)
		goto bad;
	n = k ? 0 : op->code;
	for (i = 0; i < k; i++)
		n |= (size_t)it->p[i] << (8 * i);
	it->p += k;
	if ((size_t)(it->end - it->p) < n)
		goto bad;
	op->data = span_of(it->p, n);
	it->p += n;
	return true;
bad:
	it->bad = true;
	return false;
}

bool script_push_is_minimal(const struct script_op *op)
{
	struct span d = op->data;

	if (d.n == 0)
		return op->code == OP_0;
	if (d.n == 1 && ((d.p[0] >= 1 && d.p[0] <= 16) || d.p[0] == 0x81))
		return false;   /* OP_1 to OP_16 or OP_1NEGATE would do */
	if (d.n < OP_PUSHDATA1)
		return op->code == d.n;
	if (d.n <= 0xff)
		return op->code == OP_PUSHDATA1;
	if (d.n <= 0xffff)
		return op->code == OP_PUSHDATA2;
	return true;
}

bool script_is_push_only(struct span script)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;

	while (script_next(&it, &op))
		if (op.code > OP_16)
			return false;
	return !it.bad;
}

bool script_number_read(int64_t *out, struct span s, size_t max_bytes,
			bool minimal)
{
	uint64_t v = 0;
	size_t i;

	*out = 0;
	if (s.n > max_bytes)
		return false;
	if (s.n == 0)
		return true;
	/* The last byte carries the sign: without other bits it is needed
	 * only where the byte before would else be read as negative. */
	if (minimal && (s.p[s.n - 1] & 0x7f) == 0 &&
	    (s.n == 1 || !(s.p[s.n - 2] & 0x80)))
		return false;
	for (i = 0; i < s.n; i++)
		v |= (uint64_t)s.p[i] << (8 * i);
	if (s.p[s.n - 1] & 0x80)
		*out = -(int64_t)(v & ~((uint64_t)0x80 << (8 * (s.n - 1))));
	else
		*out = (int64_t)v;
	return true;
}

size_t script_number_write(uint8_t out[static 9], int64_t v)
{
	uint64_t a = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t n = 0;

	for (; a; a >>= 8)
		out[n++] = (uint8_t)a;
	if (n && (out[n - 1] & 0x80))
		out[n++] = 0;
	if (v < 0)
		out[n - 1] |= 0x80;
	return n;
}

bool script_is_p2sh(struct span s)
{
	return s.n == 23 && s.p[0] == OP_HASH160 && s.p[1] == 20 &&
	       s.p[22] == OP_EQUAL;
}

bool script_is_witness_program(struct span s, unsigned *version,
			       struct span *program)
{
	if (s.n < 4 || s.n > 42 || (size_t)s.p[1] + 2 != s.n)
		return false;
	if (s.p[0] != OP_0 && (s.p[0] < OP_1 || s.p[0] > OP_16))
		return false;
	*version = s.p[0] == OP_0 ? 0 : (unsigned)(s.p[0] - OP_1 + 1);
	*program = span_of(s.p + 2, s.n - 2);
	return true;
}

bool script_is_p2a(struct span s)
{
	return s.n == 4 && s.p[0] == OP_1 && s.p[1] == 2 && s.p[2] == 0x4e &&
	       s.p[3] == 0x73;
}

bool script_is_p2tr(struct span s)
{
	return s.n == 34 && s.p[0] == OP_1 && s.p[1] == 32;
}

bool script_is_unspendable(struct span s)
{
	return (s.n && s.p[0] == OP_RETURN) || s.n > SCRIPT_MAX_BYTES;
}

void script_push_op(struct bytes *b, unsigned op)
{
	uint8_t c = (uint8_t)op;

	bytes_append(b, &c, 1);
}

void script_push_data(struct bytes *b, struct span d)
{
	uint8_t head[5];
	size_t k = 1, i, len;

	CHECK(d.n <= UINT32_MAX);
	if (d.n < OP_PUSHDATA1) {
		head[0] = (uint8_t)d.n;
	} else {
		head[0] = d.n <= 0xff ? OP_PUSHDATA1 :
			  d.n <= 0xffff ? OP_PUSHDATA2 : OP_PUSHDATA4;
		len = length_bytes(head[0]);
		for (i = 0; i < len; i++)
			head[k++] = (uint8_t)(d.n >> (8 * i));
	}
	bytes_append(b, head, k);
	if (d.n)
		bytes_append(b, d.p, d.n);
}

void script_push_number(struct bytes *b, int64_t v)
{
	uint8_t num[9];

	if (v == -1 || (v >= 1 && v <= 16))
		script_push_op(b, (unsigned)(v + OP_1 - 1));
	else
		script_push_data(b, span_of(num, script_number_write(num, v)));
}

unsigned script_find_and_delete(uint8_t *out, size_t *out_n,
				struct span script, struct span pattern)
{
	struct script_iter it = script_iter_of(script);
	const uint8_t *keep = it.p;     /* first byte not yet copied */
	struct script_op op;
	unsigned found = 0;
	size_t n = 0;

	*out_n = script.n;
	if (!pattern.n || pattern.n > script.n)
		return 0;
	do {
		const uint8_t *at = it.p;

		while ((size_t)(it.end - it.p) >= pattern.n &&
		       memcmp(it.p, pattern.p, pattern.n) == 0)
			it.p += pattern.n;
		if (it.p == at)
			continue;
		found += (unsigned)((size_t)(it.p - at) / pattern.n);
		if (out)
			memmove(out + n, keep, (size_t)(at - keep));
		n += (size_t)(at - keep);
		keep = it.p;
	} while (script_next(&it, &op));
	if (!found)
		return 0;
	/* What is left, a malformed tail too, is kept as it stands. */
	if (out)
		memmove(out + n, keep, (size_t)(it.end - keep));
	*out_n = n + (size_t)(it.end - keep);
	return found;
}
