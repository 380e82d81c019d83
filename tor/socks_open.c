/*
 * Connecting to a unix socket without waiting.
 */
#include "config.h"

#include "tor/socks_open.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum socks_open socks_open(int *fd, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	bool busy;

	*fd = -1;
	if (strlen(path) >= sizeof a.sun_path)
		return SOCKS_OPEN_DOWN;
	strcpy(a.sun_path, path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return SOCKS_OPEN_BUSY;
	if (connect(*fd, (struct sockaddr *)&a, sizeof a) == 0)
		return SOCKS_OPEN_OK;
	busy = errno == EAGAIN;
	close(*fd);
	*fd = -1;
	return busy ? SOCKS_OPEN_BUSY : SOCKS_OPEN_DOWN;
}
