"""What a process behind walls tries in vain, one attempt each: with all its
walls up, and with a single one, so that each is known to hold by itself."""

import os
import signal
import subprocess

KILLED = "killed"
EPERM, EACCES, ENOSYS, EXDEV, ENETUNREACH = 1, 13, 38, 18, 101

# What the node's walls do with each attempt.
NODE = {
    KILLED: """socket_inet socket_inet6 socket_unix socket_netlink
        socket_packet socket_alg connect_anew bind_anew listen_anew
        new_connection run_program run_program_at fork_one clone_namespace
        trace read_memory unshare_net unshare_user set_namespace mount_one
        unmount_one pivot change_root keys add_a_key bpf_call perf uring
        fault_handler by_handle module kexec restart swap_on person
        become_root pid_handle old_entry device_made""",
    EPERM: """socket_pair send_to send_fast send_fast_high send_message
        send_messages tcp_repair tcp_fast_connect so_device so_filter
        interfaces signal_parent signal_thread signal_by_socket memory_file
        dumpable unknown_number host_name core_dumps executable_memory
        memory_made_executable import_emptied import_truncated link_made
        hard_link mode_changed""",
    ENOSYS: "clone_new",
    EACCES: """passwd list_root process_one own_memory key_file
        key_overwritten key_by_dots file_beside file_elsewhere
        import_written key_removed""",
    # Landlock's word for a move between what it guards
    (EACCES, EXDEV): "moved_out",
    "done": "ordinary path_seen",
}
# What is refused to the warden, the spawner and tor.
DOORS = """mount_one unmount_one pivot change_root set_namespace keys add_a_key
    bpf_call perf uring fault_handler by_handle module kexec restart swap_on
    trace read_memory socket_packet socket_alg"""
# Only tor speaks on the network, and only the spawner starts programs.
WARDEN = """socket_inet socket_inet6 socket_netlink new_connection accept_one
    receive_message interfaces run_program run_program_at fork_one
    clone_namespace unshare_net unshare_user pid_handle"""


def probe_program(env):
    path = os.path.join(env.builddir, "tests", "walls_probe")
    if not os.path.exists(path):
        subprocess.run(["make", "-s", "-C", env.builddir,
                        "tests/walls_probe"], check=False)
    if not os.path.exists(path):
        env.skip("tests/walls_probe is not built (make check_programs)")
    return path


def scene(env):
    top = os.path.join(env.dir, "walled")
    for d in ("blocks", "keys"):
        os.makedirs(os.path.join(top, d))
    for f in ("import.dat", "keys/public", "blocks/mine"):
        with open(os.path.join(top, f), "w") as fh:
            fh.write("x")
    return top


class Probe:
    def __init__(self, env):
        self.program = probe_program(env)
        self.top = scene(env)
        r = self.run("node", "all", "ordinary")
        if r.stdout.startswith("missing"):
            env.skip(r.stdout.strip())

    def run(self, who, walls, attempt):
        return subprocess.run([self.program, who, walls, self.top, attempt],
                              stdout=subprocess.PIPE, text=True, timeout=30)

    def outcome(self, who, walls, attempt):
        r = self.run(who, walls, attempt)
        if r.returncode == -signal.SIGSYS:
            return KILLED
        assert r.returncode == 0, (who, walls, attempt, r)
        words = r.stdout.split()
        if not words:
            return "program ran"
        return int(words[1]) if words[0] == "errno" else words[0]

    def expect(self, wanted, who, walls, attempts):
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for a in attempts.split():
            got = self.outcome(who, walls, a)
            assert got in wanted, (who, walls, a, "wanted", wanted, "got",
                                   got)


def no_sanitizer(env):
    with open(os.path.join(env.builddir, "config.status")) as f:
        if "-fsanitize" in f.read():
            env.skip("seccomp is weaker in sanitizer builds")


def test_node_behind_all_walls(env):
    no_sanitizer(env)
    p = Probe(env)
    for wanted, attempts in NODE.items():
        p.expect(wanted, "node", "all", attempts)
    # Nothing of it left a trace.
    assert sorted(os.listdir(p.top)) == ["blocks", "import.dat", "keys"]
    assert os.listdir(os.path.join(p.top, "keys")) == ["public"]
    assert os.listdir(os.path.join(p.top, "blocks")) == ["mine"]
    assert os.path.getsize(os.path.join(p.top, "import.dat")) == 1


def test_seccomp_alone(env):
    no_sanitizer(env)
    p = Probe(env)
    for wanted in (KILLED, ENOSYS):
        p.expect(wanted, "node", "seccomp", NODE[wanted])
    p.expect(EPERM, "node", "seccomp", " ".join(
        a for a in NODE[EPERM].split() if a != "core_dumps"))
    p.expect("done", "node", "seccomp", "ordinary passwd")


def test_landlock_alone(env):
    p = Probe(env)
    p.expect(EACCES, "node", "landlock", NODE[EACCES])
    p.expect((EACCES, EXDEV), "node", "landlock", "moved_out hard_link")
    p.expect("done", "node", "landlock", "ordinary")
    p.expect(EACCES, "node", "landlock", "run_program link_made")


def test_network_namespace_alone(env):
    p = Probe(env)
    p.expect(ENETUNREACH, "node", "network_namespace", "new_connection")
    p.expect("done", "node", "network_namespace",
             "ordinary socket_inet passwd")
    # Why connect() is refused too: this is the way around the namespace.
    p.expect("done", "node", "network_namespace", "connect_anew")


def test_capabilities_and_dumps_alone(env):
    p = Probe(env)
    p.expect(EPERM, "node", "no_capabilities",
             "mount_one change_root socket_packet restart")
    p.expect("done", "node", "no_capabilities", "ordinary passwd")
    if os.getuid() != 0:
        p.expect(EPERM, "node", "core_dumps_off", "core_dumps")
    p.expect("done", "node", "core_dumps_off", "ordinary")


def test_warden(env):
    no_sanitizer(env)
    p = Probe(env)
    p.expect(EPERM, "warden", "all", DOORS)
    p.expect(EPERM, "warden", "all", WARDEN)
    p.expect(ENOSYS, "warden", "all", "old_entry clone_new")
    p.expect("done", "warden", "all", "without_threads socket_unix "
             "socket_pair passwd")


def test_spawner_and_tor(env):
    no_sanitizer(env)
    p = Probe(env)
    for who in ("spawner", "child"):
        p.expect(EPERM, who, "all", DOORS)
        p.expect("done", who, "all",
                 "ordinary socket_inet socket_unix fork_one")
        p.expect("program ran", who, "all", "run_program")
        p.expect(ENOSYS, who, "all", "old_entry")
    p.expect("done", "spawner", "all", "passwd new_connection unshare_user")
    p.expect(EPERM, "child", "all", "unshare_net unshare_user")
    p.expect("done", "child", "all", "new_connection")
    p.expect(EACCES, "child", "all", "passwd key_file key_overwritten "
             "key_by_dots file_beside process_one own_memory")
