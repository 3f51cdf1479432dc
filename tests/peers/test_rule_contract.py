"""What every rule promises: its docstring's formula, a pure step, a state of w's shape and dtype, words on misuse."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from rule_cases import CASES, hostile_gradients

from mlsys.optim import adagrad, adam, adamw, amsgrad, gradient_rule, lookahead, momentum, nadam, radam
from mlsys.optim.schedules import rectification

WORDS = {"sqrt": np.sqrt, "max": np.maximum, "prod": math.prod, "rectification": rectification}


def formula_lines(docstring: str) -> list[str]:
    """The indented lines of a docstring."""
    return [line.strip() for line in inspect.cleandoc(docstring).splitlines() if line.startswith("    ")]


def statements(line: str) -> list[tuple[str, str]]:
    """'a <- b;  c = d' as [('a', 'b'), ('c', 'd')]."""
    pairs = [part.replace("<-", "=", 1).split("=", 1) for part in line.split(";")]
    return [(target.strip(), value.strip()) for target, value in pairs]


def algorithm(docstring: str, names: dict) -> list[tuple[str, str]]:
    """The statements to run: lines 'condition: …' that hold replace statements of the same target, in place."""
    run: list[tuple[str, str]] = []
    for line in formula_lines(docstring):
        condition, colon, rest = line.partition(":")
        if not colon:
            run += statements(line)
        elif eval(condition, {}, names):
            new: list[tuple[str, str]] = []
            for target, value in statements(rest):
                new.append((target, value))
                targets = [t for t, _ in run]
                if target in targets:
                    at = targets.index(target)
                    run[at : at + 1] = new
                    new = []
            run += new
    return run


def run_formula(case, w, g, state, t: int) -> dict:
    """Every name's value after the docstring's formula, run as Python on arrays."""
    bound = inspect.signature(case.factory).bind(**case.ours)
    bound.apply_defaults()
    names = {**WORDS, **bound.arguments, **state._asdict(), "w": w, "g": g, "t": t}
    for target, value in algorithm(case.factory.__doc__, names):
        names[target] = eval(value, dict(names))
    return names


@pytest.mark.parametrize("name", CASES)
def test_the_docstring_s_formula_is_what_runs(name: str) -> None:
    case = CASES[name]
    rule, gradients = case.rule(), hostile_gradients(20, 30)
    w = np.random.default_rng(5).standard_normal(30)
    state = rule.init(w)
    for t, g in enumerate(gradients, start=1):
        said = run_formula(case, w, g, state, t)
        w, state = rule.step(w, g, state)
        np.testing.assert_allclose(w, said["w"], rtol=1e-13)
        for slot in state._fields[1:]:
            np.testing.assert_allclose(getattr(state, slot), said[slot], rtol=1e-12, atol=1e-300)


def test_the_formula_test_would_notice_a_wrong_formula() -> None:
    right = adagrad.__doc__
    said = algorithm(right, {"eta_decay": 0})
    assert said == [("G", "G + g**2"), ("w", "w - eta * g / (sqrt(G) + eps)")]
    assert (
        algorithm(right, {"eta_decay": 1})[1][1]
        == "w - eta / (1 + (t - 1) * eta_decay) * g / (sqrt(G) + eps)"
    )
    wrong = right.replace("(sqrt(G) + eps)", "sqrt(G + eps)")
    assert algorithm(wrong, {"eta_decay": 0}) != said


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.data())
@pytest.mark.parametrize("name", CASES)
def test_a_step_is_pure_and_keeps_shape_and_dtype(name: str, data) -> None:
    """On read-only arrays of any shape, empty ones and zeros included."""
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    shape = data.draw(array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    entries = st.floats(-1e3, 1e3, width=32, allow_subnormal=False)
    rule = CASES[name].rule()
    w, *gradients = (data.draw(arrays(dtype, shape, elements=entries)) for _ in range(3))
    state = rule.init(w)
    for g in gradients:
        before = [a.copy() for a in (w, g, *state[1:])]
        for a in (w, g, *state[1:]):
            a.flags.writeable = False
        new_w, new_state = rule.step(w, g, state)
        again, _ = rule.step(w, g, state)
        np.testing.assert_array_equal(new_w, again)
        for a, b in zip((w, g, *state[1:]), before, strict=True):
            np.testing.assert_array_equal(a, b)
        assert new_state.t == state.t + 1
        for slot in (new_w, *new_state[1:]):
            assert slot.shape == shape
            assert slot.dtype == dtype
            assert np.isfinite(slot).all()
            assert not any(np.shares_memory(slot, old) for old in (w, g, *state[1:]))
        w, state = new_w, new_state


@pytest.mark.parametrize("name", CASES)
def test_torch_arguments_are_left_alone(name: str) -> None:
    rule = CASES[name].rule()
    w, g = torch.randn(5, generator=torch.Generator().manual_seed(0)), torch.arange(5.0)
    state = rule.step(w, g, rule.init(w))[1]
    before = [a.clone() for a in (w, g, *state[1:])]
    rule.step(w, g, state)
    assert all(torch.equal(a, b) for a, b in zip((w, g, *state[1:]), before, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_a_nan_gradient_passes_through_one_coordinate_only(name: str) -> None:
    """As in torch: the rule does not look; the algorithms that drive it do."""
    rule, w = CASES[name].rule(), np.zeros(3)
    after, _ = rule.step(w, np.array([1.0, np.nan, 1.0]), rule.init(w))
    assert np.isnan(after).tolist() == [False, True, False]


BAD = [
    (gradient_rule, {"eta": -0.1}, ValueError, r"eta must be > 0; got -0\.1"),
    (gradient_rule, {"eta": 0}, ValueError, r"eta must be > 0; got 0"),
    (gradient_rule, {"eta": float("nan")}, ValueError, r"eta must be finite; got nan"),
    (gradient_rule, {"eta": "fast"}, TypeError, r"eta must be a real number; got 'fast'"),
    (momentum, {"mu": 1.0}, ValueError, r"mu must lie in \[0, 1\); got 1\.0"),
    (momentum, {"dampening": 0.1, "nesterov": True}, ValueError, r"dampening must be 0 with nesterov"),
    (adagrad, {"eps": 0.0}, ValueError, r"eps must be > 0; got 0\.0"),
    (adagrad, {"initial": -1}, ValueError, r"initial must be >= 0; got -1"),
    (adagrad, {"eta_decay": -1}, ValueError, r"eta_decay must be >= 0; got -1"),
    (adam, {"beta1": 1.0}, ValueError, r"beta1 must lie in \[0, 1\); got 1\.0"),
    (adam, {"beta2": -0.1}, ValueError, r"beta2 must lie in \[0, 1\); got -0\.1"),
    (adam, {"eps_root": -1}, ValueError, r"eps_root must be >= 0; got -1"),
    (adamw, {"lam": -0.1}, ValueError, r"lam must be >= 0; got -0\.1"),
    (adamw, {"follows": "torch"}, ValueError, r'follows must be "rate" or "schedule"; got \'torch\''),
    (amsgrad, {"order": "last"}, ValueError, r"order must be one of 'raw', 'corrected', 'none'; got 'last'"),
    (nadam, {"psi": -1}, ValueError, r"psi must be >= 0; got -1"),
    (radam, {"threshold": 3}, ValueError, r"threshold must be >= 4, below which r_t is not real; got 3"),
    (lookahead, {"rule": adam(), "k": 0}, ValueError, r"k must be >= 1; got 0"),
    (lookahead, {"rule": adam(), "alpha": 1.5}, ValueError, r"alpha must lie in \(0, 1\]; got 1\.5"),
]


@pytest.mark.parametrize(("factory", "arguments", "error", "words"), BAD)
def test_bad_hyper_parameters_are_named(factory, arguments, error, words) -> None:
    with pytest.raises(error, match=words):
        factory(**arguments)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("w", "g", "error", "words"),
    [
        (np.ones(3), np.ones(4), ValueError, r"g and w must agree in shape; g has \(4,\), w has \(3,\)"),
        (np.ones(3), np.ones((3, 1)), ValueError, "agree in shape"),
        (np.ones(3), np.ones(3, np.float32), ValueError, "g and w must agree in dtype; g has float32"),
        (np.ones(3, int), np.ones(3), TypeError, "w must hold floating-point numbers; got dtype int64"),
        (np.ones(3), torch.ones(3), ValueError, r"agree in kind; g has torch\.cpu, w has numpy"),
        (torch.ones(3), torch.ones(3, device="meta"), ValueError, r"agree in kind; g has torch\.meta"),
        (np.ones(3), [1.0, 1.0, 1.0], TypeError, "expected a numpy array or a torch tensor; got list"),
    ],
    ids=["shape", "broadcast", "dtype", "integers", "library", "device", "list"],
)  # fmt: skip
def test_a_gradient_that_does_not_fit_is_refused(name: str, w, g, error, words) -> None:
    rule = CASES[name].rule()
    state = rule.init(w)
    with pytest.raises(error, match=words):
        rule.step(w, g, state)
    assert state.t == 0
    assert bool((w == 1).all())


def test_a_state_of_another_size_is_refused() -> None:
    rule = adagrad()
    with pytest.raises(ValueError, match="G and w must agree in shape"):
        rule.step(np.ones(3), np.ones(3), rule.init(np.ones(4)))
