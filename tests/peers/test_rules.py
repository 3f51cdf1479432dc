"""Each rule against torch.optim, step by step: same convention, same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rule_cases import CASES, Case, double, hostile_gradients

import mlsys.optim
from mlsys.core import RowSparse, Rule
from mlsys.optim import adagrad, gradient_rule

STEPS, D = 100, 60


def run_ours(rule: Rule, gradients) -> tuple[list, list]:
    """The points and the states after each step, from zero."""
    w = gradients[0] * 0
    state, points, states = rule.init(w), [], []
    for g in gradients:
        w, state = rule.step(w, g, state)
        points.append(w)
        states.append(state)
    return points, states


def run_torch(case: Case, gradients: np.ndarray) -> tuple[np.ndarray, list[dict]]:
    """torch's points and states after each step, from zero, in float64 by its plain loop."""
    p = torch.nn.Parameter(torch.zeros(gradients.shape[1], dtype=torch.float64))
    optimiser = case.peer([p], **case.theirs, foreach=False)
    points, states = [], []
    for g in gradients:
        p.grad = torch.from_numpy(g.copy())
        with double():
            optimiser.step()
        points.append(p.detach().numpy().copy())
        states.append({k: v.numpy().copy() for k, v in optimiser.state[p].items() if torch.is_tensor(v)})
    return np.array(points), states


def assert_same_path(case: Case, gradients: np.ndarray, points, states, tolerance: float) -> None:
    """Within tolerance of the way travelled (points) and of the largest value so far (states)."""
    theirs, their_states = run_torch(case, gradients)
    ours = np.array([np.asarray(w, dtype=float) for w in points])
    travelled = np.cumsum(abs(np.diff(theirs, axis=0, prepend=0)), axis=0)
    assert (travelled[-1] > 0).all()
    assert (abs(ours - theirs) <= tolerance * travelled).all()
    for ours_name, name in case.slots.items():
        mine = np.array([np.asarray(getattr(s, ours_name), dtype=float) for s in states])
        peer = np.array([s[name] for s in their_states])
        largest = np.maximum.accumulate(abs(peer), axis=0)
        assert (abs(mine - peer) <= tolerance * largest).all(), ours_name


@pytest.mark.parametrize("name", CASES)
def test_numpy_matches_torch_in_float64(name: str) -> None:
    gradients = hostile_gradients(STEPS, D)
    points, states = run_ours(CASES[name].rule(), gradients)
    assert_same_path(CASES[name], gradients, points, states, 1e-12)


@pytest.mark.parametrize("name", CASES)
def test_readable_path_on_torch_tensors(name: str) -> None:
    gradients = hostile_gradients(STEPS, D)
    points, states = run_ours(CASES[name].rule(), torch.from_numpy(gradients))
    assert all(torch.is_tensor(w) for w in points)
    assert_same_path(CASES[name], gradients, points, states, 1e-12)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", CASES)
def test_readable_path_on_cuda_tensors(name: str) -> None:
    gradients = hostile_gradients(STEPS, D)
    points, states = run_ours(CASES[name].rule(), torch.from_numpy(gradients).cuda())
    assert all(w.is_cuda for w in points)
    points = [w.cpu() for w in points]
    states = [type(s)(s.t, *(slot.cpu() for slot in s[1:])) for s in states]
    assert_same_path(CASES[name], gradients, points, states, 1e-12)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("name", CASES)
def test_float32_follows_float64(name: str, library: str) -> None:
    """A step has at most 16 roundings, each of which may shift every later step by eps: 16 eps (t + 1) <= 1.9e-4."""
    gradients = hostile_gradients(STEPS, D).astype(np.float32)
    given = gradients if library == "numpy" else torch.from_numpy(gradients)
    points, states = run_ours(CASES[name].rule(), given)
    assert {w.dtype for w in points} == {given.dtype}
    tolerance = 16 * (STEPS + 1) * float(np.finfo(np.float32).eps)
    assert_same_path(CASES[name], gradients.astype(float), points, states, tolerance)


def test_every_rule_of_the_package_is_in_the_table() -> None:
    made = {
        name
        for name in mlsys.optim.__all__
        if getattr(getattr(mlsys.optim, name), "__annotations__", {}).get("return") in (Rule, "Rule")
    }
    assert made - {"decayed", "scheduled"} == {case.factory.__name__ for case in CASES.values()}


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("shape", [(40,), (40, 3)])
@pytest.mark.parametrize("rule", [gradient_rule(0.1), adagrad(0.1)], ids=lambda r: r.name)
def test_row_sparse_equals_dense(rule: Rule, shape: tuple[int, ...], library: str) -> None:
    """Exactly: what is not touched has a zero gradient, and a zero gradient moves nothing."""
    rng = np.random.default_rng(1)
    make = np.asarray if library == "numpy" else torch.from_numpy
    w = dense_w = make(rng.standard_normal(shape))
    state = dense_state = rule.init(w)
    for t in range(30):
        rows = rng.permutation(shape[0])[: t % 6]  # none at all, now and then
        values = rng.standard_normal((len(rows), *shape[1:])) * 10.0 ** rng.integers(-3, 4)
        g = RowSparse(make(rows), make(values), shape)
        dense = np.zeros(shape)
        dense[rows] = values
        w, state = rule.step(w, g, state)
        dense_w, dense_state = rule.step(dense_w, make(dense), dense_state)
        np.testing.assert_array_equal(np.asarray(w), np.asarray(dense_w))
        for slot, dense_slot in zip(state[1:], dense_state[1:], strict=True):
            np.testing.assert_array_equal(np.asarray(slot), np.asarray(dense_slot))
    assert state.t == dense_state.t == 30


@pytest.mark.parametrize("name", [n for n in CASES if not CASES[n].rule().sparse])
def test_rules_that_move_everything_refuse_row_sparse(name: str) -> None:
    rule, w = CASES[name].rule(), np.ones(4)
    g = RowSparse(np.array([1]), np.ones(1), (4,))
    with pytest.raises(TypeError, match=r"moves every coordinate.*g\.dense\(\)"):
        rule.step(w, g, rule.init(w))
