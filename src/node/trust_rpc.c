/*
 * RPC at a door: HTTP over the plain bytes of mutual TLS, one call for each
 * connection.  Who is there has been proven; what he may call is his role's
 * to say.
 */
#include "config.h"

#include "node/trust_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rpc/remote.h"

#define HEAD_MAX 8192
#define FIRST_LINE "POST / HTTP/1."
#define ANSWER_MS (10 * 60 * 1000)      /* for the answer to get there */

int member_rpc_right(const struct member *m)
{
	if (!m->trust->o.rpc)
		return RPC_NOTHING;
	if (m->rec->roles & ROLE_RPC_ADMIN)
		return RPC_ADMIN;
	return m->rec->roles & ROLE_RPC_READ ? RPC_READ : RPC_NOTHING;
}

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 204:
		return "No Content";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 411:
		return "Length Required";
	case 413:
		return "Payload Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

/* The caller ends the connection when it has everything: we would not know. */
static void on_answer(int status, struct span body, void *arg)
{
	struct guest *g = arg;
	char *head = xasprintf("HTTP/1.1 %d %s\r\n"
			       "Content-Type: application/json\r\n"
			       "Connection: close\r\n"
			       "Content-Length: %zu\r\n\r\n", status,
			       status_text(status), body.n + (body.n > 0));

	conn_write(g->conn, span_of(head, strlen(head)));
	conn_write(g->conn, body);
	if (body.n)
		conn_write(g->conn, span_of("\n", 1));
	timer_set(g->timer, ANSWER_MS);
	free(head);
}

/* The value of a header line, without the space before it; NULL: another. */
static const char *value_of(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	return line + n + 1 + strspn(line + n + 1, " \t");
}

/* Of the head, whose lines end in \r\n.  0, or the status to refuse with. */
static int read_head(size_t *length, char *head)
{
	bool known = false;
	char *save = NULL, *line = strtok_r(head, "\r\n", &save);
	const char *v;

	*length = 0;
	if (!line || strncmp(line, "POST ", 5) != 0)
		return line && strstr(line, " HTTP/1.") ? 405 : 400;
	if (strncmp(line, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return 404;
	while ((line = strtok_r(NULL, "\r\n", &save))) {
		if (value_of(line, "Transfer-Encoding"))
			return 411;
		v = value_of(line, "Content-Length");
		if (!v)
			continue;
		if (known || !*v || strspn(v, "0123456789") != strlen(v))
			return 400;
		if (strlen(v) > 8)
			return 413;
		*length = (size_t)strtoul(v, NULL, 10);
		known = true;
	}
	if (*length > RPC_INPUT_MAX - HEAD_MAX)
		return 413;
	return known ? 0 : 411;
}

/* From the first byte to behind the empty line; 0: not all there. */
static size_t head_size(struct span in)
{
	const uint8_t *end = memmem(in.p, MIN_OF(in.n, HEAD_MAX),
				    "\r\n\r\n", 4);

	return end ? (size_t)(end - in.p) + 4 : 0;
}

static size_t on_read(struct conn *c, struct span in, void *arg)
{
	struct guest *g = arg;
	struct trust *t = g->member->trust;
	size_t head_n = head_size(in), length = 0;
	char head[HEAD_MAX + 1];
	int refused = 400;

	(void)c;
	if (g->asked)
		return in.n;
	if (!head_n && in.n < HEAD_MAX)
		return 0;
	if (head_n) {
		memcpy(head, in.p, head_n);
		head[head_n] = '\0';
		refused = strlen(head) == head_n ? read_head(&length, head)
						 : 400;
	}
	if (!refused && in.n - head_n < length)
		return 0;
	g->asked = true;
	if (refused) {
		on_answer(refused, span_of("", 0), g);
		return in.n;
	}
	timer_unset(g->timer);
	rpc_take(t->o.rpc, span_of(in.p + head_n, length),
		 (enum rpc_right)member_rpc_right(g->member), on_answer, g);
	return in.n;
}

static void on_end(struct conn *c, enum conn_end end, void *arg)
{
	(void)c;
	(void)end;
	guest_free(arg);
}

static const struct conn_callbacks rpc_callbacks = {
	.on_read = on_read, .on_end = on_end,
};

void guest_serve_rpc(struct guest *g)
{
	conn_set_callbacks(g->conn, &rpc_callbacks, g);
}
