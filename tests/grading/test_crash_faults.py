"""A machine that fails a grader: a full disk, a gradebook that cannot be written, a signal; nothing is lost by it."""

import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
from unittest import mock

import pytest
from a_course import NOTEBOOK, PS
from crashing import CLASS, FIRST, REPLAYS, SECOND, forked, hand_in, restored, run, state

from mlsys.grading import disk
from mlsys.grading.course import Course
from mlsys.grading.errors import CourseError
from mlsys.grading.grade import grade
from mlsys.grading.journal import Journal
from mlsys.grading.release import feedback_for_all
from mlsys.grading.scores import FAILED, GRADED


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """A graded class whose answers are then better, and what grading again leaves; with a replay of both."""
    folder = tmp_path_factory.mktemp("graded")
    shutil.copytree(released, folder / "course")
    course, replays = Course(folder / "course"), REPLAYS
    for student in CLASS:
        hand_in(course, student, FIRST)
    with replays.recording():
        run(course)
        for student in CLASS:
            hand_in(course, student, FIRST, SECOND, text="Much longer.")
        shutil.copytree(course.root, folder / "before")
        run(course)
    return folder, replays, state(course)


@pytest.fixture
def again(graded):
    """The class before it is graded again, the state then and the one that is right afterwards."""
    folder, replays, after = graded
    course = restored(folder / "before", folder / "course")
    with replays.replaying():
        yield course, state(course), after


def fails(name, number, times=1):
    """One of the disk's functions that fails so often, as on a full disk."""
    real, calls = getattr(disk, name), []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) <= times:
            raise OSError(number, os.strerror(number))
        return real(*arguments)

    return mock.patch.object(disk, name, failing)


@pytest.mark.parametrize("name", ["sync", "make_folder"])
def test_a_disk_that_is_full_costs_nobody_anything(again, name):
    course, before, after = again
    with fails(name, errno.ENOSPC):
        results = run(course)
    assert (results["ann"].status, results["bob"].status) == (FAILED, GRADED)
    assert "No space left" in results["ann"].reason
    now = state(course)
    assert now["scratch"] == []
    for kind in ("marks", "files"):
        old, new, is_ = (
            {
                k: v
                for k, v in (s[kind].items() if kind == "files" else ((r[0], r) for r in s[kind]))
                if "ann" in k
            }
            for s in (before, after, now)
        )
        assert is_ == old != new
    run(course, resume=True)
    assert state(course) == after


def test_a_real_full_disk(again, tmp_path):
    """A small file system of its own, which root alone may have; the other tests fail the calls themselves."""
    course, before, after = again
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=3m", "none", place], stderr=subprocess.DEVNULL):
        pytest.skip("only root may mount a small file system")
    try:
        shutil.copytree(course.root, place / "course")
        small = Course(place / "course")
        ballast = place / "ballast"
        free = shutil.disk_usage(place).free
        for left in (0, 8 << 10, 40 << 10):
            ballast.write_bytes(b"x" * (free - left))
            with contextlib.suppress(CourseError):  # where it is the gradebook that is full
                statuses = {r.status for r in run(small).values()}
                assert statuses <= {GRADED, FAILED}
            ballast.unlink()
            now = state(small)
            assert now["marks"] in (before["marks"], after["marks"]) or left
            assert set(now["files"]) == set(before["files"])
        run(small, resume=True)
        assert {**state(small), "journal": 0} == {**after, "journal": 0}
    finally:
        subprocess.check_call(["umount", "-l", place])


def test_a_limit_on_the_size_of_files_costs_nobody_anything(again):
    """As a quota does: the write fails in the middle, in whatever file it is."""
    course, before, after = again

    def body():
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        assert {r.status for r in run(course).values()} == {FAILED}

    assert forked(body) == 0
    now = state(course)
    assert (now["marks"], now["files"]) == (before["marks"], before["files"])
    run(course, resume=True)
    assert state(course) == after


def test_a_gradebook_that_cannot_be_written(again):
    course, before, after = again
    book = course.root / "gradebook.db"
    with sqlite3.connect(book) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CourseError, match=r"gradebook.*cannot be used \(database is locked\)"):
            run(course)
        other.rollback()
    assert state(course) == before
    with sqlite3.connect(book) as db:
        db.execute("CREATE TRIGGER no BEFORE UPDATE ON grade BEGIN SELECT RAISE(ABORT, 'readonly'); END")
    with pytest.raises(CourseError, match=r"gradebook.*cannot be used \(readonly\)"):
        run(course)
    with sqlite3.connect(book) as db:
        db.execute("DROP TRIGGER no")
    now = state(course)
    assert (now["marks"], now["files"]) == (before["marks"], before["files"])
    results = run(course, resume=True)
    assert state(course) == after
    assert results["ann"].redone


