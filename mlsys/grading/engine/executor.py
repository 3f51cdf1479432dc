"""Executing a notebook in a box: cell by cell, against the clock, with what it shows and what it earns."""

from __future__ import annotations

import contextlib
import functools
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import nbformat
import numpy as np
from nbclient import NotebookClient

from mlsys.core import generator
from mlsys.grading.cells import exercise_of, grade_id, settings
from mlsys.grading.engine import wire
from mlsys.grading.engine.checker import Checker, Entry, Unanswered
from mlsys.grading.engine.link import Deadline, Died, Event, Link
from mlsys.grading.secret import hidden
from mlsys.problems import exercises, grader, problem
from mlsys.problems.hints import Exam
from mlsys.problems.judging import exam

GRACE_S, INTERRUPTS = 5.0, 5  # that an interrupted cell has to end, and how often it is told
START_S = 60.0
HIDDEN = "ERROR: An error occurred while showtraceback was disabled"
TRACEBACK_CHARS = 20_000
OUTPUT_BYTES, OUTPUTS = 4 << 20, 2000  # that are kept of a cell
NOTEBOOK_BYTES = 16 << 20  # and of all cells together


class Times(NamedTuple):
    """Seconds of wall time: of one cell, and of the whole notebook."""

    cell_s: float = 60.0
    notebook_s: float = 600.0


@dataclass
class Executed:
    """A notebook after its run. reason : why some cells were not run, or empty"""

    notebook: Any
    ledger: dict[str, Entry] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    reason: str = ""


@functools.lru_cache(maxsize=256)
def exams(key: bytes, name: str, counts: bool) -> Exam:
    """Drawn once for the class: from the course's secret, or the public ones."""
    rng: np.random.Generator = hidden(key, name) if counts else generator(0, "public", name)
    return exam(problem(name), grader(name), rng)


def prepare(assignment: str, key: bytes, enough: Callable[[], bool]) -> None:
    """What every worker will need of the judges, before there are workers: the cases, and then what the known mistakes
    give on them, until enough().
    """
    for drawn in [exams(key, name, True) for name in exercises(assignment)]:
        for name, i in drawn.known_mistakes():
            if enough():
                return
            drawn.mistaken(name, i)


