"""Marks as a file for Canvas, for Moodle, or for a spreadsheet: only those that are final, nobody left out unsaid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlsys.grading.course import Course
from mlsys.grading.errors import CourseError
from mlsys.grading.gradefile import Sheet, number, read
from mlsys.grading.merge import into_canvas, into_moodle
from mlsys.grading.standings import CANVAS, MISSING, MOODLE, Standing, comment, standings

CSV = "csv"
PLATFORMS = (CANVAS, MOODLE, CSV)
WORKSHEET = (
    *("Identifier", "Full name", "ID number", "Email address", "Status", "Grade", "Maximum Grade"),
    *("Grade can be changed", "Last modified (submission)", "Last modified (grade)", "Feedback comments"),
)


@dataclass(frozen=True)
class Exported:
    """written : marks in the file;  blank : who has none, and why;  absent : who has a mark and no row in the file"""

    path: Path
    written: int
    blank: dict[str, str]
    absent: list[str]


def export(
    course: Course,
    assignment: str,
    platform: str,
    out: Path,
    into: Path | None = None,
    column: str = "",
    unfinished: bool = False,
    missing_as_zero: bool = False,
) -> Exported:
    """Write the marks of a problem set.

    into : the platform's own exported file, whose rows and columns are kept;  column : of the set in it, if not by name
    Raises CourseError if the set is not released, or the file is not the platform's or has other points than the set.
    """
    course.notebooks(assignment)
    if platform not in PLATFORMS:
        raise CourseError(f"no export for {platform!r}. There are: {', '.join(PLATFORMS)}.")
    if into and out.resolve() == into.resolve():
        raise CourseError(f"{out} would be written over. Give another --out.")
    if into and platform == CSV:
        raise CourseError(
            "a plain CSV is written anew: leave --into out, or say --for canvas or --for moodle."
        )
    class_ = standings(course, assignment)
    cells = {one.student: one.cell(unfinished, missing_as_zero) for one in class_}
    rows = {one.student: one for one in class_}
    taken = set(rows)
    if into:
        sheet = read(into)
        taken = (into_canvas if platform == CANVAS else into_moodle)(sheet, class_, cells, assignment, column)
    else:
        sheet = {CANVAS: _canvas, MOODLE: _moodle, CSV: _plain}[platform](class_, cells, assignment)
    sheet.write(out)
    written = sum(bool(cells[student]) for student in taken)
    blank = {s: one.state for s, one in rows.items() if not cells[s] and one.state != MISSING}
    if unfinished:
        blank |= {
            s: f"{one.state}; {cells[s]} written" for s, one in rows.items() if cells[s] and not one.settled
        }
    return Exported(out, written, blank, sorted(s for s in rows if cells[s] and s not in taken))


def _plain(class_: list[Standing], cells: dict[str, str], assignment: str) -> Sheet:
    """A row a student, a column an exercise."""
    names = list(next((one.marks for one in class_ if one.marks), {}))
    rows = [["id", "name", *names, "points", "late_penalty", "total", "max", "status"]]
    for one in class_:
        each = [one.marks[name].score if name in one.marks else None for name in names]
        points = ["" if score is None else number(score) for score in each]
        so_far = number(one.points) if one.marks else ""
        late = number(one.penalty) if one.marks else ""
        rows.append(
            [
                one.person.id,
                one.person.name,
                *points,
                so_far,
                late,
                cells[one.student],
                number(one.full),
                one.state,
            ]
        )
    return Sheet(rows, newline="\n")


def _canvas(class_: list[Standing], cells: dict[str, str], assignment: str) -> Sheet:
    """What Canvas's gradebook imports: it knows students by ID, else by login, else by name."""
    full = number(class_[0].full) if class_ else ""
    rows = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment],
        ["    Points Possible", "", "", "", "", full],
    ]
    for one in class_:
        last, first = one.person.last, one.person.first
        name = f"{last}, {first}" if last and first else one.person.name or one.student
        canvas = one.numbers.get(CANVAS, "")
        login = "" if one.student == f"canvas-{canvas}" else one.person.id
        rows.append([name, canvas, "", login, "", cells[one.student]])
    return Sheet(rows)


def _moodle(class_: list[Standing], cells: dict[str, str], assignment: str) -> Sheet:
    """The columns of Moodle's grading worksheet, which its gradebook can import by e-mail address too."""
    rows = [list(WORKSHEET)]
    for one in class_:
        identifier = f"Participant {one.numbers[MOODLE]}" if one.numbers.get(MOODLE) else ""
        status = "No submission" if one.state == MISSING else "Submitted for grading"
        mark = cells[one.student]
        made = one.student == f"moodle-{one.numbers.get(MOODLE)}"
        who = [identifier, one.person.name, "" if made else one.person.id, one.person.email]
        dates = ["-", "-"]
        rows.append([*who, status, mark, number(one.full), "Yes", *dates, comment(one) if mark else ""])
    return Sheet(rows)
