"""A class of known scores: graded right, by us and by stock nbgrader alike, and nobody's files touched."""

import subprocess
import sys

from a_course import NOTEBOOK, PS, digest, environment, mlsys

from mlsys.grading.course import Course
from mlsys.grading.demo import CLASS, disagreements
from mlsys.grading.demo.answers import borrowed
from mlsys.grading.scores import FLAGGED, GRADED, NOT_GRADED, Mark, Result, marks
from mlsys.problems import exercises, problem


def test_every_submission_has_the_status_and_points_known_beforehand(classes):
    assert classes["code"] == 0, classes["out"] + classes["err"]
    assert set(classes["results"]) == {f"demo-{name}" for name in CLASS}
    for student, known in classes["record"].items():
        row = classes["results"][student]
        assert (student, row["status"]) == (student, known["status"])
        got = {name: row["marks"][name]["score"] for name in exercises(PS)}
        assert (student, got) == (student, known["points"])


def test_the_class_has_every_kind_of_score(classes):
    points = [
        (p, problem(name).points) for r in classes["record"].values() for name, p in r["points"].items()
    ]
    assert any(p == full for p, full in points)
    assert any(p == 0 for p, _ in points)
    statuses = {row["status"] for row in classes["results"].values()}
    assert statuses == {GRADED, FLAGGED, NOT_GRADED}


def test_nothing_is_said_on_stderr_and_everybody_odd_is_named(classes):
    assert classes["err"] == ""
    for text in (
        f"demo-ida: renamed: {PS} (1).ipynb was graded as {NOTEBOOK}",
        "demo-john: test cell",
        f"demo-kurt: {NOTEBOOK} is corrupt: it is not JSON",
        f"demo-leo: {NOTEBOOK} is missing",
    ):
        assert text in classes["out"]


def test_the_table_shows_every_score_whole(classes):
    lines = [line.split() for line in classes["out"].splitlines()]
    for student, row in classes["results"].items():
        shown = ["?" if mark["score"] is None else f"{mark['score']:g}" for mark in row["marks"].values()]
        shown.append(f"{row['total']:g}")
        if row["status"] == NOT_GRADED:
            shown = ["–"] * len(shown)
        assert [student, *shown, *row["status"].split()] in lines


def test_edited_and_deleted_test_cells_are_restored(classes):
    flags = classes["results"]["demo-john"]["flags"]
    assert any("was edited: restored" in flag for flag in flags)
    if len(exercises(PS)) > 1:
        assert any("was deleted: put back" in flag for flag in flags)


def test_stock_nbgrader_gives_the_same_marks(classes):
    ours, stock = Course(classes["ours"]), Course(classes["stock"])
    lost = []
    for student in sorted(classes["record"]):
        if not stock.folder("autograded", student, PS).is_dir():
            lost.append(student)
            continue
        mine, theirs = marks(ours, PS, student), marks(stock, PS, student)
        for name, pick in classes["record"][student]["answers"].items():
            if borrowed(
                name, pick
            ):  # nbgrader's kernels find the package, but `check` gives nothing for its use
                assert (student, mine[name].score) == (student, 0)
        assert (student, mine) == (student, theirs)
    # Stock nbgrader gives up on a renamed, a corrupt and a missing notebook; no other submission is left out.
    assert lost == ["demo-ida", "demo-kurt", "demo-leo"], classes["stock_err"]


def test_what_was_handed_in_is_untouched_and_no_copy_is_left(classes):
    assert digest(classes["ours"] / "submitted") == classes["handed_in"]
    assert not list((classes["ours"] / ".mlsys").glob("submitted_*"))


def test_a_wrong_grade_in_the_demo_class_is_noticed(classes):
    name = exercises(PS)[0]
    wrong = Result("demo-ada", GRADED, {name: Mark(0.125, 2.0, False)})
    text = "\n".join(disagreements(Course(classes["ours"]), PS, [wrong]))
    assert f"demo-ada has 0.125 points for {name}" in text


def test_feedback_for_all_who_are_graded_and_the_others_by_name(classes):
    done = mlsys("feedback", PS, folder=classes["ours"])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    pages = {p.parts[-3] for p in (classes["ours"] / "feedback").glob(f"*/{PS}/*.html")}
    assert pages == {f"demo-{name}" for name in CLASS} - {"demo-kurt", "demo-leo"}
    assert "demo-kurt: no feedback" in done.stdout
    assert "demo-leo: no feedback" in done.stdout


def test_stock_feedback_works_on_our_folders(classes):
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", PS, "--student", "demo-ada", "--force"]
    done = subprocess.run(command, cwd=classes["ours"], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (classes["ours"] / "feedback" / "demo-ada" / PS / f"{PS}.html").exists()
