/*
 * cloisterd starts here.
 */
#include "config.h"

int main(void)
{
	return 1;
}
