/*
 * Output descriptors (BIP380 to BIP389, BIP386): read, shown, and expanded
 * to scripts.  All functions but Miniscript's.  Pure; any thread.
 */
#ifndef CLOISTER_ADDRESS_DESCRIPTOR_H
#define CLOISTER_ADDRESS_DESCRIPTOR_H

#include "base/err.h"
#include "consensus/params.h"

struct descriptor;

/* A multipath expression ("<0;1>") stands for several descriptors. */
#define DESCRIPTOR_PATHS_MAX 64

struct descriptors {
	struct descriptor *d[DESCRIPTOR_PATHS_MAX];
	size_t n;
};

/**
 * Read a descriptor, with its checksum where there is one.
 *
 * out      at least one, in the order of the paths; descriptors_clear()
 * why      on failure: the reference node's sentence
 *
 * Private keys in it are kept, in ordinary memory, until it is freed.
 */
NODISCARD bool descriptors_read(struct descriptors *out,
				const struct chain_params *p,
				const char *text, bool need_checksum,
				struct why *why);
void descriptors_clear(struct descriptors *d);

bool descriptor_is_ranged(const struct descriptor *d);
bool descriptor_has_private_keys(const struct descriptor *d);
/** Says how to spend: all but addr() and raw(). */
bool descriptor_is_solvable(const struct descriptor *d);
/** Without private keys, with checksum; new string. */
char *descriptor_text(const struct descriptor *d);
/** The same with the keys of one index in place of extended ones; NULL where
 * they cannot be derived. */
char *descriptor_text_at(const struct descriptor *d, uint32_t index);

/* combo() has four. */
#define DESCRIPTOR_SCRIPTS_MAX 4

struct descriptor_scripts {
	struct bytes s[DESCRIPTOR_SCRIPTS_MAX];
	size_t n;
};

/**
 * The output scripts at an index (no matter which where it is not ranged).
 *
 * return   false: a hardened step needs a private key that is not there
 */
NODISCARD bool descriptor_scripts(struct descriptor_scripts *out,
				  const struct descriptor *d, uint32_t index);
void descriptor_scripts_clear(struct descriptor_scripts *s);

/**
 * Append the one script of a descriptor that is not ranged (of combo(): the
 * one with a witness, if it has one).
 *
 * why      on failure: what is wrong with the text
 */
NODISCARD bool descriptor_to_script(struct bytes *out,
				    const struct chain_params *p,
				    const char *text, struct why *why);

#endif
