"""The source notebook earns full marks; the students' one is a fresh release of it and holds no answers."""

import doctest
import os
import re
import shutil
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest

from mlsys.grading import check, secret
from mlsys.grading.course import Course
from mlsys.grading.engine.view import taught
from mlsys.problems import SETS, exercises, grader, problem

ROOT = Path(__file__).resolve().parents[2]


def notebook(folder, assignment):
    return nbformat.read(ROOT / folder / assignment / f"{assignment}.ipynb", as_version=4)


def by_id(book):
    return {cell.metadata["nbgrader"]["grade_id"]: cell for cell in book.cells if "nbgrader" in cell.metadata}


@pytest.fixture(params=SETS)
def assignment(request):
    return request.param


def test_each_exercise_has_its_cells_and_points(assignment):
    for folder in ("solutions", "exercises"):
        cells = by_id(notebook(folder, assignment))
        for name in exercises(assignment):
            gid, task = name.replace(".", "-"), problem(name)
            check = cells[f"{gid}-check"]
            assert cells[f"{gid}-text"].metadata["nbgrader"]["locked"]
            assert cells[gid].metadata["nbgrader"]["solution"]
            assert not cells[gid].metadata["nbgrader"]["grade"]
            assert check.source == f'check("{name}", {task.target})'
            assert check.metadata["nbgrader"]["points"] == task.points
            assert f" (`{name}`, {task.points:g} points)" in cells[f"{gid}-text"].source.splitlines()[0]


def test_nothing_else_gives_points_but_written_answers(assignment):
    graded = {
        gid
        for gid, cell in by_id(notebook("exercises", assignment)).items()
        if cell.metadata["nbgrader"]["grade"]
    }
    checks = {f"{name.replace('.', '-')}-check" for name in exercises(assignment)}
    assert all(gid.startswith("written-") for gid in graded - checks)
    assert checks <= graded


def test_the_source_has_stable_ids_and_no_outputs(assignment):
    book = notebook("solutions", assignment)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in book.cells)
    assert all(cell.id == gid for gid, cell in by_id(book).items())


def test_students_get_no_solution_rubric_or_hint(assignment):
    source, released = by_id(notebook("solutions", assignment)), by_id(notebook("exercises", assignment))
    text = "\n".join(cell.source for cell in released.values())
    assert "SOLUTION" not in text
    assert "ubric" not in text
    for gid, cell in source.items():
        hidden = cell.source.split("### BEGIN SOLUTION\n")[1:]
        for line in (
            line.strip() for part in hidden for line in part.split("### END SOLUTION")[0].splitlines()
        ):
            assert len(line) < 12 or line not in released[gid].source
    for name in exercises(assignment):
        for wrong in grader(name).wrong.values():
            assert not wrong.hint or wrong.hint not in text
        assert 'raise NotImplementedError("your code here")' in released[name.replace(".", "-")].source


def test_the_examples_in_the_stubs_are_true(assignment):
    import math

    import torch

    found = 0
    for name in exercises(assignment):
        scope = {"np": np, "torch": torch, "math": math, "__name__": "student"}
        exec(by_id(notebook("solutions", assignment))[name.replace(".", "-")].source, scope)
        for example in doctest.DocTestFinder(recurse=False).find(
            scope[problem(name).target], name, globs=scope
        ):
            result = doctest.DocTestRunner().run(example)
            assert result.failed == 0
            found += result.attempted
    assert found >= len(exercises(assignment))


def test_the_source_earns_full_marks(assignment, tmp_path, monkeypatch):
    monkeypatch.delenv(secret.VARIABLE, raising=False)
    monkeypatch.setenv("MPLBACKEND", "agg")
    book = notebook("solutions", assignment)
    nbclient.NotebookClient(book, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = by_id(book)
    printed = "".join(o.get("text", "") for cell in book.cells for o in cell.get("outputs", ()))
    assert "first." not in printed  # no scratch cell says "Write … first."
    for name in exercises(assignment):
        outputs = cells[f"{name.replace('.', '-')}-check"].outputs
        assert outputs[-1]["data"]["text/plain"] == str(float(problem(name).points))
        assert [o for o in outputs if o.get("name") == "stderr"] == []


def test_what_students_get_is_a_fresh_release(assignment, tmp_path, monkeypatch):
    monkeypatch.setenv(secret.VARIABLE, os.environ.get(secret.VARIABLE, ""))  # the course's settings set it
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "solutions", tmp_path / "solutions")
    made = Course(tmp_path).api.generate_assignment(assignment, force=True, create=True)
    assert made["success"], made
    released = tmp_path / "exercises" / assignment / f"{assignment}.ipynb"
    assert nbformat.read(released, as_version=4) == notebook("exercises", assignment)


WITH_GRAD = """
def adagrad_step(r, w, g, eta, delta):
    r = torch.as_tensor(r) + torch.as_tensor(g) ** 2
    w = torch.as_tensor(w).clone().requires_grad_()
    return r, w - eta * torch.as_tensor(g) / torch.sqrt(r + delta**2)
"""


@pytest.mark.parametrize("how", ["in place", "with grad"])
def test_the_scratch_cell_bears_answers_that_change_what_they_are_given_and_tensors(tmp_path, how):
    book = notebook("solutions", "ps1-adaptive-rates")
    in_place = grader("adagrad.running").right["in_place"].source("adagrad_step")
    by_id(book)["adagrad-running"].source = in_place if how == "in place" else WITH_GRAD
    shown = ("imports", "adagrad-history", "adagrad-running", "adagrad-scratch")
    book.cells = [cell for cell in book.cells if cell.id in shown]
    nbclient.NotebookClient(book, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (printed,) = book.cells[-1].outputs
    assert float(printed["text"].splitlines()[0].removeprefix("largest difference: ")) < 1e-12


def test_the_notebook_says_what_is_absent_when_it_is_graded(assignment):
    cells, absent = by_id(notebook("exercises", assignment)), taught(assignment)[0]
    (said,) = re.findall(r"an answer that uses (.+?) earns nothing", " ".join(cells["title"].source.split()))
    assert said.startswith(f"`{absent}`")
    for name in exercises(assignment):
        if problem(name).practice:
            text = cells[f"{name.replace('.', '-')}-text"].source
            assert f"not `{absent}`, which is absent when this is graded" in " ".join(text.split())


def test_the_source_that_the_intro_speaks_of_is_what_the_check_prints(assignment, capsys):
    """Every exercise prints lines to run where it fails; so the introduction may say so."""
    for name in exercises(assignment):
        check(name, lambda *arguments: None)
        assert "To look closer, run in a cell of its own:" in capsys.readouterr().out
