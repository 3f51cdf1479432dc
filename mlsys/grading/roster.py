"""Who the students are, who is meant by a platform's name, and what their folders are called."""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlsys.grading.archive import TARS, ZIPS
from mlsys.grading.course import Course
from mlsys.grading.demo import PREFIX
from mlsys.grading.errors import CourseError
from mlsys.grading.filenames import DEVICES, Parts
from mlsys.grading.names import Clue
from mlsys.problems import SETS

FORBIDDEN = re.compile(r'[+*?\[\]/\\:<>|"\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
LONGEST = 60  # characters of a folder's name: 240 bytes at most, and 128 fit nbgrader's gradebook


@dataclass(frozen=True)
class Person:
    """A student as nbgrader's gradebook has them; lms is the platform's number, lms_user_id there."""

    id: str
    first: str = ""
    last: str = ""
    email: str = ""
    lms: str = ""

    @property
    def name(self) -> str:
        """First and last."""
        return f"{self.first} {self.last}".strip()

    @property
    def names(self) -> set[str]:
        """First and last in either order, folded."""
        return {fold(self.first + self.last), fold(self.last + self.first)} - {""}

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


def fold(text: str) -> str:
    """What is left of a name where case, accents, spaces and signs do not count."""
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())


def roster(course: Course, file: Path | None = None) -> list[Person]:
    """The gradebook's students and those of a CSV, whose columns are nbgrader's; the demo class left out.

    Raises CourseError if the CSV has no ids, or one twice.
    """
    with course.gradebook() as gradebook:
        known = {
            s.id: Person(s.id, s.first_name or "", s.last_name or "", s.email or "", s.lms_user_id or "")
            for s in gradebook.students
            if not s.id.startswith(PREFIX)
        }
    made = {name for record in records(course).values() for name, row in record.items() if row.get("made")}
    known = {id: p for id, p in known.items() if p.name or p.email or p.lms or id not in made}
    if file:
        known |= {person.id: person for person in _csv(file)}
    return sorted(known.values(), key=lambda person: person.id)


def enrol(course: Course, people: list[Person]) -> None:
    """Write students to the gradebook, as `nbgrader db student import` does; what is empty here stays there."""
    with course.gradebook() as gradebook:
        for person in people:
            if person.id == folder_name(person.id):  # another could not be graded under this name
                about = {"first_name": person.first, "last_name": person.last, "email": person.email}
                about["lms_user_id"] = person.lms
                gradebook.update_or_create_student(person.id, **{k: v for k, v in about.items() if v})


def strangers(course: Course, assignment: str, students: list[str]) -> list[str]:
    """Those of the students whom no list of students names, where there is a list."""
    named = {p.id for p in roster(course) if p.name or p.email or p.lms}
    record = records(course).get(assignment, {})
    ids = {student: record.get(student, {}).get("id") or student for student in students}
    return [s for s in students if named and ids[s] not in named and not s.startswith(PREFIX)]


def _csv(file: Path) -> list[Person]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = [
                {(k or "").strip(): (v or "").strip() if isinstance(v, str) else "" for k, v in row.items()}
                for row in csv.DictReader(stream)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"the roster {file} cannot be read: {error}. It is a CSV in UTF-8.") from None
    ids = [row.get("id", "") for row in rows]
    if not ids or "" in ids:
        line = ids.index("") + 2 if ids else 1
        raise CourseError(
            f"the roster {file} has no id in line {line}. Its columns are nbgrader's: "
            "id, first_name, last_name, email, lms_user_id."
        )
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise CourseError(f"the roster {file} has {', '.join(twice[:3])} more than once. Keep one line each.")
    fields = ("id", "first_name", "last_name", "email", "lms_user_id")
    return [Person(*(row.get(name, "") for name in fields)) for row in rows]


def records(course: Course) -> dict[str, dict[str, Any]]:
    """What was collected before, by problem set and student's folder."""
    found = {}
    for path in sorted((course.root / ".mlsys" / "collected").glob("*.json")):
        found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    return found


