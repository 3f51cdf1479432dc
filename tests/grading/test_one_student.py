"""One submission at a time: odd files, earlier runs, marks by hand, and no harm to anyone else."""

import json
import os
import shutil
import socket

import nbformat
import pytest
from a_course import NOTEBOOK, PS

from mlsys.grading.cells import answer_cell, check_cell, exercise_of, grade_id
from mlsys.grading.engine.executor import Times
from mlsys.grading.errors import CourseError
from mlsys.grading.grade import How, chosen, grade, misplaced
from mlsys.grading.intake import take_in
from mlsys.grading.release import feedback_for_all, release
from mlsys.grading.scores import FLAGGED, GRADED, NOT_GRADED
from mlsys.problems import exercises, grader, problem

FIRST = exercises(PS)[0]


def hand_in(course, student, edit=None, name=NOTEBOOK):
    """The reference's answer to the first exercise, the rest blank; its path."""
    released = nbformat.read(course.folder("release", ".", PS) / NOTEBOOK, as_version=4)
    cells = {grade_id(cell): cell for cell in released.cells}
    cells[answer_cell(FIRST)].source = grader(FIRST).reference.source(problem(FIRST).target)
    if edit:
        edit(released, cells)
    path = course.folder("submitted", student, PS) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(released, path)
    return path


def grade_all(course, *students):
    return list(grade(course, PS, chosen(course, PS, students)))


def taken(course, tmp_path, student="ada"):
    return take_in(course, PS, student, tmp_path / "staging")


def test_a_notebook_that_kills_its_kernel_harms_nobody_else(course):
    def kill(notebook, cells):
        notebook.cells.insert(1, nbformat.v4.new_code_cell("import os\nos._exit(1)"))

    hand_in(course, "ann", kill)
    hand_in(course, "bob")
    ann, bob = grade_all(course)
    assert (ann.status, ann.total) == (FLAGGED, 0)
    assert ann.flags == ("stopped: the notebook ended Python (code 1); the cells after that were not run",)
    assert (bob.status, bob.marks[FIRST].score) == (GRADED, problem(FIRST).points)
    assert bob.student == "bob"
    assert "NBGRADER_EXECUTION" not in os.environ
    assert course.coursedir.submitted_directory == "submitted"


def test_a_test_cell_that_fails_is_flagged_by_its_exercise(course):
    def forget(notebook, cells):
        cells[answer_cell(FIRST)].source = "def another_name():\n    pass"

    hand_in(course, "ann", forget)
    (ann,) = grade_all(course)
    assert ann.status == FLAGGED
    assert ann.marks[FIRST].score == 0
    assert ann.flags == (
        f"{FIRST}: its test cell raised NameError: name '{problem(FIRST).target}' is not defined",
    )


def test_a_loop_without_end_costs_its_own_exercise_only(course):
    looping = exercises(PS)[1]
    target = problem(looping).target

    def loop(notebook, cells):
        cells[
            answer_cell(looping)
        ].source = f"def {target}(*arguments, **named):\n    while True:\n        pass"

    hand_in(course, "ann", loop)
    (ann,) = grade(course, PS, ["ann"], How(times=Times(cell_s=4)))
    assert ann.flags == (f"{looping}: its test cell ran too long and was stopped",)
    assert {name: mark.score for name, mark in ann.marks.items() if mark.score} == {
        FIRST: problem(FIRST).points
    }


def test_names_with_odd_characters(course):
    hand_in(course, "Zoë Müller")
    hand_in(course, "a+b")
    hand_in(course, "[a]")
    (course.folder("submitted", ".ipynb_checkpoints", PS)).mkdir(parents=True)
    zoe, *others = grade_all(course)
    assert (zoe.student, zoe.status, zoe.marks[FIRST].score) == ("Zoë Müller", GRADED, problem(FIRST).points)
    assert [(r.student, r.status) for r in others] == [("[a]", NOT_GRADED), ("a+b", NOT_GRADED)]
    assert all("takes none of + * ? [ ] in a student's name" in r.reason for r in others)
    assert feedback_for_all(course, PS)[0] == ["Zoë Müller"]


