"""Marks in the files that Canvas and Moodle take: only final ones, in their own rows, no formula among them."""

import csv
import json

import pytest
from a_course import PS
from hypothesis import given, settings
from hypothesis import strategies as st
from platforms import class_list

from mlsys.grading.errors import CourseError
from mlsys.grading.export import CANVAS, CSV, MOODLE, export
from mlsys.grading.gradefile import Sheet, number, read, safe
from mlsys.grading.journal import Journal
from mlsys.grading.scores import GRADED, Result
from mlsys.grading.standings import standings
from mlsys.problems import exercises, problem

quick = settings(max_examples=50, deadline=None, derandomize=True)
CODED = [problem(name).points for name in exercises(PS)]


@pytest.fixture
def graded(course):
    """ada is final, bla late, emi awaits a mark, sof was not graded, zed handed in nothing; eve only in one folder."""
    people = {
        "ada": ("Ada", "Lovelace", "ada@example.org", "1001"),
        "bla": ("Blaise", "Pascal", "bla@example.org", None),
        "emi": ("Émilie", "du Châtelet", "emi@example.org", "1003"),
        "sof": ("Софья", "Ковалевская", None, None),
        "zed": ("=cmd|'/C calc'!A0", "+1", "zed@example.org", "1009"),
        "demo-ada": (None, None, None, None),
    }
    with course.gradebook() as gradebook:
        for id, (first, last, email, lms) in people.items():
            gradebook.add_student(id, first_name=first, last_name=last, email=email, lms_user_id=lms)
        for student, marked in (("ada", 3.0), ("bla", 2.0), ("emi", None)):
            submission = gradebook.update_or_create_submission(PS, student)
            (book,) = submission.notebooks
            book.late_submission_penalty = 1.5 if student == "bla" else None
            written = [grade for grade in book.grades if grade.cell.cell_type == "markdown"]
            for grade in book.grades:
                grade.auto_score = None if grade in written else grade.max_score
            for grade in written:
                grade.manual_score = marked if grade is written[0] or marked is None else 0.0
                grade.needs_manual_grade = marked is None
            gradebook.db.commit()
    for student in ("ada", "bla", "emi"):
        for kind in ("submitted", "autograded"):
            folder = course.folder(kind, student, PS)
            folder.mkdir(parents=True)
            (folder / f"{PS}.ipynb").write_text("{}")
    for student in ("sof", "eve", "demo-ada"):
        course.folder("submitted", student, PS).mkdir(parents=True)
    return course


@pytest.fixture
def full(graded):
    return standings(graded, PS)[0].full