def folder_name(name: str) -> str:
    """A name that nbgrader can grade, on every file system: the same where it can be, else with a mark of its own.

    Two different names never give the same folder (but for a collision of 32 bits of SHA-256).
    """
    safe = FORBIDDEN.sub("-", unicodedata.normalize("NFC", name))
    safe = safe.strip(" .")[:LONGEST].strip(" .")
    if safe and safe == name and safe.split(".")[0].rstrip().upper() not in DEVICES and "~" not in safe:
        return safe
    return f"{safe or 'student'}~{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"


class Matcher:
    """Finds the one student who is meant, or says why there is none."""

    def __init__(self, people: list[Person]) -> None:
        self.people = people
        self.keys = {person: {fold(person.id), fold(person.email), *person.names} - {""} for person in people}

    def find(self, clue: Clue) -> tuple[Person | None, str]:
        """The student, or why it is nobody's. Moodle's number is of one assignment only, so it tells nothing."""
        if clue.hidden:
            return None, f"{clue.platform} hid the names: switch anonymous grading off and download again"
        if clue.platform == "Canvas":
            numbered = [p for p in self.people if p.lms == clue.number or p.id == f"canvas-{clue.number}"]
            if len(numbered) == 1:
                return numbered[0], ""
        exact = [p for p in self.people if p.id == clue.name]
        found = exact or [p for p, keys in self.keys.items() if fold(clue.name) in keys]
        if len(found) == 1:
            if clue.platform == "Canvas" and found[0].lms and found[0].lms != clue.number:
                return None, f"Canvas has number {clue.number} for {found[0]}, the roster {found[0].lms}"
            return found[0], ""
        if found:
            return None, f"it could be any of {', '.join(map(str, found[:5]))}"
        return None, self._nearest(clue.name)

    def _nearest(self, name: str) -> str:
        keyed = {key: person for person, keys in self.keys.items() for key in sorted(keys)}
        near = difflib.get_close_matches(fold(name), sorted(keyed), n=6, cutoff=0.5)
        people = list(dict.fromkeys(str(keyed[key]) for key in near))[:3]
        return (
            f"no student of this name; nearest: {', '.join(people)}" if people else "no student of this name"
        )

    def known(self, name: str) -> bool:
        """Whether somebody is called so, in full."""
        return any(p.id == name or fold(name) in keys for p, keys in self.keys.items())

    def plain(self, parts: Parts, assignment: str, notebook: str) -> Clue:
        """Who is meant by student/notebook.ipynb, student/set/notebook.ipynb or student_notebook.ipynb."""
        if len(parts) > 1:
            name = bare(parts[0])
            at = 2 if len(parts) > 2 and (parts[1] == assignment or parts[1] in SETS) else 1
            return Clue("folder", name, "", parts[at:], parts[0], assignment=parts[1] if at == 2 else "")
        stem, dot, end = parts[0].rpartition(".")
        name, rest = self._split(stem, notebook) if dot else (end, "")
        return Clue("folder", name, "", (f"{rest or notebook}{dot}{end}" if dot else end,), parts[0])

    def _split(self, stem: str, notebook: str) -> tuple[str, str]:
        """The student's part and the rest of student_notebook, the rest being the set's name or the start of it."""
        rest = re.compile(rf"{re.escape(notebook.split('-')[0])}(?!\d)", re.IGNORECASE)
        cuts = [(stem[: m.start()], stem[m.end() :]) for m in re.finditer(r"[_\-. ]+", stem)]
        cuts = [(head, tail) for head, tail in cuts if head and rest.match(tail)]
        fitting = [cut for cut in cuts if self.known(cut[0])]
        return (stem, "") if self.known(stem) or not cuts else (fitting or cuts)[-1 if fitting else 0]


def bare(name: str) -> str:
    """A name without the ending of an archive."""
    return next((name[: -len(end)] for end in (*ZIPS, *TARS) if name.lower().endswith(end)), name)
