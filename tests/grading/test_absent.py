"""At home an answer may lean on what is absent where it is graded; the student is told so."""

import numpy as np
import pytest

import mlsys
from mlsys import optim
from mlsys.grading import check
from mlsys.grading.absent import absent
from mlsys.optim.rules import adagrad as ours

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


def nothing(r, w, g, eta, delta):
    pass


def own(r, w, g, eta, delta):
    r = r + g**2
    return r, w - eta * g / np.sqrt(r + delta**2)


def with_what_stays(r, w, g, eta, delta):
    return mlsys.core.generator(0, "x") if w is None else own(r, w, g, eta, delta)


@pytest.mark.parametrize("answer", [by_module, by_package, by_another_name, by_a_helper, InAMethod, AHelper])
def test_what_an_answer_uses_of_the_taught_modules_is_named(answer):
    assert absent(EXERCISE, answer) == "mlsys.optim"


def test_an_import_inside_the_answer_is_seen():
    assert absent(EXERCISE, imported_inside) == "mlsys.kernels"


@pytest.mark.parametrize("answer", [own, with_what_stays, nothing, len, None])
def test_an_answer_of_ones_own_uses_none(answer):
    assert absent(EXERCISE, answer) == ""


def test_check_says_it_of_what_would_earn_points(capsys):
    def borrowing(r, w, g, eta, delta):
        assert optim.adagrad
        return own(r, w, g, eta, delta)

    assert check(EXERCISE, borrowing) == check(EXERCISE, own) > 0
    said = capsys.readouterr().out
    assert said.count("it uses mlsys.optim, which is absent when this is graded") == 1
    check(EXERCISE, by_module)  # of what earns nothing anyway, nothing is said
    assert "absent" not in capsys.readouterr().out
