"""A course of its own in a temporary folder, its demo class graded once by us and once by stock nbgrader."""

import json
import shutil
import sys

import pytest
from a_course import PS, digest, new_course, start

from mlsys.grading import demo
from mlsys.grading.course import Course
from mlsys.grading.release import release


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A course whose problem set is released; not to be changed."""
    root = new_course(tmp_path_factory.mktemp("released") / "course")
    release(Course(root), PS)
    return root


@pytest.fixture
def course(released, tmp_path):
    """A released course to do anything to."""
    shutil.copytree(released, tmp_path / "course")
    return Course(tmp_path / "course")


@pytest.fixture(scope="session")
def classes(released, tmp_path_factory):
    """The demo class, graded: by `mlsys grade` in one copy of the course, by stock nbgrader in another."""
    ours = tmp_path_factory.mktemp("ours") / "course"
    shutil.copytree(released, ours)
    record = demo.make(Course(ours), PS)
    handed_in = digest(ours / "submitted")
    stock = tmp_path_factory.mktemp("stock") / "course"
    shutil.copytree(ours, stock)
    runs = [
        start([sys.executable, "-m", "mlsys.cli", "grade", PS, "--json", "results.json"], ours),
        start([sys.executable, "-m", "nbgrader", "autograde", PS], stock),
    ]
    said = [run.communicate(timeout=300) for run in runs]
    results = json.loads((ours / "results.json").read_text()) if (ours / "results.json").exists() else {}
    return {
        "ours": ours,
        "stock": stock,
        "record": record,
        "handed_in": handed_in,
        "results": {row["student"]: row for row in results.get("students", ())},
        "code": runs[0].returncode,
        "out": said[0][0],
        "err": said[0][1],
        "stock_err": said[1][1],
    }