def table(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def column(path, name, key=0):
    rows = table(path)
    at = rows[0].index(name)
    return {row[key]: row[at] for row in rows[1:]}


def test_a_plain_csv(graded, tmp_path, full):
    done = export(graded, PS, CSV, tmp_path / "marks.csv")
    with (tmp_path / "marks.csv").open(encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["ada", "bla", "emi", "eve", "sof", "zed"]
    ada, bla, emi, zed = (rows[name] for name in ("ada", "bla", "emi", "zed"))
    first = exercises(PS)[0]
    assert (ada["name"], ada[first], ada["status"]) == ("Ada Lovelace", number(CODED[0]), "final")
    assert float(ada["total"]) == float(ada["points"]) == sum(CODED) + 3
    assert float(ada["max"]) == full
    assert float(bla["total"]) == float(bla["points"]) - 1.5 == sum(CODED) + 0.5
    assert bla["late_penalty"] == "1.5"
    assert emi["status"].startswith("awaits a mark for ")
    assert (emi["total"], float(emi["points"])) == ("", sum(CODED))
    assert (zed["name"], zed["total"], zed["status"]) == ("'=cmd|'/C calc'!A0 +1", "", "no submission")
    assert (done.written, set(done.blank)) == (2, {"emi", "eve", "sof"})
    assert done.blank["eve"] == "not graded"
    assert (tmp_path / "marks.csv").stat().st_mode & 0o777 == 0o600


def test_unfinished_and_missing_on_request(graded, tmp_path):
    done = export(graded, PS, CSV, tmp_path / "a.csv", unfinished=True, missing_as_zero=True)
    totals = column(tmp_path / "a.csv", "total")
    assert float(totals["emi"]) == sum(CODED)
    assert (totals["zed"], totals["sof"]) == ("0", "")
    assert done.blank["emi"].endswith(" written")


def test_canvas_anew(graded, tmp_path, full):
    export(graded, PS, CANVAS, tmp_path / "c.csv")
    rows = table(tmp_path / "c.csv")
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", PS]
    assert rows[1] == ["    Points Possible", "", "", "", "", number(full)]
    assert rows[2] == ["Lovelace, Ada", "1001", "", "ada", "", number(sum(CODED) + 3)]
    assert rows[-1][0].startswith("'+1, =cmd")


CANVAS_FILE = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework 0 (11),{title} (12),Final Score
,,,,,,Manual Posting,
    Points Possible,,,,,10,{points},(read only)
"Châtelet, Émilie du",1003,,emilie,A,5,,50
"Lovelace, Ada",1001,,al,A,7,,70
"Pascal, Blaise",77,,bla,A,"8,5",1,80
"Nobody, Known",78,,nk,A,9,4,90
"Student, Test",79,,x,A,,,
"""


def test_into_canvass_own_file(graded, tmp_path, full):
    path = tmp_path / "grades.csv"
    path.write_text("\ufeff" + CANVAS_FILE.format(title=PS, points=full), encoding="utf-8")
    done = export(graded, PS, CANVAS, tmp_path / "out.csv", into=path)
    before, after = table(path), table(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    changed = [(a[0], a[6]) for a, b in zip(after, before, strict=True) if a != b]
    assert changed == [
        ("Lovelace, Ada", number(sum(CODED) + 3)),
        ("Pascal, Blaise", number(sum(CODED) + 0.5)),
    ]
    assert all(a[:6] == b[:6] and a[7:] == b[7:] for a, b in zip(after, before, strict=True))
    assert done.written == 2
    assert done.absent == []
    titled = tmp_path / "titled.csv"
    titled.write_text(CANVAS_FILE.format(title="Adaptive rates", points=full), encoding="utf-8")
    with pytest.raises(CourseError, match="there is no one column 'ps1-adaptive-rates'"):
        export(graded, PS, CANVAS, tmp_path / "out.csv", into=titled)
    export(graded, PS, CANVAS, tmp_path / "out.csv", into=titled, column="adaptive rates")
    assert column(tmp_path / "out.csv", "Adaptive rates (12)")["Lovelace, Ada"] == number(sum(CODED) + 3)


def test_who_has_a_mark_and_no_row_is_named(graded, tmp_path, full):
    path = tmp_path / "grades.csv"
    lines = CANVAS_FILE.format(title=PS, points=full).splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "Lovelace" not in line), encoding="utf-8")
    assert export(graded, PS, CANVAS, tmp_path / "out.csv", into=path).absent == ["ada"]


def test_other_points_than_the_set_are_refused(graded, tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text(CANVAS_FILE.format(title=PS, points=100), encoding="utf-8")
    with pytest.raises(CourseError, match="Canvas has 100 points for it, the problem set"):
        export(graded, PS, CANVAS, tmp_path / "out.csv", into=path)
    assert not (tmp_path / "out.csv").exists()


def test_moodle_anew_with_the_numbers_of_the_download(graded, tmp_path):
    record = graded.root / ".mlsys" / "collected" / f"{PS}.json"
    record.parent.mkdir(parents=True)
    row = {"name": "Ada Lovelace", "id": "ada", "made": False, "platform": "Moodle", "number": "501"}
    record.write_text(json.dumps({"ada": row}))
    export(graded, PS, MOODLE, tmp_path / "m.csv")
    rows = [
        dict(zip(table(tmp_path / "m.csv")[0], row, strict=True)) for row in table(tmp_path / "m.csv")[1:]
    ]
    assert [row["Identifier"] for row in rows] == ["Participant 501", "", "", "", "", ""]
    assert rows[0]["Email address"] == "ada@example.org"
    assert rows[0]["Grade"] == number(sum(CODED) + 3)
    assert rows[0]["Feedback comments"].startswith(f"{exercises(PS)[0]}: {number(CODED[0])} of ")
    assert "late: -1.5" in rows[1]["Feedback comments"]
    assert (rows[2]["Grade"], rows[2]["Feedback comments"]) == ("", "")


MOODLE_FILE = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Last modified (grade)","Feedback comments"
"Participant 900","Ada Lovelace",ada@example.org,"Submitted for grading",,"{points}",-,
"Participant 901","Blaise Pascal",,"Submitted for grading",,"{points}",-,"Well done"
"Participant 902","Émilie du Châtelet",emi@example.org,"Submitted for grading",,"{points}",-,
"""


@pytest.mark.parametrize("comma", [False, True])
def test_into_moodles_worksheet(graded, tmp_path, full, comma):
    points = f"{full:.2f}".replace(".", "," if comma else ".")
    path = tmp_path / "worksheet.csv"
    path.write_text(MOODLE_FILE.format(points=points), encoding="utf-8")
    export(graded, PS, MOODLE, tmp_path / "out.csv", into=path)
    grades = column(tmp_path / "out.csv", "Grade", key=1)
    wanted = number(sum(CODED) + 0.5)
    assert grades["Blaise Pascal"] == (wanted.replace(".", ",") if comma else wanted)
    assert grades["Émilie du Châtelet"] == ""
    comments = column(tmp_path / "out.csv", "Feedback comments", key=1)
    assert comments["Blaise Pascal"] == "Well done"
    assert exercises(PS)[0] in comments["Ada Lovelace"]


def test_into_moodles_gradebook(graded, tmp_path):
    path = tmp_path / "gradebook.csv"
    path.write_text(
        f"First name;Last name;ID number;Email address;Assignment: {PS} (Real);Course total (Real)\n"
        "Ada;Lovelace;;ADA@example.org;-;-\nBlaise;Pascal;bla;;-;-\n"
    )
    export(graded, PS, MOODLE, tmp_path / "out.csv", into=path)
    text = (tmp_path / "out.csv").read_text()
    assert f"ADA@example.org;{number(sum(CODED) + 3)};-" in text
    assert f"bla;;{number(sum(CODED) + 0.5)};-" in text


def test_two_of_a_name_are_not_guessed(graded, tmp_path, full):
    with graded.gradebook() as gradebook:
        gradebook.add_student("bl2", first_name="Blaise", last_name="Pascal")
    path = tmp_path / "worksheet.csv"
    path.write_text(MOODLE_FILE.format(points=full), encoding="utf-8")
    done = export(graded, PS, MOODLE, tmp_path / "out.csv", into=path)
    assert done.absent == ["bla"]
    assert column(tmp_path / "out.csv", "Grade", key=1)["Blaise Pascal"] == ""


def test_work_handed_in_again_is_not_final(graded, tmp_path):
    stamp = graded.folder("submitted", "ada", PS) / "timestamp.txt"
    stamp.write_text("2026-11-20 10:00:00.000000 UTC")
    export(graded, PS, CSV, tmp_path / "a.csv")
    assert column(tmp_path / "a.csv", "status")["ada"] == "handed in again since it was graded"
    assert column(tmp_path / "a.csv", "total")["ada"] == ""


def test_work_that_changed_since_mlsys_grade_is_not_final(graded, tmp_path):
    journal = Journal(graded, PS)
    for student in ("ada", "bla"):
        journal.write(Result(student, GRADED, {}), journal.digest(student))
    assert export(graded, PS, CSV, tmp_path / "a.csv").written == 2
    (graded.folder("submitted", "ada", PS) / f"{PS}.ipynb").write_text("{ }")
    journal.begin("bla", journal.digest("bla"))
    blank = export(graded, PS, CSV, tmp_path / "a.csv").blank
    assert blank["ada"] == "the submission or the release has changed since it was graded"
    assert blank["bla"] == "its grading was cut off"


def test_what_cannot_be_exported(graded, tmp_path):
    out = tmp_path / "out.csv"
    with pytest.raises(CourseError, match="no export for 'blackboard'"):
        export(graded, PS, "blackboard", out)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CourseError, match="not Canvas's gradebook"):
        export(graded, PS, CANVAS, out, into=tmp_path / "x.csv")
    with pytest.raises(CourseError, match="neither Moodle's"):
        export(graded, PS, MOODLE, out, into=tmp_path / "x.csv")
    with pytest.raises(CourseError, match="would be written over"):
        export(graded, PS, CANVAS, tmp_path / "x.csv", into=tmp_path / "x.csv")
    for data in (b"", b"\xff\xfe\x00"):
        (tmp_path / "y.csv").write_bytes(data)
        with pytest.raises(CourseError, match=r"is empty|cannot be read"):
            export(graded, PS, CANVAS, out, into=tmp_path / "y.csv")
    assert not out.exists()


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1", "\r=1", "-x", '="a"']
)
def test_formulas_are_quoted(cell):
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-1.5", "+3", "-", "12,5", "-50 %", "Ada", "", "a=b", "Participant 5"])
def test_numbers_and_words_are_not(cell):
    assert safe(cell) == cell


@quick
@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2))
)
def test_a_file_comes_back_as_it_was_but_for_formulas(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    rows = [["name", "mark"], *rows]
    Sheet(rows).write(path)
    assert read(path).rows == [[safe(cell) for cell in row] for row in rows]


def test_the_class_list_is_nbgraders_own(course, tmp_path):
    """What `nbgrader db student import` takes, `mlsys collect --roster` takes too."""
    from mlsys.grading.roster import _csv

    people = _csv(class_list(tmp_path / "s.csv"))
    assert (people[2].id, people[2].first, people[2].lms) == ("emi", "Émilie", "1003")


def test_a_mark_that_was_given_to_another_text_is_not_final(graded, tmp_path):
    with graded.gradebook() as gradebook:
        (book,) = gradebook.find_submission(PS, "ada").notebooks
        row = next(grade for grade in book.grades if grade.manual_score == 3.0)
        row.needs_manual_grade, name = True, row.cell.name
        gradebook.db.commit()
    exported = export(graded, PS, "csv", tmp_path / "marks.csv")
    assert exported.blank["ada"] == f"awaits a mark for {name}"
