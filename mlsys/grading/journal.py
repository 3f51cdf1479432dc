"""Which submissions are done: a line when the saving of one begins, and one when everything of it is on disk."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from mlsys.grading import version
from mlsys.grading.course import Course
from mlsys.grading.database import shown
from mlsys.grading.files import entries, plain
from mlsys.grading.intake import MOST_BYTES
from mlsys.grading.scores import Result, marks, settled

BEGUN, DONE = "begun", "done"
CUT_OFF = "an earlier run was cut off while it saved this"


class Journal:
    """The journal of a problem set in a course. unsafe : whether the work now done is done without a sandbox"""

    def __init__(self, course: Course, assignment: str, unsafe: bool = False) -> None:
        self.course, self.assignment, self.unsafe = course, assignment, unsafe
        self.path = course.root / ".mlsys" / f"journal-{assignment}.jsonl"

    def entries(self) -> dict[str, dict[str, Any]]:
        """The last line of each student. A line that a crash cut short counts for nothing."""
        found: dict[str, dict[str, Any]] = {}
        lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        for line in lines:
            try:
                entry = json.loads(line)
                found[entry["student"]] = entry
            except (ValueError, LookupError, TypeError):
                continue
        return found

    def begin(self, student: str, submission: str) -> None:
        """From now on, what lies in the student's place may be new while the gradebook is not."""
        self._add({"state": BEGUN, "student": student, "submission": submission})

    def write(self, result: Result, submission: str) -> None:
        """All of it is on disk."""
        about: dict[str, Any] = {
            "status": result.status,
            "flags": list(result.flags),
            "reason": result.reason,
        }
        about |= {"made": self.made(result.student), "unsafe": self.unsafe}
        self._add({"state": DONE, "student": result.student, "submission": submission, **about})

    def _add(self, about: dict[str, Any]) -> None:
        """Add a line, and see that it is on disk."""
        line = {"assignment": self.assignment, "version": self.version, "gradebook": self._gradebook, **about}
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
            torn = size and file.read(1) != b"\n"
            file.write(b"\n" * bool(torn) + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def look(self, student: str, entry: dict[str, Any] | None) -> Result | str:
        """What became of a submission that is done already; else why it is done again, empty where it never was.

        entry : its last line
        """
        if entry is None:
            return ""
        if entry.get("state") != DONE:
            return CUT_OFF
        if entry["submission"] != self.digest(student):
            return "the submission or the release has changed"
        if entry["version"] != self.version:
            return "the grader or the exercises have changed"
        if entry.get("unsafe") and not self.unsafe:
            return "it was run without a sandbox"
        found = marks(self.course, self.assignment, student) if entry["gradebook"] == self._gradebook else {}
        if not found:
            return "the gradebook does not have it"
        if entry["made"] != self.made(student):
            return "the graded notebook is not the one that was saved"
        return settled(student, found, tuple(entry["flags"]), entry["reason"])

    @functools.cached_property
    def version(self) -> str:
        """Of the grader and the exercises."""
        return version.of_grader(self.course, self.assignment)

    @property
    def _gradebook(self) -> str:
        """Where the marks are; the same for a course folder that has moved."""
        return shown(self.course.coursedir.db_url).replace(str(self.course.root), ".")

    def digest(self, student: str) -> str:
        """A hash of what the scores hang on: the files handed in, the released notebooks, the secret."""
        course = self.course
        sha = hashlib.sha256((course.root / ".mlsys" / "secret").read_bytes())
        for kind, owner in (("submitted", student), ("release", ".")):
            _add_files(sha, course.folder(kind, owner, self.assignment))
        return sha.hexdigest()

    def made(self, student: str) -> str:
        """A hash of a student's graded files; empty if there are none."""
        folder = self.course.folder("autograded", student, self.assignment)
        return _add_files(hashlib.sha256(), folder).hexdigest() if folder.is_dir() else ""


def unfinished(course: Course, assignment: str, student: str, entry: dict[str, Any] | None) -> str:
    """Why no feedback can be written from what lies under autograded/, or empty.

    entry : the journal's last line. What stock nbgrader graded has none, or one of something else: then the notebooks
        have to be all there, and to have been run, which nbgrader does last.
    """
    folder = course.folder("autograded", student, assignment)
    if entry and entry.get("state") != DONE:
        return CUT_OFF
    if not folder.is_dir():
        return "nothing is graded"
    if entry and entry["made"] == Journal(course, assignment).made(student):
        return ""
    for name in course.notebooks(assignment):
        try:
            cells = json.loads((folder / name).read_bytes())["cells"]
            if any(cell.get("execution_count") for cell in cells):
                continue
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return f"{name} is not whole"
        return f"{name} was not run to its end by an earlier grader"
    return ""


def _add_files(sha: Any, root: Path) -> Any:
    """Feed the plain files under a folder to a hash; no link is followed, what is too large to grade is not read."""
    for path in filter(plain, entries(root)):
        sha.update(f"\0{path.relative_to(root)}\0".encode(errors="surrogateescape"))
        try:
            size = path.stat().st_size
            sha.update(path.read_bytes() if size <= MOST_BYTES else str(size).encode())
        except OSError as error:
            sha.update(str(error.errno).encode())
    return sha
