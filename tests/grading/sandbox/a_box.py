"""Run a student's program in a box and see what came of it: this module is the coordinator, and, run as a script, the
warm parent that forks the one child."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
import traceback
import types
import uuid
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MODES = ("root", "user") if os.geteuid() == 0 else ("user",)
ORDINARY = 54_321  # an ordinary user that owns nothing here
HOME = "/home/" + "student"
PACKAGE = str(ROOT / "mlsys")


@dataclass
class Ran:
    """told: the line on control; out: all that the program printed; s: until nothing of the box was left."""

    told: dict
    out: str
    s: float

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Running:
    """A box at work. Its control stays open until stop."""

    def __init__(self, source: str, mode: str, warm: str = "", secret: str = "", **fields) -> None:
        self.marker = uuid.uuid4().hex
        self.control, theirs = socket.socketpair()
        self.output, writing = os.pipe()
        job = {"source": source, "mode": mode, "warm": warm, "fields": fields}
        descriptors = (writing, theirs.fileno())
        self.start = time.monotonic()
        self.parent = subprocess.Popen(
            [sys.executable, __file__, json.dumps(job), *map(str, descriptors), self.marker],
            pass_fds=descriptors,
            env={**os.environ, "SECRET": secret} if secret else None,
        )
        os.close(writing)
        theirs.close()
        self.out, self.said = b"", b""

    def read(self, until: str | None = None, timeout_s: float = 30) -> None:
        """Gather what comes until the text is printed; without one, until nothing of the box is left."""
        waiting = {self.output, self.control.fileno()} - getattr(self, "ended", set())
        self.ended = {self.output, self.control.fileno()} - waiting
        while waiting and not (until and until in self.out.decode(errors="replace")):
            left = self.start + timeout_s - time.monotonic()
            ready = select.select(list(waiting), [], [], max(0.0, left))[0]
            assert ready, f"nothing more in {timeout_s} s; so far: {self.out!r} {self.said!r}"
            for descriptor in ready:
                data = os.read(descriptor, 1 << 16)
                if descriptor == self.output:
                    self.out += data
                else:
                    self.said += data
                if not data:
                    waiting.discard(descriptor)
                    self.ended.add(descriptor)

    def finish(self, timeout_s: float = 30) -> Ran:
        self.read(timeout_s=timeout_s)
        seconds = time.monotonic() - self.start
        self.stop()
        told = [json.loads(line) for line in self.said.splitlines()]
        assert len(told) <= 1
        return Ran(told[0] if told else {}, self.out.decode(errors="replace"), seconds)

    def stop(self) -> None:
        self.control.close()
        with contextlib.suppress(OSError):
            os.close(self.output)
        self.parent.wait(10)

    def alive(self) -> list[int]:
        """What is left of it on the host, its parent apart."""
        return [pid for pid in with_marker(self.marker) if pid != self.parent.pid]


def with_marker(marker: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if marker.encode() in Path("/proc", name, "cmdline").read_bytes():
                    found.append(int(name))
    return found


def inside(source: str, mode: str, timeout_s: float = 30, **fields) -> Ran:
    return Running(source, mode, **fields).finish(timeout_s)


def outside(source: str) -> str:
    """The same program without a box: what it prints, to see that the attack is one."""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


# From here on: the warm parent.


def main(job: dict, writing: int, control: int) -> None:
    for name in ("mlsys", "mlsys.grading"):  # bare: what else they import takes longer than a box
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(ROOT / name.replace(".", "/"))]
    from mlsys.grading.sandbox import box, linux

    exec(job["warm"], {})
    fields = {
        "readable": (),
        "masked": (),
        "home": HOME,
        "files": None,
        "environment": {"HOME": HOME, "PATH": "/usr/bin:/bin"},
        "limits": {},
        "slot": 0,
        **job["fields"],
    }
    fields["readable"] = (*box.system(), sys.prefix, sys.base_prefix, PACKAGE, *fields["readable"])
    fields["masked"] = tuple(fields["masked"])
    fields["limits"] = box.Limits(**fields["limits"])
    if job["mode"] == "user" and os.geteuid() == 0:
        _open_up(linux, [*fields["readable"], *filter(None, [fields["files"]])])
        os.setgroups([])
        os.setresgid(ORDINARY, ORDINARY, ORDINARY)
        os.setresuid(ORDINARY, ORDINARY, ORDINARY)
        linux.set_dumpable(True)  # as after exec
    child = os.fork()
    if not child:
        os.set_inheritable(writing, True)
        box.run(box.Box(**fields), lambda: _student(job["source"], writing), [writing], control)
    os.close(writing)
    os.close(control)
    os.waitpid(child, 0)


def _student(source: str, writing: int) -> None:
    for descriptor in (1, 2):
        os.dup2(writing, descriptor)
    space = sys.modules["__main__"].__dict__
    try:
        exec(compile(source, "<student>", "exec"), space)
    except Exception:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()


def _open_up(linux, paths: list[str]) -> None:
    """Folders closed to others than root are open on the way to these paths, in a mount namespace of our own."""
    linux.unshare(linux.NEWNS)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    for path in filter(os.path.exists, map(os.path.realpath, paths)):
        above = [str(parent) for parent in reversed(Path(path).parents)]
        shut = next((a for a in above if not os.stat(a).st_mode & 1), None)
        if shut is None:
            continue
        held = os.open(path, os.O_PATH)
        linux.mount("open", shut, "tmpfs", 0, "mode=0755")
        os.makedirs(path if os.path.isdir(f"/proc/self/fd/{held}") else os.path.dirname(path))
        if not os.path.isdir(path):
            open(path, "x").close()
        linux.mount(f"/proc/self/fd/{held}", path, flags=linux.MS_BIND | linux.MS_REC)
        os.close(held)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
