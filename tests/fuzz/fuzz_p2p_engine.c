/*
 * Random messages to an engine from a peer after its handshake, with a chain
 * that answers now and then.  Input: a byte of type, two of length, then the
 * payload; type 0xff is raw bytes, 0xfe an event of the chain or of time.
 */
#include "config.h"

#include "tests/unit/p2p_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void headers_answer(struct rig *r, uint8_t how)
{
	struct headers_reply reply = {
		.peer = r->headers_peer, .given = r->headers_count,
		.reason = "fuzz", .has_start = true,
		.verdict = (enum verdict)(how % VERDICT_COUNT),
		.start_bits = r->params.genesis.bits,
	};

	if (!r->headers_peer || r->peers[r->headers_peer].closed)
		return;
	reply.start.hash = r->params.genesis_hash;
	u256_block_work(&reply.start.work, reply.start_bits);
	if (reply.verdict == VERDICT_OK) {
		reply.accepted = reply.given;
		reply.last = reply.start;
		reply.last.height = how;
		reply.common_height = how / 2;
	}
	p2p_on_headers_result(r->p, &reply);
}

static void plan_answer(struct rig *r, uint8_t how)
{
	struct plan_block blocks[16] = { 0 };
	struct plan_reply reply = { .blocks = blocks };
	size_t i;

	reply.block_count = how % 16;
	for (i = 0; i < reply.block_count; i++) {
		blocks[i].hash.b[0] = (uint8_t)(how + i);
		blocks[i].hash.b[1] = 1;
		blocks[i].height = (int)i + 1;
	}
	p2p_on_plan(r->p, &reply);
}

static void block_answer(struct rig *r, peer_id id, uint8_t how)
{
	struct block_reply reply = {
		.peer = id, .hash = r->block_hash, .reason = "fuzz",
		.verdict = (enum verdict)(how % VERDICT_COUNT),
		.is_new = how & 1,
	};
	struct bytes raw = { 0 };

	p2p_on_block_result(r->p, &reply);
	p2p_on_block_checked(r->p, &r->block_hash,
			     (enum verdict)(how % VERDICT_COUNT), "fuzz");
	if (how & 2)
		bytes_append(&raw, &how, 1);
	p2p_on_served_block(r->p, id, &r->serve_hash, &raw);
	p2p_on_served_headers(r->p, id, span_of(NULL, 0), 0);
}

static void event(struct rig *r, peer_id id, struct span in)
{
	uint8_t what = in.n ? in.p[0] : 0, how = in.n > 1 ? in.p[1] : 0;

	switch (what % 8) {
	case 0:
		rig_tick(r, how * 100 + 1);
		break;
	case 1:
		headers_answer(r, how);
		break;
	case 2:
		plan_answer(r, how);
		break;
	case 3:
		block_answer(r, id, how);
		break;
	case 4:
		r->refuse = how & 1;
		break;
	case 5:
		rig_tip_genesis(r);
		break;
	case 6:
		r->peers[id].queued = how * 100000u;
		p2p_peer_drained(r->p, id);
		break;
	case 7:
		p2p_chain_ready(r->p);
		break;
	}
}

static void item(struct rig *r, peer_id id, uint8_t type, struct span in)
{
	struct bytes b = { 0 };
	size_t at, used;

	if (type == 0xfe) {
		event(r, id, in);
		return;
	}
	if (type == 0xff) {
		bytes_append(&b, in.p, in.n);
	} else {
		at = wire_begin(&b, r->params.magic, (enum msg_type)
				(1 + type % (MSG_TYPE_COUNT - 1)));
		bytes_append(&b, in.p, in.n);
		wire_end(&b, at);
	}
	p2p_peer_bytes(r->p, id, bytes_span(&b), &used);
	CHECK(used <= b.n);
	CHECK(used == b.n || r->peers[id].stopped || r->peers[id].closed);
	bytes_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rig *r = rig_new(NULL);
	struct reader in = reader_of(span_of(data, n));
	peer_id id;
	struct msg m;

	rig_tip_genesis(r);
	if (n && data[0] & 2) {
		id = rig_knock(r, 1);
		rig_handshake(r, id, SERVICE_NETWORK);
	} else {
		id = n && data[0] & 1 ? rig_outbound(r) : rig_inbound(r);
	}
	while (reader_left(&in) >= 3 && !r->peers[id].closed) {
		uint8_t type = read_u8(&in);
		size_t len = read_u16(&in);

		len = MIN_OF(len, reader_left(&in));
		item(r, id, type, read_span(&in, len));
		/* What the engine sends is always well-formed. */
		while (rig_next(r, id, &m))
			;
	}
	rig_free(r);
	return 0;
}
