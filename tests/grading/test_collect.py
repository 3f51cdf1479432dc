"""What Canvas, Moodle and people deliver comes to the right student, whole, and nothing is dropped or lost."""

import json

import pytest
from a_course import NOTEBOOK, PS, digest
from platforms import (
    STUDENTS,
    bring,
    canvas,
    class_list,
    moodle,
    notebook,
    placed,
    save,
    statuses,
    tree,
    zipped,
)

from mlsys.grading.collect import NOBODY, PLACED, REPLACED, UNCLEAR
from mlsys.grading.course import Course
from mlsys.grading.errors import CourseError


@pytest.fixture
def students(tmp_path):
    return class_list(tmp_path / "students.csv")


def test_a_download_from_canvas(course, tmp_path, students):
    source = save(
        tmp_path / "submissions.zip",
        {
            canvas("Lovelace", "Ada", 1001, 50): notebook("ada"),
            canvas("Lovelace", "Ada", 1001, 51, "steps.csv"): b"1,2\n",
            canvas("Pascal", "Blaise", 1002, 60, late=True): notebook("late"),
            canvas("du Châtelet", "Émilie", 1003, 70, "ps1-adaptive-rates-2.ipynb"): notebook("second"),
            canvas("Ковалевская", "Софья", 1004, 80, "work.zip"): zipped(
                {f"work/{NOTEBOOK}": notebook("packed")}
            ),
        },
    )
    done = bring(course, source, students)
    assert statuses(done) == {(id, PLACED) for id, *_ in STUDENTS}
    assert [placed(course, id) for id, *_ in STUDENTS] == ["ada", "late", "second", "packed"]
    assert (course.folder("submitted", "ada", PS) / "steps.csv").read_bytes() == b"1,2\n"
    notes = {row.student: row.note for row in done.rows}
    assert notes["bla"].startswith("late, says Canvas")
    assert not done.not_placed
    assert done.remarks == []


def test_the_newest_of_several_files_and_the_others_listed(course, tmp_path, students):
    again = "ps1-adaptive-rates-1.ipynb"
    source = save(
        tmp_path / "submissions.zip",
        {
            canvas("Lovelace", "Ada", 1001, 91, again): notebook("second"),
            canvas("Lovelace", "Ada", 1001, 90): notebook("first"),
            canvas("Pascal", "Blaise", 1002, 95): notebook("by number of the file"),
            canvas("Pascal", "Blaise", 1002, 94, again): notebook("earlier"),
        },
    )
    done = bring(course, source, students)
    assert placed(course, "ada") == "second"
    assert placed(course, "bla") == "by number of the file"
    assert [row.note for row in done.rows] == [
        "older: lovelaceada_1001_90_ps1-adaptive-rates.ipynb",
        "older: pascalblaise_1002_94_ps1-adaptive-rates-1.ipynb",
    ]
    files = [p.name for p in course.folder("submitted", "ada", PS).iterdir()]
    assert files == [NOTEBOOK]


@pytest.mark.parametrize("kind", ["file_", "file"])
def test_a_download_from_moodle(course, tmp_path, students, kind):
    source = save(
        tmp_path / "course-ps1-77.zip",
        {
            moodle("Ada Lovelace", 501, kind=kind): notebook("ada"),
            moodle("Ada Lovelace", 501, "onlinetext.html", "onlinetext_"): b"<p>Please be kind</p>",
            moodle("Blaise Pascal", 502, "ps1-adaptive-rates (1).ipynb", kind): notebook("copy"),
            moodle("Blaise Pascal", 502, NOTEBOOK, kind): notebook("first"),
            moodle("Émilie du Châtelet", 503, f"deep/{NOTEBOOK}", kind): notebook("deep"),
            moodle("Софья Ковалевская", 504, "onlinetext.html", "onlinetext_"): b"<p>no file</p>",
        },
    )
    done = bring(course, source, students)
    assert [placed(course, id) for id in ("ada", "bla", "emi")] == ["ada", "copy", "deep"]
    assert (course.folder("submitted", "ada", PS) / "onlinetext.html").exists()
    assert [(row.student, row.status, row.note) for row in done.not_placed] == [
        ("sof", UNCLEAR, "there is no notebook in it")
    ]


def test_moodle_without_folders(course, tmp_path, students):
    name = f"Ada Lovelace_501_assignsubmission_file_{NOTEBOOK}"
    bring(course, save(tmp_path / "flat.zip", {name: notebook("flat")}), students)
    assert placed(course, "ada") == "flat"


