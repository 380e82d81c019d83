/*
 * CLOISTER_FDS, which the spawner wrote.
 */
#include "config.h"

#include "tor/inherited.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int inherited_fd(const char *name)
{
	const char *s = getenv("CLOISTER_FDS");
	size_t n = strlen(name);
	long fd;
	char *end;

	while (s && *s) {
		if (strncmp(s, name, n) == 0 && s[n] == '=') {
			fd = strtol(s + n + 1, &end, 10);
			if (end == s + n + 1 || fd < 3 || fd > 1024 ||
			    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
				return -1;
			fcntl((int)fd, F_SETFL,
			      fcntl((int)fd, F_GETFL) | O_NONBLOCK);
			return (int)fd;
		}
		s = strchr(s, ',');
		s = s ? s + 1 : NULL;
	}
	return -1;
}
