/*
 * Transactions, scripts and addresses as JSON.
 */
#include "config.h"

#include "test_rpc.h"

int test_rpc_tx(void)
{
	return 0;
}
