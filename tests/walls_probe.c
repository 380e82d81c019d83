/*
 * Raises walls exactly as the node, the warden, the spawner or tor does, and
 * then tries one thing that should not work.  Run by
 * tests/functional/walls_attempts.py.
 *
 * usage: walls_probe WHO WALLS DIR ATTEMPT
 *
 * WHO is node, warden, spawner or child (tor); WALLS is all, or the name of a single wall.
 * DIR/blocks may be changed, DIR/import.dat read.  Says "done", or "errno N
 * text"; or dies of SIGSYS.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "walls/walls.h"

struct scene {
	const char *dir;
	int listener;            /* TCP on loopback, inherited so to speak */
	int accepted, caller;    /* a connection to it */
	struct sockaddr_in addr; /* of the listener */
};

static char *in_dir(const struct scene *s, const char *name)
{
	return xasprintf("%s/%s", s->dir, name);
}

static int open_in(const struct scene *s, const char *name, int flags)
{
	char *path = in_dir(s, name);
	int fd = open(path, flags, 0600);
	int e = errno;

	free(path);
	errno = e;
	return fd;
}

/* ---- what must work ---- */

static void *thread_main(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static int without_threads(struct scene *s)
{
	char *from = in_dir(s, "blocks/new"), *to = in_dir(s, "blocks/old");
	int fd = open(from, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char c = 'x';
	int r = -1;

	if (fd >= 0 && write(fd, &c, 1) == 1 && fdatasync(fd) == 0 &&
	    ftruncate(fd, 0) == 0 && rename(from, to) == 0 &&
	    unlink(to) == 0 &&
	    send(s->accepted, &c, 1, MSG_NOSIGNAL) == 1 &&
	    recv(s->caller, &c, 1, 0) == 1 &&
	    open_in(s, "import.dat", O_RDONLY) >= 0)
		r = 0;
	free(from);
	free(to);
	return r;
}

static int ordinary(struct scene *s)
{
	pthread_t t;
	int ran = 0;

	if (pthread_create(&t, NULL, thread_main, &ran) != 0 ||
	    pthread_join(t, NULL) != 0 || !ran)
		return -1;
	return without_threads(s);
}

/* ---- sockets ---- */

static int socket_inet(struct scene *s)
{
	(void)s;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int socket_inet6(struct scene *s)
{
	(void)s;
	return socket(AF_INET6, SOCK_DGRAM, 0);
}

static int socket_unix(struct scene *s)
{
	(void)s;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int socket_netlink(struct scene *s)
{
	(void)s;
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int socket_packet(struct scene *s)
{
	(void)s;
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int socket_alg(struct scene *s)
{
	(void)s;
	return socket(38, SOCK_SEQPACKET, 0);
}

static int socket_pair(struct scene *s)
{
	int pair[2];

	(void)s;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}

/* The way out of the namespace: an accepted socket is the machine's. */
static int connect_anew(struct scene *s)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (connect(s->accepted, &none, sizeof none))
		return -1;
	return connect(s->accepted, (struct sockaddr *)&s->addr,
		       sizeof s->addr);
}

static int bind_anew(struct scene *s)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	return bind(s->accepted, (struct sockaddr *)&any, sizeof any);
}

static int listen_anew(struct scene *s)
{
	return listen(s->listener, 5);
}

static int send_to(struct scene *s)
{
	return (int)sendto(s->accepted, "x", 1, 0,
			   (struct sockaddr *)&s->addr, sizeof s->addr);
}

static int send_fast(struct scene *s)
{
	return (int)sendto(s->accepted, "x", 1, MSG_FASTOPEN, NULL, 0);
}

static int send_fast_high(struct scene *s)
{
	/* The kernel looks at the lower half only. */
	return (int)syscall(SYS_sendto, s->accepted, "x", 1,
			    UINT64_C(0x100000000) | MSG_FASTOPEN, NULL, 0);
}

static int send_message(struct scene *s)
{
	struct iovec iov = { (char *)"x", 1 };
	struct msghdr h = {
		.msg_name = &s->addr, .msg_namelen = sizeof s->addr,
		.msg_iov = &iov, .msg_iovlen = 1,
	};

	return (int)sendmsg(s->accepted, &h, MSG_FASTOPEN);
}

static int send_messages(struct scene *s)
{
	struct mmsghdr h;

	memset(&h, 0, sizeof h);
	return sendmmsg(s->accepted, &h, 1, MSG_FASTOPEN);
}

static int option(struct scene *s, int level, int name)
{
	int one = 1;

	return setsockopt(s->accepted, level, name, &one, sizeof one);
}

static int accept_one(struct scene *s)
{
	return accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);
}

/* A descriptor could come with it. */
static int receive_message(struct scene *s)
{
	struct msghdr h = { .msg_iovlen = 0 };

	return (int)recvmsg(s->accepted, &h, MSG_DONTWAIT);
}

static int tcp_repair(struct scene *s)
{
	return option(s, IPPROTO_TCP, TCP_REPAIR);
}

static int tcp_fast_connect(struct scene *s)
{
	return option(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT);
}

static int so_device(struct scene *s)
{
	return setsockopt(s->accepted, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
}

static int so_filter(struct scene *s)
{
	struct sock_filter code = { BPF_RET | BPF_K, 0, 0, 0xffff };
	struct sock_fprog prog = { 1, &code };

	return setsockopt(s->accepted, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof prog);
}

static int interfaces(struct scene *s)
{
	char room[64] = "";

	return ioctl(s->accepted, 0x8912 /* SIOCGIFCONF */, room);
}

/* For single walls: a socket is made, and gets nowhere. */
static int new_connection(struct scene *s)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	return connect(fd, (struct sockaddr *)&s->addr, sizeof s->addr);
}

/* ---- programs and processes ---- */

static int run_program(struct scene *s)
{
	char *argv[] = { (char *)"true", NULL };

	(void)s;
	return execve("/bin/true", argv, environ);
}

static int run_program_at(struct scene *s)
{
	char *argv[] = { (char *)"true", NULL };

	(void)s;
	return (int)syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv,
			    environ, 0);
}

static int fork_one(struct scene *s)
{
	pid_t pid = fork();

	(void)s;
	if (pid == 0)
		_exit(0);
	return pid;
}

static int clone_namespace(struct scene *s)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	(void)s;
	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int clone_new(struct scene *s)
{
	(void)s;
	return (int)syscall(SYS_clone3, NULL, 0);
}

static int trace(struct scene *s)
{
	(void)s;
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int read_memory(struct scene *s)
{
	char room[8];
	struct iovec mine = { room, sizeof room };
	struct iovec theirs = { (void *)s, sizeof room };

	return (int)process_vm_readv(getppid(), &mine, 1, &theirs, 1, 0);
}

static int signal_parent(struct scene *s)
{
	(void)s;
	return kill(getppid(), 0);
}

static int signal_thread(struct scene *s)
{
	(void)s;
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int signal_by_socket(struct scene *s)
{
	return fcntl(s->accepted, F_SETOWN, getppid());
}

/* ---- the kernel's doors ---- */

#define CALL(name, ...) \
	static int name(struct scene *s) \
	{ \
		(void)s; \
		return (int)syscall(__VA_ARGS__); \
	}

CALL(unshare_net, SYS_unshare, CLONE_NEWNET)
CALL(unshare_user, SYS_unshare, CLONE_NEWUSER)
CALL(set_namespace, SYS_setns, 0, 0)
CALL(mount_one, SYS_mount, "none", "/tmp", "tmpfs", 0, NULL)
CALL(unmount_one, SYS_umount2, "/nowhere", 0)
CALL(pivot, SYS_pivot_root, "/nowhere", "/nowhere")
CALL(change_root, SYS_chroot, "/")
CALL(keys, SYS_keyctl, 0, -3, 0)
CALL(add_a_key, SYS_add_key, "user", "x", "x", 1, -3)
CALL(bpf_call, SYS_bpf, 0, NULL, 0)
CALL(perf, SYS_perf_event_open, NULL, 0, -1, -1, 0)
CALL(uring, SYS_io_uring_setup, 1, NULL)
CALL(fault_handler, SYS_userfaultfd, 0)
CALL(by_handle, SYS_open_by_handle_at, -1, NULL, 0)
CALL(module, SYS_init_module, NULL, 0, "")
CALL(kexec, SYS_kexec_load, 0, 0, NULL, ~0UL)
CALL(restart, SYS_reboot, 0, 0, 0, NULL)
CALL(swap_on, SYS_swapon, "/nowhere", 0)
CALL(person, SYS_personality, 0x0040000)
CALL(become_root, SYS_setuid, 0)
CALL(pid_handle, SYS_pidfd_open, 1, 0)
CALL(memory_file, SYS_memfd_create, "x", 0)
CALL(dumpable, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
CALL(unknown_number, 1999)

static int host_name(struct scene *s)
{
	char name[256];

	(void)s;
	return gethostname(name, sizeof name);
}

static int core_dumps(struct scene *s)
{
	struct rlimit r = { 0, 0 };

	(void)s;
	/* Nothing to be dumped already, and no raising of it. */
	if (getrlimit(RLIMIT_CORE, &r) || r.rlim_max != 0)
		return 0;
	r.rlim_cur = r.rlim_max = RLIM_INFINITY;
	return setrlimit(RLIMIT_CORE, &r);
}

static int executable_memory(struct scene *s)
{
	(void)s;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int memory_made_executable(struct scene *s)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)s;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

/* Another architecture's entry has other numbers. */
static int old_entry(struct scene *s)
{
	(void)s;
#ifdef __x86_64__
	int nr = 20 /* getpid of i386 */;

	__asm__ volatile("int $0x80" : "+a"(nr) : : "memory");
	errno = nr < 0 ? -nr : 0;
	return nr < 0 ? -1 : 0;
#else
	errno = ENOTSUP;
	return -1;
#endif
}

/* ---- files ---- */

static int passwd(struct scene *s)
{
	(void)s;
	return open("/etc/passwd", O_RDONLY);
}

static int list_root(struct scene *s)
{
	(void)s;
	return open("/", O_RDONLY | O_DIRECTORY);
}

static int process_one(struct scene *s)
{
	(void)s;
	return open("/proc/1/status", O_RDONLY);
}

static int own_memory(struct scene *s)
{
	(void)s;
	return open("/proc/self/mem", O_RDWR);
}

static int key_file(struct scene *s)
{
	return open_in(s, "keys/public", O_RDONLY);
}

/* What Landlock does not hide. */
static int path_seen(struct scene *s)
{
	struct stat st;

	return stat(in_dir(s, "keys/public"), &st);
}

static int key_overwritten(struct scene *s)
{
	return open_in(s, "keys/public", O_WRONLY);
}

static int key_by_dots(struct scene *s)
{
	return open_in(s, "blocks/../keys/public", O_RDONLY);
}

static int file_beside(struct scene *s)
{
	return open_in(s, "new-file", O_WRONLY | O_CREAT);
}

static int file_elsewhere(struct scene *s)
{
	return open_in(s, "../new-file", O_WRONLY | O_CREAT);
}

static int import_written(struct scene *s)
{
	return open_in(s, "import.dat", O_WRONLY);
}

static int import_emptied(struct scene *s)
{
	return open_in(s, "import.dat", O_RDONLY | O_TRUNC);
}

static int import_truncated(struct scene *s)
{
	char *path = in_dir(s, "import.dat");

	return truncate(path, 0);
}

static int link_made(struct scene *s)
{
	return symlink("/etc/passwd", in_dir(s, "blocks/link"));
}

static int hard_link(struct scene *s)
{
	return link(in_dir(s, "keys/public"), in_dir(s, "blocks/link"));
}

static int moved_out(struct scene *s)
{
	return rename(in_dir(s, "blocks/mine"), in_dir(s, "keys/mine"));
}

static int key_removed(struct scene *s)
{
	return unlink(in_dir(s, "keys/public"));
}

static int mode_changed(struct scene *s)
{
	return chmod(in_dir(s, "keys/public"), 0666);
}

static int device_made(struct scene *s)
{
	return mknod(in_dir(s, "blocks/device"), S_IFIFO | 0600, 0);
}

/* ---- the table ---- */

#define ROW(name) { #name, name }
static const struct {
	const char *name;
	int (*run)(struct scene *s);
} attempts[] = {
	ROW(ordinary), ROW(without_threads),
	ROW(socket_inet), ROW(socket_inet6), ROW(socket_unix),
	ROW(socket_netlink), ROW(socket_packet), ROW(socket_alg),
	ROW(socket_pair), ROW(connect_anew), ROW(bind_anew),
	ROW(listen_anew), ROW(send_to), ROW(send_fast), ROW(send_fast_high),
	ROW(send_message), ROW(send_messages), ROW(accept_one),
	ROW(receive_message), ROW(tcp_repair),
	ROW(tcp_fast_connect), ROW(so_device), ROW(so_filter),
	ROW(interfaces), ROW(new_connection),
	ROW(run_program), ROW(run_program_at), ROW(fork_one),
	ROW(clone_namespace), ROW(clone_new), ROW(trace), ROW(read_memory),
	ROW(signal_parent), ROW(signal_thread), ROW(signal_by_socket),
	ROW(unshare_net), ROW(unshare_user), ROW(set_namespace),
	ROW(mount_one), ROW(unmount_one), ROW(pivot), ROW(change_root),
	ROW(keys), ROW(add_a_key), ROW(bpf_call), ROW(perf), ROW(uring),
	ROW(fault_handler), ROW(by_handle), ROW(module), ROW(kexec),
	ROW(restart), ROW(swap_on), ROW(person), ROW(become_root),
	ROW(pid_handle), ROW(memory_file), ROW(dumpable),
	ROW(unknown_number), ROW(host_name), ROW(core_dumps), ROW(executable_memory),
	ROW(memory_made_executable), ROW(old_entry),
	ROW(passwd), ROW(list_root), ROW(process_one), ROW(own_memory),
	ROW(key_file), ROW(path_seen), ROW(key_overwritten), ROW(key_by_dots),
	ROW(file_beside), ROW(file_elsewhere), ROW(import_written),
	ROW(import_emptied), ROW(import_truncated), ROW(link_made),
	ROW(hard_link), ROW(moved_out), ROW(key_removed), ROW(mode_changed),
	ROW(device_made),
};

static void scene_set(struct scene *s, const char *dir)
{
	socklen_t size = sizeof s->addr;

	s->dir = dir;
	memset(&s->addr, 0, sizeof s->addr);
	s->addr.sin_family = AF_INET;
	s->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	s->caller = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(s->listener, (struct sockaddr *)&s->addr, size) == 0);
	CHECK(listen(s->listener, 5) == 0);
	CHECK(getsockname(s->listener, (struct sockaddr *)&s->addr,
			  &size) == 0);
	CHECK(connect(s->caller, (struct sockaddr *)&s->addr, size) == 0);
	s->accepted = accept(s->listener, NULL, NULL);
	CHECK(s->accepted >= 0);
}

/* Plan for all walls, and keep the wanted. */
static void plan(struct walls_plan *p, const char *walls)
{
	struct why why;
	bool known = false;

	if (walls_plan_make(p, WALLS_STRICT, &why)) {
		printf("missing %s\n", why.text);
		exit(2);
	}
	if (strcmp(walls, "all") == 0)
		return;
	for (int w = 0; w < WALL_COUNT; w++) {
		p->up[w] = strcmp(walls, wall_name((enum wall)w)) == 0;
		known = known || p->up[w];
	}
	CHECK(known);
	/* Without it an ordinary user cannot raise these. */
	p->up[WALL_NO_NEW_PRIVS] = true;
}

static enum err raise_as(const char *who, const struct walls_plan *p,
			 const struct walls_path *paths, size_t n,
			 struct why *why)
{
	struct walls_child *c;
	enum err e;

	if (strcmp(who, "node") == 0)
		return walls_raise_node(p, paths, n, why);
	if (strcmp(who, "warden") == 0)
		return walls_raise_warden(p, why);
	if (strcmp(who, "spawner") == 0)
		return walls_raise_spawner(p, why);
	CHECK(strcmp(who, "child") == 0);
	e = walls_child_new(&c, p, paths, n, why);
	if (!e && walls_child_raise(c))
		e = why_errno(why, "cannot raise a child's walls");
	walls_child_free(c);
	return e;
}

int main(int argc, char **argv)
{
	struct walls_plan p;
	struct why why;
	struct scene s;
	char *blocks, *import;

	if (argc != 5) {
		fprintf(stderr, "usage: walls_probe WHO WALLS DIR ATTEMPT\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	scene_set(&s, argv[3]);
	blocks = in_dir(&s, "blocks");
	import = in_dir(&s, "import.dat");
	plan(&p, argv[2]);
	const struct walls_path paths[] = {
		{ blocks, WALLS_CHANGE }, { import, WALLS_READ },
		{ "/nowhere", WALLS_READ },
		{ strcmp(argv[1], "child") == 0 ? "/usr" : "/nowhere",
		  WALLS_EXECUTE },
		{ strcmp(argv[1], "child") == 0 ? "/lib64" : "/nowhere",
		  WALLS_EXECUTE },
	};
	if (raise_as(argv[1], &p, paths, ARRAY_SIZE(paths), &why)) {
		printf("not raised: %s\n", why.text);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		if (strcmp(attempts[i].name, argv[4]) != 0)
			continue;
		if (attempts[i].run(&s) >= 0) {
			printf("done\n");
		} else {
			int e = errno;

			printf("errno %d %s\n", e, strerror(e));
		}
		_exit(0);
	}
	fprintf(stderr, "there is no attempt %s\n", argv[4]);
	return 2;
}
