/*
 * Framing of the version 1 transport: a 24-byte header (magic, command,
 * length, checksum) and the payload.  Incremental; memory grows only with
 * the bytes that really arrived.
 */
#ifndef CLOISTER_P2P_WIRE_H
#define CLOISTER_P2P_WIRE_H

#include "p2p/msg_type.h"

#include "base/bytes.h"

#define WIRE_HEADER_BYTES 24
#define WIRE_PAYLOAD_MAX 4000000u

enum wire_result {
	WIRE_MORE,          /* all input is taken, no message yet */
	WIRE_MESSAGE,       /* type, command and payload are filled */
	WIRE_DROPPED,       /* bad checksum or command: message left out */
	WIRE_BAD_MAGIC,     /* not our network: disconnect */
	WIRE_OVERSIZE,      /* disconnect */
};

/* {0} is a reader at the start of a message. */
struct wire_reader {
	uint8_t head[WIRE_HEADER_BYTES];
	size_t head_n;
	uint32_t length;
	bool done;               /* a message waits to be taken */
	enum msg_type type;
	struct bytes payload;    /* move it out, or leave it */
};

/**
 * Take bytes from *in (advanced) up to the end of one message.  After
 * WIRE_MESSAGE the message is good until the next call, which starts anew;
 * after the two errors the reader is of no use.
 */
enum wire_result wire_feed(struct wire_reader *w, struct span *in,
			   const uint8_t magic[static 4]);
/** Type of the message being received; MSG_UNKNOWN between messages. */
enum msg_type wire_receiving(const struct wire_reader *w);
void wire_clear(struct wire_reader *w);

/** Start a message at the end of out; returns its place for wire_end. */
size_t wire_begin(struct bytes *out, const uint8_t magic[static 4],
		  enum msg_type type);
/** The payload was appended: fill in length and checksum. */
void wire_end(struct bytes *out, size_t at);

#endif
