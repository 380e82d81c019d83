/*
 * Tor's paths.  Programs for pluggable transports are to be found where the
 * system keeps programs; our keys, chain and sockets are not to be found.
 */
#include "config.h"

#include "tor/tor_walls.h"

#include <stdlib.h>

#include "base/file.h"
#include "tor/ram_dir.h"

enum err tor_walls_new(struct walls_child **out,
		       const struct warden_options *o,
		       const char *program, struct why *why)
{
	char *own = path_join(o->dir, "tor");
	char *ram = ram_dir_path(o->dir);
	const struct walls_path paths[] = {
		{ own, WALLS_SOCKETS },
		{ ram ? ram : own, WALLS_CHANGE },
		{ program, WALLS_EXECUTE },
		{ o->tor_extra ? o->tor_extra : own, WALLS_READ },
		{ "/usr", WALLS_EXECUTE }, { "/bin", WALLS_EXECUTE },
		{ "/sbin", WALLS_EXECUTE }, { "/lib", WALLS_EXECUTE },
		{ "/lib32", WALLS_EXECUTE }, { "/lib64", WALLS_EXECUTE },
		{ "/opt", WALLS_EXECUTE }, { "/nix/store", WALLS_EXECUTE },
		{ "/gnu/store", WALLS_EXECUTE },
		{ "/etc", WALLS_READ }, { "/run/systemd/resolve", WALLS_READ },
		{ "/proc/sys", WALLS_READ }, { "/proc/meminfo", WALLS_READ },
		{ "/proc/cpuinfo", WALLS_READ },
		{ "/sys/devices/system/cpu", WALLS_READ },
		{ "/dev/null", WALLS_DEVICE }, { "/dev/urandom", WALLS_READ },
		{ "/dev/random", WALLS_READ },
	};
	enum err e = walls_child_new(out, o->walls, paths, ARRAY_SIZE(paths),
				     why);

	free(own);
	free(ram);
	return e;
}
