"""What platforms' names tell, and folders that nbgrader can grade."""

import pytest
from a_course import NOTEBOOK, PS
from hypothesis import given, settings
from hypothesis import strategies as st
from platforms import bring, canvas, class_list, moodle, notebook, placed, save, tree

from mlsys.grading.collect import PLACED
from mlsys.grading.names import original, read, says_all
from mlsys.grading.roster import Matcher, Person, fold, folder_name

quick = settings(max_examples=200, deadline=None, derandomize=True)
words = st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=12)


def clue(*parts):
    return read(parts, says_all(parts[:1]))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((canvas("Lovelace", "Ada", 7, 9),), ("Canvas", "lovelaceada", "7", 9, False)),
        ((canvas("Lovelace", "Ada", 7, 9, late=True),), ("Canvas", "lovelaceada", "7", 9, True)),
        (("lovelaceada_late_7_9_x_1_2.ipynb",), ("Canvas", "lovelaceada", "7", 9, True)),
        (("lovelaceada_7_text.html",), ("Canvas", "lovelaceada", "7", 0, False)),
        ((canvas("Lovelace", "Ada", 7, 9, "w.zip"), "x.ipynb"), ("Canvas", "lovelaceada", "7", 9, False)),
        (("Ada Lovelace_7_assignsubmission_file_", "x.ipynb"), ("Moodle", "Ada Lovelace", "7", 0, False)),
        (("Ada_7_assignsubmission_file", "d", "x.ipynb"), ("Moodle", "Ada", "7", 0, False)),
        (("Ada_7_assignsubmission_file_x.ipynb",), ("Moodle", "Ada", "7", 0, False)),
        (("ps1_ada_attempt_2026-11-20-10-15-00_x.ipynb",), ("dated", "ada", "", 0, False)),
        ((f"a+b+{PS}+2026-11-20 10:15:00.000000 UTC+xY-_", "x.ipynb"), ("exchange", "a+b", "", 0, False)),
    ],
)
def test_what_a_name_tells(parts, told):
    found = clue(*parts)
    assert (found.platform, found.name, found.number, found.attempt, found.late) == told


@pytest.mark.parametrize(
    "parts",
    [
        *(("ada", "x.ipynb"), ("x.ipynb",), ("ada_x.ipynb",), ("ada_7_x.ipynb",), ("a_attempt_b_x.ipynb",)),
        *(("a.zip", "a_7_9_x.ipynb"), ("in", "a_7_9_x.ipynb"), ("in", "A_7_assignsubmission_file_", "x")),
    ],
)
def test_names_of_no_platform(parts):
    assert clue(*parts) is None


def test_a_few_names_like_canvass_among_others_are_not_canvass():
    assert not says_all([NOTEBOOK, "results_2024_01_x.ipynb", "work.ipynb"])
    assert read(("results_2024_01_x.ipynb",), False) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ps1-a.ipynb", ("ps1-a.ipynb", 0)),
        ("ps1-a-3.ipynb", ("ps1-a.ipynb", 3)),
        ("ps1-a (2).ipynb", ("ps1-a.ipynb", 2)),
        ("ps1-a(12).ipynb", ("ps1-a.ipynb", 12)),
        ("ps1-1.ipynb", ("ps1-1.ipynb", 0)),
        ("ps1-a-3.txt", ("ps1-a-3.txt", 0)),
        ("final.ipynb", ("final.ipynb", 0)),
    ],
)
def test_copies(name, told):
    assert original(name, ["ps1-a.ipynb", "ps1-1.ipynb"]) == told


@quick
@given(words, words, st.integers(1, 10**9), st.integers(1, 10**9), st.booleans())
def test_whoever_canvas_or_moodle_names_is_found(first, last, user, file, late):
    person = Person("s1", first, last, "", "")
    matcher = Matcher([person, Person("s2", "Someone", "Else", "", str(user + 1))])
    found = clue(canvas(last, first, user, file, late=late))
    assert (found.number, found.attempt, found.late) == (str(user), file, late)
    if fold(first + last) and fold(first + last) != fold("Someone Else"):
        assert matcher.find(found) == (person, "")
        whole = clue(*moodle(f"{first} {last}", user).split("/"))
        assert matcher.find(whole) == (person, "")


@quick
@given(st.text(max_size=200), st.text(max_size=200))
def test_folders_that_nbgrader_and_every_system_can_have(name, other):
    folder = folder_name(name)
    assert folder_name(folder) == folder or "~" in folder
    assert not set(folder) & set('+*?[]/\\:<>|"\0')
    assert folder == folder.strip(" .") != ""
    assert len(folder) <= 70
    assert len(folder.encode()) <= 255
    assert name == other or folder != folder_name(other)


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "Émilie du Châtelet",
        "Софья",
        "李 明",
        "O'Neil, J.",
        "a+b*?[c]",
        "x" * 200,
        " ada ",
        "CON",
        "..",
        "a{0}%s",
    ],
)
def test_nbgrader_finds_every_name(course, tmp_path, name):
    """Its converters look students up by glob, and back by a regular expression."""
    from nbgrader.converters import Autograde

    folder = folder_name(name)
    path = course.folder("submitted", folder, PS) / NOTEBOOK
    path.parent.mkdir(parents=True)
    path.write_bytes(notebook())
    with course.using(assignment_id=PS, student_id=folder):
        converter = Autograde(coursedir=course.coursedir, parent=course.api)
        converter.init_notebooks()
        (found,) = converter.assignments.values()
        assert found == [str(path)]
        assert converter.init_single_notebook_resources(str(path))["nbgrader"]["student"] == folder


def test_odd_names_without_a_list(course, tmp_path):
    odd = ["a+b*", "[x]?", "Émilie", "x" * 150]
    done = bring(course, save(tmp_path / "a.zip", {f"{name}/{NOTEBOOK}": notebook(name) for name in odd}))
    assert [row.status for row in done.rows] == [PLACED] * 4
    assert {placed(course, row.student) for row in done.rows} == set(odd)


def test_the_class_list_names_every_student_of_a_download(course, tmp_path):
    people = [(f"s{n}", f"First{n}", f"Last{n}", "", str(5000 + n)) for n in range(100)]
    files = {
        canvas(last, first, lms, 9000 + n): notebook(id) for n, (id, first, last, _, lms) in enumerate(people)
    }
    source = tree(tmp_path / "unpacked", files)
    done = bring(course, source, class_list(tmp_path / "s.csv", people))
    assert [row.student for row in done.rows] == sorted(id for id, *_ in people)
    assert all(placed(course, row.student) == row.student for row in done.rows)
