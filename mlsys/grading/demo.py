"""A demo class: submissions composed from known answers, the score of each known beforehand."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import MissingEntry

from mlsys.grading.cells import answer_cell, check_cell, grade_id, is_written
from mlsys.grading.course import Course
from mlsys.grading.mend import BORROWED
from mlsys.grading.scores import FLAGGED, GRADED, NOT_GRADED, Result
from mlsys.grading.secret import case_generator
from mlsys.problems import exercises, grader, problem
from mlsys.problems.judging import judge, score
from mlsys.problems.problem import Answer

PREFIX = "demo-"
BLANK = "blank"
WRITTEN = "AdaGrad keeps one number a coordinate, which only grows; so its steps only shrink."

Picks = dict[str, str]  # by exercise: "reference", "blank", or the name of another answer
Plan = Callable[[int, str], str]  # from an exercise's place and name to the answer picked


def _nth(kind: str, n: int) -> Plan:
    """The n-th right or wrong answer to every exercise, counted round."""

    def pick(place: int, name: str) -> str:
        names = list(getattr(grader(name), kind))
        return names[(n + place) % len(names)]

    return pick


def _alternating(*plans: Plan) -> Plan:
    return lambda place, name: plans[place % len(plans)](place, name)


def _all(answer: str) -> Plan:
    return lambda place, name: answer


REFERENCE, NOTHING = _all("reference"), _all(BLANK)

CLASS: dict[str, tuple[Plan, str]] = {
    "ada": (REFERENCE, "written"),
    "blaise": (_nth("right", 0), "written"),
    "carl": (_nth("right", 1), ""),
    "dorothy": (_nth("wrong", 0), ""),
    "emmy": (_nth("wrong", 1), "written"),
    "felix": (_all("paste"), ""),
    "grace": (_alternating(REFERENCE, _nth("wrong", 2)), "written"),
    "henri": (NOTHING, ""),
    "ida": (_alternating(REFERENCE, NOTHING), "renamed"),
    "john": (_alternating(_nth("wrong", 3), REFERENCE), "cells"),
    "kurt": (REFERENCE, "corrupt"),
    "leo": (REFERENCE, "missing"),
}
STATUS = {"renamed": FLAGGED, "cells": FLAGGED, "corrupt": NOT_GRADED, "missing": NOT_GRADED}


def make(course: Course, assignment: str) -> dict[str, Any]:
    """Hand in for the demo class, in place of an earlier one; what is expected of each student.

    Raises CourseError if the set is not released.
    """
    files = course.notebooks(assignment)
    remove(course, assignment)
    record: dict[str, Any] = {}
    for first, (plan, extra) in CLASS.items():
        picks = {name: plan(place, name) for place, name in enumerate(exercises(assignment))}
        folder = course.folder("submitted", PREFIX + first, assignment)
        shutil.copytree(course.folder("release", ".", assignment), folder)
        for file in files:
            _hand_in(folder / file, picks, extra)
        borrowed = any(BORROWED.search(_source(name, pick)) for name, pick in picks.items())
        status = STATUS.get(extra, FLAGGED if borrowed else GRADED)
        points = {name: 0.0 if status == NOT_GRADED else expected(name, pick) for name, pick in picks.items()}
        record[PREFIX + first] = {"status": status, "answers": picks, "points": points, "extra": extra}
    path = _record(course, assignment)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")
    return record


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
    _record(course, assignment).unlink(missing_ok=True)
    return len(students)


def disagreements(course: Course, assignment: str, results: Sequence[Result]) -> list[str]:
    """Where the demo class was not graded as was known beforehand; empty if all is well, or there is none."""
    path = _record(course, assignment)
    record = json.loads(path.read_text()) if path.exists() else {}
    wrong = []
    for result in results:
        known = record.get(result.student)
        if known is None:
            continue
        if known["status"] != result.status:
            wrong.append(f"{result.student} is {result.status}, and should be {known['status']}")
        for name, points in known["points"].items():
            mark = result.marks.get(name)
            if mark is None or mark.score is None or abs(mark.score - points) > 1e-9:
                got = "no points" if mark is None else f"{mark.score} points"
                wrong.append(f"{result.student} has {got} for {name}, and should have {points:g}")
    return wrong


def expected(name: str, pick: str) -> float:
    """The points of a known answer on the course's own cases."""
    if pick == BLANK:
        return 0.0
    task, half, answer = problem(name), grader(name), _known(name, pick)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = judge(task, half, answer.build(task.target), case_generator(name))
    return score(outcomes, task.points)


def _known(name: str, pick: str) -> Answer:
    half = grader(name)
    return {"reference": half.reference, **half.right, **half.wrong}[pick]


def _source(name: str, pick: str) -> str:
    """What a student typed; nothing if blank."""
    return "" if pick == BLANK else _known(name, pick).source(problem(name).target).strip()


def _record(course: Course, assignment: str) -> Path:
    return course.root / ".mlsys" / f"demo-{assignment}.json"


def _hand_in(path: Path, picks: Picks, extra: str) -> None:
    """Fill in a released notebook, and damage it where the plan says so."""
    notebook = nbformat.read(path, as_version=4)
    cells = {grade_id(cell): cell for cell in notebook.cells}
    mine = [name for name in picks if check_cell(name) in cells]
    for name in mine:
        if picks[name] != BLANK:
            cells[answer_cell(name)].source = _source(name, picks[name])
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
