/*
 * Unit tests of src/validation.
 */
#include "config.h"

#include "validation_tests.h"

int main(void)
{
	return test_validation_chain() + test_validation_open() +
	       test_validation_import() +
	       test_validation_invalid() != 0;
}
