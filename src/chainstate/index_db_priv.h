/*
 * How the index's records are written: the reference node's bytes.
 */
#ifndef CLOISTER_CHAINSTATE_INDEX_DB_PRIV_H
#define CLOISTER_CHAINSTATE_INDEX_DB_PRIV_H

#include "chainstate/index_db.h"

void index_record_write(struct bytes *b, const struct index_record *rec);
/** key: 'b' and the hash, which must be the header's. */
NODISCARD bool index_record_read(struct index_record *rec, struct span key,
				 struct span value);
void file_info_write(struct bytes *b, const struct block_file_info *f);
NODISCARD bool file_info_read(struct block_file_info *f, struct span value);

#endif
