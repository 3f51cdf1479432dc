"""Downloads as Canvas, Moodle and people make them, built in code."""

import csv
import io
import zipfile

import nbformat
from a_course import NOTEBOOK, PS

from mlsys.grading.collect import collect


def notebook(text="mine"):
    """The bytes of a small notebook."""
    cells = [nbformat.v4.new_code_cell(text, id="one")]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()


def zipped(files):
    """A zip's bytes; a name given as a ZipInfo keeps its attributes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return stream.getvalue()


def save(path, files):
    path.write_bytes(zipped(files))
    return path


def canvas(last, first, user, file, name=NOTEBOOK, late=False):
    """The name of a file in Canvas's "Download Submissions": sortable name in small letters and word characters."""
    who = "".join(c for c in f"{last}, {first}".lower() if c.isalnum() or c == "_")
    return f"{who}{'_LATE' * late}_{user}_{file}_{name}"


def moodle(full, number, name=NOTEBOOK, kind="file_"):
    return f"{full}_{number}_assignsubmission_{kind}/{name}"


def tree(root, files):
    """Plain files under a folder."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


STUDENTS = [
    ("ada", "Ada", "Lovelace", "ada@example.org", "1001"),
    ("bla", "Blaise", "Pascal", "bla@example.org", "1002"),
    ("emi", "Émilie", "du Châtelet", "emi@example.org", "1003"),
    ("sof", "Софья", "Ковалевская", "sof@example.org", "1004"),
]


def class_list(path, students=STUDENTS):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "first_name", "last_name", "email", "lms_user_id"])
        rows.writerows(students)
    return path


def placed(course, student, name=NOTEBOOK):
    """The source of the first cell of what lies under submitted/."""
    path = course.folder("submitted", student, PS) / name
    return nbformat.read(path, as_version=4).cells[0].source


def bring(course, source, students=None, **options):
    return collect(course, PS, source, students, **options)


def statuses(collected):
    return {(row.student, row.status) for row in collected.rows}
