/*
 * The rows themselves.
 */
#include "config.h"

#include "conf/options.h"

#include <string.h>

#define BOTH (OPTION_NODE | OPTION_CLI)
#define NODE OPTION_NODE
#define CLI OPTION_CLI

#define ROW_BOOL(g, f, n, d, h) \
	{ n, OPTION_GROUP_##g, OPTION_BOOL, f, d, NULL, 0, 1, h }
#define ROW_INT(g, f, n, d, unit, lo, hi, h) \
	{ n, OPTION_GROUP_##g, OPTION_INT, f, d, unit, lo, hi, h }
#define ROW_TEXT(g, f, n, d, a, h) \
	{ n, OPTION_GROUP_##g, OPTION_TEXT, f, d, a, 0, 0, h }
#define ROW_PATH(g, f, n, d, a, h) \
	{ n, OPTION_GROUP_##g, OPTION_PATH, f, d, a, 0, 0, h }

const char *const option_group_names[OPTION_GROUP_COUNT] = {
	[OPTION_GROUP_GENERAL] = "General",
	[OPTION_GROUP_CHAIN] = "Chain",
	[OPTION_GROUP_MEMPOOL] = "Mempool",
	[OPTION_GROUP_PEERS] = "Peers",
	[OPTION_GROUP_TOR] = "Tor",
	[OPTION_GROUP_RPC] = "RPC",
	[OPTION_GROUP_LOG] = "Log",
	[OPTION_GROUP_TEST] = "Test chains",
	[OPTION_GROUP_CLIENT] = "Client",
};

const struct option_spec option_table[] = {
	/* General */
	ROW_BOOL(GENERAL, BOTH | OPTION_NO_FILE, "help", "0",
		 "Print this text and exit (also -h and -?)."),
	ROW_BOOL(GENERAL, BOTH | OPTION_NO_FILE, "version", "0",
		 "Print the version and exit."),
	ROW_PATH(GENERAL, BOTH | OPTION_NO_FILE, "conf", "cloister.conf",
		 "FILE", "Config file; a relative path is taken from the data "
		 "directory."),
	ROW_PATH(GENERAL, BOTH, "datadir", "~/.cloister", "DIR",
		 "Data directory. Created with mode 0700."),
	ROW_TEXT(GENERAL, NODE, "walls", NULL, "MODE",
		 "Walls that the kernel keeps up around the node: strict "
		 "(all of them, or no start), auto (those that this system "
		 "offers) or, on regtest only, off. The default is strict "
		 "where this system offers all, else auto with a warning."),
	ROW_TEXT(GENERAL, NODE, "user", NULL, "NAME",
		 "When started as root: become this user first. Needs "
		 "-datadir."),
	ROW_TEXT(GENERAL, BOTH, "chain", "main", "NAME",
		 "Chain to use: main, test, testnet4, signet or regtest."),
	ROW_BOOL(GENERAL, BOTH, "regtest", "0", "Same as -chain=regtest."),
	ROW_BOOL(GENERAL, BOTH, "signet", "0", "Same as -chain=signet."),
	ROW_BOOL(GENERAL, BOTH, "testnet", "0", "Same as -chain=test."),
	ROW_BOOL(GENERAL, BOTH, "testnet4", "0", "Same as -chain=testnet4."),

	ROW_INT(GENERAL, NODE, "respawn", "1", "N", 0, 1000,
		"Start the node process again after so many crashes within an "
		"hour; tor is kept running meanwhile."),

	/* Chain */
	ROW_INT(CHAIN, NODE, "dbcache", "450", "MiB", 4, 1048576,
		"Memory for all chain caches together; not less than "
		"-dbcachemin."),
	ROW_INT(CHAIN, NODE, "dbcachemin", "40", "MiB", 1, 1048576,
		"The least that -dbcache is taken as: with less, the disk "
		"is written much more, and little memory is won."),
	ROW_INT(CHAIN, NODE, "checkblocks", "6", "N", 0, INT32_MAX,
		"How many of the newest blocks to verify at the start; 0: "
		"all."),
	ROW_INT(CHAIN, NODE, "checklevel", "3", "N", 0, 4,
		"How thoroughly: 0 reads them, 1 checks their own rules, 2 "
		"reads their undo data, 3 takes them back in memory, 4 "
		"connects them again; each includes those before it."),
	ROW_BOOL(CHAIN, NODE | OPTION_NO_FILE, "reindex", "0",
		 "Make the block index and the coins again from the block "
		 "files. Interrupted, it goes on at the next start."),
	ROW_BOOL(CHAIN, NODE | OPTION_NO_FILE, "reindex-chainstate", "0",
		 "Make the coins again from the stored blocks."),
	ROW_INT(CHAIN, NODE, "prune", "0", "MiB", INT64_MIN, 1 << 30,
		"Keep no more than so much of block files (at least 550), by "
		"removing old ones. 1: only what the RPC call pruneblockchain "
		"is told to; 0: keep all. Going back to 0 needs -reindex, "
		"which downloads the chain again."),
	ROW_INT(CHAIN, NODE, "par", "0", "N", -1024, 64,
		"Threads that check scripts, the chain's own included: 0 for "
		"one per core, a negative number to leave that many cores "
		"free."),
	ROW_BOOL(CHAIN, NODE, "txindex", "0",
		 "Keep an index of all transactions, for getrawtransaction."),
	ROW_TEXT(CHAIN, NODE, "blockfilterindex", "0", "basic",
		 "Keep an index of BIP158 block filters, for getblockfilter: "
		 "basic (or 1) or 0."),
	ROW_BOOL(CHAIN, NODE, "coinstatsindex", "0",
		 "Keep statistics of the coins at each height, for "
		 "gettxoutsetinfo. These indexes are made in the background, "
		 "below indexes/, and can be switched on and off at any "
		 "start."),
	ROW_PATH(CHAIN, NODE, "snapshotdir", NULL, "DIR",
		 "Where dumptxoutset writes and loadtxoutset reads files. The "
		 "default is node/ in the chain's directory."),
	ROW_TEXT(CHAIN, NODE, "assumevalid", NULL, "HASH",
		 "Skip script checks of this block's ancestors; 0 checks every "
		 "script. The default depends on the chain."),
	ROW_TEXT(CHAIN, NODE, "minimumchainwork", NULL, "HEX",
		 "Work that a chain needs before it is believed. The default "
		 "depends on the chain."),
	ROW_PATH(CHAIN, NODE | OPTION_LIST, "loadblock", NULL, "FILE",
		 "Import blocks at start from a block file or from a directory "
		 "of them, the reference node's too (xor.dat is honoured)."),
	ROW_BOOL(CHAIN, NODE, "stopafterblockimport", "0",
		 "Stop when -loadblock has done its work."),

	/* Mempool */
	ROW_INT(MEMPOOL, NODE, "maxmempool", "300", "MB", 5, 1048576,
		"Memory for unconfirmed transactions; those that pay least go "
		"first."),
	ROW_INT(MEMPOOL, NODE, "mempoolexpiry", "336", "HOURS", 1, 1000000,
		"Drop transactions that were not mined in so long."),
	ROW_BOOL(MEMPOOL, NODE, "blocksonly", "0",
		 "Neither take transactions from peers nor pass them on. The "
		 "node's own are still told."),
	ROW_BOOL(MEMPOOL, NODE, "persistmempool", "1",
		 "Keep unconfirmed transactions across restarts."),
	ROW_TEXT(MEMPOOL, NODE, "minrelaytxfee", "0.000001", "BTC",
		 "Transactions that pay less per 1000 vbytes are not taken."),
	ROW_TEXT(MEMPOOL, NODE, "incrementalrelayfee", "0.000001", "BTC",
		 "What a replacement pays more per 1000 vbytes of its own, "
		 "at least."),
	ROW_TEXT(MEMPOOL, NODE, "dustrelayfee", "0.00003", "BTC",
		 "The fee per 1000 vbytes at which an output that is not worth "
		 "its own spending is dust."),
	ROW_BOOL(MEMPOOL, NODE, "datacarrier", "1",
		 "Take transactions with data in OP_RETURN outputs."),
	ROW_INT(MEMPOOL, NODE, "datacarriersize", "100000", "BYTES", 0,
		4000000,
		"Bytes of all OP_RETURN outputs of a transaction together, "
		"at most."),
	ROW_BOOL(MEMPOOL, NODE, "permitbaremultisig", "0",
		 "Take transactions with multisig outputs outside of P2SH or "
		 "P2WSH."),
	ROW_INT(MEMPOOL, NODE, "limitclustercount", "64", "N", 1, 64,
		"Transactions of the mempool that may hang together."),
	ROW_INT(MEMPOOL, NODE, "limitclustersize", "101", "KVB", 1, 10000,
		"Their size together."),
	ROW_BOOL(MEMPOOL, NODE, "acceptnonstdtxn", "0",
		 "Take any valid transaction (test chains only)."),

	/* Peers */
	ROW_BOOL(PEERS, NODE, "listen", "1",
		 "Accept peers, through an onion service of our own. Off by "
		 "default where -connect is given."),
	ROW_BOOL(PEERS, NODE, "publiconion", NULL,
		 "Publish that onion service, for anybody. As -listen unless "
		 "given; trusted peers have doors of their own in any "
		 "case."),
	ROW_BOOL(PEERS, NODE, "trustedonly", "0",
		 "Connect to and accept trusted peers only (`cloister-cli peer "
		 "--help`): no public onion service, no other peers, no "
		 "seeds."),
	ROW_PATH(PEERS, NODE, "trustca", NULL, "FILE",
		 "Certificates (PEM) of a CA of yours: at a trusted peer's "
		 "place, a chain that ends in it and names the peer's node id "
		 "as URI is accepted, too."),
	ROW_PATH(PEERS, NODE, "trustcrl", NULL, "FILE",
		 "That CA's revocation list (PEM), read again when it has "
		 "changed; where it is missing, nobody is accepted by the CA. "
		 "Best in a directory of its own: the node may read all of "
		 "it."),
	ROW_TEXT(PEERS, NODE | OPTION_LIST | OPTION_NET, "connect", NULL,
		 "ADDR", "Connect to these peers only (ADDR is a v3 onion "
		 "address, :port optional); 0 for no outbound peers at all."),
	ROW_TEXT(PEERS, NODE | OPTION_LIST | OPTION_NET, "addnode", NULL,
		 "ADDR", "Keep a connection to this peer, besides others."),
	ROW_TEXT(PEERS, NODE | OPTION_LIST | OPTION_NET, "seednode", NULL,
		 "ADDR", "Ask this peer for addresses, then leave it."),
	ROW_BOOL(PEERS, NODE, "dnsseed", "1",
		 "On mainnet, while no address of any node is known and "
		 "-connect is not given: ask some well-known seeds for "
		 "addresses. Their names are given to Tor only; this machine "
		 "never looks them up."),
	ROW_INT(PEERS, NODE, "maxconnections", "125", "N", 0, 10000,
		"Connections at most, in and out together."),
	ROW_INT(PEERS, NODE | OPTION_NET, "port", NULL, "PORT", 1, 65535,
		"Port of the onion service. The default depends on the "
		"chain."),
	ROW_TEXT(PEERS, NODE | OPTION_NET, "bind", NULL, "ADDR",
		 "On regtest only: accept plain TCP on this loopback address "
		 "instead of an onion service."),

	/* Tor */
	ROW_PATH(TOR, NODE, "tor", "tor", "PROGRAM",
		 "The tor program to run."),
	ROW_PATH(TOR, NODE, "torrc", NULL, "FILE",
		 "Lines to add to the configuration of the managed tor (for "
		 "bridges or a test network)."),
	ROW_TEXT(TOR, NODE, "torversion", NULL, "any",
		 "Accept a tor older than the least known to be safe."),

	ROW_PATH(TOR, NODE, "keypassfile", NULL, "FILE",
		 "Keep the keys encrypted, under the passphrase that is the "
		 "one line of this file."),
	ROW_INT(TOR, NODE | OPTION_NO_FILE, "keypassfd", NULL, "N", 0, 65535,
		"The same, read from this inherited file descriptor. Without "
		"either, the systemd credential cloister.keypass is taken if "
		"there is one."),
	ROW_PATH(TOR, NODE | OPTION_NO_FILE, "changekeypass", NULL, "FILE",
		 "Put all encrypted keys under the passphrase in this file (- to "
		 "type it on the terminal), and exit. The one they have is given as "
		 "above, or asked on the terminal."),
	ROW_BOOL(TOR, NODE | OPTION_NO_FILE, "removekeypass", "0",
		 "Store all keys unencrypted, and exit."),
	ROW_PATH(TOR, NODE | OPTION_NO_FILE, "backupkeys", NULL, "FILE",
		 "Write all keys to a new file, encrypted under a passphrase "
		 "(given as above, or asked on the terminal), and exit."),
	ROW_PATH(TOR, NODE | OPTION_NO_FILE, "restorekeys", NULL, "FILE",
		 "Put the keys of such a file in their place, and exit. Other "
		 "keys are not overwritten."),
	ROW_BOOL(TOR, NODE | OPTION_NO_FILE, "restoreforce", "0",
		 "With -restorekeys: set other keys aside."),
	ROW_BOOL(TOR, NODE | OPTION_NO_FILE, "newonion", "0",
		 "Have a new onion address; what is left of the old one is set "
		 "aside."),
	ROW_BOOL(TOR, NODE | OPTION_NO_FILE, "showonion", "0",
		 "Print the onion address that the key in the data directory "
		 "gives, and exit."),

	ROW_BOOL(TOR, NODE | OPTION_NO_FILE, "newidentity", "0",
		 "Have a new node id, which every trusted peer must be told; "
		 "what is left of the old one is set aside."),
	ROW_BOOL(TOR, NODE | OPTION_NO_FILE, "showidentity", "0",
		 "Print the node id that the key in the data directory gives, "
		 "and its eight words, and exit."),

	/* RPC */
	ROW_BOOL(RPC, NODE, "server", "1", "Answer RPC."),
	ROW_TEXT(RPC, NODE | OPTION_LIST | OPTION_NET, "rpcbind",
		 "127.0.0.1", "ADDR", "Loopback address to answer RPC on, "
		 ":port optional; 0 for the unix socket alone."),
	ROW_INT(RPC, BOTH | OPTION_NET, "rpcport", NULL, "PORT", 1, 65535,
		"RPC port. The default depends on the chain."),
	ROW_TEXT(RPC, BOTH, "rpcuser", NULL, "NAME", "RPC user name."),
	ROW_TEXT(RPC, BOTH | OPTION_SECRET, "rpcpassword", NULL, "TEXT",
		 "RPC password. The cookie or -rpcauth is better."),
	ROW_TEXT(RPC, NODE | OPTION_LIST, "rpcauth", NULL, "USER:SALT$HASH",
		 "User and salted hash of a password (HMAC-SHA-256)."),
	ROW_PATH(RPC, BOTH, "rpccookiefile", ".cookie", "FILE",
		 "Where the cookie is; a relative path is taken from the "
		 "chain's directory."),
	ROW_INT(RPC, NODE, "rpcservertimeout", "30", "SECONDS", 1, 86400,
		"Time that an HTTP request may take to arrive."),
	ROW_INT(RPC, NODE, "rpcworkqueue", "64", "N", 1, 100000,
		"Requests that may wait for an answer."),

	/* Log */
	ROW_TEXT(LOG, NODE | OPTION_LIST, "debug", NULL, "CATEGORY",
		 "Write debug messages of a category: node, conf, tor, tls, "
		 "net, p2p, rpc, chain, store, mempool, bench, or all; "
		 "CATEGORY:trace for more."),
	ROW_BOOL(LOG, NODE, "printtoconsole", "0",
		 "Write the log to standard output too."),
	ROW_PATH(LOG, NODE, "debuglogfile", "debug.log", "FILE",
		 "The log; a relative path is taken from the chain's "
		 "directory; 0 for none."),

	/* Test chains */
	ROW_TEXT(TEST, NODE | OPTION_LIST, "testactivationheight", NULL,
		 "NAME@HEIGHT", "On regtest: activation height of bip34, "
		 "dersig, cltv, csv or segwit."),
	ROW_BOOL(TEST, NODE, "test-bip94", "0",
		 "On regtest: testnet4's rules for timestamps and "
		 "retargeting."),
	ROW_TEXT(TEST, NODE, "signetchallenge", NULL, "HEX",
		 "On signet: the script that block solutions must satisfy."),
	ROW_TEXT(TEST, NODE | OPTION_LIST, "testsnapshot", NULL,
		 "HEIGHT:BLOCK:COINS:TXS", "Have loadtxoutset accept this "
		 "snapshot too: its block and hash_serialized_3, and the "
		 "transactions up to there. Whoever gives you one to set can "
		 "give you coins that do not exist."),
	ROW_BOOL(TEST, NODE, "fastprune", "0",
		 "On regtest: block files of 64 KiB, and pruning from height "
		 "100 on."),
	ROW_INT(TEST, NODE, "mocktime", NULL, "SECONDS", 0, INT64_MAX,
		"On regtest: the time to believe, in seconds since 1970."),
	ROW_INT(TEST, NODE, "leaflife", NULL, "SECONDS", 2, 2592000,
		"On regtest: how long a certificate for trusted peers lives; "
		"of wrong clocks a quarter of that is put up with."),

	/* Client */
	ROW_TEXT(CLIENT, CLI | OPTION_NO_FILE, "rpcconnect", "127.0.0.1",
		 "ADDR", "Loopback address of the node."),
	ROW_PATH(CLIENT, CLI | OPTION_NO_FILE, "rpcunix", NULL, "PATH",
		 "Talk to this unix socket instead of a TCP port."),
	ROW_TEXT(CLIENT, CLI | OPTION_NO_FILE, "remote", NULL, "NAME",
		 "Call the RPC of this trusted peer, through the node here."),
	ROW_BOOL(CLIENT, CLI | OPTION_NO_FILE, "rpcwait", "0",
		 "Wait for the node to start answering."),
	ROW_INT(CLIENT, CLI | OPTION_NO_FILE, "rpcwaittimeout", "0",
		"SECONDS", 0, 31536000, "Longest wait; 0 is for ever."),
	ROW_INT(CLIENT, CLI | OPTION_NO_FILE, "rpcclienttimeout", "900",
		"SECONDS", 0, 31536000,
		"Longest wait for an answer; 0 is for ever."),
	ROW_BOOL(CLIENT, CLI | OPTION_NO_FILE, "stdin", "0",
		 "Read further parameters from standard input, one a line."),
	ROW_BOOL(CLIENT, CLI | OPTION_NO_FILE, "stdinrpcpass", "0",
		 "Read the RPC password from standard input's first line."),
	ROW_BOOL(CLIENT, CLI | OPTION_NO_FILE, "named", "0",
		 "Parameters are given as name=value."),
	ROW_BOOL(CLIENT, CLI | OPTION_NO_FILE, "getinfo", "0",
		 "Show the state of the node: progress, peers, Tor."),
};
const size_t option_count = ARRAY_SIZE(option_table);

const struct option_spec *option_find(const char *name, unsigned who)
{
	for (size_t i = 0; i < option_count; i++) {
		if ((option_table[i].flags & who) &&
		    strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	}
	return NULL;
}
