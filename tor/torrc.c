/*
 * Our torrc: unix sockets only, onions only, no control port, no network
 * until the warden says so.
 */
#include "config.h"

#include "tor/torrc.h"

#include "base/writer.h"
#include "tor/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static void add(struct bytes *out, const char *text)
{
	bytes_append(out, text, strlen(text));
}

static void PRINTF_LIKE(2, 3) addf(struct bytes *out, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	CHECK(text);
	add(out, text);
	free(text);
}

static void add_path(struct bytes *out, const char *option, const char *path)
{
	add(out, option);
	control_quote(out, path);
}

static bool has_word(struct span text, const char *word)
{
	size_t n = strlen(word), i;

	for (i = 0; i + n <= text.n; i++)
		if (strncasecmp((const char *)text.p + i, word, n) == 0)
			return true;
	return false;
}

/* Tor's own list of ports with long connections, and ours. */
static void add_long_lived(struct bytes *out, const struct torrc_params *p)
{
	add(out, "LongLivedPorts 21,22,706,1863,5050,5190,5222,5223,6523,"
	    "6667,6697,8300,8333");
	if (p->p2p_port && p->p2p_port != 8333)
		addf(out, ",%u", p->p2p_port);
	if (p->onion_dir && p->onion_port != 8333 &&
	    p->onion_port != p->p2p_port)
		addf(out, ",%u", p->onion_port);
	add(out, "\n");
}

/* Of the onion service, after its directory and port. */
static const char *const onion_options[][2] = {
	{ "HiddenServiceVersion", "3" },
	{ "HiddenServiceExportCircuitID", "haproxy" },
	{ "HiddenServiceMaxStreams", "8" },
	{ "HiddenServiceMaxStreamsCloseCircuit", "1" },
	{ "HiddenServiceEnableIntroDoSDefense", "1" },
	{ "HiddenServicePoWDefensesEnabled", "1" },
};

static void add_onion(struct bytes *out, const struct torrc_params *p)
{
	add_path(out, "HiddenServiceDir ", p->onion_dir);
	addf(out, "\nHiddenServicePort %u ", p->onion_port);
	add_path(out, "unix:", p->onion_target);
	add(out, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(onion_options); i++)
		addf(out, "%s %s\n", onion_options[i][0],
		     onion_options[i][1]);
}

void torrc_write_setconf(struct bytes *out, const struct torrc_params *p)
{
	struct bytes port = {0};

	addf(&port, "%u ", p->onion_port);
	add_path(&port, "unix:", p->onion_target);
	bytes_append(&port, "", 1);
	add_path(out, "SETCONF HiddenServiceDir=", p->onion_dir);
	add_path(out, " HiddenServicePort=", (const char *)port.p);
	for (size_t i = 0; i < ARRAY_SIZE(onion_options); i++)
		addf(out, " %s=%s", onion_options[i][0],
		     onion_options[i][1]);
	bytes_append(out, "", 1);
	bytes_clear(&port);
}

void torrc_write(struct bytes *out, const struct torrc_params *p)
{
	if (p->extra.n) {
		write_span(out, p->extra);
		add(out, "\n");
	}
	add_path(out, "DataDirectory ", p->data_dir);
	add_path(out, "\nSocksPort unix:", p->socks_path);
	add(out, " OnionTrafficOnly ExtendedErrors IsolateSOCKSAuth "
	    "KeepAliveIsolateSOCKSAuth\n");
	if (p->seeds_path) {
		add_path(out, "SocksPort unix:", p->seeds_path);
		add(out, " NoOnionTraffic ExtendedErrors IsolateSOCKSAuth "
		    "KeepAliveIsolateSOCKSAuth\n");
	}
	add(out, "ControlPort 0\n"
	    "ORPort 0\n"
	    "DisableNetwork 1\n"
	    "ClientOnly 1\n"
	    "ClientUseIPv6 0\n"
	    "DormantTimeoutEnabled 0\n"
	    "DormantCanceledByStartup 1\n"
	    "AvoidDiskWrites 1\n"
	    "SafeLogging 1\n"
	    "Log notice stdout\n"
	    "LogTimeGranularity 1\n"
	    "GeoIPFile /dev/null\n"
	    "GeoIPv6File /dev/null\n"
	    "__ReloadTorrcOnSIGHUP 0\n");
	/* bridges with a pluggable transport need a program of their own */
	if (!has_word(p->extra, "ClientTransportPlugin"))
		add(out, "NoExec 1\n");
	add_long_lived(out, p);
	if (p->onion_dir)
		add_onion(out, p);
}