def test_a_gradebook_that_is_read_only(again):
    course, before, after = again
    book = course.root / "gradebook.db"
    book.chmod(0o444)
    url = f"sqlite:///file:{book}?mode=ro&uri=true"  # which holds for root too
    with pytest.raises(CourseError, match=r"cannot be used \(attempt to write a readonly database\)"):
        run(Course(course.root, url))
    book.chmod(0o644)
    assert state(course) == before
    run(course)
    assert state(course) == after


def test_a_commit_that_fails_puts_the_old_notebook_back(again):
    course, before, after = again
    real = Course.transaction

    @contextlib.contextmanager
    def failing(self, who):
        with real(self, who):
            yield mock.Mock(side_effect=OSError(errno.EIO, "I/O error"))

    with mock.patch.object(Course, "transaction", failing):
        assert {r.status for r in run(course).values()} == {FAILED}
    now = state(course)
    assert (now["marks"], now["files"]) == (before["marks"], before["files"])
    assert "cut off" in feedback_for_all(course, PS, ["ann"])[1]["ann"]
    run(course, resume=True)
    assert state(course) == after


def test_a_submission_that_is_taken_away(again):
    course, _, after = again
    work = course.folder("submitted", "bob", PS)
    runs = grade(course, PS, CLASS)
    results = {r.student: r for r in [next(runs)]}  # bob's is in by now, and taken away before it is saved
    shutil.rmtree(work)
    results |= {r.student: r for r in runs}
    assert (results["bob"].status, results["bob"].total) == (GRADED, results["ann"].total)
    assert state(course) == after
    (again_bob,) = grade(course, PS, ["bob"])
    assert again_bob.status == FAILED
    assert "taken away" in again_bob.reason
    assert state(course) == after


def test_two_graders_at_once(again):
    course, _, after = again
    first = grade(course, PS, CLASS)
    ann = next(first)
    with pytest.raises(CourseError, match=r"another `mlsys grade` is at work in this course \(process \d+\)"):
        run(Course(course.root))
    results = [ann, *first]
    assert {r.status for r in results} == {GRADED}
    assert state(course) == after


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_student_that_is_saved(again, number):
    course, _, after = again
    real = Journal.begin

    def begin(self, student, *rest):
        real(self, student, *rest)
        if student == "bob":
            os.kill(os.getpid(), number)

    done = []
    with mock.patch.object(Journal, "begin", begin), pytest.raises(CourseError, match=r"stopped.*--resume"):
        done.extend(r.student for r in grade(course, PS, CLASS))
    assert done == ["ann", "bob"]
    entries = Journal(course, PS).entries()
    saved = [name for name in CLASS if entries[name]["made"] == after["journal"][name]["made"]]
    assert saved == ["ann", "bob"]
    assert state(course)["scratch"] == []
    run(course, resume=True)
    assert state(course) == after


def test_feedback_of_what_stock_nbgrader_graded_and_of_what_it_left_half_done(again):
    course, _, _ = again
    notebook = course.folder("autograded", "ann", PS) / NOTEBOOK
    notebook.chmod(0o644)
    notebook.write_text(notebook.read_text() + "\n")  # another grader wrote it
    assert feedback_for_all(course, PS, ["ann"]) == (["ann"], {})
    shutil.copy(course.folder("submitted", "ann", PS) / NOTEBOOK, notebook)
    assert "was not run to its end" in feedback_for_all(course, PS, ["ann"])[1]["ann"]
    assert "not the one that was saved" in Journal(course, PS).look("ann", _as_now(course, "ann"))
    notebook.write_text("{")
    assert "is not whole" in feedback_for_all(course, PS, ["ann"])[1]["ann"]
    (course.root / ".mlsys" / f"journal-{PS}.jsonl").unlink()
    assert feedback_for_all(course, PS, ["bob"]) == (["bob"], {})


def _as_now(course, student):
    journal = Journal(course, PS)
    return journal.entries()[student] | {"submission": journal.digest(student)}


def test_work_that_was_run_without_a_sandbox_is_done_again_with_one(again):
    course, _, _ = again
    entry = _as_now(course, "ann")
    assert Journal(course, PS).look("ann", entry).status == GRADED
    unsafe = entry | {"unsafe": True}
    assert Journal(course, PS).look("ann", unsafe) == "it was run without a sandbox"
    assert Journal(course, PS, unsafe=True).look("ann", unsafe).status == GRADED


def test_feedback_for_somebody_who_is_not_there_is_an_error(again):
    course, _, _ = again
    with pytest.raises(CourseError, match=f"nothing of {PS} by anne, zoe"):
        feedback_for_all(course, PS, ["zoe", "ann", "anne"])
