"""The demo class of every problem set is graded as is known beforehand; the first set's is looked at more closely."""

import json

import pytest
from a_course import PS, mlsys, new_course

from mlsys.grading import demo
from mlsys.grading.course import Course
from mlsys.grading.release import release
from mlsys.problems import SETS


@pytest.mark.parametrize("assignment", [name for name in SETS if name != PS])
def test_the_demo_class_is_graded_as_is_known_beforehand(assignment, tmp_path):
    course = Course(new_course(tmp_path / "course"))
    release(course, assignment)
    record = demo.make(course, assignment)
    done = mlsys("grade", assignment, "--json", "results.json", folder=course.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "The demo class is graded as it should be." in done.stdout
    rows = {row["student"]: row for row in json.loads((course.root / "results.json").read_text())["students"]}
    assert set(rows) == set(record)
    for student, known in record.items():
        got = {name: rows[student]["marks"][name]["score"] for name in known["points"]}
        assert (student, got) == (student, known["points"])
