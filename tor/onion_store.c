/*
 * Keys of onion services in their files.
 */
#include "config.h"

#include "tor/onion_store.h"

#include <stdlib.h>
#include <string.h>

static bool label(char out[static KEYBOX_LABEL_MAX + 1],
		  const struct secret *seed)
{
	struct onion_key k = {0};
	bool ok = onion_key_from_seed(&k, seed->p);

	if (ok)
		memcpy(out, k.address, sizeof k.address);
	onion_key_clear(&k);
	return ok;
}

static bool is_label(const char *text)
{
	uint8_t key[ONION_KEY_BYTES];

	return onion_parse(key, text);
}

const struct key_sort onion_key_sort = {
	.kind = ONION_KEY_KIND,
	.record = "addr",
	.noun = "address",
	.whose = "our onion address",
	.made_when = "the node first starts its onion service",
	.renew = "start once with -newonion to have a new address",
	.label = label,
	.is_label = is_label,
};

/* The name is to be freed. */
static struct key_store store_of(const struct onion_store *s, char **name)
{
	*name = xasprintf("onion_%s", s->name);
	return (struct key_store){
		.sort = &onion_key_sort, .dir = s->dir, .name = *name,
		.passphrase = s->passphrase, .keep_plain = s->keep_plain,
	};
}

/* Moves it out of f, which is cleared. */
static enum err key_of(struct onion_key *k, struct key_file *f, enum err e)
{
	memset(k, 0, sizeof *k);
	if (!e)
		CHECK(onion_key_from_seed(k, f->seed.p));
	k->encrypted = f->encrypted;
	key_file_clear(f);
	return e;
}

enum err onion_store_load(const struct onion_store *s, struct onion_key *k,
			  struct why *why)
{
	struct key_file f;
	char *name;
	struct key_store ks = store_of(s, &name);
	enum err e = key_store_load(&ks, &f, why);

	free(name);
	return key_of(k, &f, e);
}

enum err onion_store_open(const struct onion_store *s, struct onion_key *k,
			  struct why *why)
{
	struct key_file f;
	char *name;
	struct key_store ks = store_of(s, &name);
	enum err e = key_store_open(&ks, &f, why);

	free(name);
	return key_of(k, &f, e);
}

enum err onion_store_set_aside(const struct onion_store *s, struct why *why)
{
	char *name;
	struct key_store ks = store_of(s, &name);
	enum err e = key_store_set_aside(&ks, why);

	free(name);
	return e;
}

void onion_store_erase(const struct onion_store *s)
{
	char *name;
	struct key_store ks = store_of(s, &name);

	key_store_erase(&ks);
	free(name);
}

enum err onion_store_restore(const struct onion_store *s, bool *changed,
			     const struct onion_key *k, bool force,
			     struct why *why)
{
	struct key_file f = { .encrypted = false };
	char *name;
	struct key_store ks = store_of(s, &name);
	enum err e;

	secret_init(&f.seed, k->seed.n);
	secret_append(&f.seed, k->seed.p, k->seed.n);
	e = key_store_restore(&ks, changed, &f, force, why);
	key_file_clear(&f);
	free(name);
	return e;
}
