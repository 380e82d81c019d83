/*
 * Fields as transactions serialise them, written to a small buffer or
 * straight into a hash.
 */
#ifndef CLOISTER_CONSENSUS_HASH_FIELD_PRIV_H
#define CLOISTER_CONSENSUS_HASH_FIELD_PRIV_H

#include "consensus/tx.h"
#include "crypto/hash.h"

/* Each returns the bytes written. */
size_t put_u32(uint8_t *p, uint32_t v);
size_t put_u64(uint8_t *p, uint64_t v);
size_t put_outpoint(uint8_t *p, const struct outpoint *o);
size_t put_compact(uint8_t *p, uint64_t v);      /* at most 9 */

void hash_u32(struct sha256 *h, uint32_t v);
/** A compact size, then the bytes. */
void hash_var(struct sha256 *h, struct span s);
void hash_output(struct sha256 *h, const struct tx_out *out);

#endif
