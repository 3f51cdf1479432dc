"""nbgrader's stock commands with our settings: release, fetch, submit, collect, zip_collect; graded by ours."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from a_course import NOTEBOOK, PS, mlsys
from platforms import canvas, moodle, notebook, placed, save
from stock import Stock

from mlsys.grading import names
from mlsys.grading.collect import SAME, collect
from mlsys.grading.course import Course
from mlsys.grading.grade import chosen
from mlsys.grading.names import time_of

NOBODY = 65534 if os.geteuid() == 0 else None  # a student is another user where that can be
MODE = {"mlsys": 0o755, "mlsys/outbound": 0o755, "mlsys/inbound": 0o2733, f"mlsys/outbound/{PS}": 0o755}


class World:
    """An exchange, the course, and two students' folders."""

    def __init__(self, root, released, stock):
        self.exchange, self.course = root / "exchange", root / "course"
        shutil.copytree(released, self.course)
        settings = f"\nc.Exchange.root = {str(self.exchange)!r}\n"
        with (self.course / "nbgrader_config.py").open("a") as file:
            file.write(settings)
        self.root = root
        for name in ("ada", "bob"):
            (root / name).mkdir()
            text = f'c = get_config()\nc.CourseDirectory.course_id = "mlsys"\n{settings}'
            (root / name / "nbgrader_config.py").write_text(text)
        if NOBODY:
            for path in (root / "bob", root / "bob" / "nbgrader_config.py"):
                os.chown(path, NOBODY, NOBODY)
        self.stock = stock

    def run(self, name, *arguments):
        """An nbgrader command of the instructor's or of a student's."""
        user = NOBODY if name == "bob" else None
        if name != "course" and user is None:
            arguments = (*arguments, f"--CourseDirectory.student_id={name}")
        self.stock.run(self.root / name, *arguments, user=user)

    def answer(self, name, text):
        path = self.root / name / PS / NOTEBOOK
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(text))
        nbformat.write(notebook, path)

    def collected(self, name):
        folder = Course(self.course).folder("submitted", name, PS)
        return nbformat.read(folder / NOTEBOOK, as_version=4).cells[-1].source


@pytest.fixture(scope="module")
def world(released):
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)  # another user has to get there
        with Stock(Path(root) / "log.txt") as stock:
            yield World(Path(root), released, stock)


@pytest.fixture(scope="module")
def bob(world):
    """The name that the exchange gives to bob."""
    return pwd.getpwuid(NOBODY).pw_name if NOBODY else "bob"


@pytest.fixture(scope="module")
def submitted(world):
    """Released, fetched by both, handed in by both, collected; then by ada again."""
    world.run("course", "release_assignment", PS)
    for student, text in (("ada", "first = 1"), ("bob", "mine = 1")):
        world.run(student, "fetch_assignment", PS)
        world.answer(student, text)
        world.run(student, "submit", PS)
    world.run("course", "collect", PS)
    return world


def test_what_students_fetch_is_what_was_released(submitted):
    fetched = nbformat.read(submitted.root / "bob" / PS / NOTEBOOK, as_version=4)
    released = nbformat.read(submitted.course / "exercises" / PS / NOTEBOOK, as_version=4)
    assert fetched.cells[:-1] == released.cells


def test_everybody_can_hand_in_and_nobody_can_look(submitted):
    for path, mode in MODE.items():
        assert stat.S_IMODE((submitted.exchange / path).stat().st_mode) == mode, path
    assert (submitted.exchange / f"mlsys/outbound/{PS}/{NOTEBOOK}").stat().st_mode & 0o777 == 0o644
    handed_in = list((submitted.exchange / "mlsys" / "inbound").iterdir())
    assert len(handed_in) == 2
    if NOBODY:
        assert sorted(path.stat().st_uid for path in handed_in) == [0, NOBODY]
        inbound, outbound = (submitted.exchange / "mlsys" / name for name in ("inbound", "outbound"))
        for tried in (f"ls {inbound}", f"touch {outbound}/x", f"echo >> {outbound}/{PS}/{NOTEBOOK}"):
            refused = subprocess.run(
                ["sh", "-c", tried], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True
            )
            assert b"Permission denied" in refused.stderr, tried


def test_collected_work_lies_where_mlsys_grade_looks(submitted, bob):
    course = Course(submitted.course)
    assert chosen(course, PS) == sorted(["ada", bob])
    assert (submitted.collected("ada"), submitted.collected(bob)) == ("first = 1", "mine = 1")
    when = time_of((course.folder("submitted", "ada", PS) / "timestamp.txt").read_text())
    assert abs(when - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=10)


def test_our_own_collect_reads_the_exchange_too(submitted, bob):
    done = collect(Course(submitted.course), PS, submitted.exchange / "mlsys" / "inbound")
    assert {(row.student, row.status) for row in done.rows} == {("ada", SAME), (bob, SAME)}
    if NOBODY:  # root handed in under ada's name
        notes = {row.student: row.note for row in done.rows}
        assert notes == {"ada": "it says that it is ada's, and is root's", bob: ""}


def test_handed_in_again_late_and_graded(submitted, bob):
    with Course(submitted.course).gradebook() as gradebook:
        gradebook.update_or_create_assignment(PS, duedate="2026-01-01 00:00:00")
    submitted.answer("ada", "second = 2")
    submitted.run("ada", "submit", PS)
    submitted.run("course", "collect", PS, "--update")
    assert (submitted.collected("ada"), submitted.collected(bob)) == ("second = 2", "mine = 1")
    graded = mlsys("grade", PS, "--student", "ada", folder=submitted.course)
    assert graded.returncode == 0, graded.stdout + graded.stderr
    with Course(submitted.course).gradebook() as gradebook:
        submission = gradebook.find_submission(PS, "ada")
        assert submission.total_seconds_late > 0
        stamp = Course(submitted.course).folder("submitted", "ada", PS) / "timestamp.txt"
        assert submission.timestamp == time_of(stamp.read_text())


def test_our_patterns_serve_nbgraders_zip_collect(world, released, tmp_path):
    delivered = {
        "CANVAS": canvas("Lovelace", "Ada", 1001, 5),
        "MOODLE": moodle("Ada Lovelace", 1001),
        "DATED": f"ps1_1001_attempt_2026-11-20-10-15-00_{NOTEBOOK}",
    }
    for pattern, name in delivered.items():
        root = tmp_path / pattern
        shutil.copytree(released, root)
        archive = root / "downloaded" / PS / "archive"
        archive.mkdir(parents=True)
        save(archive / "submissions.zip", {name: notebook(pattern)})
        with (root / "nbgrader_config.py").open("a") as file:
            file.write(f"\nc.FileNameCollectorPlugin.named_regexp = {getattr(names, pattern)!r}\n")
        world.stock.run(root, "zip_collect", PS)
        assert placed(Course(root), "1001") == pattern
