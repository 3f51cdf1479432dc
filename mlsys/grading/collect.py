"""Bring what a platform delivers into submitted/: whole or not at all, nothing dropped, nothing lost.

Who a file belongs to is told by its name (names, roster) and never guessed: what fits nobody is listed, and stays where
it was. A newer version replaces an earlier one, which is kept under .mlsys/replaced/.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlsys.grading.archive import Limits, unpack
from mlsys.grading.course import Course
from mlsys.grading.errors import CourseError
from mlsys.grading.names import time_of
from mlsys.grading.parcels import STAMP, Chosen, Parcel, Sorted, Unclear, choose, sort
from mlsys.grading.roster import Person, enrol, records, roster

PLACED, REPLACED, SAME = "placed", "replaced", "the same"
KEPT, OLDER, OTHER = "kept", "older", "another set"
NOBODY, UNCLEAR, REFUSED, FAILED = "no student", "unclear", "refused", "failed"
NOT_PLACED = (NOBODY, UNCLEAR, REFUSED, FAILED)


@dataclass(frozen=True)
class Row:
    """What became of a delivered submission. where : under the course, or "" if it stayed where it was."""

    student: str
    file: str
    where: str
    status: str
    note: str = ""


@dataclass(frozen=True)
class Collected:
    """rows : one a submission and one a thing not placed;  remarks : on the whole"""

    rows: list[Row]
    remarks: list[str]

    @property
    def not_placed(self) -> list[Row]:
        """What a person has to look at."""
        return [row for row in self.rows if row.status in NOT_PLACED]


def collect(
    course: Course,
    assignment: str,
    source: Path,
    list_of_students: Path | None = None,
    replace: bool | None = None,
    dry_run: bool = False,
    limits: Limits | None = None,
) -> Collected:
    """Place every submission found in a folder or archive.

    replace : an earlier submission by any other (True), never (False), or only by one not known to be older (None)
    Raises CourseError if the set is not released, or if there is nothing that could be read.
    """
    released = course.notebooks(assignment)
    submitted, given = course.folder("submitted").resolve(), source.resolve()
    if given == submitted or given in submitted.parents or submitted in given.parents:
        raise CourseError(
            f"{source} and {submitted}, where the work is brought, lie in each other. Give another."
        )
    people = roster(course, list_of_students)
    if list_of_students and not dry_run:
        enrol(course, people)  # for the next time, and for `mlsys export`
    scratch = course.root / ".mlsys"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="collect_", dir=scratch) as staging:
        unpacked = Path(staging) / "unpacked"
        unpacked.mkdir()
        delivery = unpack(source, unpacked, limits)
        found = sort(delivery, people, assignment, Path(released[0]).stem, source.is_file())
        clerk = _Clerk(course, assignment, Path(staging), released, replace, dry_run)
        try:
            rows = [clerk.row(found.parcels[student]) for student in sorted(found.parcels)]
        finally:
            clerk.write_record()
    return Collected(rows + _others(found), _remarks(found, people))


def _others(found: Sorted) -> list[Row]:
    """What is not placed, with the reason."""
    rows = [Row(student, "/".join(r.parts), "", REFUSED, r.reason) for student, r in found.refused]
    for unit, (paths, why) in sorted(found.nobody.items()):
        more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
        rows.append(Row("", paths[0] + more if len(paths) > 1 else unit, "", NOBODY, why))
    return rows + [Row("", unit, "", OTHER, f"of {of}") for unit, of in sorted(found.others.items())]


def _remarks(found: Sorted, people: list[Person]) -> list[str]:
    clues = [clue for parcel in found.parcels.values() for _, clue in parcel.files]
    remarks = []
    if not people and clues:
        kinds = sorted({clue.platform for clue in clues})
        remarks.append(
            f"No list of students is known, so ids were made from {' and '.join(kinds)}'s own "
            "names and numbers. For the names of your own: --roster students.csv"
        )
        if "Moodle" in kinds:
            remarks.append(
                "Moodle numbers students anew in every assignment: give --roster for a course of several."
            )
    here = {parcel.who.id for parcel in found.parcels.values() if parcel.who}
    missing = [str(person) for person in people if person.id not in here]
    if missing and clues:
        more = " …" if len(missing) > 5 else ""
        remarks.append(f"Not in this delivery: {len(missing)} of the list, {', '.join(missing[:5])}{more}")
    return remarks


class _Clerk:
    """Places parcels one by one, and keeps the record of what came from where."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        staging: Path,
        released: list[str],
        replace: bool | None,
        dry_run: bool,
    ) -> None:
        self.course, self.assignment, self.staging = course, assignment, staging
        self.released, self.replace, self.dry_run = released, replace, dry_run
        self.record: dict[str, Any] = records(course).get(assignment, {})
        self.now = datetime.now(UTC)

    def row(self, parcel: Parcel) -> Row:
        """Place one student's, and say what was done."""
        first = "/".join(parcel.files[0][0].parts)
        try:
            chosen = choose(parcel, self.released)
        except Unclear as unclear:
            more = f" (and {len(parcel.files) - 1} more)" if len(parcel.files) > 1 else ""
            return Row(parcel.student, first + more, "", UNCLEAR, str(unclear))
        target = self.course.folder("submitted", parcel.student, self.assignment)
        where, notes = str(target.relative_to(self.course.root)), list(chosen.notes)
        if parcel.who and parcel.who.id != parcel.student:
            notes.append(f"nbgrader cannot grade under the name {parcel.who.id!r}")
        try:
            status, note = self._place(parcel, chosen, target)
        except OSError as error:
            return Row(
                parcel.student, chosen.main, "", FAILED, f"{error.strerror or error}: nothing was changed"
            )
        notes = [note] * bool(note) + notes
        return Row(parcel.student, chosen.main, where if status != OLDER else "", status, "; ".join(notes))

    def _place(self, parcel: Parcel, chosen: Chosen, target: Path) -> tuple[str, str]:
        there = target.exists() or target.is_symlink()
        status, note = self._decide(parcel, chosen, target) if there else (PLACED, "")
        if status in (PLACED, REPLACED) and not self.dry_run:
            kept = self._write(chosen, parcel.student, target)
            note = f"the earlier one is in {kept.relative_to(self.course.root)}" if kept else ""
        if status in (PLACED, REPLACED, SAME) and not self.dry_run:
            _, clue = parcel.files[0]
            before = self.record.get(parcel.student, {}).get("collected", "")
            self.record[parcel.student] = {
                "name": parcel.who.name if parcel.who else clue.name,
                "id": parcel.who.id if parcel.who else "",
                "made": parcel.who is None,
                "platform": clue.platform,
                "number": clue.number,
                "from": chosen.main,
                "order": list(chosen.order),
                "collected": before if status == SAME else self.now.isoformat(timespec="seconds"),
            }
        return status, note

    def _decide(self, parcel: Parcel, chosen: Chosen, target: Path) -> tuple[str, str]:
        """Whether a submission that is there already makes way."""
        stamp = target / STAMP
        time = time_of(stamp.read_text(errors="replace")) if stamp.is_file() else None
        if _contents(target) == {place: _hash(path) for place, path in chosen.files.items()} and (
            chosen.time in (None, time)
        ):
            return SAME, ""
        if self.replace is not None:
            return (REPLACED, "") if self.replace else (KEPT, "another is there already, and stays: --keep")
        before = self.record.get(parcel.student, {})
        known = (
            before.get("platform") == parcel.files[0][1].platform and tuple(before["order"]) > chosen.order
        )
        if known or (time and chosen.time and time > chosen.time):
            return OLDER, "a newer one is there: --replace to have this one"
        return REPLACED, ""

    def _write(self, chosen: Chosen, student: str, target: Path) -> Path | None:
        """Write it beside, then rename; where the earlier one is kept, if there was one."""
        new = self.staging / "new" / student
        for place, data in chosen.files.items():
            path = new / place
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(data, path)
            _sync(path)
        if chosen.time:
            (new / STAMP).write_text(f"{chosen.time:%Y-%m-%d %H:%M:%S.%f} UTC")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.exists() or target.is_symlink()):
            shutil.move(new, target)
            return None
        kept = self._kept(student)
        beside = kept.with_name(f"{kept.name}.new")
        shutil.move(new, beside)
        try:
            swap(beside, target)
            beside.rename(kept)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return kept

    def _kept(self, student: str) -> Path:
        """A place of its own for what is replaced."""
        root, n = self.course.root / ".mlsys" / "replaced", 0
        while (
            path := root / f"{self.now:%Y-%m-%dT%H-%M-%SZ}{f'-{n}' * bool(n)}" / student / self.assignment
        ).exists():
            n += 1
        path.parent.mkdir(parents=True)
        return path

    def write_record(self) -> None:
        """Who was collected from where, for the next time and for `mlsys export`."""
        if self.dry_run or not self.record:
            return
        path = self.course.root / ".mlsys" / "collected" / f"{self.assignment}.json"
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(self.record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        _sync(partial)
        partial.replace(path)


def swap(new: Path, old: Path) -> None:
    """Let two folders change places, at once where the system can; where it cannot, a failure undoes it."""
    if _exchange(new, old):
        return
    aside = new.with_name(f"{new.name}.old")
    shutil.move(old, aside)
    try:
        shutil.move(new, old)
    except BaseException:
        shutil.move(aside, old)
        raise
    aside.rename(new)


def _exchange(new: Path, old: Path) -> bool:
    """Linux's atomic exchange of two names; False where there is none, or two file systems."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    here, both = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(new), here, os.fsencode(old), both) == 0)


def _contents(folder: Path) -> dict[str, str]:
    """A submission's files with their hashes, without the time."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != STAMP)
    return {p.relative_to(folder).as_posix(): _hash(p) for p in files}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
