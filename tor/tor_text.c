/*
 * Reading tor's version and log lines; keeping addresses out of both.
 */
#include "config.h"

#include "tor/tor_text.h"

#include "base/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCRUBBED "[scrubbed]"
#define FINGERPRINT_DIGITS 40
#define ONION_DIGITS 56
#define VERSION_PARTS 4

/* ---- versions ---- */

/* Read up to four numbers with dots between; how many. */
static int version_parts(unsigned long out[static VERSION_PARTS],
			 const char **s)
{
	int n = 0;
	char *end;

	while (n < VERSION_PARTS && isdigit((unsigned char)**s)) {
		out[n++] = strtoul(*s, &end, 10);
		*s = end;
		if (n == VERSION_PARTS || end[0] != '.' ||
		    !isdigit((unsigned char)end[1]))
			break;
		(*s)++;
	}
	return n;
}

bool tor_version_read(char *out, size_t size, const char *text)
{
	static const char prefix[] = "Tor version ";
	const char *at = strstr(text, prefix);
	const char *start = at ? at + sizeof prefix - 1 : text;
	const char *s = start;
	unsigned long v[VERSION_PARTS];

	if (version_parts(v, &s) < 3 || (size_t)(s - start) >= size)
		return false;
	memcpy(out, start, (size_t)(s - start));
	out[s - start] = '\0';
	return true;
}

bool tor_version_at_least(const char *version, const char *minimum)
{
	unsigned long a[VERSION_PARTS] = {0}, b[VERSION_PARTS] = {0};
	int i;

	(void)version_parts(a, &version);
	(void)version_parts(b, &minimum);
	for (i = 0; i < VERSION_PARTS; i++)
		if (a[i] != b[i])
			return a[i] > b[i];
	return true;
}

/* ---- scrubbing: each function gives the length of a match at s, or 0 ---- */

static size_t match_ipv4(const char *s)
{
	size_t n = 0;
	int part;

	if (s[0] == '0' && s[1] == '.')
		return 0;       /* a tor version, and no address anyway */
	for (part = 0; part < 4; part++) {
		size_t digits = strspn(s + n, "0123456789");

		if (digits < 1 || digits > 3)
			return 0;
		n += digits;
		if (part < 3 && s[n++] != '.')
			return 0;
	}
	return n;
}

static size_t match_ipv6(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF:.");
	size_t colons = 0;
	bool pair = false;
	size_t i;

	for (i = 0; i < n; i++) {
		colons += s[i] == ':';
		pair = pair || (i > 0 && s[i] == ':' && s[i - 1] == ':');
	}
	return (pair && n > 2) || colons >= 5 ? n : 0;
}

static size_t match_fingerprint(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	return n == FINGERPRINT_DIGITS ? n : 0;
}

static size_t match_onion(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) && n < ONION_DIGITS)
		n++;
	return n == ONION_DIGITS && !isalnum((unsigned char)s[n]) ? n : 0;
}

static size_t match_secret(const char *s)
{
	size_t n = match_onion(s);

	n = n ? n : match_fingerprint(s);
	n = n ? n : match_ipv6(s);
	return n ? n : match_ipv4(s);
}

void tor_text_scrub(char *out, size_t size, const char *text)
{
	size_t n = 0;
	bool start = true;         /* of a word */

	CHECK(size > 0);
	while (*text && n + 1 < size) {
		size_t skip = start ? match_secret(text) : 0;

		if (skip) {
			size_t k = MIN_OF(sizeof SCRUBBED - 1, size - 1 - n);

			memcpy(out + n, SCRUBBED, k);
			n += k;
			text += skip;
			start = false;
			continue;
		}
		start = !isalnum((unsigned char)*text) && *text != '.';
		out[n++] = *text++;
	}
	out[n] = '\0';
}

/* ---- log lines ---- */

/* Complaints about bootstrapping, one for each connection that failed: the
 * control conversation tells the same, once and shorter. */
static bool is_bootstrap_noise(const char *text)
{
	return strncmp(text, "Problem bootstrapping.", 22) == 0 ||
	       strstr(text, " connections have failed:") ||
	       strstr(text, " connections died in state ");
}

const char *tor_log_text(enum log_level *level, bool *foreign,
			 const char *line)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "[err] ", LOG_LEVEL_WARN },
		{ "[warn] ", LOG_LEVEL_INFO },
		{ "[notice] ", LOG_LEVEL_DEBUG },
		{ "[info] ", LOG_LEVEL_TRACE },
		{ "[debug] ", LOG_LEVEL_TRACE },
	};
	const char *bracket = strchr(line, '[');
	size_t i;

	*foreign = false;
	for (i = 0; bracket && i < ARRAY_SIZE(levels); i++) {
		size_t n = strlen(levels[i].name);

		if (strncmp(bracket, levels[i].name, n) == 0) {
			*level = levels[i].level;
			if (is_bootstrap_noise(bracket + n))
				*level = LOG_LEVEL_DEBUG;
			return bracket + n;
		}
	}
	*foreign = true;
	*level = LOG_LEVEL_DEBUG;
	return line;
}
