/*
 * Lines of tor's control protocol, as they come in.
 */
#include "config.h"

#include "tor/control.h"

#include <string.h>

#define EVENT_CODE 650

void control_clear(struct control_parser *p)
{
	bytes_clear(&p->buf);
	memset(p, 0, sizeof *p);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool data_line(struct control_parser *p, const char *text,
		      control_line_fn *fn, void *arg)
{
	struct control_line l = {
		.code = p->code, .event = p->code == EVENT_CODE, .data = true,
	};

	if (strcmp(text, ".") == 0) {
		p->in_data = false;
		return true;
	}
	l.text = text[0] == '.' ? text + 1 : text;
	fn(arg, &l);
	return true;
}

static bool reply_line(struct control_parser *p, const char *text,
		       control_line_fn *fn, void *arg)
{
	struct control_line l = {0};

	if (!is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[2]) ||
	    !text[3] || !strchr("-+ ", text[3]))
		return false;
	l.code = (text[0] - '0') * 100 + (text[1] - '0') * 10 +
		 (text[2] - '0');
	l.event = l.code == EVENT_CODE;
	if (l.code < 100 ||
	    (p->code && l.event != (p->code == EVENT_CODE)))
		return false;
	l.text = text + 4;
	l.last = text[3] == ' ';
	p->in_data = text[3] == '+';
	p->code = l.last ? 0 : l.code;
	fn(arg, &l);
	return true;
}

/* p->buf holds one line with its end. */
static bool take_line(struct control_parser *p, control_line_fn *fn, void *arg)
{
	char *text = (char *)p->buf.p;
	size_t n = p->buf.n - 1;
	bool ok;

	if (n > 0 && text[n - 1] == '\r')
		n--;
	text[n] = '\0';
	if (strlen(text) != n)
		return false;
	ok = p->in_data ? data_line(p, text, fn, arg)
			: reply_line(p, text, fn, arg);
	p->message_bytes = p->code ? p->message_bytes + n + 2 : 0;
	p->buf.n = 0;
	return ok && p->message_bytes <= CONTROL_MESSAGE_MAX;
}

bool control_feed(struct control_parser *p, struct span in,
		  control_line_fn *fn, void *arg)
{
	while (in.n > 0 && !p->failed) {
		const uint8_t *nl = memchr(in.p, '\n', in.n);
		size_t n = nl ? (size_t)(nl - in.p) + 1 : in.n;

		if (p->buf.n + n > CONTROL_LINE_MAX) {
			p->failed = true;
			break;
		}
		bytes_append(&p->buf, in.p, n);
		in = span_of(in.p + n, in.n - n);
		if (nl && !take_line(p, fn, arg))
			p->failed = true;
	}
	return !p->failed;
}

/* ---- words and keywords of a line ---- */

/* Copy one value, quoted or up to a space; where it ended. */
static const char *take_value(char *out, size_t size, const char *s)
{
	bool quoted = *s == '"';
	size_t n = 0;

	for (s += quoted; *s && *s != (quoted ? '"' : ' '); s++) {
		if (quoted && *s == '\\' && s[1])
			s++;
		if (n + 1 < size)
			out[n++] = *s;
	}
	if (size)
		out[n] = '\0';
	return *s ? s + 1 : s;
}

bool control_keyword(char *out, size_t size, const char *text, const char *key)
{
	size_t key_len = strlen(key);
	const char *s = text;

	CHECK(size > 0);
	while (*s) {
		size_t n = strcspn(s, " =\"");

		if (s[n] == '=') {
			bool mine = n == key_len && memcmp(s, key, n) == 0;

			s = take_value(out, mine ? size : 0, s + n + 1);
			if (mine)
				return true;
		} else if (s[n] == '"') {
			s = take_value(out, 0, s + n);
		} else {
			s += n + (s[n] == ' ');
		}
	}
	out[0] = '\0';
	return false;
}

bool control_word(char *out, size_t size, const char *text, unsigned n)
{
	const char *s = text + strspn(text, " ");
	size_t len;

	CHECK(size > 0);
	while (n-- > 0) {
		s += strcspn(s, " ");
		s += strspn(s, " ");
	}
	len = MIN_OF(strcspn(s, " "), size - 1);
	memcpy(out, s, len);
	out[len] = '\0';
	return len > 0;
}

void control_quote(struct bytes *out, const char *value)
{
	bytes_append(out, "\"", 1);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			bytes_append(out, "\\", 1);
		bytes_append(out, value, 1);
	}
	bytes_append(out, "\"", 1);
}
