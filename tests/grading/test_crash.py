"""A grader that is killed at any step: the next run ends with what an undisturbed one gives, and says what it redid."""

import shutil

import pytest
from a_course import PS
from crashing import (
    CLASS,
    REPLAYS,
    first_time,
    killed,
    mark_by_hand,
    restored,
    run,
    second_time,
    sound,
    state,
)

from mlsys.grading import crash
from mlsys.grading.course import Course
from mlsys.grading.journal import CUT_OFF, DONE, Journal
from mlsys.grading.release import feedback_for_all

# In each of the ways that a student is saved: ann (1) is new, cy (3) was graded and marked, dan's work (4) is voided.
PASSES = {"prepared": (2,), "executed": (2,), "rendered": (1, 3), "displaced": (1, 3, 4, 5), "closed": (2,)}
PLACES = [f"{point}:{n}" for point in crash.POINTS for n in PASSES.get(point, (1, 3, 4))]
QUICK = ("prepared:2", "begun:1", "displaced:3", "renamed:3", "renamed:4", "committed:4", "journalled:4")


@pytest.fixture(scope="module")
def week(released, tmp_path_factory):
    """A course in its second week, to be graded again; what each notebook does; what an undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("week")
    shutil.copytree(released, folder / "course")
    course, replays = Course(folder / "course"), REPLAYS
    first_time(course)
    with replays.recording():
        run(course)
        mark_by_hand(course, "cy")
        feedback_for_all(course, PS)
        second_time(course)
        shutil.copytree(course.root, folder / "before")
        run(course)
    return folder, replays, state(course)


def test_an_undisturbed_run_is_what_it_should_be(week):
    folder, replays, after = week
    assert [row[0] for row in after["marks"]] == list(CLASS)
    assert {name: entry["state"] for name, entry in after["journal"].items()} == dict.fromkeys(CLASS, DONE)
    assert after["scratch"] == []
    assert sorted({name.split("/")[0] for name in after["files"]}) == ["ann", "bob", "cy"]
    course = restored(folder / "before", folder / "course")
    with replays.replaying():
        assert not any(r.redone for r in run(course).values())
        assert state(course) == after
        assert not any(r.redone for r in run(course, resume=True).values())


@pytest.mark.parametrize(
    "place", [pytest.param(p, marks=[] if p in QUICK else pytest.mark.slow) for p in PLACES]
)
def test_killed_at(week, place):
    folder, replays, after = week
    course = restored(folder / "before", folder / "course")
    old = state(course)
    with replays.replaying():
        assert killed(course, place)
        assert sound(course.root)
        cut = _cut_off(course)
        _nothing_lost(course, old, after, cut)
        resumed = place[-1] != "3"
        results = run(course, resume=resumed)
    assert state(course) == after
    assert {s for s, r in results.items() if r.redone == CUT_OFF} == set(cut)
    if not resumed:
        assert {s for s, r in results.items() if r.redone} == set(cut)


def _cut_off(course):
    """Who is half saved; feedback says so, and is written of nobody who is."""
    cut = [name for name, entry in Journal(course, PS).entries().items() if entry["state"] != DONE]
    for name in cut:
        assert "cut off" in feedback_for_all(course, PS, [name])[1][name]
    return cut


def _nothing_lost(course, old, after, cut):
    """Of everybody there are the old marks or the new ones, and the old notebook or the new one, if only aside."""
    now = state(course)
    marks, files = ({row[0]: row for row in s["marks"]} for s in (old, after)), now["files"]
    before, later = marks
    for row in now["marks"]:
        assert row in (before.get(row[0]), later.get(row[0]))
    for name in old["files"]:
        if name not in files and name in after["files"]:
            student, *rest = name.split("/")
            assert student in cut
            assert list(
                (course.root / ".mlsys").glob(f"grading_*/aside/autograded/{student}/{'/'.join(rest)}")
            )


def test_what_a_dead_run_moved_aside_is_put_back_though_its_student_is_not_graded_again(week):
    folder, replays, _ = week
    course = restored(folder / "before", folder / "course")
    old = state(course)
    with replays.replaying():
        assert killed(course, "displaced:3")
        assert "cy/" + PS + f"/{PS}.ipynb" not in state(course)["files"]
        run(course, students=["ann"])
    now = state(course)
    assert now["files"][f"cy/{PS}/{PS}.ipynb"] == old["files"][f"cy/{PS}/{PS}.ipynb"]
    assert now["scratch"] == []
    assert "cut off" in feedback_for_all(course, PS, ["cy"])[1]["cy"]


def test_a_run_that_is_killed_again_and_again(week):
    folder, replays, after = week
    course = restored(folder / "before", folder / "course")
    with replays.replaying():
        for place in ("renamed:2", "committed:1", "displaced:1", "journalled:1", "begun:2"):
            killed(course, place, resume=True)
        run(course, resume=True)
    assert state(course) == after
