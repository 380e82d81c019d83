/*
 * Unit tests of tls/.
 */
#include "config.h"

#include "test_tls.h"

int main(void)
{
	return test_tls_id() + test_tls_identity() + test_tls_cert() +
	       test_tls_ca() + test_tls_only() + test_tls_stream() +
	       test_tls_peers() != 0;
}
