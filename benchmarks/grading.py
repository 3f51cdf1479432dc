"""`mlsys grade` against stock `nbgrader autograde`: the same class, each from a cold start of its command.

In a sandbox and with the trusted checker, as instructors run it. C, which a case names, is the students' own time.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import psutil

from benchmarks.race import Contention, Race, Row, compare
from mlsys.grading.cells import answer_cell, check_cell, grade_id
from mlsys.grading.course import Course
from mlsys.grading.demo import make
from mlsys.grading.release import release
from mlsys.problems import exercises, problem

PS = "ps1-adaptive-rates"
ROOT = Path(__file__).resolve().parents[1]
SHORT = ("adagrad.history", "cost.count")  # a set of two exercises whose C is small, about .05 s
PROJECT = "sparse.project"  # asks its oracle thousands of times: that is what its students' time goes into
OURS = [sys.executable, "-m", "mlsys.cli", "grade", PS]
STOCK = [sys.executable, "-m", "nbgrader", "autograde", PS]


def course(folder: Path, students: int, light: bool, only: tuple[str, ...] = ()) -> Course:
    """A course with so many honest submissions.

    light : they leave the project unwritten, and the cells that are not graded away, which draw figures
    only : the exercises of the set; all of them if none is named
    """
    folder.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    if only:
        _cut(folder / "solutions" / PS / f"{PS}.ipynb", set(exercises(PS)) - set(only))
    made = Course(folder)
    release(made, PS)
    make(made, PS, students)
    for path in sorted(made.folder("submitted").rglob("*.ipynb")) if light else ():
        _lighten(path)
    return made


def _cut(path: Path, away: set[str]) -> None:
    notebook = nbformat.read(path, as_version=4)
    gone = {cell_of(name) for name in away for cell_of in (answer_cell, check_cell)}
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) not in gone]
    nbformat.write(notebook, path)


def _lighten(path: Path) -> None:
    try:
        notebook = nbformat.read(path, as_version=4)
    except ValueError:
        return  # one of the demo class is corrupt, for both graders alike
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) or cell.cell_type != "code"]
    for cell in notebook.cells:
        if grade_id(cell) == answer_cell(PROJECT):
            cell.source = f"def {problem(PROJECT).target}(oracle):\n    raise NotImplementedError"
    nbformat.write(notebook, path)


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of a command in a folder, from its start to its end."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    took = time.perf_counter() - began
    if done.returncode not in (0, 1):  # nbgrader ends with 1 where one notebook could not be graded
        raise RuntimeError(f"{command} failed: {done.stderr[-2000:]}")
    return took


def compute_s(made: Course) -> float:
    """The students' own time: of the cells alone, in the mean over a few submissions, in a kernel of their own."""
    from nbgrader.preprocessors import Execute

    times = []
    for path in sorted(made.folder("submitted").rglob("*.ipynb"))[:12:2]:
        try:
            notebook = nbformat.read(path, as_version=4)
        except ValueError:
            continue
        cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        notebook.cells = cells
        Execute(timeout=60, record_timing=True).preprocess(notebook, {"metadata": {"path": str(path.parent)}})
        stamps = [
            (c.metadata.execution["iopub.status.busy"], c.metadata.execution["iopub.status.idle"])
            for c in cells
        ]
        took = [(_when(idle) - _when(busy)) for busy, idle in stamps]
        times.append(sum(took[1:]))  # the first imports torch, which is not the student's work
    return float(np.mean(times))


def _when(stamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def race(
    kind: str, light: bool, only: tuple[str, ...], students: int, rounds: int, scratch: Path
) -> Iterator[Row]:
    """The same class graded by both, in turn."""
    ours = course(scratch / f"{kind}-ours", students, light, only)
    stock = scratch / f"{kind}-stock"
    shutil.copytree(ours.root, stock)
    times: dict[str, list[float]] = {"mlsys": [], "nbgrader autograde": []}
    with Contention() as others:
        for _ in range(rounds):
            times["mlsys"].append(seconds(OURS, ours.root))
            times["nbgrader autograde"].append(seconds([*STOCK, "--force"], stock))
    table = {who: np.array(t) for who, t in times.items()}
    case = f"{students} submissions, {kind}, C = {compute_s(ours):.2f} s"
    about: dict[str, Any] = {"race": "class", "case": case, "contention": others.share}
    yield compare(
        table, "mlsys", "nbgrader autograde", metric="class_s", goal=10.0 if light else None, **about
    )


def steady(scratch: Path, few: int, many: int) -> Iterator[Row]:
    """What one more student costs, and a large class, against the bounds that were set for them."""
    times = {}
    with Contention() as others:
        for students in (few, many):
            made = course(scratch / f"steady-{students}", students, light=True)
            times[students] = seconds(OURS, made.root)
    each = (times[many] - times[few]) / (many - few)
    about: dict[str, Any] = {"race": "class", "contention": others.share, "goal": 1.0}
    for case, metric, took, bound in (
        (f"one more student, {few} to {many}", "student_s", each, 0.15),
        (f"{many} students", "class_s", times[many], 60.0),
    ):
        table = {"mlsys": np.array([took]), f"{bound:g} s": np.array([bound])}
        yield compare(table, "mlsys", f"{bound:g} s", metric=metric, case=case, **about)


def memory(scratch: Path) -> Iterator[Row]:
    """What one more notebook at a time takes, beside what all of stock nbgrader does."""
    made = course(scratch / "memory", 13, light=True)
    most = {jobs: memory_bytes([*OURS, "--jobs", str(jobs)], made.root) for jobs in (1, 2)}
    table = {
        "one more worker": most[2] - most[1],
        "all of mlsys grade --jobs 2": most[2],
        "nbgrader autograde": memory_bytes([*STOCK, "--force"], made.root),
    }
    for ours in list(table)[:2]:
        yield compare(
            {who: np.array([value]) for who, value in table.items()},
            ours,
            "nbgrader autograde",
            race="memory",
            case=ours,
            metric="memory_bytes",
        )


def memory_bytes(command: list[str], folder: Path) -> float:
    """The most memory that a command and its children held at once; what they share is counted once."""
    most = 0
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        while running.poll() is None:
            now = 0
            for process in [
                psutil.Process(running.pid),
                *psutil.Process(running.pid).children(recursive=True),
            ]:
                with contextlib.suppress(psutil.Error):  # it has just ended
                    now += process.memory_full_info().pss
            most = max(most, now)
            time.sleep(0.05)
    return float(most)


def run(quick: bool) -> Iterator[Row]:
    """Three classes of 40, and one of 300."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for kind, light, only, rounds in (
            ("two exercises", True, SHORT, 2),
            ("light", True, (), 2),
            ("whole set", False, (), 1),
        ):
            yield from race(kind, light, only, 13 if quick else 40, 1 if quick else rounds, scratch)
        yield from memory(scratch)
        yield from steady(scratch, *((13, 26) if quick else (40, 300)))


RACE = Race(
    name="grading",
    tests=("tests/grading/test_engine_kernel.py", "tests/grading/test_demo_class.py"),
    modules=("mlsys.grading.engine.pool", "mlsys.grading.engine.warm", "mlsys.grading.replay"),
    run=run,
)
