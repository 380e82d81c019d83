/*
 * Unit tests of src/p2p.
 */
#include "config.h"

#include "test_p2p.h"

int main(void)
{
	int failed = 0;

	failed += test_p2p_wire();
	failed += test_p2p_messages();
	failed += test_p2p_addrbook();
	failed += test_p2p_presync();
	failed += test_p2p_redial();
	failed += test_p2p_peer();
	failed += test_p2p_conns();
	failed += test_p2p_addrs();
	failed += test_p2p_door();
	failed += test_p2p_links();
	failed += test_p2p_sync();
	failed += test_p2p_tip_watch();
	return failed != 0;
}
