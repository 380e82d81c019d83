/*
 * Backups of the list of trusted peers: a keybox of kind "trusted-peers"
 * (keys/keybox.h), made and opened here, so that the passphrase stays with
 * the person and the node sees no file.
 */
#include "config.h"

#include "cli/peer_backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/peer.h"
#include "keys/backup.h"
#include "keys/passphrase.h"

#define KIND "trusted-peers"

static int fail(const struct why *why)
{
	fprintf(stderr, "error: %s\n", why->text);
	return 1;
}

static enum err read_passphrase(struct secret *out, char *const *words,
				size_t n, bool twice, struct why *why)
{
	static const char key[] = "passfile=";
	struct passphrase_source source = { .fd = -1 };

	if (n == 1)
		return passphrase_ask(out, "Passphrase", twice, why);
	if (n != 2 || strncmp(words[1], key, sizeof key - 1) != 0)
		return why_set(why, ERR_INPUT, "behind the file there may be "
			       "passfile=FILE, and nothing else");
	source.file = words[1] + sizeof key - 1;
	return passphrase_read(out, &source, why);
}

static enum err seal(struct bytes *out, const char *peers,
		     const struct secret *passphrase, struct why *why)
{
	const struct keybox box = { .kind = KIND, .cost = keybox_cost };
	struct secret payload = {0};
	size_t n = strlen(peers) / 2;
	enum err e;

	if (n == 0 || n > KEYBOX_SECRET_MAX)
		return why_set(why, ERR_LIMIT, "the list is too long for a "
			       "backup");
	secret_init(&payload, n);
	if (hex_decode(payload.p, n, peers)) {
		payload.n = n;
		e = keybox_seal(out, &box, &payload, passphrase, why);
	} else {
		e = why_set(why, ERR_STATE, "the node's answer is no hex");
	}
	secret_clear(&payload);
	return e;
}

int peer_export(const struct cli_config *c, char *const *words, size_t n)
{
	struct secret passphrase = {0};
	struct bytes file = {0};
	struct json_object *result = NULL, *peers = NULL;
	struct why why = {0};
	int status = 1;

	if (read_passphrase(&passphrase, words, n, true, &why)) {
		status = fail(&why);
		goto out;
	}
	result = peer_ask(c, &status, "peerexport", json_object_new_array());
	if (!result)
		goto out;
	json_object_object_get_ex(result, "peers", &peers);
	if (seal(&file, peers ? json_object_get_string(peers) : "",
		 &passphrase, &why) ||
	    backup_file_new(words[0], bytes_span(&file), &why))
		status = fail(&why);
	else
		printf("Trusted peers are in %s, encrypted. Keys of this "
		       "node are not: see\n`cloisterd -backupkeys`.\n",
		       words[0]);
out:
	json_object_put(result);
	bytes_clear(&file);
	secret_clear(&passphrase);
	return status;
}

static enum err unseal(struct secret *out, const char *path,
		       const struct secret *passphrase, struct why *why)
{
	struct bytes file = {0};
	struct keybox box;
	bool opened = false;
	enum err e = file_read(&file, path, KEYBOX_SIZE_MAX, why);

	if (!e && (keybox_read(&box, bytes_span(&file)) != KEYBOX_OK ||
		   strcmp(box.kind, KIND) != 0))
		e = why_set(why, ERR_INPUT, "%s is no backup of trusted peers, "
			    "or it is damaged", path);
	if (!e)
		e = keybox_open(out, &opened, &box, passphrase, why);
	if (!e && !opened)
		e = why_set(why, ERR_INPUT, "the passphrase is not that of %s",
			    path);
	bytes_clear(&file);
	return e;
}

int peer_import(const struct cli_config *c, char *const *words, size_t n)
{
	struct secret passphrase = {0}, payload = {0};
	struct json_object *params, *result, *added = NULL;
	struct why why = {0};
	int status = 1;
	char *hex;

	if (read_passphrase(&passphrase, words, n, false, &why) ||
	    unseal(&payload, words[0], &passphrase, &why)) {
		status = fail(&why);
		goto out;
	}
	hex = hex_new(secret_span(&payload));
	params = json_object_new_array();
	json_object_array_add(params, json_object_new_string(hex));
	bytes_wipe(hex, strlen(hex));
	free(hex);
	result = peer_ask(c, &status, "peerimport", params);
	if (result) {
		json_object_object_get_ex(result, "added", &added);
		printf("%d trusted peers added.\n",
		       json_object_get_int(added));
	}
	json_object_put(result);
out:
	secret_clear(&payload);
	secret_clear(&passphrase);
	return status;
}
