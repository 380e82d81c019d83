/*
 * What the warden and the node say to each other, over one SOCK_SEQPACKET
 * pair.  One message is one packet.  docs/link.md has the layout.
 *
 * Pure; any thread.  The node is never told the machine's addresses, keys, or
 * anything of tor's control conversation but what stands here.
 */
#ifndef CLOISTER_TOR_LINK_H
#define CLOISTER_TOR_LINK_H

#include "base/bytes.h"
#include "tor/health.h"

#define LINK_VERSION 3
#define LINK_MESSAGE_MAX 4096     /* bytes of one message */
#define LINK_TEXT_MAX 400         /* bytes of a sentence, without the NUL */
#define LINK_NAME_MAX 32          /* of a door's name */
#define LINK_ADDRESS_MAX 64       /* "….onion" is 62 */
#define LINK_TOR_VERSION_MAX 32
#define LINK_KEY_SIZE 32          /* of a client authorization's keys */
#define LINK_BLOB_MAX 2048        /* of the signer's bytes */
#define LINK_DOORS_MAX 64         /* private doors, and keys for others' */

enum link_type {
	/* warden to node */
	LINK_TOR_STATE = 1,
	LINK_DOOR = 2,
	LINK_STOP = 3,            /* end cleanly; also when the link closes */
	LINK_LOG_REOPEN = 4,      /* the log's file comes with the packet */
	LINK_SOCKS = 5,           /* the answer to LINK_SOCKS_OPEN */
	LINK_DOOR_LISTEN = 6,     /* a private door's listener comes along */
	LINK_SIGNED = 7,          /* the answer to LINK_SIGN */
	LINK_HEALTH = 8,          /* how tor is, check by check */
	/* node to warden */
	LINK_READY = 64,          /* started: RPC answers, peers are served */
	LINK_NEWNYM = 65,         /* fresh circuits, please */
	LINK_CLOSE_CIRCUIT = 66,  /* end an inbound circuit with its streams */
	LINK_DOOR_ADD = 67,       /* a private door is wished for */
	LINK_DOOR_REMOVE = 68,    /* … no longer */
	LINK_SOCKS_OPEN = 69,     /* a connection to tor's SOCKS port */
	LINK_DOOR_ALIVE = 70,     /* our own onion answered through Tor */
	LINK_DOOR_DEAD = 71,      /* … did not, several times: repair it */
	LINK_CLIENT_AUTH_ADD = 72,     /* the key to another's private door */
	LINK_CLIENT_AUTH_REMOVE = 73,
	LINK_DOORS_TOLD = 74,     /* all wishes are told: drop what is not
				   * among them */
	LINK_SIGN = 75,           /* a certificate by the identity key */
	LINK_REFRESH = 76,        /* fetch the descriptor of an onion: it may
				   * be another by now */
};

enum tor_phase {
	TOR_OFF,           /* not wanted (use_tor is false) */
	TOR_STARTING,      /* the process starts; nothing can be dialled */
	TOR_BOOTSTRAPPING, /* connecting to the Tor network */
	TOR_READY,         /* onions can be dialled */
	TOR_DOWN,          /* see problem; it is tried again by itself */
	TOR_PHASE_COUNT,
};

struct link_tor_state {
	enum tor_phase phase;
	uint8_t bootstrap_percent;
	uint32_t circuits;        /* rendezvous circuits joined with a peer */
	int32_t clock_skew_s;     /* negative: our clock is late; 0: no hint */
	uint32_t restarts;        /* times tor was started again */
	char version[LINK_TOR_VERSION_MAX + 1];   /* "0.4.9.11", or "" */
	char summary[LINK_TEXT_MAX + 1];  /* one line on the present state */
	char problem[LINK_TEXT_MAX + 1];  /* last problem, kept; "" for none */
};

enum door_state {
	DOOR_NONE,         /* no address, or tor is not running */
	DOOR_PUBLISHING,   /* descriptor not yet uploaded */
	DOOR_REACHABLE,    /* uploaded */
	DOOR_FAILED,       /* see problem */
	DOOR_STATE_COUNT,
};

