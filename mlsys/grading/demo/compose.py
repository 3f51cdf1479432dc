"""Who is in the demo class, and what they hand in."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbgrader.api import MissingEntry

from mlsys.grading.cells import answer_cell, check_cell, grade_id, is_written
from mlsys.grading.course import Course
from mlsys.grading.demo import record
from mlsys.grading.demo.answers import (
    BLANK,
    Picks,
    Plan,
    all_of,
    alternating,
    borrowed,
    drawn,
    every_answer,
    expected,
    nth,
    picks,
    source,
)
from mlsys.grading.demo.corpus import Case, honest, hostile
from mlsys.grading.demo.record import PREFIX, Known
from mlsys.grading.demo.submission import Limits, Outside, Submission
from mlsys.grading.errors import CourseError
from mlsys.grading.scores import FLAGGED, GRADED, NOT_GRADED
from mlsys.problems import problem

WRITTEN = "AdaGrad keeps one number a coordinate, which only grows; so its steps only shrink."
REFERENCE, NOTHING = all_of("reference"), all_of(BLANK)

CLASS: dict[str, tuple[Plan, str]] = {
    "ada": (REFERENCE, "written"),
    "blaise": (nth("right", 0), "written"),
    "carl": (nth("right", 1), ""),
    "dorothy": (nth("wrong", 0), ""),
    "emmy": (nth("wrong", 1), "written"),
    "felix": (all_of("paste"), ""),
    "grace": (alternating(REFERENCE, nth("wrong", 2)), "written"),
    "henri": (NOTHING, ""),
    "ida": (alternating(REFERENCE, NOTHING), "renamed"),
    "john": (alternating(nth("wrong", 3), REFERENCE), "cells"),
    "kurt": (REFERENCE, "corrupt"),
    "leo": (REFERENCE, "missing"),
}
STATUS = {"renamed": FLAGGED, "cells": FLAGGED, "corrupt": NOT_GRADED, "missing": NOT_GRADED}


class Member(NamedTuple):
    """A student of the demo class: known answers and perhaps a damage, or a case of the corpus."""

    name: str
    picks: Picks
    extra: str = ""
    case: Case | None = None


def make(
    course: Course,
    assignment: str,
    students: int | None = None,
    corpus: bool = False,
    outside: Outside | None = None,
    limits: Limits | None = None,
) -> dict[str, Known]:
    """Hand in for the demo class, in place of an earlier one; what is expected of each student.

    students : how many, the twelve of CLASS first; more have answers drawn for them. By default as few as there can be
    corpus : whether the attacks and the honest oddities are among them
    outside, limits : what the attacks aim at, and what the grader will allow
    Raises CourseError if the set is not released, if `students` is too few for what is asked, or without the corpus.
    """
    members = [Member(name, picks(assignment, plan), extra) for name, (plan, extra) in CLASS.items()]
    members += _members([*hostile(), *honest()]) if corpus else ()
    wanted = len(members) if students is None else students
    if wanted < len(members):
        raise CourseError(f"a demo class of {wanted}: it has {len(members)} students at least.")
    members += [Member(f"s{n:03d}", drawn(assignment, n)) for n in range(len(members) + 1, wanted + 1)]
    return hand_in(course, assignment, members, outside, limits)


def honest_class(
    course: Course, assignment: str, students: int = 100, outside: Outside | None = None
) -> dict[str, Known]:
    """Hand in for students who are all honest: every known answer to every exercise, every honest oddity, and drawn
    ones until there are as many as asked for; what is expected of each."""
    members = [Member(f"each{n:03d}", chosen) for n, chosen in enumerate(every_answer(assignment), 1)]
    members += _members(honest())
    missing = max(0, students - len(members))
    members += [Member(f"s{n:03d}", drawn(assignment, n), "written") for n in range(1, missing + 1)]
    return hand_in(course, assignment, members, outside)


def hand_in(
    course: Course,
    assignment: str,
    members: Iterable[Member],
    outside: Outside | None = None,
    limits: Limits | None = None,
) -> dict[str, Known]:
    """Hand in for these students, in place of an earlier demo class; what is expected of each."""
    files = course.notebooks(assignment)
    remove(course, assignment)
    release = course.folder("release", ".", assignment)
    released = {file: nbformat.read(release / file, as_version=4) for file in files}
    outside = outside or Outside(course.root)
    kept: dict[str, Known] = {}
    for member in members:
        folder = course.folder("submitted", PREFIX + member.name, assignment)
        shutil.copytree(release, folder)
        for file, notebook in released.items():
            if member.case is None:
                _answered(copy.deepcopy(notebook), folder / file, member.picks, member.extra)
            else:
                (folder / file).unlink()
                mine = Submission(
                    notebook, folder / file, assignment, outside, member.case.expect.attacked, limits
                )
                member.case.hand_in(mine)
                mine.write()
        kept[PREFIX + member.name] = _known(assignment, member)
    where = record.path(course, assignment)
    where.parent.mkdir(exist_ok=True)
    where.write_text(json.dumps(kept, indent=1) + "\n")
    return kept


def _members(cases: Iterable[Case]) -> list[Member]:
    return [Member(case.student, {}, case=case) for case in cases]


def _known(assignment: str, member: Member) -> Known:
    """What must become of a member's submission."""
    if member.case is not None:
        return {"title": member.case.title, **member.case.expect.known(assignment)}
    chosen, extra = member.picks, member.extra
    status = STATUS.get(extra, FLAGGED if any(map(borrowed, chosen, chosen.values())) else GRADED)
    points = {name: 0.0 if status == NOT_GRADED else expected(name, pick) for name, pick in chosen.items()}
    return {"status": status, "answers": chosen, "points": points, "extra": extra}


