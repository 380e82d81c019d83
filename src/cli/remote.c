/*
 * HTTPS through Tor.  The name to reach is an onion address, which Tor alone
 * resolves; who answers there is judged by node id.
 */
#include "config.h"

#include "cli/remote.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "tls/tls_only.h"

#define CONNECT_TIMEOUT_S 120L   /* circuits to a door take their time */

struct remote {
	char *name;
	struct json_object *way;         /* what peerrpcway answered */
	struct node_id id;
	char *proxy, *url;
};

static const char *way_text(const struct remote *r, const char *key)
{
	struct json_object *o = NULL;

	json_object_object_get_ex(r->way, key, &o);
	return json_object_is_type(o, json_type_string) ?
	       json_object_get_string(o) : "";
}

/* As part of an URL. */
static char *escape_path(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	static const char hex[] = "0123456789ABCDEF";
	char *out = xcalloc(3, strlen(path) + 1), *p = out;

	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (strchr(plain, *path)) {
			*p++ = *path;
			continue;
		}
		*p++ = '%';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	return out;
}

static bool fill(struct remote *r)
{
	struct json_object *port = NULL;
	struct why why;
	char *path;

	if (!node_id_read(&r->id, way_text(r, "id"), &why) ||
	    !*way_text(r, "address") || !*way_text(r, "socks") ||
	    !json_object_object_get_ex(r->way, "port", &port))
		return false;
	path = escape_path(way_text(r, "socks"));
	r->proxy = xasprintf("socks5h://localhost%s", path);
	r->url = xasprintf("https://%s:%d/", way_text(r, "address"),
			   json_object_get_int(port));
	free(path);
	return true;
}

struct remote *remote_new(const struct cli_config *c, const char *name)
{
	struct json_object *params = json_object_new_array();
	struct json_object *request, *answer, *way = NULL;
	struct remote *r = NULL;

	json_object_array_add(params, json_object_new_string(name));
	request = call_request("peerrpcway", params, 1);
	answer = call_post(c, request);
	json_object_put(request);
	if (!answer)
		return NULL;
	json_object_object_get_ex(answer, "result", &way);
	if (!way) {
		(void)call_show(answer);
		json_object_put(answer);
		return NULL;
	}
	r = xcalloc(1, sizeof *r);
	r->name = xstrdup(name);
	r->way = json_object_get(way);
	json_object_put(answer);
	if (fill(r))
		return r;
	fprintf(stderr, "error: the node here does not tell the way to %s\n",
		name);
	remote_free(r);
	return NULL;
}

void remote_free(struct remote *r)
{
	if (!r)
		return;
	json_object_put(r->way);
	free(r->name);
	free(r->proxy);
	free(r->url);
	free(r);
}

static CURLcode on_context(CURL *curl, void *ctx, void *arg)
{
	(void)curl;
	tls_only_set(ctx, arg);
	return CURLE_OK;
}

/* False: this libcurl cannot do it. */
static bool set_tls(CURL *curl, const struct remote *r, struct tls_only *only)
{
	const char *cert = way_text(r, "certificate");
	const char *key = way_text(r, "key");
	struct curl_blob cert_blob = { (void *)(uintptr_t)cert, strlen(cert),
				       CURL_BLOB_COPY };
	struct curl_blob key_blob = { (void *)(uintptr_t)key, strlen(key),
				      CURL_BLOB_COPY };

	only->id = r->id;
	return !curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &cert_blob) &&
	       !curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key_blob) &&
	       !curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "PEM") &&
	       !curl_easy_setopt(curl, CURLOPT_SSLKEYTYPE, "PEM") &&
	       !curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) &&
	       !curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) &&
	       !curl_easy_setopt(curl, CURLOPT_SSLVERSION,
				 (long)CURL_SSLVERSION_TLSv1_3) &&
	       !curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) &&
	       /* The id is judged, not the onion address. */
	       !curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L) &&
	       !curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, only) &&
	       !curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context);
}

/* Nothing leaves but by Tor; each peer has circuits of its own. */
static bool confine(CURL *curl, const struct remote *r)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXYUSERNAME, "cloister-remote");
	curl_easy_setopt(curl, CURLOPT_PROXYPASSWORD, r->name);
	return !curl_easy_setopt(curl, CURLOPT_NOPROXY, "") &&
	       !curl_easy_setopt(curl, CURLOPT_PROXY, r->proxy);
}

static enum post_result judge(struct json_object **out, struct why *text,
			      const struct remote *r, long status,
			      struct bytes *answer)
{
	*out = client_parse(answer);
	if (*out)
		return POST_OK;
	bytes_append(answer, "", 1);
	why_set(text, ERR_STATE, "%s answered with HTTP status %ld: %.200s",
		r->name, status, (const char *)answer->p);
	return POST_REFUSED;
}

enum post_result remote_post(struct json_object **out, struct why *text,
			     const struct cli_config *c,
			     struct json_object *request)
{
	const struct remote *r = c->remote;
	const char *body = json_object_to_json_string_ext(request,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct curl_slist *headers;
	struct bytes answer = { 0 };
	struct tls_only only = { .fail = TLS_OK };
	enum post_result result = POST_NO_CONNECTION;
	CURL *curl = curl_easy_init();
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_NOT_BUILT_IN;
	long status = 0;

	CHECK(curl);
	*out = NULL;
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(curl, CURLOPT_URL, r->url);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT,
			 (long)settings_int(c->settings,
					    "rpcclienttimeout"));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, client_on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	if (confine(curl, r) && set_tls(curl, r, &only))
		code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	if (code == CURLE_OK)
		result = judge(out, text, r, status, &answer);
	else if (only.fail)
		why_set(text, ERR_STATE, "whoever answers at the door of %s "
			"is not %s: %s", r->name, r->name,
			tls_fail_text(only.fail));
	else
		why_set(text, ERR_STATE, "Could not reach %s: %s. Is it on, "
			"and does it give this node the role rpc-read or "
			"rpc-admin?", r->name, *detail ? detail :
			curl_easy_strerror(code));
	bytes_clear(&answer);
	return result;
}
