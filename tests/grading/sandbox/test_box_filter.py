"""The seccomp filter as a program, run here by hand: so that the other processor's is tested too."""

import struct
from errno import EAFNOSUPPORT, ENOSYS, EPERM

import pytest

from mlsys.grading.sandbox import seccomp
from mlsys.grading.sandbox.syscalls import MACHINES, NUMBERS

ALLOWED = ("allow", 0)
READ = {"x86_64": 0, "aarch64": 63}


def decide(
    program: bytes, architecture: int, number: int, arguments: tuple[int, ...] = ()
) -> tuple[str, int]:
    """What the kernel would do: interpret the filter over `struct seccomp_data`."""
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("=iIQ6Q", number, architecture, 0, *padded)
    at, accumulator = 0, 0
    while True:
        code, yes, no, operand = struct.unpack_from("HBBI", program, 8 * at)
        at += 1
        if code == seccomp.LOAD:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif code == seccomp.AND:
            accumulator &= operand
        elif code == seccomp.RETURN:
            names = {seccomp.ALLOW: "allow", seccomp.KILL: "kill", seccomp.FAIL: "fail"}
            return names[operand & 0xFFFF0000], operand & 0xFFFF if operand != seccomp.ALLOW else 0
        else:
            tests = {
                seccomp.EQUAL: accumulator == operand,
                seccomp.AT_LEAST: accumulator >= operand,
                seccomp.ANY_BIT: bool(accumulator & operand),
            }
            at += yes if tests[code] else no


@pytest.fixture(params=MACHINES)
def call(request):
    """What becomes of a call by name (or number) on a machine."""
    machine = request.param
    program = seccomp.program(machine)

    def ask(name, *arguments):
        number = NUMBERS[machine][name] if isinstance(name, str) else name
        return decide(program, seccomp.ARCHITECTURES[machine], number, arguments)

    ask.machine = machine
    return ask


def test_every_call_of_the_table_is_refused_or_has_a_rule_of_its_own(call):
    special = {rule.call for rule in seccomp.SPECIAL}
    assert special <= set(NUMBERS[call.machine])
    for name in set(NUMBERS[call.machine]) - special:
        assert call(name) == ("fail", EPERM), name


def test_calls_outside_the_table_are_allowed(call):
    assert call(READ[call.machine]) == ALLOWED
    known = set(NUMBERS[call.machine].values())
    assert all(call(number) == ALLOWED for number in range(450) if number not in known)


def test_threads_and_forks_are_allowed_and_namespaces_are_not(call):
    thread, fork = 0x3D0F00, 17
    assert call("clone", thread) == call("clone", fork) == ALLOWED
    for bit in (17, 25, 26, 27, 28, 29, 30):
        assert call("clone", fork | 1 << bit) == ("fail", EPERM)
    assert call("clone3") == ("fail", ENOSYS)


def test_shared_memory_needs_a_file(call):
    private, shared, anonymous, huge = 2, 1, 0x20, 0x40000
    assert call("mmap", 0, 4096, 3, private | anonymous) == call("mmap", 0, 4096, 3, shared) == ALLOWED
    assert call("mmap", 0, 4096, 3, shared | anonymous) == ("fail", EPERM)
    assert call("mmap", 0, 4096, 3, private | anonymous | huge) == ("fail", EPERM)


def test_init_is_out_of_reach_and_oneself_is_not(call):
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"):
        assert call(name, 0) == call(name, 2) == ALLOWED
        assert call(name, 1) == call(name, 1 | 5 << 32) == ("fail", EPERM), "the kernel reads the low half"


def test_kinds_of_sockets(call):
    for family in range(64):
        allowed = family in (1, 2, 10, 16)
        assert call("socket", family) == (ALLOWED if allowed else ("fail", EAFNOSUPPORT))
    assert call("socketpair", 1) == ALLOWED


def test_another_processor_s_calls_are_fatal():
    for machine, other in zip(MACHINES, reversed(MACHINES), strict=True):
        program = seccomp.program(machine)
        assert decide(program, seccomp.ARCHITECTURES[other], READ[machine])[0] == "kill"
    x86 = seccomp.ARCHITECTURES["x86_64"]
    assert decide(seccomp.program("x86_64"), x86, 0x40000000 | 39)[0] == "kill"
