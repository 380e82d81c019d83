/*
 * Unit tests of src/validation.
 */
#include "config.h"

#include "validation_tests.h"

int main(void)
{
	int failed = test_validation_headers();

	failed += test_validation_open();
	failed += test_validation_chain();
	failed += test_validation_bip30();
	failed += test_validation_invalid();
	failed += test_validation_random();
	failed += test_validation_repair();
	failed += test_validation_signed();
	failed += test_validation_verify();
	failed += test_validation_import();
	return failed != 0;
}
