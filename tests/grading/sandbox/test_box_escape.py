"""No way out: other processes, the network, more rights, inherited descriptors."""

import os
import socket
import threading

import pytest
from a_box import inside, outside

LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nerror = lambda: os.strerror(ctypes.get_errno())\n"


def test_rights_are_none_and_the_filter_is_on(mode):
    program = """
wanted = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
for line in open("/proc/self/status"):
    name, _, rest = line.partition(":")
    if name in wanted:
        print(name, *rest.split())
print("first to go when memory is short:", open("/proc/self/oom_score_adj").read().strip())
"""
    none = "0000000000000000"
    expected = [f"{name} {' '.join(['1000'] * 4)}" for name in ("Uid", "Gid")]
    ran = inside(program, mode)
    groups = next(line for line in ran.lines if line.startswith("Groups"))
    assert set(groups.split()[1:]) <= {"65534", "1000"}
    assert [line for line in ran.lines if line != groups] == [
        *expected,
        *(f"Cap{kind} {none}" for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
        "NoNewPrivs 1",
        "Seccomp 2",
        "first to go when memory is short: 1000",
    ]


def test_it_sees_its_own_processes_only(mode):
    program = "import os; print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()), os.getpid())"
    assert inside(program, mode).out == "[1, 2] 2\n"


def test_every_namespace_is_its_own(mode):
    kinds = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
    program = f"import os\nfor kind in {kinds}:\n    print(os.readlink(f'/proc/self/ns/{{kind}}'))"
    ours = [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
    theirs = inside(program, mode).lines
    assert len(theirs) == len(kinds)
    assert not set(ours) & set(theirs)


ATTACK_INIT = (
    LIBC
    + """
import resource, signal
for number in sorted(signal.valid_signals()):
    try:
        os.kill(1, number)
    except OSError:
        pass
for what, done in (
    ("ptrace", lambda: libc.ptrace(16, 1, 0, 0)),
    ("process_vm_readv", lambda: libc.process_vm_readv(1, None, 0, None, 0, 0)),
    ("sched", lambda: libc.sched_setscheduler(1, 5, ctypes.byref(ctypes.c_int(0)))),
    ("affinity", lambda: libc.sched_setaffinity(1, 8, ctypes.byref(ctypes.c_long(1)))),
    ("priority", lambda: libc.setpriority(0, 1, 19)),
):
    print(what, done(), error())
for path in ("mem", "environ", "maps", "fd", "root", "cwd"):
    try:
        os.listdir(f"/proc/1/{path}") if path in ("fd", "root", "cwd") else open(f"/proc/1/{path}").read(1)
        print("opened", path)
    except OSError:
        pass
try:
    resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))
    print("limited init")
except OSError:
    pass
print("still here")
"""
)


def test_init_cannot_be_killed_traced_read_or_slowed(mode):
    ran = inside(ATTACK_INIT, mode)
    names = ("ptrace", "process_vm_readv", "sched", "affinity", "priority")
    assert ran.lines == [*(f"{name} -1 Operation not permitted" for name in names), "still here"]
    assert ran.told == {"event": "exit", "code": 0}


CALLS = {
    "mount": 'libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)',
    "umount": 'libc.umount2(b"/proc", 2)',
    "unshare": "libc.unshare(0x10000000)",
    "clone with a new user namespace": "libc.syscall(56 if X86 else 220, 0x10000000 | 17, 0, 0, 0, 0)",
    "setns": 'libc.setns(os.open("/proc/self/ns/net", os.O_RDONLY), 0)',
    "chroot": 'libc.chroot(b"/tmp")',
    "setuid": "libc.setuid(0)",
    "setgroups": "libc.setgroups(0, None)",
    "bpf": "libc.syscall(321 if X86 else 280, 0, 0, 0)",
    "perf": "libc.syscall(298 if X86 else 241, 0, 0, -1, -1, 0)",
    "userfaultfd": "libc.syscall(323 if X86 else 282, 0)",
    "io_uring": "libc.syscall(425, 1, 0)",
    "keyctl": "libc.syscall(250 if X86 else 219, 0, 0, 0)",
    "open_by_handle_at": "libc.open_by_handle_at(-100, None, 0)",
    "swapoff": 'libc.swapoff(b"/x")',
    "reboot": "libc.reboot(0)",
    "sethostname": 'libc.sethostname(b"x", 1)',
    "a device": 'libc.mknod(b"/tmp/device", 0o60600, 0xfe00)',
    "a shared mapping of no file": "libc.mmap(None, 4096, 3, 0x21, -1, 0)",
    "memfd": 'libc.memfd_create(b"x", 0)',
    "shmget": "libc.shmget(0, 4096, 0o600)",
    "vsock": "libc.socket(40, 1, 0)",
    "packet socket": "libc.socket(17, 3, 0)",
    "alg socket": "libc.socket(38, 5, 0)",
}


def test_calls_that_would_reach_out_are_refused(mode):
    program = LIBC + "X86 = os.uname().machine == 'x86_64'\n"
    program += "".join(f"print({name!r}, {call} == -1)\n" for name, call in CALLS.items())
    ran = inside(program, mode)
    assert ran.lines == [f"{name} True" for name in CALLS]


def test_calls_by_another_table_of_numbers_are_fatal(mode):
    """x86-64 has a second set of numbers; where there is none (Arm) the number is unknown to the kernel."""
    ran = inside(LIBC + "print(libc.syscall(0x40000000 | 39))", mode)
    if os.uname().machine == "x86_64":
        assert ran.told == {"event": "signal", "signal": 31}
    else:
        assert ran.out == "-1\n"


CONNECT = """
import socket, sys
def tell(name, do):
    try:
        do()
        print(name)
    except OSError:
        pass
tell("tcp", lambda: socket.create_connection(("127.0.0.1", {tcp}), 2))
tell("outside", lambda: socket.create_connection(("192.0.2.1", 80), 2))
tell("abstract", lambda: socket.socket(socket.AF_UNIX).connect({abstract!r}))
tell("path", lambda: socket.socket(socket.AF_UNIX).connect({path!r}))
tell("name", lambda: socket.getaddrinfo("example.org", 80))
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"from within", ("127.0.0.1", {udp}))
print("done")
"""


@pytest.fixture
def servers(open_path):
    """Listening on the host: TCP, UDP, abstract and path unix sockets."""
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    abstract, path = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0box-test-{os.getpid()}")
    path.bind(str(open_path / "socket"))
    os.chmod(open_path / "socket", 0o777)
    for server in (abstract, path):
        server.listen()
    yield tcp, udp, abstract, path
    for server in (tcp, udp, abstract, path):
        server.close()


def test_no_server_of_the_host_can_be_reached(mode, servers):
    tcp, udp, abstract, path = servers
    program = CONNECT.format(
        tcp=tcp.getsockname()[1],
        udp=udp.getsockname()[1],
        abstract=abstract.getsockname().decode(),
        path=path.getsockname(),
    )
    udp.settimeout(2)
    assert {"tcp", "abstract", "path", "done"} <= set(outside(program).splitlines())
    assert udp.recv(100) == b"from within"
    assert inside(program, mode).out == "done\n"
    udp.settimeout(0.1)
    with pytest.raises(TimeoutError):
        udp.recv(100)


def test_it_can_talk_to_itself(mode):
    program = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
server.accept()[0].send(b"hello")
print(client.recv(10), socket.gethostname())
"""
    assert inside(program, mode).out == "b'hello' box\n"


def test_no_descriptor_is_left_but_those_to_be_kept(mode):
    """What the parent holds open is gone; 0, 1, 2 lead nowhere, but that this program has put its output on 1, 2."""
    program = """
import os
for number in range(1000):
    try:
        os.fstat(number)
    except OSError:
        continue
    print(os.readlink(f"/proc/self/fd/{number}").split(":")[0])
"""
    warm = """
import os
held = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(5)]
for number in (50, 300, 900):
    os.dup2(held[0], number)
"""
    assert inside(program, mode, warm=warm).lines == ["/dev/null", "pipe", "pipe", "pipe"]


def test_boxes_alive_at_once_do_not_meet(mode):
    """Two boxes: neither sees the other's files, processes or sockets."""
    program = """
import os, socket, time
open("/tmp/mine", "w").close(); open("/dev/shm/mine", "w").close(); open("mine", "w").close()
mine = socket.socket(socket.AF_UNIX)
mine.bind("\\0meeting-place")
print(len([p for p in os.listdir("/proc") if p.isdigit()]))
time.sleep(0.5)
"""
    results = []
    threads = [
        threading.Thread(target=lambda slot=slot: results.append(inside(program, mode, slot=slot)))
        for slot in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ran.out for ran in results] == ["2\n", "2\n"]
