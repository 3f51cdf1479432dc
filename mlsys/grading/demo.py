"""A demo class: submissions composed from known answers, the score of each known beforehand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat

from mlsys.grading.cells import answer_cell, grade_id
from mlsys.grading.course import Course
from mlsys.grading.secret import case_generator
from mlsys.problems import exercises, grader, problem
from mlsys.problems.judging import judge, score
from mlsys.problems.problem import Answer

STUDENTS = (
    "ada",
    "blaise",
    "carl",
    "dorothy",
    "emmy",
    "felix",
    "grace",
    "henri",
    "ida",
    "john",
    "kurt",
    "leo",
)


def make(course: Course, assignment: str) -> dict:
    record: dict = {}
    for i, first in enumerate(STUDENTS):
        student = f"demo-{first}"
        picks: dict = {}
        for k, name in enumerate(exercises(assignment)):
            half = grader(name)
            pool = [half.reference, *half.right.values(), *half.wrong.values(), None]
            picks[name] = pool[(i + k) % len(pool)]
        record[student] = {name: _expected(name, answer) for name, answer in picks.items()}
        _write(course, assignment, student, picks)
    (course.root / ".mlsys" / f"demo-{assignment}.json").write_text(json.dumps(record, indent=1))
    return record


def _expected(name: str, answer: Answer | None) -> float:
    if answer is None:
        return 0.0
    task = problem(name)
    return score(judge(task, grader(name), answer.build(task.target), case_generator(name)), task.points)


def _write(course: Course, assignment: str, student: str, picks: dict) -> Path:
    folder = course.folder("submitted", student, assignment)
    shutil.copytree(course.folder("release", ".", assignment), folder, dirs_exist_ok=True)
    for file in course.notebooks(assignment):
        notebook = nbformat.read(folder / file, as_version=4)
        cells = {grade_id(cell): cell for cell in notebook.cells}
        for name, answer in picks.items():
            if answer is not None and answer_cell(name) in cells:
                cells[answer_cell(name)].source = answer.source(problem(name).target)
        nbformat.write(notebook, folder / file)
    return folder
