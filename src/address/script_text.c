/*
 * Scripts in words, exactly as the reference node shows them.
 */
#include "config.h"

#include "address/script_text.h"

#include <stdio.h>

#include "consensus/script.h"

/* Pushes up to here are shown as numbers. */
#define NUMBER_MAX_BYTES 4

const char *sighash_type_text(uint8_t type)
{
	switch (type) {
	case 0x01:
		return "ALL";
	case 0x02:
		return "NONE";
	case 0x03:
		return "SINGLE";
	case 0x81:
		return "ALL|ANYONECANPAY";
	case 0x82:
		return "NONE|ANYONECANPAY";
	case 0x83:
		return "SINGLE|ANYONECANPAY";
	default:
		return NULL;
	}
}

static void add_text(struct bytes *b, const char *s)
{
	bytes_append(b, s, strlen(s));
}

static void add_number(struct bytes *b, struct span data)
{
	char text[24];
	int64_t v;

	CHECK(script_number_read(&v, data, NUMBER_MAX_BYTES, false));
	snprintf(text, sizeof text, "%lld", (long long)v);
	add_text(b, text);
}

static void add_hex(struct bytes *b, struct span data)
{
	bytes_reserve(b, 2 * data.n + 1);
	hex_encode((char *)b->p + b->n, data.p, data.n);
	b->n += 2 * data.n;
}

static void add_push(struct bytes *b, struct span data, bool sighash)
{
	const char *type = NULL;

	if (data.n <= NUMBER_MAX_BYTES) {
		add_number(b, data);
		return;
	}
	if (sighash && script_signature_is_strict(data)) {
		type = sighash_type_text(data.p[data.n - 1]);
		data.n -= type != NULL;
	}
	add_hex(b, data);
	if (type) {
		add_text(b, "[");
		add_text(b, type);
		add_text(b, "]");
	}
}

char *script_text_new(struct span script, bool sighash)
{
	struct script_iter it = script_iter_of(script);
	struct bytes b = { 0 };
	struct script_op op;

	/* Data behind OP_RETURN is no signature, whatever it looks like. */
	if (script_is_unspendable(script))
		sighash = false;
	while (script_next(&it, &op)) {
		if (b.n)
			add_text(&b, " ");
		if (op.code <= OP_PUSHDATA4)
			add_push(&b, op.data, sighash);
		else
			add_text(&b, opcode_name(op.code));
	}
	if (it.bad)
		add_text(&b, b.n ? " [error]" : "[error]");
	bytes_append(&b, "", 1);
	return (char *)b.p;
}
