/*
 * A small network: several engines joined by pipes with delay and bandwidth,
 * each with a simple chain of its own behind a queue.  One clock, one seed.
 */
#ifndef CLOISTER_TESTS_UNIT_P2P_SIM_H
#define CLOISTER_TESTS_UNIT_P2P_SIM_H

#include "base/map.h"
#include "base/random.h"
#include "p2p/messages.h"
#include "p2p/p2p.h"

#define SIM_NODES 12
#define SIM_CONNS 64

/* A block of the world, whoever knows it. */
struct sim_block {
	struct block_hash hash;
	struct block_header header;
	int index, prev, height;
	struct u256 work;
	struct bytes raw;
	bool bad;                    /* refused when it is connected */
};

struct sim;

struct sim_node {
	struct sim *sim;
	int index;
	char host[16];
	struct p2p *p;
	/* the chain: by index of block */
	uint8_t *status;             /* SIM_… bits */
	int tip, best;
	struct u256 minimum;         /* chain work */
	struct sim_cmd *first, **last;
	size_t queued, queue_max;
	bool chain_stopped;          /* answers nothing */
	bool deaf;                   /* takes no bytes in, sends none */
	bool withholds;              /* never gives a block out */
	bool corrupts;               /* gives blocks with another body */
	bool ibd;
	/* counts for tests */
	unsigned headers_cmds, blocks_in, blocks_dup, blocks_served;
	unsigned unrequested, low_work, refused;
};

struct sim_chunk {
	int64_t due_ms;
	struct bytes data;
	size_t at;
	struct sim_chunk *next;
};

struct sim_pipe {
	struct sim_chunk *first, **last;
	int64_t free_ms;             /* the line is busy until then */
	size_t queued;
	bool stopped;                /* the receiver does not read */
};

struct sim_conn {
	bool open;
	struct sim_node *node[2];    /* [0] dialled */
	peer_id id[2];
	struct sim_pipe pipe[2];     /* [i]: towards node[i] */
	enum close_reason reason;
	int closed_by;               /* 0, 1; -1: open */
};

struct sim {
	struct chain_params params;
	struct prng rng;
	int64_t ms, unix0;
	struct sim_block **blocks;
	size_t blocks_n;
	struct map by_hash;
	struct sim_node *nodes[SIM_NODES];
	size_t nodes_n;
	struct sim_conn conns[SIM_CONNS];
	size_t conns_n;
	peer_id last_id;
	int64_t latency_ms;
	size_t bytes_per_ms;         /* of each pipe; per node: sim_slow */
	size_t node_rate[SIM_NODES]; /* 0: the default */
};

struct sim *sim_new(void);
void sim_free(struct sim *s);
/** A node whose chain is genesis; minimum work in blocks (0: none). */
struct sim_node *sim_add(struct sim *s, uint32_t min_work_blocks);
/** Mine on a block (0 is genesis); returns the new block's index. */
int sim_mine(struct sim *s, int prev, size_t body_bytes);
int sim_mine_many(struct sim *s, int prev, int n, size_t body_bytes);
/** The node gets a chain up to a block, as if it had always had it. */
void sim_give(struct sim_node *n, int block);
void sim_link(struct sim_node *from, struct sim_node *to);
void sim_run(struct sim *s, int64_t ms);
/** Run until the node's tip is that block; false after `ms`. */
bool sim_until(struct sim_node *n, int block, int64_t ms);
unsigned sim_open(const struct sim_node *n);   /* connections */

#endif