@pytest.mark.parametrize(
    "names",
    [
        ["ada/{nb}", "bla/{nb}"],
        ["ada/{ps}/{nb}", "bla/{ps}/{nb}"],
        ["Ada Lovelace/{nb}", "pascal, blaise/{nb}"],
        ["ADA@example.org/final.ipynb", "bla/work.ipynb"],
        ["ada.ipynb", "bla.ipynb"],
        ["ada_{nb}", "bla_ps1.ipynb"],
        ["lovelace_ada_ps1.ipynb", "Blaise Pascal - {nb}"],
        ["download/ada/{nb}", "download/bla/{nb}"],
    ],
)
def test_plain_folders(course, tmp_path, students, names):
    files = {name.format(nb=NOTEBOOK, ps=PS): notebook(f"{n}") for n, name in enumerate(names)}
    sources = [save(tmp_path / "work.zip", files)]
    if not names[0].startswith("download/"):  # a zip has a folder around it, a folder is given as it is
        sources.append(tree(tmp_path / "work", files))
    for source in sources:
        done = bring(course, source, students)
        assert not done.not_placed
        for n, student in enumerate(("ada", "bla")):
            (path,) = course.folder("submitted", student, PS).glob("*.ipynb")
            assert placed(course, student, path.name) == str(n)


def test_a_zip_a_student(course, tmp_path, students):
    folder = tree(
        tmp_path / "mail",
        {
            "ada.zip": zipped({NOTEBOOK: notebook("a")}),
            "Blaise Pascal.zip": zipped({f"x/{NOTEBOOK}": notebook("b"), "x/data/y.csv": b"1"}),
        },
    )
    assert not bring(course, folder, students).not_placed
    assert (placed(course, "ada"), placed(course, "bla")) == ("a", "b")
    assert (course.folder("submitted", "bla", PS) / "data" / "y.csv").exists()


ADAS = canvas("Lovelace", "Ada", 1001, 99)
FORGED = {f"{moodle('Ada Lovelace', 1)}": notebook(), ADAS: notebook(), f"ada/{NOTEBOOK}": notebook()}


@pytest.mark.parametrize("name", list(FORGED))
@pytest.mark.parametrize(
    "outer",
    [
        canvas("Pascal", "Blaise", 1002, 60, "{}"),
        canvas("Pascal", "Blaise", 1002, 60, "w.zip"),
        moodle("Blaise Pascal", 502, "{}"),
        moodle("Blaise Pascal", 502, "w.zip"),
        "bla.zip",
        "bla/{}",
        "bla/w.zip",
        "unknown.zip",
        "unknown/{}",
        "ps1_bla_attempt_2026-11-20-10-15-00_{}",
    ],
)
def test_nobody_hands_in_for_another(course, tmp_path, students, name, outer):
    """Whatever a student calls a file, a folder or what is in an archive."""
    packed = outer.endswith(".zip")
    flat = "_60_" in outer or "attempt" in outer
    inner = name.split("/")[0] if flat and not packed else name
    files = {outer.format(inner): zipped({name: FORGED[name]}) if packed else FORGED[name]}
    done = bring(course, tree(tmp_path / "work", files), students)
    assert {row.student for row in done.rows} <= {"bla", ""}
    assert set(course.students(PS)) <= {"bla"}


def test_a_name_that_fits_nobody_is_listed_with_the_nearest_and_stays(course, tmp_path, students):
    files = {f"Ada Lovelase/{NOTEBOOK}": notebook(), "Zz Top/x.ipynb": notebook(), NOTEBOOK: notebook()}
    source = tree(tmp_path / "work", files)
    before = digest(source)
    done = bring(course, source, students)
    assert {row.status for row in done.rows} == {NOBODY}
    notes = {row.file: row.note for row in done.rows}
    assert notes["Ada Lovelase"] == "no student of this name; nearest: Ada Lovelace (ada)"
    assert notes["Zz Top"] == "no student of this name"
    assert notes[NOTEBOOK].startswith("its name is the problem set's")
    assert digest(source) == before
    assert not course.students(PS)


