/*
 * "PROXY TCP6 fc00:dead:beef:4dad::0:3d ::1 61 8333\r\n": 0x3d is the circuit.
 */
#include "config.h"

#include "net/proxy_line.h"

#include <arpa/inet.h>

/* The next word of the text at *at, cut off there; NULL if there is none. */
static char *next_word(char **at)
{
	char *word = *at, *space = strchr(word, ' ');

	if (space) {
		*space = '\0';
		*at = space + 1;
	} else {
		*at = word + strlen(word);
	}
	return *word ? word : NULL;
}

static bool is_port(const char *word)
{
	unsigned value = 0;
	const char *s;

	if (!word || strlen(word) > 5)
		return false;
	for (s = word; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		value = value * 10 + (unsigned)(*s - '0');
	}
	return value <= UINT16_MAX;
}

static bool is_address(struct in6_addr *out, const char *word)
{
	return word && inet_pton(AF_INET6, word, out) == 1;
}

/* The text between "PROXY TCP6 " and the line's end, which is cut up. */
static bool parse_words(uint32_t *circuit, char *text)
{
	static const uint8_t prefix[12] = {
		0xfc, 0x00, 0xde, 0xad, 0xbe, 0xef, 0x4d, 0xad
	};
	struct in6_addr from, to;

	if (!is_address(&from, next_word(&text)) ||
	    memcmp(from.s6_addr, prefix, sizeof(prefix)) != 0)
		return false;
	if (!is_address(&to, next_word(&text)) ||
	    !is_port(next_word(&text)) || !is_port(next_word(&text)) ||
	    *text)
		return false;
	*circuit = (uint32_t)from.s6_addr[12] << 24 |
		   (uint32_t)from.s6_addr[13] << 16 |
		   (uint32_t)from.s6_addr[14] << 8 | from.s6_addr[15];
	return true;
}

enum proxy_line_verdict proxy_line_parse(uint32_t *circuit, size_t *size,
					 struct span in)
{
	static const char head[] = "PROXY TCP6 ";
	const size_t head_n = sizeof(head) - 1;
	size_t max = MIN_OF(in.n, (size_t)PROXY_LINE_MAX), n;
	char text[PROXY_LINE_MAX + 1];
	const uint8_t *end;

	if (max && memcmp(in.p, head, MIN_OF(max, head_n)) != 0)
		return PROXY_LINE_BAD;
	end = max ? memchr(in.p, '\n', max) : NULL;
	if (!end)
		return max < PROXY_LINE_MAX ? PROXY_LINE_MORE
					    : PROXY_LINE_BAD;
	n = (size_t)(end - in.p) + 1;
	if (n < head_n + 2 || end[-1] != '\r')
		return PROXY_LINE_BAD;
	memcpy(text, in.p, n - 2);
	text[n - 2] = '\0';
	if (strlen(text) != n - 2 || text[n - 3] == ' ' ||
	    !parse_words(circuit, text + head_n))
		return PROXY_LINE_BAD;
	*size = n;
	return PROXY_LINE_OK;
}
