"""Which version counts, what is kept, and what a failure leaves."""

import os
import shutil

import pytest
from a_course import NOTEBOOK, PS, digest
from platforms import bring, canvas, class_list, notebook, placed, save, statuses, tree, zipped
from typer.testing import CliRunner

from mlsys.cli import app
from mlsys.grading import collect as collecting
from mlsys.grading.collect import KEPT, OLDER, OTHER, PLACED, REPLACED, SAME, UNCLEAR
from mlsys.grading.roster import roster


@pytest.fixture
def students(tmp_path):
    return class_list(tmp_path / "students.csv")


def test_a_newer_version_replaces_and_the_earlier_is_kept(course, tmp_path, students):
    def delivered(file, text):
        return save(tmp_path / f"{file}.zip", {canvas("Lovelace", "Ada", 1001, file): notebook(text)})

    first, second = delivered(5, "first"), delivered(9, "second")
    bring(course, first, students)
    (row,) = bring(course, second, students).rows
    assert row.status == REPLACED
    kept = course.root / row.note.removeprefix("the earlier one is in ") / NOTEBOOK
    assert "first" in kept.read_text()
    assert kept.is_relative_to(course.root / ".mlsys" / "replaced")
    assert placed(course, "ada") == "second"
    assert statuses(bring(course, second, students)) == {("ada", SAME)}
    assert statuses(bring(course, first, students)) == {("ada", OLDER)}
    assert placed(course, "ada") == "second"
    third = delivered(11, "third")
    assert statuses(bring(course, third, students, replace=False)) == {("ada", KEPT)}
    assert placed(course, "ada") == "second"
    assert statuses(bring(course, first, students, replace=True)) == {("ada", REPLACED)}
    assert placed(course, "ada") == "first"
    assert "second" in "".join(p.read_text() for p in (course.root / ".mlsys" / "replaced").rglob("*.ipynb"))


def test_two_that_cannot_be_told_apart(course, tmp_path, students):
    files = {f"ada/{NOTEBOOK}": notebook("a"), "ada/w.zip": zipped({NOTEBOOK: notebook("b")})}
    done = bring(course, tree(tmp_path / "work", files), students)
    assert statuses(done) == {("ada", UNCLEAR)}
    assert "it cannot be told which is the newer" in done.rows[0].note
    files["ada/w.zip"] = zipped({NOTEBOOK: notebook("a")})
    assert statuses(bring(course, tree(tmp_path / "work", files), students)) == {("ada", PLACED)}


def test_work_of_another_set_stays_out(course, tmp_path, students):
    files = {f"ada/{PS}/{NOTEBOOK}": notebook("a"), "ada/ps1-adaptive-rates/data/x.csv": b"1"}
    done = bring(course, tree(tmp_path / "work", files), students)
    assert statuses(done) == {("ada", PLACED)}
    inbound = {f"ada+ps9-other+2026-11-20 10:00:00.000000 UTC/{NOTEBOOK}": notebook("b")}
    (row,) = bring(course, tree(tmp_path / "inbound", inbound), students).rows
    assert (row.status, row.note) == (OTHER, "of ps9-other")
    assert placed(course, "ada") == "a"


def test_times_are_written_as_nbgrader_reads_them(course, tmp_path, students):
    files = {
        f"ps1_ada_attempt_2026-11-20-10-15-00_{NOTEBOOK}": notebook("a1"),
        f"ps1_ada_attempt_2026-11-21-08-00-30_{NOTEBOOK}": notebook("a2"),
    }
    bring(course, tree(tmp_path / "dated", files), students)
    assert placed(course, "ada") == "a2"
    stamp = course.folder("submitted", "ada", PS) / "timestamp.txt"
    assert stamp.read_text() == "2026-11-21 08:00:30.000000 UTC"
    read = course.coursedir.get_existing_timestamp(str(stamp.parent))
    assert (read.day, read.hour, read.second) == (21, 8, 30)
    early = {f"ada+{PS}+2026-11-20 10:00:00.000000 UTC+abc/{NOTEBOOK}": notebook("early")}
    assert statuses(bring(course, tree(tmp_path / "inbound", early), students)) == {("ada", OLDER)}
    folder = {f"bla/{NOTEBOOK}": notebook("b"), "bla/timestamp.txt": b"2026-11-20 10:00:00 UTC"}
    bring(course, tree(tmp_path / "folder", folder), students)
    assert (
        course.folder("submitted", "bla", PS) / "timestamp.txt"
    ).read_text() == "2026-11-20 10:00:00.000000 UTC"


