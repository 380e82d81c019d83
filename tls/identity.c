/*
 * The identity key in its file.
 */
#include "config.h"

#include "tls/identity.h"

#include <string.h>

#include "tls/cert.h"

bool identity_from_seed(struct identity *out, const struct secret *seed)
{
	struct tls_key *k = tls_key_from_seed(seed);

	memset(out, 0, sizeof *out);
	if (!k)
		return false;
	tls_key_public(out->id.key, k);
	tls_key_free(k);
	secret_init(&out->seed, seed->n);
	secret_append(&out->seed, seed->p, seed->n);
	return true;
}

void identity_clear(struct identity *id)
{
	secret_clear(&id->seed);
	memset(id, 0, sizeof *id);
}

static bool label(char out[static KEYBOX_LABEL_MAX + 1],
		  const struct secret *seed)
{
	struct identity id;
	bool ok = identity_from_seed(&id, seed);

	if (ok)
		node_id_write(out, &id.id);
	identity_clear(&id);
	return ok;
}

static bool is_label(const char *text)
{
	struct node_id id;

	return node_id_read(&id, text, NULL);
}

const struct key_sort identity_key_sort = {
	.kind = IDENTITY_KEY_KIND,
	.record = "id",
	.noun = "node id",
	.whose = "our node id",
	.made_when = "the node first needs an identity",
	.renew = "start once with -newidentity to have a new one, which "
		 "every trusted peer must be told",
	.label = label,
	.is_label = is_label,
};

static struct key_store store_of(const struct identity_store *s)
{
	return (struct key_store){
		.sort = &identity_key_sort, .dir = s->dir,
		.name = IDENTITY_FILE,
		.passphrase = s->passphrase, .keep_plain = s->keep_plain,
	};
}

/* Moves it out of f, which is cleared. */
static enum err identity_of(struct identity *out, struct key_file *f,
			    enum err e)
{
	memset(out, 0, sizeof *out);
	if (!e)
		CHECK(identity_from_seed(out, &f->seed));
	out->encrypted = f->encrypted;
	key_file_clear(f);
	return e;
}

enum err identity_open(const struct identity_store *s, struct identity *out,
		       struct why *why)
{
	struct key_store ks = store_of(s);
	struct key_file f;
	enum err e = key_store_open(&ks, &f, why);

	return identity_of(out, &f, e);
}

enum err identity_load(const struct identity_store *s, struct identity *out,
		       struct why *why)
{
	struct key_store ks = store_of(s);
	struct key_file f;
	enum err e = key_store_load(&ks, &f, why);

	return identity_of(out, &f, e);
}

enum err identity_restore(const struct identity_store *s, bool *changed,
			  const struct identity *id, bool force,
			  struct why *why)
{
	struct key_file f = { .encrypted = false };
	struct key_store ks = store_of(s);
	enum err e;

	secret_init(&f.seed, id->seed.n);
	secret_append(&f.seed, id->seed.p, id->seed.n);
	e = key_store_restore(&ks, changed, &f, force, why);
	key_file_clear(&f);
	return e;
}

enum err identity_set_aside(const struct identity_store *s, struct why *why)
{
	struct key_store ks = store_of(s);

	return key_store_set_aside(&ks, why);
}

bool identity_exists(const struct identity_store *s)
{
	struct key_store ks = store_of(s);

	return key_store_exists(&ks);
}
