"""torch's own input cases of its optimizer tests, on ours beside torch's."""

from __future__ import annotations

import inspect

import front_pairs as pairs
import pytest
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum

import mlsys.optim

CASES = [
    pytest.param(name, case.kwargs, id=f"{name}-{case.desc}")
    for name, info in pairs.INFOS.items()
    for case in info.optim_inputs_func(device="cpu")
]
ERRORS = [
    pytest.param(name, case, id=f"{name}-{case.optimizer_error_input.desc}")
    for name, info in pairs.INFOS.items()
    for case in info.optim_error_inputs_func(device="cpu", dtype=torch.float64)
]
STEPS = 8


@pytest.fixture(params=[True, False], ids=["fast", "readable"])
def fast(request):
    return request.param


def test_all_are_in_torchs_table_and_have_cases():
    assert set(pairs.INFOS) == set(pairs.NAMES)
    assert len(CASES) > 50
    assert len(ERRORS) > 60


@pytest.mark.parametrize(("name", "options"), CASES)
def test_float64(name, options, fast):
    ours, theirs = pairs.twins(name, options, fast=fast)
    pairs.run([ours, theirs], STEPS)
    pairs.same(ours, theirs)
    assert pairs.planned(ours) == [fast] * len(pairs.SHAPES)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_float32(name, options, fast):
    """Each step rounds at most a dozen times, each rounding at most eps/2 of a term no larger than |w| + |step|.

    A state's own error is of the same kind, and no rule here magnifies it: the roots halve it.
    """
    ours, theirs = pairs.twins(name, options, torch.float32, fast)
    generous = [p.detach().abs() for p in pairs.params(theirs)]
    for step in range(STEPS):
        before = [p.detach().clone() for p in pairs.params(theirs)]
        pairs.run([ours, theirs], 1, step)
        moved = zip(generous, before, pairs.params(theirs), strict=True)
        generous = [most + (p.detach() - b).abs() + p.detach().abs() for most, b, p in moved]
    eps = torch.finfo(torch.float32).eps
    for p, q, most in zip(pairs.params(ours), pairs.params(theirs), generous, strict=True):
        assert ((p - q).abs() <= 12 * eps * most).all()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_complex(name, options, fast):
    ours, theirs = pairs.twins(name, options, torch.complex128, fast)
    pairs.run([ours, theirs], STEPS)
    pairs.same(ours, theirs)


@pytest.mark.parametrize("choice", ["foreach", "fused"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_torchs_other_implementations_may_be_asked_for(name, options, choice, fast):
    if choice == "fused" and "cpu" not in pairs.INFOS[name].supports_fused_on:
        with pytest.raises(TypeError, match="fused"):
            getattr(mlsys.optim, name)(pairs.parameters(0), fused=True)
        return
    options = {**options, choice: True}
    ours, theirs = pairs.twins(name, options, fast=fast)
    pairs.run([ours, theirs], STEPS)
    pairs.same(ours, theirs)


@pytest.mark.parametrize(("name", "case"), ERRORS)
def test_error_inputs(name, case):
    given = case.optimizer_error_input
    start = pairs.parameters(0) if given.params is None else given.params
    assert case.error_on == OptimizerErrorEnum.CONSTRUCTION_ERROR
    make = getattr(mlsys.optim, name)
    if issubclass(case.error_type, Warning):
        with pytest.warns(case.error_type, match=case.error_regex):
            make(start, **given.kwargs)
    else:
        with pytest.raises(case.error_type, match=case.error_regex):
            make(start, **given.kwargs)


@pytest.mark.parametrize("name", pairs.NAMES)
def test_signature_defaults_and_groups_are_torchs(name):
    ours = inspect.signature(getattr(mlsys.optim, name)).parameters
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    assert [n for n in ours if n != "fast"] == list(theirs)
    for n, parameter in theirs.items():
        assert (ours[n].default, ours[n].kind) == (parameter.default, parameter.kind), n
    mine, peer = pairs.twins(name, {})
    pairs.same(mine, peer)  # before the first step: torch's Adagrad has its sums already, the others nothing
    assert mine.state_dict()["param_groups"] == peer.state_dict()["param_groups"]
    assert isinstance(mine, torch.optim.Optimizer)


def trained(module, name, options, start, rate, **more):
    """The parameter after three steps whose gradients depend on where it started."""
    p = start.clone()
    optimizer = getattr(module, name)([p], **{**options, "lr": rate}, **more)
    for step in range(3):
        p.grad = (0.3 + start * (step + 1)) ** 2
        optimizer.step()
    return p


@pytest.mark.parametrize(("name", "options"), pairs.VARIANTS, ids=pairs.IDS)
def test_differentiable(name, options, fast):
    """Slopes in the rate and in the start, through three steps, against central differences.

    torch's own cannot be the peer: most take no tensor rate there or fail in the backward pass, Adam counts in
    float32, SGD's first buffer is cut off from the graph. So torch gives the value alone.
    """
    start = torch.linspace(-1, 2, 6, dtype=torch.float64).requires_grad_()
    rate, h = torch.tensor(options["lr"], dtype=torch.float64, requires_grad=True), 1e-6

    def result(start, rate, module=mlsys.optim, differentiable=True, **more):
        return trained(module, name, options, start, rate, differentiable=differentiable, **more)

    def slope(where, how):
        pair = [result(where + h * a, how + h * b, differentiable=False) for a, b in ((da, db), (-da, -db))]
        return ((pair[0] ** 3).sum() - (pair[1] ** 3).sum()) / (2 * h)

    p = result(start, rate, fast=fast)
    value = result(start.detach(), options["lr"], torch.optim, differentiable=False)
    torch.testing.assert_close(p.detach(), value, rtol=1e-12, atol=0)
    in_start, in_rate = torch.autograd.grad((p**3).sum(), (start, rate))
    da, db = torch.zeros_like(start), 1.0
    torch.testing.assert_close(in_rate, slope(start.detach(), options["lr"]), rtol=1e-6, atol=1e-7)
    for i in range(len(start)):
        da, db = torch.eye(len(start), dtype=torch.float64)[i], 0.0
        torch.testing.assert_close(in_start[i], slope(start.detach(), options["lr"]), rtol=1e-6, atol=1e-7)
