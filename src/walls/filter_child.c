/*
 * For the spawner, for tor, whose system calls nobody listed, and for the
 * warden: what only administrators, debuggers and attackers use is refused.
 * To the warden also whatever leads to the network or to another process.
 */
#include "config.h"

#include "walls/walls_priv.h"

#include <sys/socket.h>

#define ALL_32 UINT64_C(0xffffffff)
#define FAMILIES 64              /* more than any kernel has */

static const char refused_calls[] =
	"mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig "
	"fsmount fspick mount_setattr setns bpf perf_event_open "
	"keyctl add_key request_key init_module finit_module delete_module "
	"kexec_load kexec_file_load reboot swapon swapoff open_by_handle_at "
	"name_to_handle_at userfaultfd io_uring_setup io_uring_enter "
	"io_uring_register acct quotactl settimeofday clock_settime "
	"clock_adjtime adjtimex sethostname setdomainname iopl ioperm "
	"modify_ldt mknod mknodat syslog vhangup lookup_dcookie pidfd_getfd "
	"kcmp process_madvise memfd_secret nfsservctl";
/* LeakSanitizer reads its own process this way. */
static const char spying_calls[] =
	"ptrace process_vm_readv process_vm_writev";

/* The warden has no use for these: the spawner starts programs, listeners are
 * the node's, and nobody sends it descriptors. */
static const char not_for_warden[] =
	"execve execveat accept accept4 recvmsg recvmmsg unshare "
	"pidfd_open pidfd_send_signal";
static const char new_processes[] = "fork vfork clone";

static struct filter_maker *begin(void)
{
	struct filter_maker *m = filter_begin(FILTER_ALLOW, FILTER_UNKNOWN);

	filter_calls(m, FILTER_REFUSE, refused_calls);
	if (!WALLS_SANITIZER)
		filter_calls(m, FILTER_REFUSE, spying_calls);
	/* Unix and internet sockets, and the kernel's list of interfaces. */
	for (unsigned f = 0; f < FAMILIES; f++) {
		if (f != AF_UNIX && f != AF_INET && f != AF_INET6 &&
		    f != AF_NETLINK)
			filter_masked(m, FILTER_REFUSE, "socket", 0, ALL_32,
				      f);
	}
	return m;
}

enum err filter_spawner(struct filter *out, struct why *why)
{
	return filter_end(begin(), out, why);
}

enum err filter_warden(struct filter *out, struct why *why)
{
	static const unsigned families[] = { AF_INET, AF_INET6, AF_NETLINK };
	struct filter_maker *m = begin();

	filter_calls(m, FILTER_REFUSE, not_for_warden);
	if (!WALLS_SANITIZER) {
		filter_calls(m, FILTER_REFUSE, new_processes);
		filter_calls(m, FILTER_UNKNOWN, "clone3");
	}
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		filter_masked(m, FILTER_REFUSE, "socket", 0, ALL_32,
			      families[i]);
	/* The list of interfaces, which any socket gives. */
	filter_masked(m, FILTER_REFUSE, "ioctl", 1, 0xff00, 0x8900);
	return filter_end(m, out, why);
}

enum err filter_tor(struct filter *out, struct why *why)
{
	struct filter_maker *m = begin();

	filter_calls(m, FILTER_REFUSE, "unshare");
	return filter_end(m, out, why);
}
