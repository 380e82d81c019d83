/*
 * Signatures as the first nodes read them: DER, more or less.  What OpenSSL
 * let pass is in the chain, so every node must take the same.  Pure.
 */
#ifndef CLOISTER_CRYPTO_DER_H
#define CLOISTER_CRYPTO_DER_H

#include "base/bytes.h"

/**
 * Read r and s, big-endian, from a lax-DER signature.  A number of more than
 * 32 bytes makes both zero, which no key verifies.  False if the bytes have
 * not even the outline of a signature.
 */
NODISCARD bool der_lax_read(uint8_t rs[static 64], struct span sig);

#endif
