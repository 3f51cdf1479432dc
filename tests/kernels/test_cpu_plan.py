"""The lifted bodies on CPU: to the bit what NumPy computes, whatever the shapes, orders and gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from kernel_cases import DECAYS, DTYPES, RULES, Readable, hostile, slots_of

from mlsys.core import decay
from mlsys.core.dispatch import fast_path, lift
from mlsys.kernels.cpu import Plan, chunks
from mlsys.optim.rules import adam

SHAPES = [(), (0,), (1,), (7,), (16,), (33, 5), (3, 0, 2), (1021,), (2, 3, 5, 7), (40_003,)]


def both(name: str, dtype: torch.dtype, d, params: list[torch.Tensor], grads_at, steps: int = 3) -> int:
    """How many numbers differ between plan and readable path after some steps."""
    rule = RULES[name]
    readable, slots = Readable(rule, params, d), [slots_of(rule, w) for w in params]
    plan = Plan(rule.body, params, slots, decay=d is not None)
    for t in range(steps):
        grads = grads_at(t)
        plan.step(grads, readable.step(grads), d)
    return readable.differing(params, slots)


def test_the_registry_finds_it():
    assert fast_path("torch.cpu") is Plan


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("d", DECAYS.values(), ids=DECAYS)
@pytest.mark.parametrize("name", RULES)
def test_every_body_rounds_as_numpy_does(name, d, dtype):
    params = [hostile(shape, dtype, i) for i, shape in enumerate(SHAPES)]
    grads = [[hostile(s, dtype, 100 * t + i) for i, s in enumerate(SHAPES)] for t in range(3)]
    assert both(name, dtype, d, params, grads.__getitem__) == 0


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("name", RULES)
def test_torchs_own_arithmetic_differs_only_by_its_roots(name, dtype):
    """One step from equal states. torch's vector root may be off by one unit in the last place; all else rounds
    alike. A root's error passes through at most 8 operations, and as a share of the terms of a sum, not of the sum:
    a slot's terms are as large as its old and new value, the step's as large as the step or as eta * slot."""
    rule = RULES[name]
    w, g = hostile((10_007,), dtype, 1), hostile((10_007,), dtype, 2)
    slots = tuple(hostile((10_007,), dtype, 3 + k).abs() for k in range(len(rule.fill)))
    if "centered" in name:  # r - a**2 must stay positive: r holds squares' average, a the numbers'
        r, *between, a = slots
        slots = (r + a * a, *between, a)
    c = rule.coefficients(rule.hyper, 7)
    theirs = lift(rule.body, torch)(w, g, *slots, *c)
    ours = (w.clone(), *(s.clone() for s in slots))
    Plan(rule.body, [ours[0]], [ours[1:]]).step([g], c)
    unit = torch.finfo(dtype).eps
    slack = [8 * unit * (new.abs() + old.abs()) for new, old in zip(theirs[1:], slots, strict=True)]
    step = 8 * unit * (theirs[0] - w).abs() + unit * (theirs[0].abs() + w.abs())
    if "u" in rule.State._fields:
        step = step + c[0] * slack[rule.State._fields.index("u") - 1]
    for a, b, allowed in zip(theirs, ours, (step, *slack), strict=True):
        assert ((a - b).abs() <= allowed).all()


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_many_small_tensors(name):
    params = [hostile((i % 40,), torch.float32, i) for i in range(2000)]
    grads = [hostile((i % 40,), torch.float32, 5000 + i) for i in range(2000)]
    assert both(name, torch.float32, None, params, lambda t: grads, steps=2) == 0


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e-45, 3e38])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")  # NumPy announces what is tested here
def test_extreme_gradients(name, number):
    params, grads = [hostile((37,), torch.float32, 0)], [hostile((37,), torch.float32, 1)]
    grads[0][5:20] = number
    assert both(name, torch.float32, None, params, lambda t: grads) == 0


def test_threads_share_out_everything_once():
    rng = np.random.default_rng(0)
    for sizes in ([0], [1], [5, 0, 7], [20_000_000], list(rng.integers(0, 50_000, 300)), [1024] * 2000):
        rows, bounds = chunks(sizes, 16384)
        covered = [0] * len(sizes)
        for t, start, stop in rows:
            assert covered[t] == start < stop
            covered[t] = stop
        assert covered == list(sizes)
        work = [sum(stop - start for _, start, stop in rows[a:b]) for a, b in itertools.pairwise(bounds)]
        assert sum(work) == sum(sizes)
        assert max(work, default=0) <= 2 * 16384


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        params, grads = [hostile((300_001,), torch.float32, 0)], [hostile((300_001,), torch.float32, 1)]
        assert both("adam", torch.float32, None, params, lambda t: grads) == 0
    finally:
        torch.set_num_threads(before)


def orders() -> dict[str, torch.Tensor]:
    x = hostile((4, 6, 5, 3), torch.float32, 0)
    return {
        "channels_last": x.to(memory_format=torch.channels_last),
        "transposed": hostile((30, 20), torch.float32, 1).t(),
        "permuted": x.permute(2, 0, 3, 1),
        "part of a buffer": torch.zeros(100)[3:50],
        "size 1 with any stride": torch.zeros(5, 3)[:, :1].t()[:, :1],
    }


@pytest.mark.parametrize("case", orders())
def test_memory_orders(case):
    w = orders()[case]
    grads = hostile(tuple(w.shape), torch.float32, 2)
    same, other = torch.empty_like(w).copy_(grads), grads.contiguous()
    flipped = grads.flip(0).contiguous().flip(0)
    strided = torch.zeros(*w.shape, 2)[..., 0].copy_(grads)
    for g in (same, other, flipped, strided):
        assert (
            both(
                "adam",
                torch.float32,
                None,
                [w.clone(memory_format=torch.preserve_format)],
                lambda t, g=g: [g],
            )
            == 0
        )


def test_expanded_gradient():
    g = torch.tensor([[1.0], [2.0]]).expand(2, 9)
    assert both("adagrad", torch.float32, None, [hostile((2, 9), torch.float32, 0)], lambda t: [g]) == 0


def test_negated_gradient():
    """The imaginary part of a conjugate shares memory with its opposite."""
    g = torch.randn(9, dtype=torch.complex64, generator=torch.Generator().manual_seed(0)).conj().imag
    w = torch.zeros(9)
    Plan(RULES["sgd"].body, [w], [()]).step([g], (1.0,))
    assert torch.equal(w, -g)


def test_decay_is_the_prelude_of_core():
    assert torch.equal(
        torch.stack(decay.body(torch.tensor(2.0), torch.tensor(3.0), -1.0, 0.5, 0.25)),
        torch.tensor([0.5, -2.0]),
    )


def test_a_changed_rate_compiles_nothing():
    from mlsys.kernels import objects

    w = hostile((9,), torch.float32, 0)
    plan = Plan(adam.body, [w], [slots_of(RULES["adam"], w)])
    before = objects._load.cache_info().misses
    for t in range(1, 5):
        plan.step([w.clone()], (0.1 / t, 0.9, 0.1, 0.999, 0.001, 1e-8))
    Plan(adam.body, [w], [slots_of(RULES["adam"], w)])
    assert objects._load.cache_info().misses == before