class Executor:
    """Runs one notebook; its message handling, and so its outputs, are nbclient's."""

    def __init__(self, notebook: Any, assignment: str, key: bytes, times: Times) -> None:
        self.notebook, self.assignment, self.times = notebook, assignment, times
        self.client = NotebookClient(notebook)
        self.client.reset_execution_trackers()
        self.checker = Checker(assignment, functools.partial(exams, key))
        self.link = Link()
        self._cell, self._place, self._bytes, self._count = nbformat.from_dict({}), 0, 0, 0
        self._all_bytes = 0
        self._asking = False

    def run(self, parent: socket.socket, job: dict[str, Any]) -> Executed:
        """Every cell, or as many as it comes to."""
        done = Executed(self.notebook, self.checker.ledger, self.checker.flags)
        try:
            self.link.hand_over(parent, job)
            self._await("ready", time.monotonic() + START_S)
            end = time.monotonic() + self.times.notebook_s
            for place, cell in enumerate(self.notebook.cells):
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
                    if cell.source.strip():
                        self._run_cell(place, cell, end)
        except Died as died:
            done.reason = str(died)
        except Deadline:
            done.reason = "the notebook could not be stopped in time"
        except wire.Malformed as error:
            done.reason = f"it sent {error}"
        finally:
            self.link.close()
        return done

    def _run_cell(self, place: int, cell: Any, end: float) -> None:
        self._cell, self._place, self._bytes, self._count = cell, place, 0, 0
        self.client.clear_before_next_output = False
        self.link.order(t="execute", cell=place, code=cell.source)
        try:
            frame = self._done(min(end, time.monotonic() + self.times.cell_s))
        except Deadline:
            self._finish(self._interrupted())
            self._stopped("CellTimeoutError", "", ["CellTimeoutError: No reply from kernel before timeout"])
            if time.monotonic() >= end:
                raise Died(f"the notebook ran for more than {self.times.notebook_s:g} s") from None
            return
        self._finish(frame)

    def _interrupted(self) -> dict[str, Any]:
        """The end of a cell whose time is up. It is told so more than once: code may be deaf to one interrupt."""
        for _ in range(INTERRUPTS):
            self.link.interrupt()
            with contextlib.suppress(Deadline):
                return self._done(time.monotonic() + GRACE_S / INTERRUPTS, interrupted=True)
        raise Died("a cell ran too long and could not be stopped")

    def _done(self, until: float, interrupted: bool = False) -> dict[str, Any]:
        """Go on until the cell has ended: show what it shows, and judge what it answers."""
        tested = (
            exercise_of(self.assignment, grade_id(self._cell)) if settings(self._cell).get("grade") else ""
        )
        while True:
            try:
                frame = self._following(until)
                if frame["t"] != "check":
                    if not interrupted:
                        raise wire.Malformed("a frame out of turn")
                    self.link.reply({"t": "stopped"})  # sent before the interrupt came, which waits for this
                    continue
                self._asking = True
                self.checker.serve(self.link, frame.get("name"), tested, lambda: self._following(until))
            except _Ended as ended:
                return ended.frame
            finally:
                self._asking = False

    def _following(self, until: float) -> dict[str, Any]:
        """The next frame from `check`, showing meanwhile what the cell shows. Raises _Ended at the cell's end."""
        while True:
            event = self.link.next_check(until) if self._asking else self.link.next(until)
            if event.source == "checks":
                return event.frame
            self._show(event)

    def _show(self, event: Event) -> None:
        frame = event.frame
        if frame.get("cell") != self._place:
            return  # of a thread that a cell left running; nobody waits for it
        if frame["t"] == "done":
            raise _Ended(frame)
        if frame["t"] == "io":
            size = len(str(frame.get("content"))) * (1 + self._reached(frame))
            self._count, self._bytes, self._all_bytes = (
                self._count + 1,
                self._bytes + size,
                self._all_bytes + size,
            )
            within = self._bytes <= OUTPUT_BYTES and self._all_bytes <= NOTEBOOK_BYTES
            if within and self._count <= OUTPUTS:
                _shown(self.client, frame, self._cell, self._place)
            elif not self._cell.metadata.get("mlsys_cut"):
                self._cell.metadata["mlsys_cut"] = True
                self.checker.flag(f"cell {grade_id(self._cell) or self._place + 1} showed too much: cut")

    def _reached(self, frame: dict[str, Any]) -> int:
        """How many outputs a display changes besides its own: each keeps what it shows."""
        content = frame.get("content")
        transient = content.get("transient") if isinstance(content, dict) else None
        name = transient.get("display_id") if isinstance(transient, dict) else None
        known = self.client._display_id_map.get(name, {}) if isinstance(name, str) else {}
        return sum(map(len, known.values()))

    def _await(self, kind: str, until: float) -> None:
        while self.link.next(until).frame["t"] != kind:
            pass

    def _finish(self, frame: dict[str, Any]) -> None:
        """What the cell's reply says that its outputs do not."""
        reply = frame.get("reply")
        count = frame.get("count")
        self._cell.execution_count = count if type(count) is int and count >= 0 else None
        if not isinstance(reply, dict) or reply.get("status") != "error":
            return
        name, text, lines = (reply.get(key) for key in ("ename", "evalue", "traceback"))
        if not any(o.output_type == "error" and o.ename == name for o in self._cell.outputs):
            lines = [str(line)[:TRACEBACK_CHARS] for line in lines[:100]] if isinstance(lines, list) else []
            self._stopped(str(name)[:200], str(text)[: wire.TEXT_CHARS], lines or [HIDDEN])

    def _stopped(self, name: str, text: str, traceback: list[str]) -> None:
        """An error that the cell did not show itself, in nbgrader's form."""
        self._cell.outputs.append(
            nbformat.v4.new_output("error", ename=name, evalue=text, traceback=traceback)
        )


class _Ended(Unanswered):
    """The cell has ended, whatever was waited for."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__("the cell ended before its check did")
        self.frame = frame


def _shown(client: NotebookClient, frame: dict[str, Any], cell: Any, place: int) -> None:
    """Add an output as nbclient does. Raises Malformed for what no kernel sends."""
    message: dict[str, Any] = {
        "msg_type": frame.get("type"),
        "content": frame.get("content"),
        "parent_header": {"msg_id": "cell"},
        "header": {"msg_type": frame.get("type")},
        "metadata": {},
        "buffers": [],
    }
    before = len(cell.outputs)
    try:
        client.process_message(message, cell, place)
        for output in cell.outputs[-1:]:
            nbformat.validate(output, ref="output", version=4, version_minor=5)
    except Exception as error:
        del cell.outputs[before:]  # nbgrader would refuse the whole notebook for it
        raise wire.Malformed(f"an output that is none ({type(error).__name__})") from None
    finally:
        if type(cell.execution_count) is not int or cell.execution_count < 0:
            cell.execution_count = None
