/*
 * The node's system calls: those it makes (seen with strace in all functional
 * tests), and no others.  It starts no program and no process, makes no
 * socket, connects none and binds none, and puts no code into memory.
 *
 * The descriptors it inherits still belong to the machine's network: a TCP
 * socket that a caller of RPC opened could be disconnected and connected
 * anew.  So connect() is refused with all that can do the same: an address
 * or MSG_FASTOPEN in a send, and all socket options but a few.
 */
#include "config.h"

#include "walls/walls_priv.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALL_64 UINT64_MAX
#define ALL_32 UINT64_C(0xffffffff)

/* Files, those of Landlock's paths.  openat() has its own rules. */
static const char file_calls[] =
	"read readv pread64 preadv write writev pwrite64 pwritev lseek close "
	"fstat newfstatat stat lstat statx fstatfs statfs "
	"access faccessat faccessat2 unlink unlinkat rename renameat renameat2 "
	"mkdir mkdirat rmdir getdents64 fsync fdatasync sync_file_range "
	"fallocate ftruncate fadvise64 fchmod flock";
static const char memory_calls[] =
	"brk munmap mremap madvise mlock munlock";
static const char thread_calls[] =
	"futex futex_waitv set_robust_list get_robust_list rseq sched_yield "
	"sched_getaffinity getpid gettid getuid geteuid getgid getegid "
	"membarrier exit exit_group restart_syscall";
static const char wait_calls[] =
	"epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll "
	"ppoll eventfd2 pipe2 timerfd_create timerfd_settime nanosleep "
	"clock_nanosleep clock_gettime clock_getres gettimeofday time "
	"rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack";
static const char socket_calls[] =
	"accept4 getsockname getpeername shutdown recvfrom recvmsg";
static const char other_calls[] = "getrandom sysinfo dup3";

/* Newer than the rest of the list: callers fall back to what it has. */
static const char unknown_calls[] =
	"clone3 openat2 close_range fchmodat2 process_mrelease mseal "
	"map_shadow_stack";

/* No honest reason at all. */
static const char fatal_calls[] =
	"execve execveat fork vfork ptrace process_vm_readv process_vm_writev "
	"process_madvise pidfd_open pidfd_getfd pidfd_send_signal kcmp "
	"mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig "
	"fsmount fspick mount_setattr unshare setns bpf perf_event_open "
	"keyctl add_key request_key init_module finit_module delete_module "
	"kexec_load kexec_file_load reboot swapon swapoff open_by_handle_at "
	"name_to_handle_at userfaultfd io_uring_setup io_uring_enter "
	"io_uring_register personality socket bind connect listen "
	"setuid setgid setreuid setregid setresuid setresgid setgroups "
	"capset acct quotactl settimeofday clock_settime clock_adjtime "
	"adjtimex sethostname setdomainname iopl ioperm modify_ldt mknod "
	"mknodat memfd_secret syslog vhangup lookup_dcookie";

static void allow_options(struct filter_maker *m, const char *call,
			  int level, int option)
{
	const unsigned arg[2] = { 1, 2 };
	const uint64_t mask[2] = { ALL_32, ALL_32 };
	const uint64_t value[2] = { (uint64_t)level, (uint64_t)option };

	filter_masked2(m, FILTER_ALLOW, call, arg, mask, value);
}

static void allow_sockets(struct filter_maker *m)
{
	const unsigned arg[2] = { 3, 4 };
	const uint64_t mask[2] = { MSG_FASTOPEN, ALL_64 };
	const uint64_t value[2] = { 0, 0 };

	filter_calls(m, FILTER_ALLOW, socket_calls);
	/* No flag that connects, no address. */
	filter_masked2(m, FILTER_ALLOW, "sendto", arg, mask, value);
	allow_options(m, "setsockopt", IPPROTO_TCP, TCP_NODELAY);
	allow_options(m, "getsockopt", SOL_SOCKET, SO_ERROR);
	allow_options(m, "getsockopt", SOL_SOCKET, SO_TYPE);
}

static void allow_open(struct filter_maker *m)
{
	const uint64_t mask = O_ACCMODE | O_TRUNC;

	filter_masked(m, FILTER_ALLOW, "openat", 2, O_TRUNC, 0);
	filter_masked(m, FILTER_ALLOW, "openat", 2, mask, O_TRUNC | O_WRONLY);
	filter_masked(m, FILTER_ALLOW, "openat", 2, mask, O_TRUNC | O_RDWR);
}

static void allow_fcntl(struct filter_maker *m)
{
	/* Not F_SETOWN and its kind: they make signals for others. */
	static const int commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL,
					F_SETLK, F_GETLK, F_DUPFD_CLOEXEC };
	static const unsigned requests[] = { FIONREAD, FIONBIO, TCGETS };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		filter_masked(m, FILTER_ALLOW, "fcntl", 1, ALL_32,
			      (uint64_t)commands[i]);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		filter_masked(m, FILTER_ALLOW, "ioctl", 1, ALL_32,
			      requests[i]);
}

static void allow_threads(struct filter_maker *m)
{
	filter_calls(m, FILTER_ALLOW, thread_calls);
	filter_masked(m, FILTER_ALLOW, "clone", 0, CLONE_THREAD,
		      CLONE_THREAD);
	if (!WALLS_SANITIZER)
		filter_masked(m, FILTER_KILL, "clone", 0, CLONE_THREAD, 0);
	/* abort() and the threads' own signals */
	filter_masked(m, FILTER_ALLOW, "tgkill", 0, ALL_32,
		      (uint64_t)getpid());
	filter_masked(m, FILTER_ALLOW, "prctl", 0, ALL_32, PR_SET_NAME);
}

static void allow_memory(struct filter_maker *m)
{
	filter_calls(m, FILTER_ALLOW, memory_calls);
	filter_masked(m, FILTER_ALLOW, "mmap", 2, PROT_EXEC, 0);
	filter_masked(m, FILTER_ALLOW, "mprotect", 2, PROT_EXEC, 0);
}

/* Reading limits, not setting them. */
static void allow_limits(struct filter_maker *m)
{
	const unsigned arg[2] = { 0, 2 };
	const uint64_t mask[2] = { ALL_32, ALL_64 };
	const uint64_t value[2] = { 0, 0 };

	filter_masked2(m, FILTER_ALLOW, "prlimit64", arg, mask, value);
	filter_calls(m, FILTER_ALLOW, "getrlimit getrusage");
}

/* What the sanitizers' own machinery does in a test build. */
static void allow_sanitizer(struct filter_maker *m)
{
	filter_calls(m, FILTER_ALLOW,
		     "clone wait4 readlink readlinkat open prctl mmap "
		     "mprotect tgkill kill getppid prlimit64 socketpair "
		     "sched_setaffinity setrlimit ptrace process_vm_readv "
		     "arch_prctl personality getdents getpgrp");
}

enum err filter_node(struct filter *out, struct why *why)
{
	struct filter_maker *m = filter_begin(FILTER_REFUSE, FILTER_KILL);

	filter_calls(m, FILTER_ALLOW, file_calls);
	filter_calls(m, FILTER_ALLOW, wait_calls);
	filter_calls(m, FILTER_ALLOW, other_calls);
	filter_calls(m, FILTER_UNKNOWN, unknown_calls);
	if (WALLS_SANITIZER)
		allow_sanitizer(m);
	else
		filter_calls(m, FILTER_KILL, fatal_calls);
	allow_threads(m);
	allow_memory(m);
	allow_open(m);
	allow_fcntl(m);
	allow_limits(m);
	allow_sockets(m);
	return filter_end(m, out, why);
}
