/*
 * Giving up what a process may do by who it is: root's identity and
 * capabilities, core dumps, programs that give privileges.
 */
#include "config.h"

#include "walls/walls_priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPS_ASKED 64            /* more than any kernel has */

int wall_no_caps(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* Only who has capabilities can (and need) bound them. */
	for (unsigned long cap = 0; cap < CAPS_ASKED; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	return (int)syscall(SYS_capset, &head, none);
}

int wall_no_core_limit(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none);
}

int wall_no_core(void)
{
	if (wall_no_core_limit())
		return -1;
	/* LeakSanitizer looks at its own process from outside. */
	return WALLS_SANITIZER ? 0 : prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int wall_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

enum err walls_become_user(const char *name, struct why *why)
{
	struct passwd *pw;

	if (geteuid() != 0)
		return why_set(why, ERR_INPUT, "-user=%s: only root can "
			       "become another user", name);
	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return why_set(why, ERR_INPUT, "-user=%s: there is no such "
			       "user", name);
	if (pw->pw_uid == 0)
		return why_set(why, ERR_INPUT, "-user=%s: that is root "
			       "again", name);
	if (initgroups(name, pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return why_errno(why, "cannot become user %s", name);
	if (setuid(0) == 0)
		return why_set(why, ERR_STATE, "cannot give up root for good");
	/* Changing ids hid our files in /proc, where namespaces are set up. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return why_errno(why, "cannot stay visible in /proc");
	if (setenv("HOME", pw->pw_dir, 1))
		return why_errno(why, "cannot set HOME");
	return ERR_NONE;
}
