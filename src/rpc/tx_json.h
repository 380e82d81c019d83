/*
 * Scripts, transactions and headers as JSON, field by field as the reference
 * node shows them.  Any thread (each call works on its own objects).
 */
#ifndef CLOISTER_RPC_TX_JSON_H
#define CLOISTER_RPC_TX_JSON_H

#include "chainstate/undo.h"
#include "consensus/params.h"
#include "rpc/rpc_json.h"

/** asm, desc, hex (if wanted), address (if there is one), type. */
void script_json_add(struct json_object *o, const struct chain_params *p,
		     struct span script, bool with_hex);

enum tx_detail {
	TX_DETAIL_FEE,           /* fee only, where undo is known */
	TX_DETAIL_PREVOUT,       /* every spent output too */
};

/**
 * undo     what the inputs spent, or NULL
 * return   txid … vout, fee; hex at the end if wanted
 */
struct json_object *tx_json(const struct chain_params *p,
			    const struct tx *tx, const struct tx_undo *undo,
			    enum tx_detail detail, bool with_hex);
/** Its serialisation in hex, with witnesses if it has any. */
struct json_object *tx_hex_json(const struct tx *tx);

#endif
