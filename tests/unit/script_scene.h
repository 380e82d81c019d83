/*
 * Building and signing spends for script tests.
 */
#ifndef CLOISTER_TESTS_UNIT_SCRIPT_SCENE_H
#define CLOISTER_TESTS_UNIT_SCRIPT_SCENE_H

#include "consensus/script.h"
#include "consensus/sighash.h"

#define V0_FLAGS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS)
#define TAP_FLAGS (V0_FLAGS | SCRIPT_VERIFY_TAPROOT)
#define MAX_WITNESS 1100
#define NOTHING span_of(NULL, 0)

/* A transaction of two inputs and two outputs; the tests spend input `at`. */
struct scene {
	struct arena arena;
	struct tx tx;
	struct tx_in in[2];
	struct tx_out out[2], spent[2];
	struct span witness[MAX_WITNESS];
	struct sighash_cache cache;
	uint32_t at;             /* the input spent */
	uint8_t internal[32];    /* of the Taproot output, if one was made */
	int parity;
};

struct scene *scene_new(void);
void scene_free(struct scene *s);

/* Scripts; all spans live as long as the scene. */
struct span keep(struct scene *s, struct bytes *b);
/** A script in words, after printf. */
struct span words(struct scene *s, const char *text, ...) PRINTF_LIKE(2, 3);
/** The direct push of these bytes, in words: "0x02 0xabcd". */
const char *push(struct scene *s, struct span v);
/** first, count times word, last. */
struct span repeat(struct scene *s, const char *first, const char *word,
		   unsigned count, const char *last);
struct span wsh(struct scene *s, struct span script);
struct span p2sh(struct scene *s, struct span script);

/* The input at s->at and what it spends. */
void set_pubkey(struct scene *s, struct span script);
void set_sig(struct scene *s, struct span script);
void add_witness(struct scene *s, struct span v);

enum script_error run(struct scene *s, uint32_t flags);
#define EXPECT(s, flags, want) \
	assert_string_equal(script_error_name(run(s, flags)), want)

/* Keys are 32 times the byte `which`. */
void secret(uint8_t key[static 32], uint8_t which);
struct span pubkey(struct scene *s, uint8_t which);
struct span hybrid(struct scene *s, uint8_t which);
struct span xonly(struct scene *s, uint8_t which);
struct spend spend_of(struct scene *s);
/** With the hash type at its end. */
struct span sign(struct scene *s, uint8_t which, struct span code,
		 uint8_t type, enum sig_version version);

#endif
