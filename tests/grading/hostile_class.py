"""The whole corpus graded as one class: nobody harms anybody, and nobody gains.

Collected where a test module says `from hostile_class import *`. The limits are short; MLSYS_FULL_LIMITS=1 takes those
that instructors have.
"""

import os
import shutil
from contextlib import contextmanager

import pytest
from a_course import PS
from world import VARIABLE, World

from mlsys.grading import demo
from mlsys.grading.course import Course
from mlsys.grading.demo import corpus
from mlsys.grading.demo.record import differences
from mlsys.grading.demo.submission import Limits
from mlsys.grading.engine.executor import Times
from mlsys.grading.grade import How, chosen, grade
from mlsys.grading.release import feedback
from mlsys.grading.sandbox.box import Limits as BoxLimits
from mlsys.grading.scores import NOT_GRADED, marks

FULL = bool(os.environ.get("MLSYS_FULL_LIMITS"))
TIMES = Times() if FULL else Times(6.0, 24.0)
BOX = BoxLimits() if FULL else BoxLimits(memory_bytes=600 << 20, file_bytes=100 << 20, cpu_s=30)
CASES = [*corpus.hostile(), *corpus.honest()]


@pytest.fixture(scope="module")
def attacked(released, tmp_path_factory):
    """The class of the twelve and the corpus, graded; what is known of each, the results, and the world around."""
    with attacked_class(released, tmp_path_factory.mktemp("hostile")) as everything:
        yield everything


@contextmanager
def attacked_class(released, folder):
    shutil.copytree(released, folder / "course")
    course = Course(folder / "course")
    with pytest.MonkeyPatch.context() as patch:
        world = World(course, folder)
        try:
            patch.setenv(VARIABLE, world.secret)
            limits = Limits(*TIMES, BOX.memory_bytes, BOX.file_bytes, BOX.processes)
            known = demo.make(course, PS, corpus=True, outside=world.outside, limits=limits)
            world.begin()
            results = {
                r.student: r for r in grade(course, PS, chosen(course, PS), How(times=TIMES, limits=BOX))
            }
            for result in results.values():  # a page takes a second; those of scripts are what matters
                if result.status != NOT_GRADED and "markup" in result.student:
                    feedback(course, PS, result.student)
            yield course, known, results, world
        finally:
            world.close()


def test_the_class_finishes_and_nothing_outside_was_touched(attacked):
    course, known, results, world = attacked
    assert set(results) == set(known)
    assert world.harm() == []
    assert {s: marks(course, PS, s) for s in results} == {s: r.marks for s, r in results.items()}


@pytest.mark.parametrize("name", [f"demo-{name}" for name in demo.CLASS])
def test_an_honest_student_among_attackers_keeps_every_point(attacked, name):
    _, known, results, _ = attacked
    assert differences(known[name], results[name]) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.student)
def test_what_had_to_happen_did(attacked, case):
    _, known, results, world = attacked
    student = f"demo-{case.student}"
    found = differences(known[student], results[student])
    assert not found, f"{case.title} {found}"
    assert world.seen(student) == [], case.title
    assert world.active(student) == [], case.title
    said = [*results[student].flags, results[student].reason]
    assert [line for line in said if not line.isprintable()] == []
