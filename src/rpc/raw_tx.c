/*
 * Transactions from hex.  A transaction without inputs and a BIP144 one
 * begin alike, so both readings are tried and the saner one wins.
 */
#include "config.h"

#include "rpc/raw_tx.h"

#include <string.h>

#include "consensus/script.h"

bool script_ops_ok(struct span script)
{
	struct script_iter it = script_iter_of(script);
	struct script_op op;

	while (script_next(&it, &op))
		if (op.code > OP_NOP10 ||
		    (op.code <= OP_PUSHDATA4 &&
		     op.data.n > SCRIPT_MAX_ELEMENT_BYTES))
			return false;
	return !it.bad;
}

static bool script_sane(struct span s)
{
	return s.n <= SCRIPT_MAX_BYTES && script_ops_ok(s);
}

static bool sane(const struct tx *tx)
{
	if (!tx_is_coinbase(tx))
		for (uint32_t i = 0; i < tx->in_count; i++)
			if (!script_sane(tx->in[i].script_sig))
				return false;
	for (uint32_t i = 0; i < tx->out_count; i++)
		if (!script_sane(tx->out[i].script_pubkey))
			return false;
	return true;
}

static bool read_form(struct raw_tx *t, bool witness)
{
	struct reader r = reader_of(bytes_span(&t->raw));

	return tx_read(&t->tx, &r, &t->arena, witness) &&
	       reader_left(&r) == 0;
}

bool raw_tx_read(struct raw_tx *out, const char *hex, bool try_plain,
		 bool try_witness)
{
	struct tx with_witness;
	bool ok = false, ok_witness = false;

	*out = (struct raw_tx){ 0 };
	if (!hex_append(&out->raw, hex) || out->raw.n == 0)
		goto out;
	if (try_witness && read_form(out, true)) {
		ok = ok_witness = true;
		with_witness = out->tx;
		if (sane(&out->tx))
			goto out;
	}
	if (try_plain && read_form(out, false)) {
		ok = true;
		if (ok_witness && !sane(&out->tx))
			out->tx = with_witness;
	} else if (ok_witness) {
		out->tx = with_witness;
	}
out:
	if (!ok)
		raw_tx_clear(out);
	return ok;
}

void raw_tx_clear(struct raw_tx *t)
{
	bytes_clear(&t->raw);
	arena_clear(&t->arena);
	*t = (struct raw_tx){ 0 };
}
