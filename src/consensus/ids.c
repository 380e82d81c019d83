/*
 * The one place where hashes are turned round: inside they are in wire
 * order, the world shows them with the last byte first.
 */
#include "config.h"

#include "consensus/ids.h"

static void hash_reverse(uint8_t out[static 32], const uint8_t in[static 32])
{
	for (size_t i = 0; i < 32; i++)
		out[i] = in[31 - i];
}

bool hash_is_zero(const uint8_t h[static 32])
{
	uint8_t any = 0;

	for (size_t i = 0; i < 32; i++)
		any = (uint8_t)(any | h[i]);
	return any == 0;
}

void hash_to_rpc_hex(char out[static 65], const uint8_t h[static 32])
{
	uint8_t shown[32];

	hash_reverse(shown, h);
	hex_encode(out, shown, sizeof shown);
}

bool hash_from_rpc_hex(uint8_t h[static 32], const char *hex)
{
	uint8_t shown[32];

	if (!hex_decode(shown, sizeof shown, hex))
		return false;
	hash_reverse(h, shown);
	return true;
}
