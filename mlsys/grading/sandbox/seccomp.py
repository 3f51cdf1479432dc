"""The system calls that a box refuses, as a program for the kernel's seccomp filter.

A list of what is refused, not of what is allowed: notebooks load compiled libraries whose calls nobody can list. What
namespaces, the missing capabilities and limits already prevent is refused once more, where a mistake in the kernel
would cost most.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from errno import EAFNOSUPPORT, ENOSYS, EPERM

from mlsys.grading.sandbox import linux
from mlsys.grading.sandbox.syscalls import NUMBERS

LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000  # x86-64's second set of numbers for the same calls
NAMESPACES = (
    linux.NEWNS | linux.NEWCGROUP | linux.NEWUTS | linux.NEWIPC | linux.NEWUSER | linux.NEWPID | linux.NEWNET
)
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SHARED_ANONYMOUS, HUGE_PAGES = 0x21, 0x40000
INIT = 1  # pid


@dataclass(frozen=True)
class Rule:
    """Refuse a call with an errno: always, or by the low 32 bits of one argument.

    any_of : refuse if one of these bits is set;  all_of : if all these are;  only : unless it is one of these;
    equal : if it is this.
    """

    call: str
    errno: int = EPERM
    argument: int = 0
    any_of: int = 0
    all_of: int = 0
    only: tuple[int, ...] = ()
    equal: int | None = None


# The calls with rules of their own; every other call of the table in syscalls.py is refused always.
SPECIAL = (
    Rule("clone", any_of=NAMESPACES),
    Rule("clone3", errno=ENOSYS),  # its flags lie in memory, which a filter cannot read; libc then uses clone
    Rule("memfd_create", errno=ENOSYS),
    # Pages of such a mapping, once let go of, belong to no process and to no capped file system.
    Rule("mmap", argument=3, all_of=SHARED_ANONYMOUS),
    Rule("mmap", argument=3, any_of=HUGE_PAGES),
    Rule("prlimit64", equal=INIT),
    Rule("sched_setaffinity", equal=INIT),
    Rule("sched_setscheduler", equal=INIT),
    Rule("sched_setparam", equal=INIT),
    Rule("sched_setattr", equal=INIT),
    # Network namespaces do not hold the others: AF_VSOCK reaches a virtual machine's host.
    Rule("socket", errno=EAFNOSUPPORT, only=(AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)),
    Rule("socketpair", errno=EAFNOSUPPORT, only=(AF_UNIX,)),
)


def program(machine: str) -> bytes:
    """The filter for a machine ("x86_64" or "aarch64"): an array of the kernel's `struct sock_filter`."""
    numbers = NUMBERS[machine]
    special = {rule.call for rule in SPECIAL}
    rules = [Rule(name) for name in numbers if name not in special] + list(SPECIAL)
    steps = [_step(LOAD, 4), _step(EQUAL, ARCHITECTURES[machine], yes=1), _step(RETURN, KILL), _step(LOAD, 0)]
    if machine == "x86_64":
        steps += [_step(AT_LEAST, X32, no=1), _step(RETURN, KILL)]
    for rule in rules:
        body = list(_refusal(rule))
        steps += [_step(EQUAL, numbers[rule.call], no=len(body)), *body]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def install() -> None:
    """From here on, for this process and all that it forks. Needs no_new_privileges first."""
    linux.filter_calls(PROGRAM)


def _refusal(rule: Rule) -> Iterator[bytes]:
    """The steps after the number has matched. They end with the number loaded again, for the next rule."""
    refuse, number = _step(RETURN, FAIL | rule.errno), _step(LOAD, 0)
    if rule.any_of:
        test = [_step(ANY_BIT, rule.any_of, no=1), refuse]
    elif rule.all_of:
        test = [_step(AND, rule.all_of), _step(EQUAL, rule.all_of, no=1), refuse]
    elif rule.only:
        left = len(rule.only)
        test = [_step(EQUAL, value, yes=left - i) for i, value in enumerate(rule.only)] + [refuse]
    elif rule.equal is not None:
        test = [_step(EQUAL, rule.equal, no=1), refuse]
    else:
        yield refuse
        return
    yield _step(LOAD, 16 + 8 * rule.argument)
    yield from test
    yield number


def _step(code: int, operand: int, yes: int = 0, no: int = 0) -> bytes:
    """One `struct sock_filter`; yes and no: how many steps to jump over when a test holds and when it does not."""
    return struct.pack("HBBI", code, yes, no, operand)


PROGRAM = program(platform.machine()) if platform.machine() in ARCHITECTURES else b""
