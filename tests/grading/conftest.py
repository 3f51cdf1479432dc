"""A course of its own in a temporary folder, its demo class graded once by us and once by stock nbgrader."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlsys.grading import demo
from mlsys.grading.course import Course
from mlsys.grading.release import release

REPOSITORY = Path(__file__).resolve().parents[2]
PS = "ps1-adaptive-rates"
NOTEBOOK = f"{PS}.ipynb"


def environment():
    """As in a shell where the environment is active, and this repository's package is the one imported."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "200"}


def start(command, folder):
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def mlsys(*arguments, folder):
    """Run `mlsys …` in a folder."""
    done = start([sys.executable, "-m", "mlsys.cli", *map(str, arguments)], folder)
    out, err = done.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, done.returncode, out, err)


def digest(folder):
    """Every file under a folder with a hash of its bytes."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def new_course(root):
    """A course folder with the settings and the solutions, nothing else."""
    root.mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    shutil.copytree(REPOSITORY / "solutions", root / "solutions")
    return root


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
