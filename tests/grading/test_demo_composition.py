"""How a demo class is put together: any size, every known answer, the corpus; what is known is compared as it says."""

import json
from unittest import mock

import pytest
from a_course import NOTEBOOK, PS, digest, mlsys

from mlsys.grading import demo
from mlsys.grading.demo import answers, corpus
from mlsys.grading.demo.answers import BLANK, borrowed, drawn, every_answer, known
from mlsys.grading.demo.record import differences
from mlsys.grading.errors import CourseError
from mlsys.grading.scores import FLAGGED, GRADED, Mark, Result
from mlsys.problems import exercises, grader, problem


def test_three_hundred_students_are_the_same_each_time_and_each_answer_is_judged_once(course):
    answers._expected.cache_clear()
    demo.make(course, PS, 20)
    before = digest(course.root / "submitted")
    with mock.patch.object(answers, "judge", side_effect=answers.judge) as judged:
        record = demo.make(course, PS, 300)
    handed_in = {(name, pick) for entry in record.values() for name, pick in entry["answers"].items()}
    assert 0 < judged.call_count <= len(handed_in) < 300
    assert len(record) == 300
    assert list(record)[:12] == [f"demo-{name}" for name in demo.CLASS]
    after = digest(course.root / "submitted")
    assert {name: after[name] for name in before} == before
    assert len({after[name] for name in after if name.endswith(NOTEBOOK)}) > 250


def test_drawn_answers_are_of_every_kind():
    picked = [(name, pick) for n in range(200) for name, pick in drawn(PS, n).items()]
    for name in exercises(PS):
        mine = {pick for there, pick in picked if there == name}
        half = grader(name)
        for kind in (half.right, half.wrong, half.idle, {BLANK: None, "reference": None}):
            assert mine & set(kind), (name, set(kind))
        assert not any(borrowed(name, pick) for pick in mine)


def test_every_answer_of_ones_own_is_handed_in_by_somebody():
    class_of = every_answer(PS)
    for name in exercises(PS):
        own = {pick for pick in known(name) if not borrowed(name, pick)}
        assert {chosen[name] for chosen in class_of} == own | {BLANK}


def test_an_answer_that_borrows_is_known_to_earn_nothing():
    found = [(name, pick) for name in exercises(PS) for pick in known(name) if borrowed(name, pick)]
    assert found
    assert [demo.expected(name, pick) for name, pick in found] == [0] * len(found)


def test_an_honest_class_has_a_hundred_and_every_oddity(course):
    record = demo.honest_class(course, PS, 100)
    assert len(record) == 100
    assert len(course.students(PS)) == 100
    assert {f"demo-{case.student}" for case in corpus.honest()} <= set(record)
    assert {str(entry["status"]) for entry in record.values()} == {GRADED, str([GRADED])}


def test_the_corpus_joins_the_class(course):
    record = demo.make(course, PS, corpus=True)
    cases = [*corpus.hostile(), *corpus.honest()]
    assert len(record) == len(demo.CLASS) + len(cases)
    assert set(course.students(PS)) == set(record)
    for case in cases:
        assert record[f"demo-{case.student}"]["title"] == case.title
    with pytest.raises(CourseError, match=f"it has {len(record)} students at least"):
        demo.make(course, PS, 20, corpus=True)
    assert demo.remove(course, PS) == len(record)
    assert course.students(PS) == []


def test_the_command(course):
    done = mlsys("demo", PS, "--students", "14", folder=course.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "14 demo submissions in submitted/" in done.stdout
    too_few = mlsys("demo", PS, "--students", "3", folder=course.root)
    assert too_few.returncode == 2
    assert "it has 12 students at least" in too_few.stderr
    hostile = mlsys("demo", PS, "--hostile", folder=course.root)
    assert (hostile.returncode, hostile.stderr) == (0, "")
    record = json.loads((course.root / ".mlsys" / f"demo-{PS}.json").read_text())
    assert "demo-stalls-infinite-loop" in record


def result(status, flags, **changes):
    marks = {name: Mark(problem(name).points, problem(name).points, False) for name in exercises(PS)}
    named = {name.replace("_", "."): Mark(points, 9.0, False) for name, points in changes.items()}
    return Result("ann", status, marks | named, flags)


def test_ranges_statuses_and_flags_are_compared():
    entry = corpus.Expect(status=(GRADED, FLAGGED), flag="HERE.*late", others=corpus.EARLIER).known(PS)
    late = ("adagrad.running: came late",)
    assert differences(entry, result(FLAGGED, late, adagrad_running=0.0, rmsprop_class=1.5)) == []
    (status,) = differences(entry, result("not graded", late, adagrad_running=0.0))
    assert "should be graded or flagged" in status
    (flag,) = differences(entry, result(FLAGGED, ("other",), adagrad_running=0.0))
    assert "no flag that says" in flag
    (gained,) = differences(entry, result(FLAGGED, late, adagrad_running=2.0))
    assert "has 2.0 points for adagrad.running, and should have 0" in gained
    (lost,) = differences(entry, result(FLAGGED, late, adagrad_running=0.0, polyak_step=1.0))
    assert "has 1.0 points for polyak.step, and should have 2" in lost
