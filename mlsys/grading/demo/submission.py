"""A right submission in the making, for a case of the corpus to change before it is handed in."""

from __future__ import annotations

import copy
import textwrap
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import nbformat

from mlsys.grading.cells import answer_cell, check_cell, grade_id
from mlsys.grading.check import CELL_S
from mlsys.grading.demo.answers import source
from mlsys.problems import exercises, problem

# The word is in no source, so that where it is found it was printed.
REACHED = """
import os

def reached(*what):
    print("REA" "CHED", *what)
"""

# The sockets of the process, whatever holds them, and a message in the form that the checker reads.
CHANNELS = """
import gc
import json
import socket

def channels():
    return [s for s in gc.get_objects() if isinstance(s, socket.socket) and s.fileno() >= 0]

def tell(channel, message):
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    try:
        channel.sendall(len(data).to_bytes(4, "big") + data)
    except OSError as error:  # one that takes no more; on to the next
        return error
"""


@dataclass(frozen=True)
class Limits:
    """What the grader allows, as far as cases must know it in order to go beyond it, or to stay within.

    Bombs are built to end by themselves, a few times beyond the limit: no limit that fails costs the machine.
    """

    cell_s: float = CELL_S
    notebook_s: float = 10 * CELL_S
    memory_bytes: int = 2 * 10**9
    disk_bytes: int = 10**9
    processes: int = 256


@dataclass(frozen=True)
class Outside:
    """What attacks aim at, beyond the sandbox. By default only the course is there.

    other : a student whose work they try to read;  file : a file elsewhere
    port : of a TCP and a UDP service on 127.0.0.1;  socket : of a unix socket, its path, or its abstract name after @
    pid : of a process of the same user
    """

    course: Path
    other: str = "demo-ada"
    file: Path = Path("/etc/hostname")
    port: int = 9
    socket: str = "/run/nothing.sock"
    pid: int = 2**22  # more than any process has


def roles(assignment: str) -> dict[str, str]:
    """The exercises that cases are about: one with others before and after it, the next, and one that is served an
    oracle, if there is any."""
    names = exercises(assignment)
    here = (len(names) - 1) // 2
    served = next((name for name in names if problem(name).practice is not None), names[here])
    return {"here": names[here], "next": names[min(here + 1, len(names) - 1)], "served": served}


class Submission:
    """A notebook with every exercise answered rightly, but those that the case attacks and the one that is served an
    oracle, whose right answer takes longer than all others together.

    notebook : to be changed;  path : where it will be written;  folder : the student's, which may get other files
    data : what is written in place of the notebook, if it is set;  written : False where nothing is to be written
    The sources given to its methods are dedented, and their $names filled in: see `text`.
    """

    def __init__(
        self,
        released: Any,
        path: Path,
        assignment: str,
        outside: Outside,
        attacked: tuple[str, ...] = (),
        limits: Limits | None = None,
    ) -> None:
        self.notebook: Any = copy.deepcopy(released)
        self.path, self.folder, self.outside = path, path.parent, outside
        self.limits = limits or Limits()
        self.data: bytes | None = None
        self.written = True
        self.roles = roles(assignment)
        blank = {self.roles[role] for role in attacked} | {self.roles["served"]}
        cells = {grade_id(cell): cell for cell in self.notebook.cells}
        for name in exercises(assignment):
            if name not in blank and answer_cell(name) in cells:
                cells[answer_cell(name)].source = source(name, "reference")

    def text(self, template: str, role: str = "here") -> str:
        """A source with its $names filled in: $target, the function asked for, $name, $points, $right, the right
        answer; $course, $other, $file, $port, $socket, $pid of what lies outside; $cell_s, $memory, $disk, $processes
        of the limits."""
        name = self.roles[role]
        outside, limits = self.outside, self.limits
        return Template(textwrap.dedent(template).strip("\n")).substitute(
            target=problem(name).target,
            name=name,
            points=problem(name).points,
            right=source(name, "reference"),
            course=outside.course,
            other=outside.other,
            file=outside.file,
            port=outside.port,
            socket=outside.socket,
            pid=outside.pid,
            cell_s=limits.cell_s,
            memory=limits.memory_bytes,
            disk=limits.disk_bytes,
            processes=limits.processes,
        )

    def answer(self, template: str, role: str = "here") -> None:
        """Type an answer."""
        self.cell(role).source = self.text(template, role)

    def before(self, template: str, role: str = "here") -> Any:
        """A cell of one's own before the answer; the cell."""
        return self._insert(template, role, self.cell(role), 0)

    def after(self, template: str, role: str = "here") -> Any:
        """A cell of one's own after the test; the cell."""
        return self._insert(template, role, self.check(role), 1)

    def attempts(self, *templates: str) -> None:
        """A cell each before the answer, in which `reached(…)` says that something outside was there to be had."""
        for template in (REACHED, *templates):
            self.before(template)

    def channels(self) -> None:
        """A cell before the answer that defines `channels()`, the open sockets, and `tell(channel, message)`."""
        self.before(CHANNELS)

    def cell(self, role: str = "here") -> Any:
        """The cell of the answer."""
        return self._find(answer_cell(self.roles[role]))

    def check(self, role: str = "here") -> Any:
        """The cell that carries the points."""
        return self._find(check_cell(self.roles[role]))

    def write(self) -> None:
        """Hand it in."""
        if self.written:
            text = "" if self.data is not None else nbformat.writes(self.notebook) + "\n"
            self.path.write_bytes(text.encode() if self.data is None else self.data)

    def bytes(self) -> bytes:
        """The notebook as it would be written."""
        return (nbformat.writes(self.notebook) + "\n").encode()

    def _insert(self, template: str, role: str, beside: Any, after: int) -> Any:
        place = self.notebook.cells.index(beside) + after
        self.notebook.cells.insert(place, nbformat.v4.new_code_cell(self.text(template, role)))
        return self.notebook.cells[place]

    def _find(self, name: str) -> Any:
        return next(cell for cell in self.notebook.cells if grade_id(cell) == name)
