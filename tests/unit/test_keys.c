/*
 * Unit tests of src/keys.
 */
#include "config.h"

#include "test_keys.h"

int main(void)
{
	return test_keys_box() + test_keys_file() + test_keys_passphrase() +
	       test_keys_backup() != 0;
}
