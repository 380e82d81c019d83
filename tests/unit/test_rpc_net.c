/*
 * Methods whose answers come through the ports.
 */
#include "config.h"

#include "test_rpc.h"

int test_rpc_net(void)
{
	return 0;
}
