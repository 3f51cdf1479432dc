"""On macOS and Windows: `mlsys grade` in a Linux container, which makes its own boxes inside as an ordinary user."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

IMAGE = "mlsys-grade"
DOCKERFILE = Path(__file__).with_name("Dockerfile")
COURSE = "/course"
# Each is there for one thing that a box needs and Docker's default refuses; no capability is given.
OPTIONS = {
    "seccomp=unconfined": "making namespaces",
    "apparmor=unconfined": "mounting inside them",
    "systempaths=unconfined": "a /proc of the box's own",
}


def build_command(source: Path, image: str = IMAGE) -> list[str]:
    """The command that makes the image from a checkout of the course's repository; once, with the network."""
    return ["docker", "build", "--tag", image, "--file", str(DOCKERFILE), str(source)]


def command(course: Path, arguments: Sequence[str], image: str = IMAGE) -> list[str]:
    """The command that runs `mlsys ARGUMENTS…` in a container, the course's folder mounted and the network off.

    Raises ValueError if course is not absolute: Docker would take it for the name of a volume.
    """
    if not course.is_absolute():
        raise ValueError(f"course={str(course)!r} must be absolute; pass course.resolve()")
    options = [word for option in OPTIONS for word in ("--security-opt", option)]
    return [
        *("docker", "run", "--rm", "--init"),
        *("--network", "none"),
        *("--user", _user()),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", *options),
        *("--mount", _fields("type=bind", f"source={course}", f"target={COURSE}")),
        *("--workdir", COURSE, "--env", "HOME=/tmp"),
        *(image, "mlsys", *arguments),
    ]


def _user() -> str:
    """Ours, so that what is written belongs to us; on Windows, where Docker sees to that, an ordinary one."""
    if not hasattr(os, "getuid") or not os.getuid():
        return "1000:1000"
    return f"{os.getuid()}:{os.getgid()}"


def _fields(*fields: str) -> str:
    """Docker reads a mount as one line of CSV: a folder's name may hold a comma."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()
