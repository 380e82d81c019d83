/*
 * For the warden and for tor, programs whose system calls nobody listed: what
 * only administrators, debuggers and attackers use is refused.
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

enum err filter_warden(struct filter *out, struct why *why)
{
	return filter_end(begin(), out, why);
}

enum err filter_tor(struct filter *out, struct why *why)
{
	struct filter_maker *m = begin();

	filter_calls(m, FILTER_REFUSE, "unshare");
	return filter_end(m, out, why);
}