def remove(course: Course, assignment: str) -> int:
    """Take the demo class away, from the folders and the gradebook; how many students there were."""
    students = {s for s in course.students(assignment) if s.startswith(PREFIX)}
    with course.gradebook() as gradebook:
        listed = {s.id for s in gradebook.students if s.id.startswith(PREFIX)}
        for student in listed:
            try:
                gradebook.remove_submission(assignment, student)
            except MissingEntry:
                continue
            students.add(student)
            if not gradebook.find_student(student).submissions:
                gradebook.remove_student(student)
    for student in students:
        for kind in ("submitted", "autograded", "feedback"):
            folder = course.folder(kind, student, assignment)
            shutil.rmtree(folder, ignore_errors=True)
            if folder.parent.is_dir() and not any(folder.parent.iterdir()):
                folder.parent.rmdir()
    record.path(course, assignment).unlink(missing_ok=True)
    return len(students)


def _answered(notebook: Any, path: Path, chosen: Picks, extra: str) -> None:
    """Fill in a released notebook, write it, and damage it where the plan says so."""
    cells = {grade_id(cell): cell for cell in notebook.cells}
    mine = [name for name in chosen if check_cell(name) in cells]
    for name in mine:
        if chosen[name] != BLANK:
            cells[answer_cell(name)].source = source(name, chosen[name])
    if extra == "written":
        for cell in notebook.cells:
            cell.source = WRITTEN if is_written(cell) else cell.source
    if extra == "cells" and mine:
        cells[check_cell(mine[0])].source = f"{problem(mine[0]).points}"  # gives itself full marks
        if len(mine) > 1:
            notebook.cells.remove(cells[check_cell(mine[-1])])
    nbformat.write(notebook, path)
    if extra == "corrupt":
        path.write_text(path.read_text()[:-200])
    elif extra == "renamed":
        path.rename(path.with_stem(f"{path.stem} (1)"))
    elif extra == "missing":
        path.unlink()
        (path.parent / "sorry.txt").write_text("My notebook is on my other machine.\n")
