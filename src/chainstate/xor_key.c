/*
 * xor.dat.
 */
#include "config.h"

#include "chainstate/xor_key.h"

#include "base/file.h"

#include <stdlib.h>

enum err xor_key_load(struct xor_key *out, const char *dir, struct why *why)
{
	static const uint8_t zero[8];
	char *path = path_join(dir, "xor.dat");
	struct bytes data = { 0 };
	enum err e = ERR_NONE;

	*out = (struct xor_key){ 0 };
	if (!file_exists(path))
		goto out;
	e = file_read(&data, path, 64, why);
	if (e)
		goto out;
	if (data.n != sizeof(out->b)) {
		e = why_set(why, ERR_CORRUPT,
			    "%s has %zu bytes, not 8; without the right key the block files cannot be read",
			    path, data.n);
		goto out;
	}
	memcpy(out->b, data.p, sizeof(out->b));
	out->set = memcmp(out->b, zero, sizeof(zero)) != 0;
out:
	bytes_clear(&data);
	free(path);
	return e;
}

void xor_key_apply(const struct xor_key *k, uint8_t *p, size_t n,
		   uint64_t offset)
{
	uint8_t turned[8];
	uint64_t key, word;
	size_t i;

	if (!k->set)
		return;
	for (i = 0; i < 8; i++)
		turned[i] = k->b[(offset + i) % 8];
	memcpy(&key, turned, 8);
	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&word, p + i, 8);
		word ^= key;
		memcpy(p + i, &word, 8);
	}
	for (; i < n; i++)
		p[i] ^= turned[i % 8];
}
