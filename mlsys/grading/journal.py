"""Which submissions are done: a line each, written when everything else of it is on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlsys.grading.course import Course
from mlsys.grading.scores import Result, marks

VERSION = "1"  # of the engine: with another one, what is done is done again


class Journal:
    """The journal of a problem set in a course."""

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        self.path = course.root / ".mlsys" / f"journal-{assignment}.jsonl"

    def entries(self) -> dict[str, dict[str, Any]]:
        """The last line of each student. A line that a crash cut short counts for nothing."""
        found: dict[str, dict[str, Any]] = {}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            found[entry["student"]] = entry
        return found

    def write(self, result: Result, submission: str) -> None:
        """Add a line, and see that it is on disk."""
        self.path.parent.mkdir(exist_ok=True)
        entry = {
            "student": result.student,
            "submission": submission,
            "version": VERSION,
            "status": result.status,
            "flags": list(result.flags),
            "reason": result.reason,
        }
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a") as file:
            file.write("\n" * torn + json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def done(self, student: str, entry: dict[str, Any] | None) -> Result | None:
        """What became of a submission that is done already and has not changed since; else None."""
        same = entry and entry["submission"] == self.digest(student) and entry["version"] == VERSION
        if not entry or not same:
            return None
        found = marks(self.course, self.assignment, student)
        there = self.course.folder("autograded", student, self.assignment).is_dir()
        if not found or (not entry["reason"] and not there):
            return None
        return Result(student, entry["status"], found, tuple(entry["flags"]), entry["reason"])

    def digest(self, student: str) -> str:
        """A hash of what the scores hang on: the files handed in, the released notebooks, the secret."""
        course = self.course
        handed_in = course.folder("submitted", student, self.assignment)
        released = course.folder("release", ".", self.assignment)
        sha = hashlib.sha256((course.root / ".mlsys" / "secret").read_bytes())
        for root in (handed_in, released):
            for path in _files(root):
                sha.update(f"\0{path.relative_to(root)}\0".encode(errors="surrogateescape"))
                try:
                    sha.update(path.read_bytes())
                except OSError as error:
                    sha.update(str(error.errno).encode())
        return sha.hexdigest()


def _files(root: Path) -> Iterable[Path]:
    """The plain files under a folder; no link is followed."""
    return sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink())
