/*
 * Unit tests of src/mempool.
 */
#include "config.h"

#include "test_mempool.h"

int main(void)
{
	int failed = test_mempool_linearize();

	failed += test_mempool_fees();
	failed += test_mempool_policy();
	failed += test_mempool_pool();
	failed += test_mempool_reorg();
	return failed != 0;
}