def test_feedback_does_not_print_hidden_tests(course):
    source = course.folder("source", ".", PS) / NOTEBOOK
    notebook = nbformat.read(source, as_version=4)
    test = next(cell for cell in notebook.cells if grade_id(cell) == check_cell(FIRST))
    test.source = "### BEGIN HIDDEN TESTS\nassert 'not for students'\n### END HIDDEN TESTS\n" + test.source
    nbformat.write(notebook, source)
    release(course, PS)
    assert "not for students" not in hand_in(course, "ann").read_text()
    assert grade_all(course)[0].status == GRADED
    assert "not for students" in (course.folder("autograded", "ann", PS) / NOTEBOOK).read_text()
    assert feedback_for_all(course, PS)[0] == ["ann"]
    page = course.folder("feedback", "ann", PS) / f"{PS}.html"
    assert problem(FIRST).target in page.read_text()
    assert "not for students" not in page.read_text()


def test_marks_and_comments_by_hand_survive_and_stale_work_does_not(course):
    path = hand_in(course, "ann")
    left = course.folder("autograded", "ann", PS)
    left.mkdir(parents=True)
    (left / NOTEBOOK).write_text("half-done by an earlier run")
    assert grade_all(course)[0].marks[FIRST].score == problem(FIRST).points
    assert feedback_for_all(course, PS) == (["ann"], {})
    by_hand = mark_by_hand(course, "ann", 0.5, "Well argued.")

    again = grade_all(course)[0]
    assert again.marks[by_hand].score == 0.5
    assert comments(course, "ann") == ["Well argued."]

    path.write_text("{")  # handed in again, and broken
    (broken,) = grade_all(course)
    assert broken.status == NOT_GRADED
    assert {name: mark.score for name, mark in broken.marks.items() if mark.score} == {by_hand: 0.5}
    assert not left.exists()
    assert not course.folder("feedback", "ann", PS).exists()
    assert comments(course, "ann") == ["Well argued."]
    assert "ann" in feedback_for_all(course, PS)[1]


def test_a_mark_given_to_another_text_is_named(course):
    def write(text):
        def edit(notebook, cells):
            for name, cell in cells.items():
                if cell.cell_type == "markdown" and cell.metadata["nbgrader"]["grade"]:
                    cell.source = f"{text} on {name}"

        return edit

    hand_in(course, "ann", write("Short"))
    grade_all(course)
    by_hand = mark_by_hand(course, "ann", 3.0, "Well argued.")
    assert grade_all(course)[0].flags == ()
    hand_in(course, "ann", write("Long"))
    (ann,) = grade_all(course)
    again = f"{by_hand} has changed since it was marked with 3 points: mark it again"
    assert (ann.status, ann.flags, ann.remarks) == (FLAGGED, (), (again,))
    assert ann.marks[by_hand].score == 3.0
    assert by_hand in ann.awaiting
    (ann,) = grade_all(course)  # and so it stays
    assert ann.remarks == (again,)
    mark_by_hand(course, "ann", 1.0, "Longer, not better.")
    (ann,) = grade(course, PS, chosen(course, PS), How(resume=True))
    assert (ann.status, ann.remarks, ann.marks[by_hand].score) == (GRADED, (), 1.0)
    assert by_hand not in ann.awaiting


def test_formgrader_asks_again_only_for_what_has_changed(course):
    hand_in(course, "ann")
    grade_all(course)
    with course.gradebook() as gradebook:
        (book,) = gradebook.find_submission(PS, "ann").notebooks
        for row in book.grades:
            row.manual_score, row.needs_manual_grade = 1.0, False
        gradebook.db.commit()

    def answer(notebook, cells):
        cells[answer_cell(FIRST)].source = "pass"
        cells["written-cost"].source = "Something else."

    hand_in(course, "ann", answer)
    (ann,) = grade_all(course)
    assert {name for name, mark in ann.marks.items() if mark.again} == {FIRST, "written-cost"}
    assert {mark.score for mark in ann.marks.values()} == {1.0}


def test_what_lies_where_nobody_looks_is_named(course):
    hand_in(course, "ann")
    submitted = course.folder("submitted")
    (submitted / "hal").mkdir()
    (submitted / "fay").mkdir()
    for path in (submitted / "fay" / NOTEBOOK, submitted / "gus.ipynb"):
        path.write_text("{}")
    fay, gus, hal = misplaced(course, PS)
    assert fay == f"submitted/fay/{NOTEBOOK} was not looked at: put it into submitted/fay/{PS}"
    assert gus.startswith("submitted/gus.ipynb was not looked at: put it into submitted/STUDENT/")
    assert hal == "submitted/hal is empty: nothing was handed in"


