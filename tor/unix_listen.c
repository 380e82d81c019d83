/*
 * Unix sockets for what tor brings in.
 */
#include "config.h"

#include "tor/unix_listen.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

enum err unix_listen(int *fd, const char *path, struct why *why)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof a.sun_path)
		return why_set(why, ERR_INPUT, "the path %s has %zu bytes, a "
			       "unix socket's can have %zu: use a shorter "
			       "-datadir", path, strlen(path),
			       sizeof a.sun_path - 1);
	strcpy(a.sun_path, path);
	(void)unlink(path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return why_errno(why, "cannot make a socket");
	if (bind(*fd, (struct sockaddr *)&a, sizeof a) == 0 &&
	    chmod(path, 0600) == 0 && listen(*fd, BACKLOG) == 0)
		return ERR_NONE;
	why_errno(why, "cannot listen on %s", path);
	close(*fd);
	*fd = -1;
	return why ? why->err : ERR_IO;
}