struct link_door {
	char name[LINK_NAME_MAX + 1];             /* "public" */
	enum door_state state;
	char address[LINK_ADDRESS_MAX + 1];       /* "….onion", or "" */
	uint16_t port;
	uint32_t uploads;         /* descriptors uploaded since tor started */
	char problem[LINK_TEXT_MAX + 1];
};

/* What became of a LINK_SOCKS_OPEN. */
enum socks_open {
	SOCKS_OPEN_OK,     /* the descriptor comes with the packet */
	SOCKS_OPEN_BUSY,   /* tor's backlog is full: ask again soon */
	SOCKS_OPEN_DOWN,   /* tor does not listen */
	SOCKS_OPEN_COUNT,
};

/* Whom a connection to a SOCKS port is for: each kind has its own port. */
enum socks_kind {
	SOCKS_PEER,        /* onions only: tor refuses anything else */
	SOCKS_SEED,        /* a seed's name: no onions */
	SOCKS_KIND_COUNT,
};

struct link_socks {
	uint32_t id;              /* the node's number for its request */
	enum socks_open result;   /* LINK_SOCKS only */
	enum socks_kind kind;     /* LINK_SOCKS_OPEN only */
};

/* What a private door leads to, each with a virtual port of its own. */
enum door_port {
	DOOR_P2P,
	DOOR_ENROL,        /* enrolment, and what peers tell of their doors */
	DOOR_RPC,
	DOOR_PORT_COUNT,
};
#define DOOR_PORT_BIT(p) (1u << (p))
#define DOOR_PORT_ALL ((1u << DOOR_PORT_COUNT) - 1)
uint16_t door_port_number(enum door_port p);      /* 8333, 8331, 8332 */

/* Names of private doors: "d" and ten hex digits, as the node chose. */
bool link_door_name_ok(const char *name);

/* A private door: an onion service that only the holder of one key finds. */
struct link_door_wish {
	char name[LINK_NAME_MAX + 1];
	uint8_t ports;                    /* LINK_DOOR_ADD: bits, not 0 */
	enum door_port port;              /* LINK_DOOR_LISTEN */
	uint8_t client[LINK_KEY_SIZE];    /* LINK_DOOR_ADD: X25519, public */
	bool forget;                      /* LINK_DOOR_REMOVE: its key too */
};

struct link_client_auth {
	char address[LINK_ADDRESS_MAX + 1];     /* of another's door */
	uint8_t key[LINK_KEY_SIZE];       /* …_ADD: X25519, private */
};

/* What the signer is asked and answers: not the link's to understand. */
struct link_blob {
	size_t n;
	uint8_t b[LINK_BLOB_MAX];
};

struct link_msg {
	enum link_type type;
	union {
		struct link_tor_state tor;        /* LINK_TOR_STATE */
		struct link_door door;            /* LINK_DOOR */
		uint32_t circuit;                 /* LINK_CLOSE_CIRCUIT */
		struct link_socks socks;          /* LINK_SOCKS, …_OPEN */
		struct link_door_wish wish;       /* LINK_DOOR_ADD, …_REMOVE,
						   * …_LISTEN */
		struct link_blob blob;            /* LINK_SIGN, …_SIGNED */
		struct link_client_auth auth;     /* LINK_CLIENT_AUTH_…;
						   * LINK_REFRESH: address */
		struct health health;             /* LINK_HEALTH */
	} u;
};

enum link_side {
	LINK_FROM_WARDEN,
	LINK_FROM_NODE,
};

/**
 * Append one message to out.  Control characters in texts become '?'; text
 * that would end in the middle of a UTF-8 sequence is cut before it.
 */
void link_msg_write(struct bytes *out, const struct link_msg *m);
/**
 * Read one whole packet from the given side; false if it is not exactly one
 * well-formed message that this side may send.  Strings come out terminated.
 */
NODISCARD bool link_msg_read(struct link_msg *m, enum link_side from,
			     struct span packet);

/** Copy text, cut at size-1 bytes, always terminated. */
void link_text_set(char *out, size_t size, const char *text);

const char *tor_phase_name(enum tor_phase p);     /* "ready" */
const char *door_state_name(enum door_state s);   /* "reachable" */

#endif