def mark_by_hand(course, student, score, comment):
    """As formgrader does, on the last graded cell; the exercise's name."""
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(PS, student)
        grades = sorted((g for n in submission.notebooks for g in n.grades), key=lambda g: g.cell.name)
        grades[-1].manual_score, grades[-1].needs_manual_grade = score, False
        submission.notebooks[0].comments[0].manual_comment = comment
        gradebook.db.commit()
        return exercise_of(PS, grades[-1].cell.name)


def comments(course, student):
    with course.gradebook() as gradebook:
        found = gradebook.find_submission(PS, student).notebooks[0].comments
        return [c.manual_comment for c in found if c.manual_comment]


def test_renamed_and_in_a_folder_of_its_own(course, tmp_path):
    hand_in(course, "ada", name="inner/final FINAL (2).ipynb")
    intake = taken(course, tmp_path)
    assert intake.reason == ""
    assert intake.flags == (f"renamed: inner/final FINAL (2).ipynb was graded as {NOTEBOOK}",)
    assert (tmp_path / "staging" / NOTEBOOK).exists()


def test_two_candidates_are_for_a_person_to_choose(course, tmp_path):
    hand_in(course, "ada", name="one.ipynb")
    hand_in(course, "ada", name="two.ipynb")
    assert "which is meant of one.ipynb, two.ipynb" in taken(course, tmp_path).reason


def test_of_two_notebooks_the_one_of_this_set_is_meant(course, tmp_path):
    hand_in(course, "ada", name="mine.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), course.folder("submitted", "ada", PS) / "scratch.ipynb")
    assert taken(course, tmp_path).flags == (f"renamed: mine.ipynb was graded as {NOTEBOOK}",)


def test_another_notebook_beside_the_right_one_is_named(course, tmp_path):
    hand_in(course, "ada")
    hand_in(course, "ada", name="old.ipynb")
    assert taken(course, tmp_path).flags == (f"old.ipynb was not graded: {NOTEBOOK} is there too",)


def test_links_and_sockets_are_left_out(course, tmp_path):
    folder = hand_in(course, "ada").parent
    (folder / "link.txt").symlink_to("/etc/hostname")
    (folder / "data").mkdir()
    (folder / "data" / "mine.csv").write_text("1")
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd()
        os.chdir(folder)  # the path of a socket has to be short
        try:
            s.bind("socket")
        finally:
            os.chdir(here)
    intake = taken(course, tmp_path)
    assert intake.flags == ("link.txt is not a plain file: left out", "socket is not a plain file: left out")
    assert sorted(p.name for p in (tmp_path / "staging").rglob("*")) == ["data", "mine.csv", NOTEBOOK]


def test_a_byte_order_mark_is_taken_off(course, tmp_path):
    path = hand_in(course, "ada")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert taken(course, tmp_path).reason == ""
    json.loads((tmp_path / "staging" / NOTEBOOK).read_text(encoding="utf-8"))


def test_an_empty_folder_and_an_empty_file(course, tmp_path):
    path = hand_in(course, "ada")
    path.write_text("")
    assert "is corrupt: it is not JSON" in taken(course, tmp_path).reason
    path.unlink()
    shutil.rmtree(tmp_path / "staging")
    assert taken(course, tmp_path).reason.startswith(f"{NOTEBOOK} is missing")


def test_who_has_not_submitted_is_named(course):
    with pytest.raises(CourseError, match=r"no submission of ps1-adaptive-rates\. Put the notebook into"):
        chosen(course, PS)
    hand_in(course, "ada")
    with pytest.raises(CourseError, match="no submission of ps1-adaptive-rates by bob, eve"):
        chosen(course, PS, ["eve", "ada", "bob"])
    assert chosen(course, PS, ["ada", "ada"]) == ["ada"]


def test_a_gradebook_that_cannot_be_used_is_said(course):
    (course.root / "gradebook.db").write_text("not a database " * 100)
    with pytest.raises(CourseError, match=r"gradebook.*cannot be used"):
        chosen(course, PS)


def test_every_exercise_has_its_cells_in_the_released_notebook(course):
    released = nbformat.read(course.folder("release", ".", PS) / NOTEBOOK, as_version=4)
    cells = {grade_id(cell) for cell in released.cells}
    assert {c for name in exercises(PS) for c in (answer_cell(name), check_cell(name))} <= cells
