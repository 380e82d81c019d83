/*
 * Unit tests of src/base.
 */
#include "config.h"

#include "test_base.h"

int main(void)
{
	return test_base_bytes() + test_base_map() + test_base_file() +
	       test_base_log() + test_base_actor() + test_base_workers() +
	       test_base_secret() != 0;
}
