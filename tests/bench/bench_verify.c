/*
 * T: how long one signature verification takes on one thread of this
 * machine, parsing of key and signature included.  Prints JSON, in
 * microseconds: the median of several rounds.
 *
 *   bench_verify [ROUNDS]
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/hash.h"
#include "crypto/secp.h"

#define SAMPLES 256
#define PASSES 4
#define MAX_ROUNDS 101

struct sample {
	uint8_t msg[32], pubkey[33], der[72], schnorr[64];
	size_t der_n;
};

static void sample_make(struct sample *s, uint32_t i)
{
	static const uint8_t aux[32];
	uint8_t key[32];

	sha256(key, &i, sizeof(i));
	sha256(s->msg, key, sizeof(key));
	CHECK(secp_pubkey_create(s->pubkey, key));
	CHECK(secp_ecdsa_sign(s->der, &s->der_n, s->msg, key));
	CHECK(secp_schnorr_sign(s->schnorr, s->msg, key, aux));
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool verify(const struct sample *s, bool schnorr)
{
	if (schnorr)
		return secp_schnorr_verify(s->msg, s->schnorr, s->pubkey + 1);
	return secp_ecdsa_verify(s->msg, span_of(s->der, s->der_n),
				 span_of(s->pubkey, sizeof(s->pubkey)));
}

static double round_us(const struct sample *s, bool schnorr)
{
	double start = now_us();

	for (int pass = 0; pass < PASSES; pass++)
		for (int i = 0; i < SAMPLES; i++)
			CHECK(verify(&s[i], schnorr));
	return (now_us() - start) / (PASSES * SAMPLES);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 9;
	double us[2][MAX_ROUNDS];
	struct sample *s = xcalloc(SAMPLES, sizeof(*s));

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: bench_verify [ROUNDS]\n");
		return 2;
	}
	for (uint32_t i = 0; i < SAMPLES; i++)
		sample_make(&s[i], i);
	for (long r = 0; r < rounds; r++) {
		us[0][r] = round_us(s, false);
		us[1][r] = round_us(s, true);
	}
	for (int k = 0; k < 2; k++)
		qsort(us[k], (size_t)rounds, sizeof(us[k][0]), by_value);
	printf("{\"ecdsa_us\": %.2f, \"schnorr_us\": %.2f}\n",
	       us[0][rounds / 2], us[1][rounds / 2]);
	free(s);
	return 0;
}
