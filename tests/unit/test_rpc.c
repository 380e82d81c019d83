/*
 * Unit tests of src/rpc.
 */
#include "config.h"

#include "test_rpc.h"

#include <signal.h>

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return test_rpc_json() + test_rpc_auth() + test_rpc_http() +
	       test_rpc_chain() + test_rpc_tx() + test_rpc_net() != 0;
}
