"""A notebook set right against the released one: each damage, its name, and what remains."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from mlsys.grading.cells import grade_id, settings
from mlsys.grading.mend import Unreadable, mend, parse


def cell(name, source, kind=new_code_cell, **rules):
    base = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return kind(source, id=name, metadata={"nbgrader": base | {"grade_id": name} | rules})


@pytest.fixture
def released():
    cells = [
        cell("imports", "import numpy as np", locked=True),
        cell("a", "def a(): ...", solution=True),
        cell("a-check", "check('a', a)", grade=True, locked=True, points=2.0),
        cell("b", "def b(): ...", solution=True),
        cell("b-check", "check('b', b)", grade=True, locked=True, points=3.0),
        cell("why", "Your answer here.", new_markdown_cell, grade=True, solution=True, points=4.0),
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture
def mine(released):
    notebook = copy.deepcopy(released)
    for c in notebook.cells:
        if settings(c)["solution"]:
            c.source = f"my {grade_id(c)}"
    return notebook


def names(notebook):
    return [grade_id(c) for c in notebook.cells]


def by_name(notebook, name):
    return next(c for c in notebook.cells if grade_id(c) == name)


def drop(notebook, *gone):
    notebook.cells = [c for c in notebook.cells if grade_id(c) not in gone]


def test_an_honest_notebook_is_left_alone(mine, released):
    before = copy.deepcopy(mine)
    assert mend(mine, released) == []
    assert mine == before


def test_an_edited_test_cell_is_restored(mine, released):
    by_name(mine, "a-check").source = "2.0"
    assert mend(mine, released) == ["test cell a-check was edited: restored"]
    assert by_name(mine, "a-check").source == "check('a', a)"
    assert by_name(mine, "a").source == "my a"


@pytest.mark.parametrize(
    "text",
    [
        "from mlsys.problems.ps1.grader.a import reference as a",
        "import mlsys.optim\nmlsys.optim.adagrad()",
        "import mlsys.inference.serve.policy as p\np.step()",
        "from mlsys.quant import calibrate",
    ],
)
def test_an_answer_that_names_where_the_answers_are_is_flagged(mine, released, text):
    by_name(mine, "a").source = text
    (flag,) = mend(mine, released)
    assert flag.startswith("cell a uses mlsys.")
    assert by_name(mine, "a").source == text


def test_trailing_space_is_not_an_edit(mine, released):
    by_name(mine, "a-check").source += "  \n"
    assert mend(mine, released) == []


def test_a_deleted_test_cell_is_put_back_after_its_answer(mine, released):
    drop(mine, "a-check")
    assert mend(mine, released) == ["test cell a-check was deleted: put back"]
    assert names(mine) == names(released)


def test_an_answer_typed_elsewhere_comes_before_its_test(mine, released):
    drop(mine, "a", "a-check")
    mine.cells.insert(1, new_code_cell("def a(): return 1"))
    assert mend(mine, released) == ["test cell a-check was deleted: put back"]
    assert names(mine) == ["imports", "", "a-check", "b", "b-check", "why"]


def test_all_settings_gone(mine, released):
    for c in mine.cells:
        del c.metadata["nbgrader"]
    flags = mend(mine, released)
    assert [f.split(" was")[0] for f in flags] == [
        "locked cell imports",
        "test cell a-check",
        "test cell b-check",
        "written answer why",
    ]
    assert names(mine)[-4:] == ["imports", "a-check", "b-check", "why"]
    ids = [c.id for c in mine.cells]
    assert len(ids) == len(set(ids))


def test_of_a_copied_cell_the_last_counts(mine, released):
    again = copy.deepcopy(by_name(mine, "a"))
    again.source = "the second"
    mine.cells.insert(2, again)
    assert mend(mine, released) == ["cell a is there 2 times: the last one counts"]
    assert by_name(mine, "a").source == "the second"
    assert names(mine) == ["imports", "", "a", "a-check", "b", "b-check", "why"]


@pytest.mark.parametrize(
    "change", [{"points": 99.0}, {"schema_version": 99}, {"grade": False}, {"locked": False}]
)
def test_changed_settings_are_restored(mine, released, change):
    by_name(mine, "a-check").metadata["nbgrader"].update(change)
    assert mend(mine, released) == ["settings of cell a-check were changed: restored"]
    assert settings(by_name(mine, "a-check")) == settings(by_name(released, "a-check"))


def test_a_cell_of_another_kind_is_restored(mine, released):
    place = names(mine).index("a-check")
    old = mine.cells[place]
    mine.cells[place] = new_markdown_cell(old.source, id=old.id, metadata=old.metadata)
    assert mend(mine, released) == ["cell a-check was made a markdown cell: restored"]
    nbformat.validate(mine)
    assert by_name(mine, "a-check").cell_type == "code"


def test_a_foreign_cell_loses_its_points(mine, released):
    mine.cells.append(cell("bonus", "100.0", grade=True, locked=True, points=100.0))
    assert mend(mine, released) == ["cell bonus is not of this problem set"]
    assert names(mine)[-1] == ""


@pytest.mark.parametrize("rubbish", ["text", 7, None, {"grade_id": 3}, {"grade_id": ["a"]}, []])
def test_settings_that_are_not_a_table(mine, released, rubbish):
    by_name(mine, "b").metadata["nbgrader"] = rubbish
    assert mend(mine, released) == []
    assert names(mine) == ["imports", "a", "a-check", "", "b-check", "why"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON from line 1"),
        (b"{\n'", "not JSON from line 2"),
        (b"\xff\xfe\x00", "not text"),
        (b"[]", "no notebook"),
        (b'{"cells": 3}', "no notebook"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
            "no notebook",
        ),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_a_notebook_is_said(data, why):
    with pytest.raises(Unreadable, match=why):
        parse(data)


def test_a_byte_order_mark_is_read_over(released):
    data = b"\xef\xbb\xbf" + json.dumps(released).encode()
    assert names(parse(data)) == names(released)
