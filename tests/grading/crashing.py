"""A small class that is graded again and again, by processes that are killed: what lies there afterwards."""

import copy
import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
import warnings
from contextlib import ExitStack, contextmanager
from importlib import import_module
from unittest import mock

import nbformat
from a_course import NOTEBOOK, PS

from mlsys.grading import crash
from mlsys.grading.cells import answer_cell, grade_id, is_written
from mlsys.grading.course import Course
from mlsys.grading.engine.pool import pool
from mlsys.grading.grade import How, chosen
from mlsys.grading.journal import Journal
from mlsys.problems import exercises, grader, problem

grading = import_module("mlsys.grading.grade")
FIRST, SECOND = exercises(PS)[:2]
CLASS = ("ann", "bob", "cy", "dan")


def hand_in(course, student, *right, text="An answer."):
    """The reference's answers to the exercises named, blanks elsewhere, and a written answer."""
    notebook = nbformat.read(course.folder("release", ".", PS) / NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if is_written(cell):
            cell.source = text
        for name in right:
            if grade_id(cell) == answer_cell(name):
                cell.source = grader(name).reference.source(problem(name).target)
    path = course.folder("submitted", student, PS) / NOTEBOOK
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def first_time(course):
    """What was handed in a week ago."""
    for student in CLASS[1:]:
        hand_in(course, student, FIRST, text="As of last week.")


def second_time(course):
    """Now ann is new, bob's is the same, cy's is better, and dan's cannot be read."""
    hand_in(course, "ann", FIRST)
    hand_in(course, "cy", FIRST, SECOND, text="Much longer.")
    (course.folder("submitted", "dan", PS) / NOTEBOOK).write_text("{")


def mark_by_hand(course, student):
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(PS, student)
        grade = next(g for n in submission.notebooks for g in n.grades if g.cell.cell_type == "markdown")
        grade.manual_score, grade.needs_manual_grade = 0.5, False
        submission.notebooks[0].comments[0].manual_comment = "Well argued."
        gradebook.db.commit()


class Replays:
    """In place of the pool: what the real one made of each notebook before, by its text."""

    size = 2

    def __init__(self):
        self.known = {}

    @contextmanager
    def recording(self):
        """Run what was not run before. One text is run once, so that two of the same are saved the same."""

        @contextmanager
        def recorded(assignment, key, workers):
            with ExitStack() as stack:
                yield _Recorder(lambda: stack.enter_context(pool(assignment, key, workers)), self.known)

        with mock.patch.object(grading, "pool", recorded):
            yield

    @contextmanager
    def replaying(self):
        @contextmanager
        def replayed(assignment, key, workers):
            yield self

        with mock.patch.object(grading, "pool", replayed):
            yield

    def submit(self, job):
        return _Copy(self.known[job.notebook])


class _Recorder:
    size = 2

    def __init__(self, begin, known):
        self._begin, self._known, self._real = begin, known, None

    def submit(self, job):
        if job.notebook not in self._known:
            self._real = self._real or self._begin()
            self._known[job.notebook] = self._real.submit(job)
        return _Copy(self._known[job.notebook])


class _Copy:
    def __init__(self, task):
        self._task = task

    def result(self):
        return copy.deepcopy(self._task.result())


REPLAYS = Replays()  # of all tests in this process


def run(course, resume=False, students=(), **how):
    """Grade, in this process; the results by student."""
    settings = How(jobs=2, resume=resume, **how)
    return {r.student: r for r in grading.grade(course, PS, chosen(course, PS, students), settings)}


def killed(course, point, resume=False):
    """Grade in a process of its own that is killed at this point; whether it got there."""
    return forked(lambda: run(course, resume), {crash.VARIABLE: point}) == -signal.SIGKILL


def forked(body, environment=None):
    """Run body() in a fork, and how that ended."""
    return os.waitstatus_to_exitcode(os.waitpid(forked_away(body, environment), 0)[1])


def forked_away(body, environment=None):
    """Begin to run body() in a fork; its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the fork of a process with idle threads
        child = os.fork()
    if not child:
        code = 1
        try:
            os.environ.update(environment or {})
            body()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def state(course):
    """All that a run leaves: marks and comments, graded notebooks, the journal's last lines, and scratch."""
    autograded = course.folder("autograded")
    return {
        "marks": _marks(course),
        "files": {
            str(p.relative_to(autograded)): _normal(p) for p in sorted(autograded.rglob("*")) if p.is_file()
        },
        "journal": Journal(course, PS).entries(),
        "scratch": sorted(p.name for p in (course.root / ".mlsys").glob("grading_*")),
    }


def _marks(course):
    with course.gradebook() as gradebook:
        return sorted(
            (
                submission.student.id,
                [
                    (g.cell.name, g.auto_score, g.manual_score, g.needs_manual_grade)
                    for g in _of(book, "grades")
                ],
                [(c.cell.name, c.auto_comment, c.manual_comment) for c in _of(book, "comments")],
            )
            for submission in gradebook.find_assignment(PS).submissions
            for book in submission.notebooks
        )


def _of(book, kind):
    return sorted(getattr(book, kind), key=lambda item: item.cell.name)


def _normal(path):
    """A notebook without what differs from run to run; other files as they are."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
    return notebook


def restored(backup, root):
    """The course as it was in the backup, at the same place."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(backup, root)
    return Course(root)


def sound(root):
    """Whether SQLite finds its file whole."""
    with sqlite3.connect(root / "gradebook.db") as db:
        return db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