def test_a_students_own_timestamp_is_left_out(course, tmp_path, students):
    work = zipped({NOTEBOOK: notebook("a"), "timestamp.txt": b"2020-01-01 00:00:00 UTC"})
    source = save(tmp_path / "a.zip", {canvas("Lovelace", "Ada", 1001, 5, "w.zip"): work})
    (row,) = bring(course, source, students).rows
    assert "timestamp.txt was left out" in row.note
    assert not (course.folder("submitted", "ada", PS) / "timestamp.txt").exists()


def test_a_dry_run_writes_nothing(course, tmp_path, students):
    source = save(tmp_path / "a.zip", {canvas("Lovelace", "Ada", 1001, 5): notebook("a")})
    before = digest(course.root)
    assert statuses(bring(course, source, students, dry_run=True)) == {("ada", PLACED)}
    assert digest(course.root) == before


@pytest.mark.parametrize("atomic", [True, False])
def test_a_failure_while_it_is_placed_changes_nothing(course, tmp_path, students, monkeypatch, atomic):
    bring(course, tree(tmp_path / "one", {f"ada/{NOTEBOOK}": notebook("first")}), students)
    move = shutil.move

    def full(source, target):
        if "submitted" in os.fspath(target).split(os.sep) and not os.fspath(source).endswith(".old"):
            raise OSError(28, "No space left on device")
        return move(source, target)

    def refuse(new, old):
        if atomic:
            raise OSError(28, "No space left on device")
        return False

    monkeypatch.setattr(collecting, "_exchange", refuse)
    monkeypatch.setattr(shutil, "move", full)
    work = {f"ada/{NOTEBOOK}": notebook("second"), f"bla/{NOTEBOOK}": notebook("third")}
    done = bring(course, tree(tmp_path / "two", work), students)
    assert {row.note for row in done.rows} == {"No space left on device: nothing was changed"}
    assert len(done.not_placed) == 2
    assert placed(course, "ada") == "first"
    assert course.students(PS) == ["ada"]
    assert "second" not in "".join(p.read_text() for p in (course.root / ".mlsys").rglob("*.ipynb"))


@pytest.mark.parametrize("atomic", [True, False])
def test_two_folders_change_places(tmp_path, monkeypatch, atomic):
    tree(tmp_path, {"a/x": b"1", "b/y": b"2"})
    if not atomic:
        monkeypatch.setattr(collecting, "_exchange", lambda new, old: False)
    elif not collecting._exchange(tmp_path / "a", tmp_path / "b"):
        return  # this system has no such thing
    else:
        collecting.swap(tmp_path / "a", tmp_path / "b")
    collecting.swap(tmp_path / "a", tmp_path / "b")
    assert digest(tmp_path).keys() == {"a/y", "b/x"}


def test_the_command(course, tmp_path, students):
    source = tree(tmp_path / "work", {"[red]x\x1b/a.ipynb": notebook(), f"ada/{NOTEBOOK}": notebook("a")})
    command = ["collect", PS, str(source), "--roster", str(students), "--course", str(course.root)]
    seen = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
    assert seen.exit_code == 1
    assert "submitted/ada/ps1-adaptive-rates" in seen.output
    assert "[red]x\\x1b" in seen.output
    assert "\x1b" not in seen.output
    shutil.rmtree(source / "[red]x\x1b")
    seen = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
    assert (seen.exit_code, "the same" in seen.output) == (0, True)
    (course.root / "empty").mkdir()
    assert CliRunner().invoke(app, [*command[:2], str(course.root / "empty"), *command[3:]]).exit_code == 1


def test_the_roster_is_remembered(course, tmp_path, students):
    source = tree(tmp_path / "work", {f"ada/{NOTEBOOK}": notebook("a")})
    command = ["collect", PS, str(source), "--course", str(course.root), "--roster", str(students)]
    CliRunner().invoke(app, [*command, "--dry-run"])
    assert roster(course) == []
    CliRunner().invoke(app, command)
    kept = roster(course)
    assert kept == roster(course, students)
    assert len(kept) > 1
    students.write_text("id,last_name\nada,King\n")
    CliRunner().invoke(app, command)
    ada = next(person for person in roster(course) if person.id == "ada")
    assert (ada.last, ada.first) == ("King", next(p for p in kept if p.id == "ada").first)