def test_nobody_is_guessed(course, tmp_path):
    twins = [("a1", "Ada", "King", "", "7"), ("a2", "Ada", "King", "", "8"), ("ada", "", "", "", "")]
    students = class_list(tmp_path / "twins.csv", twins)
    files = {
        moodle("Ada King", 1): notebook(),
        moodle("Ada", 7): notebook("Moodle's numbers are not a student's"),
        canvas("King", "Ada", 8, 5): notebook("told apart by the number"),
        canvas("King", "Ada", 9, 6): notebook("a number that nobody has"),
        "x/ada_smith.ipynb": notebook("x"),
    }
    done = bring(course, save(tmp_path / "a.zip", files), students)
    assert placed(course, "a2") == "told apart by the number"
    assert placed(course, "ada") == "Moodle's numbers are not a student's"
    notes = {row.file.split("/")[0]: row.note for row in done.not_placed}
    assert notes["Ada King_1_assignsubmission_file_"] == "it could be any of Ada King (a1), Ada King (a2)"
    assert notes["kingada_9_6_ps1-adaptive-rates.ipynb"].startswith("it could be any of")
    flat = bring(course, tree(tmp_path / "flat", {"ada_smith.ipynb": notebook()}), students)
    assert statuses(flat) == {("", NOBODY)}


def test_a_number_that_contradicts_the_list_and_hidden_names(course, tmp_path, students):
    files = {
        canvas("Lovelace", "Ada", 999, 5): notebook(),
        f"anon_x7Yt2_98_{NOTEBOOK}": notebook(),
        moodle("Participant", 77): notebook(),
    }
    done = bring(course, save(tmp_path / "a.zip", files), students)
    assert sorted(row.note for row in done.not_placed) == [
        "Canvas has number 999 for Ada Lovelace (ada), the roster 1001",
        "Canvas hid the names: switch anonymous grading off and download again",
        "Moodle hid the names: switch anonymous grading off and download again",
    ]


def test_the_gradebook_is_a_list_of_students(course, tmp_path):
    with course.gradebook() as gradebook:
        gradebook.add_student("ada", first_name="Ada", last_name="Lovelace")
    done = bring(course, save(tmp_path / "a.zip", {moodle("Ada Lovelace", 5): notebook("a")}))
    assert placed(course, "ada") == "a"
    assert done.remarks == []


def test_without_a_list_ids_are_the_platforms_and_it_is_said(course, tmp_path):
    done = bring(course, save(tmp_path / "a.zip", {canvas("Lovelace", "Ada", 1001, 5): notebook("a")}))
    assert statuses(done) == {("canvas-1001", PLACED)}
    assert "ids were made from Canvas's own" in done.remarks[0]
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student("canvas-1001")  # as grading does
    later = {canvas("Lovelace", "Ada", 1001, 9): notebook("b"), canvas("Pascal", "B", 1002, 8): notebook("c")}
    again = bring(course, save(tmp_path / "b.zip", later))
    assert statuses(again) == {("canvas-1001", REPLACED), ("canvas-1002", PLACED)}
    done = bring(course, save(tmp_path / "c.zip", {moodle("Ada Lovelace", 5): notebook("a")}))
    assert statuses(done) == {("moodle-5", PLACED)}
    assert "anew in every assignment" in done.remarks[1]


def test_what_cannot_be_a_source(course, tmp_path, students):
    with pytest.raises(CourseError, match="there is no"):
        bring(course, tmp_path / "nowhere.zip", students)
    with pytest.raises(CourseError, match="neither a folder nor a zip"):
        bring(course, students, students)
    course.folder("submitted").mkdir()
    with pytest.raises(CourseError, match="where the work is brought"):
        bring(course, course.root, students)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nada\n", "has no id in line 2"),
        ("id\nada\nada\n", "has ada more than once"),
        ("", "has no id in line 1"),
    ],
)
def test_a_list_that_cannot_be_used(course, tmp_path, text, message):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(CourseError, match=message):
        bring(course, tree(tmp_path / "w", {"ada.ipynb": notebook()}), tmp_path / "list.csv")


def test_the_record_says_who_came_from_where(course, tmp_path):
    odd = [("a+b*", "Ünal", "O'Neil [x]", "", "")]
    source = save(tmp_path / "a.zip", {moodle("Ünal O'Neil [x]", 5): notebook("a")})
    (row,) = bring(course, source, class_list(tmp_path / "s.csv", odd)).rows
    assert "nbgrader cannot grade under the name 'a+b*'" in row.note
    record = json.loads((course.root / ".mlsys" / "collected" / f"{PS}.json").read_text())
    assert record[row.student]["id"] == "a+b*"
    assert Course(course.root).students(PS) == [row.student]
