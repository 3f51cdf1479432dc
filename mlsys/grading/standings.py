"""Where each student stands with a problem set: the mark, and whether it is final."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nbgrader.api import MissingEntry

from mlsys.grading.course import Course
from mlsys.grading.demo import PREFIX
from mlsys.grading.gradefile import number
from mlsys.grading.journal import DONE, Journal
from mlsys.grading.names import time_of
from mlsys.grading.parcels import STAMP
from mlsys.grading.roster import Person, records, roster
from mlsys.grading.scores import GRADED, Mark, Result, marks

CANVAS, MOODLE = "canvas", "moodle"
FINAL, MISSING, UNGRADED = "final", "no submission", "not graded"
AGAIN = "handed in again since it was graded"


@dataclass(frozen=True)
class Standing:
    """student : the folder;  numbers : the platforms';  state : FINAL, MISSING, or what is lacking"""

    student: str
    person: Person
    marks: dict[str, Mark]
    penalty: float
    full: float
    state: str
    numbers: dict[str, str] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether nothing is lacking."""
        return self.state in (FINAL, MISSING)

    @property
    def points(self) -> float:
        """Those so far, before the penalty for being late."""
        return Result(self.student, GRADED, self.marks).total

    @property
    def total(self) -> float:
        """As nbgrader counts: never below 0."""
        return max(0.0, self.points - self.penalty)

    def cell(self, unfinished: bool, missing_as_zero: bool) -> str:
        """The mark as it is exported; "" for none."""
        if self.state == MISSING:
            return "0" if missing_as_zero else ""
        return number(self.total) if self.state == FINAL or (unfinished and self.marks) else ""


def standings(course: Course, assignment: str) -> list[Standing]:
    """Everybody in the gradebook, and everybody who submitted; the demo class left out."""
    record = records(course).get(assignment, {})
    people = {person.id: person for person in _everybody(course)}
    renamed = {row["id"] for student, row in record.items() if row["id"] and row["id"] != student}
    penalties, full = _penalties(course, assignment)
    found, journal = [], Journal(course, assignment)
    done = journal.entries()
    for student in sorted((set(people) - renamed) | _submitted(course, assignment)):
        row: dict[str, Any] = record.get(student, {})
        person = people.get(row.get("id") or student, Person(student, first=row.get("name", "")))
        if not person.name and row.get("name"):
            person = Person(person.id, row["name"], "", person.email, person.lms)
        numbers = {CANVAS: person.lms} if person.lms else {}
        if row.get("number"):
            numbers[row["platform"].lower()] = row["number"]
        earned = marks(course, assignment, student)
        state = _state(course, assignment, student, earned, row)
        if student in done and state not in (MISSING, UNGRADED):
            state = _changed(course, assignment, journal, done[student]) or state
        found.append(Standing(student, person, earned, penalties.get(student, 0.0), full, state, numbers))
    return found


def _everybody(course: Course) -> list[Person]:
    """Those whom a roster knows, and those whom only grading has made known."""
    known = {person.id: person for person in roster(course)}
    for record in records(course).values():
        for student in record:
            known.setdefault(student, Person(student))
    return list(known.values())


def _submitted(course: Course, assignment: str) -> set[str]:
    return {student for student in course.students(assignment) if not student.startswith(PREFIX)}


def _penalties(course: Course, assignment: str) -> tuple[dict[str, float], float]:
    """What each loses for being late, and the points of the whole set."""
    with course.gradebook() as gradebook:
        known = gradebook.find_assignment(assignment)
        lost = {s.student_id: float(s.late_submission_penalty or 0.0) for s in known.submissions}
        return lost, float(known.max_score)


def _changed(course: Course, assignment: str, journal: Journal, entry: dict[str, Any]) -> str:
    """What happened since `mlsys grade`, or ""."""
    student = entry["student"]
    if entry.get("state") != DONE:
        return "its grading was cut off"
    there = course.folder("submitted", student, assignment).is_dir()
    changed = there and entry.get("submission") != journal.digest(student)
    return "the submission or the release has changed since it was graded" if changed else ""


def _state(
    course: Course, assignment: str, student: str, earned: dict[str, Mark], row: dict[str, Any]
) -> str:
    """Whether a mark is final, and if not what it lacks."""
    handed_in = course.folder("submitted", student, assignment)
    graded = sorted(course.folder("autograded", student, assignment).glob("*.ipynb"))
    if not earned and not handed_in.is_dir():
        return MISSING
    if not earned or not graded:
        return UNGRADED
    at = datetime.fromtimestamp(min(path.stat().st_mtime for path in graded), UTC)
    if row.get("collected") and datetime.fromisoformat(row["collected"]) > at:
        return AGAIN
    stamp = handed_in / STAMP
    if stamp.is_file():
        with course.gradebook() as gradebook, contextlib.suppress(MissingEntry):
            known = gradebook.find_submission(assignment, student).timestamp
            if known != time_of(stamp.read_text(errors="replace")):
                return AGAIN
    waiting = Result(student, GRADED, earned).awaiting
    return f"awaits a mark for {', '.join(waiting)}" if waiting else FINAL


def comment(one: Standing) -> str:
    """The points of each exercise in a line."""
    each = [f"{n}: {number(m.score or 0.0)} of {number(m.max_score)}" for n, m in one.marks.items()]
    return "; ".join(each + ([f"late: -{number(one.penalty)}"] if one.penalty else []))
