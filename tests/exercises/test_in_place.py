"""What notebooks hand out bears answers that change what they are given, as those earn full marks."""

import contextlib
import doctest
import io
from pathlib import Path

import nbformat
import numpy as np
import pytest

from mlsys.problems import problem
from mlsys.problems.gate import earned

ROOT = Path(__file__).resolve().parents[2]

STEP = '''
def adam_step(m, v, w, g, t, eta, beta1, beta2, delta):
    """{doc}"""
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g**2
    rate = eta * (1 - beta2**t) ** 0.5 / (1 - beta1**t) / (np.sqrt(v) + delta)
    w -= rate * m
    g[:] = np.nan
    return m, v, w, rate
'''
RUN = '''
def adamw_run(gradient, w, multipliers, eta, lam, beta1, beta2, delta):
    """{doc}"""
    m, v, points = np.zeros_like(w), np.zeros_like(w), []
    for t, s in enumerate(multipliers, 1):
        g = gradient(w)
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g**2 - v)
        g[:] = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + delta)
        w -= s * (eta * g + lam * w)
        points.append(w.copy())
    return points
'''
MAX = '''
class AMSGrad:
    """{doc}"""

    def __init__(self, eta, beta1, beta2, delta):
        self.given, self.t, self.m, self.v, self.u = (eta, beta1, beta2, delta), 0, 0.0, 0.0, 0.0

    def step(self, w, g):
        eta, beta1, beta2, delta = self.given
        self.t += 1
        self.m = beta1 * self.m + (1 - beta1) * g
        self.v = beta2 * self.v + (1 - beta2) * g**2
        self.u = np.maximum(self.u, self.v / (1 - beta2**self.t))
        g[:] = self.m / (1 - beta1**self.t) / np.sqrt(self.u + delta**2)
        w -= eta * g
        return w
'''
LIST = '''
class AdamW:
    """{doc}"""

    def __init__(self, ws, eta, lam, beta1, beta2, delta):
        self.given, self.t = (eta, lam, beta1, beta2, delta), 0
        self.m, self.v = [0 * w for w in ws], [0 * w for w in ws]

    def step(self, ws, gs):
        eta, lam, beta1, beta2, delta = self.given
        self.t += 1
        for w, g, m, v in zip(ws, gs, self.m, self.v, strict=True):
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g**2 - v)
            w *= 1 - eta * lam
            w -= eta * m / (1 - beta1**self.t) / np.sqrt(v / (1 - beta2**self.t) + delta**2)
            g[:] = 0
        return ws
'''
ANSWERS = [
    ("adam.step", STEP, "adam-scratch"),
    ("adamw.run", RUN, "adamw-scratch"),
    ("amsgrad.class", MAX, "amsgrad-scratch"),
    ("adamw.repair", LIST, "adamw-symptoms"),
]


def cells():
    book = nbformat.read(ROOT / "solutions/ps2-adam-history/ps2-adam-history.ipynb", as_version=4)
    return {cell.id: cell.source for cell in book.cells}


def after(*sources):
    scope = {"__name__": "student"}
    exec(cells()["imports"], scope)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for source in sources:
            exec(source, scope)
    return scope, printed.getvalue()


@pytest.mark.parametrize(("name", "answer", "_"), ANSWERS)
def test_the_example_holds_for_an_answer_that_works_in_place(name, answer, _):
    target = problem(name).target
    scope, _ = after(cells()[name.replace(".", "-")])
    scope, _ = after(answer.format(doc=scope[target].__doc__))
    assert earned(name, scope[target], 0) == problem(name).points
    (example, *_) = doctest.DocTestFinder(recurse=False).find(scope[target], name, globs=scope)
    result = doctest.DocTestRunner().run(example)
    assert result.attempted > 1
    assert result.failed == 0


@pytest.mark.parametrize(("name", "answer", "scratch"), ANSWERS)
def test_the_cell_to_play_with_shows_the_same(name, answer, scratch, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    found = cells()
    cell = found[scratch].replace("(BrokenAdamW,)", "(BrokenAdamW, AdamW)")
    known = found["adamw-broken"]
    right, printed = after(known, found[name.replace(".", "-")], cell)
    scope, shown = after(known, answer, cell)
    assert shown == printed
    lengths = [drawn(each) for each in (right, scope)]
    np.testing.assert_allclose(*lengths, rtol=1e-9)


def drawn(scope):
    """What a cell draws, and nothing where it only prints."""
    lengths = scope.get("lengths", [])
    return np.concatenate(list(lengths.values())) if isinstance(lengths, dict) else lengths
