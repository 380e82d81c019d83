/*
 * The HTTP side of the client.
 */
#include "config.h"

#include "cli/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "cli/remote.h"

#define CONNECT_TIMEOUT_S 10L
#define JSON_DEPTH_MAX 128

size_t client_on_data(char *p, size_t size, size_t n, void *arg)
{
	bytes_append(arg, p, size * n);
	return size * n;
}

/* What only ever speaks to this machine. */
static void confine(CURL *curl, const struct cli_config *c)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP);
#endif
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (cli_socket(c))
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH,
				 cli_socket(c));
}

static CURLcode post(long *status, struct bytes *answer,
		     const struct cli_config *c, const char *login,
		     struct json_object *request)
{
	size_t n;
	const char *body = json_object_to_json_string_length(
		request, JSON_C_TO_STRING_PLAIN |
		JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	char *url = xasprintf("http://%s:%u/", c->host, c->port);
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	CURLcode code;

	CHECK(curl);
	confine(curl, c);
	headers = curl_slist_append(headers,
				    "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(curl, CURLOPT_USERPWD, login);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT,
			 (long)settings_int(c->settings,
					    "rpcclienttimeout"));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, client_on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	free(url);
	return code;
}

struct json_object *client_parse(const struct bytes *answer)
{
	struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *o = NULL;

	if (answer->n && answer->n <= INT32_MAX)
		o = json_tokener_parse_ex(tok, (const char *)answer->p,
					  (int)answer->n);
	json_tokener_free(tok);
	return o;
}

static enum post_result judge(struct json_object **out, struct why *text,
			      const struct cli_config *c, long status,
			      struct bytes *answer)
{
	if (status == 401) {
		why_set(text, ERR_INPUT, "Authorization failed: Incorrect "
			"rpcuser or rpcpassword%s%s",
			c->password ? "" : ", or a stale cookie: ",
			c->password ? "" : c->cookie_path);
		return POST_REFUSED;
	}
	if (status == 503) {
		bytes_append(answer, "", 1);
		why_set(text, ERR_LIMIT, "Server response: %.200s",
			(char *)answer->p);
		return POST_REFUSED;
	}
	if (status >= 400 && status != 400 && status != 404 &&
	    status != 500) {
		why_set(text, ERR_STATE, "server returned HTTP error %ld",
			status);
		return POST_REFUSED;
	}
	if (!answer->n) {
		why_set(text, ERR_STATE, "no response from server");
		return POST_REFUSED;
	}
	*out = client_parse(answer);
	if (*out)
		return POST_OK;
	why_set(text, ERR_STATE, "couldn't parse reply from server");
	return POST_REFUSED;
}

enum post_result client_post(struct json_object **out, struct why *text,
			     const struct cli_config *c,
			     struct json_object *request)
{
	struct bytes answer = { 0 };
	enum post_result result;
	char *login, *where;
	long status = 0;
	CURLcode code;

	*out = NULL;
	if (c->remote)
		return remote_post(out, text, c, request);
	login = cli_credentials(c);
	if (!login) {
		why_set(text, ERR_STATE, "Could not locate RPC credentials: "
			"no cookie at %.200s, and no -rpcpassword. Is "
			"cloisterd running on this chain (%s) and data "
			"directory?", c->cookie_path, c->chain);
		return POST_NO_CREDENTIALS;
	}
	code = post(&status, &answer, c, login, request);
	bytes_wipe(login, strlen(login));
	free(login);
	if (code == CURLE_OK && status) {
		result = judge(out, text, c, status, &answer);
	} else if (code == CURLE_OPERATION_TIMEDOUT && !status) {
		why_set(text, ERR_STATE, "timeout: no answer within "
			"-rpcclienttimeout");
		result = POST_REFUSED;
	} else {
		where = cli_where(c);
		why_set(text, ERR_STATE, "Could not connect to the server "
			"%.200s (%s)\n\nMake sure cloisterd is running on "
			"this chain (%s) and that you are connecting to the "
			"right port or socket.", where,
			curl_easy_strerror(code), c->chain);
		free(where);
		result = POST_NO_CONNECTION;
	}
	bytes_clear(&answer);
	return result;
}
