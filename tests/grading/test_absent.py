"""At home an answer may lean on what is absent where it is graded; the student is told so."""

import numpy as np
import pytest

import mlsys
from mlsys import optim
from mlsys.grading import check
from mlsys.grading.absent import absent, imported
from mlsys.optim.rules import adagrad as ours
from mlsys.problems import problem

EXERCISE = "adagrad.running"


def by_module(r, w, g, eta, delta):
    return optim.adagrad(eta, delta)


def by_package(r, w, g, eta, delta):
    return mlsys.optim.adagrad(eta, delta)


def by_another_name(r, w, g, eta, delta):
    return ours.adagrad(eta, delta)


def imported_inside(r, w, g, eta, delta):
    from mlsys.kernels import cpu

    return cpu


def by_a_helper(r, w, g, eta, delta):
    return by_module(r, w, g, eta, delta)


class InAMethod:
    def step(self, w, g):
        return [ours.adagrad() for _ in range(3)]


class AHelper:
    def step(self, w, g):
        return InAMethod().step(w, g)


RULE = ours.adagrad(0.1, 1e-6)


def by_an_object_made_before(r, w, g, eta, delta):
    return RULE.step(w, g, r)


TABLE, LOOP = {"a": 1, "b": RULE}, [1.0]
LOOP.append(LOOP)


def by_a_table(r, w, g, eta, delta):
    return TABLE["b"].step(w, g, r)


def nothing(r, w, g, eta, delta):
    pass


def own(r, w, g, eta, delta):
    r = r + g**2
    return r, w - eta * g / np.sqrt(r + delta**2)


def with_what_stays(r, w, g, eta, delta):
    return LOOP or mlsys.core.generator(0, "x") if w is None else own(r, w, g, eta, delta)


@pytest.mark.parametrize(
    "answer",
    [
        by_module,
        by_package,
        by_another_name,
        by_a_helper,
        by_an_object_made_before,
        by_a_table,
        InAMethod,
        AHelper,
    ],
)
def test_what_an_answer_uses_of_the_taught_modules_is_named(answer):
    assert absent(EXERCISE, answer) == "mlsys.optim"


def test_an_import_inside_the_answer_is_seen():
    assert absent(EXERCISE, imported_inside) == "mlsys.kernels"


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import mlsys.optim", "mlsys.optim"),
        ("x = 1\nif x:\n    import mlsys.optim.rules as r", "mlsys.optim"),
        ("from mlsys import core, optim", "mlsys.optim"),
        ("from mlsys.kernels.cpu import x", "mlsys.kernels"),
        ("class A:\n    from mlsys.optim import adagrad", "mlsys.optim"),
        ("import mlsys, mlsys.core, mlsys.optimists", ""),
        ("from . import optim", ""),
        ("# import mlsys.optim", ""),
        ("def f():\n    import mlsys.optim", ""),
        ("try:\n    import mlsys.optim\nexcept ImportError:\n    pass", ""),
        ("import mlsys.optim; print(", ""),
    ],
)
def test_an_import_that_fails_when_it_is_graded_is_seen(source, module):
    assert imported(source, "ps1-adaptive-rates") == module


@pytest.mark.parametrize("answer", [own, with_what_stays, nothing, len, None])
def test_an_answer_of_ones_own_uses_none(answer):
    assert absent(EXERCISE, answer) == ""


@pytest.mark.parametrize("answer", [ours.adagrad, ours.AdaGradState, RULE])
def test_a_thing_of_the_packages_own_is_no_answer(answer):
    assert absent(EXERCISE, answer) == "mlsys.optim"


def test_check_gives_nothing_for_what_is_borrowed_as_the_grader_does(capsys):
    def borrowing(r, w, g, eta, delta):
        assert optim.adagrad
        return own(r, w, g, eta, delta)

    assert check(EXERCISE, own) == problem(EXERCISE).points
    passed = capsys.readouterr().out
    assert "absent" not in passed
    assert check(EXERCISE, borrowing) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{EXERCISE}: 0 of 2 points\n")
    assert said.count("It uses mlsys.optim, which is absent when this is graded: write it yourself.") == 1
    assert [line for line in said.splitlines() if "✓" in line] == [
        line for line in passed.splitlines() if "✓" in line
    ]
