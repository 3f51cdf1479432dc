"""Lookahead and Ranger: beside the functional form and a peer, resumed exactly, driven by schedulers."""

from __future__ import annotations

import copy
import io
import pickle

import front_pairs as pairs
import numpy as np
import pytest
import torch
from pytorch_optimizer import Lookahead as Peer
from rule_cases import double, hostile_gradients
from torch.optim import lr_scheduler

import mlsys.optim
from mlsys.optim import Lookahead, Ranger, adam, lookahead, momentum, nadam, radam, ranger

INNER = {
    "SGD": (momentum(0.01, 0.9), {"lr": 0.01, "momentum": 0.9}),
    "Adam": (adam(0.01), {"lr": 0.01}),
    "NAdam": (nadam(0.01), {"lr": 0.01}),
    "RAdam": (radam(0.01, beta2=0.9), {"lr": 0.01, "betas": (0.9, 0.9)}),
}


@pytest.fixture(autouse=True)
def float64():
    with double():
        yield


def functional(form: lookahead, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fast and slow weights after each step from ones."""
    w = np.ones(gradients.shape[1])
    state, fast, slow = form.init(w), [], []
    for g in gradients:
        w, state = form.step(w, g, state)
        fast.append(w)
        slow.append(state.slow)
    return np.array(fast), np.array(slow)


def followed(make, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of an optimiser of one parameter."""
    p = torch.nn.Parameter(torch.ones(gradients.shape[1]))
    optimizer, fast, slow = make([p]), [], []
    for g in gradients:
        p.grad = torch.from_numpy(g.copy())
        optimizer.step()
        fast.append(p.detach().numpy().copy())
        slow.append(optimizer.slow[p].numpy().copy())
    return np.array(fast), np.array(slow)


@pytest.mark.parametrize("module", [mlsys.optim, torch.optim], ids=["ours", "torch's"])
@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (3, 0.8), (1, 0.25), (4, 1.0)])
@pytest.mark.parametrize("name", INNER)
def test_equals_the_functional_form(name, k, alpha, module):
    rule, options = INNER[name]
    gradients = hostile_gradients(40, 30)
    fast, slow = functional(lookahead(rule, k, alpha), gradients)
    mine, kept = followed(lambda p: Lookahead(getattr(module, name)(p, **options), k, alpha), gradients)
    travelled = 1 + np.cumsum(abs(np.diff(fast, axis=0, prepend=1)), axis=0)
    assert (abs(mine - fast) <= 1e-12 * travelled).all()
    assert (abs(kept - slow) <= 1e-12 * travelled).all()


def test_ranger_equals_the_functional_form():
    gradients = hostile_gradients(40, 30)
    fast, slow = functional(ranger(), gradients)
    mine, kept = followed(Ranger, gradients)
    np.testing.assert_allclose(mine, fast, rtol=1e-12)
    np.testing.assert_allclose(kept, slow, rtol=1e-12)
    assert isinstance(Ranger(pairs.parameters(0)).optimizer, mlsys.optim.RAdam)


@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (2, 0.3)])
def test_equals_a_peer(k, alpha):
    mine, theirs = pairs.parameters(0), pairs.parameters(0)
    ours = Lookahead(mlsys.optim.Adam(mine, lr=0.01), k, alpha)
    peer = Peer(torch.optim.Adam(theirs, lr=0.01), k=k, alpha=alpha)
    for step in range(13):
        pairs.run([ours, peer], 1, start=step)
        for p, q in zip(mine, theirs, strict=True):
            torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-12, atol=1e-14)


def wrapped(seed: int = 0, **more) -> Lookahead:
    return Ranger(pairs.parameters(seed), lr=0.01, k=3, **more)


def through_a_file(state: dict) -> dict:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("after", [0, 2, 3, 4])
def test_resumes_to_the_bit(after):
    ours = wrapped()
    pairs.run([ours], after)
    loaded = wrapped(1)
    with torch.no_grad():
        for p, q in zip(pairs.params(loaded), pairs.params(ours), strict=True):
            p.copy_(q)
    loaded.load_state_dict(through_a_file(ours.state_dict()))
    resumed = [loaded, pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)]
    pairs.run([ours, *resumed], 5, start=after)
    for other in resumed:
        pairs.bits(ours, other)
        slow = zip(pairs.params(ours), pairs.params(other), strict=True)
        assert all(torch.equal(ours.slow[p], other.slow[q]) for p, q in slow)


def test_checkpoints_go_to_and_from_the_bare_optimiser():
    ours, bare = wrapped(), mlsys.optim.RAdam(pairs.parameters(0), betas=(0.95, 0.999), eps=1e-5, lr=0.01)
    pairs.run([ours, bare], 2)
    bare.load_state_dict(copy.deepcopy(ours.state_dict()))  # or torch would let both work on one state
    ours.load_state_dict(copy.deepcopy(bare.state_dict()))
    assert (ours.t, ours.slow) == (0, {})
    start = [p.detach().clone() for p in pairs.params(ours)]
    pairs.run([ours, bare], 3, start=2)
    for p, q, s in zip(pairs.params(ours), pairs.params(bare), start, strict=True):
        torch.testing.assert_close(p.detach(), (s + q.detach()) / 2, rtol=1e-12, atol=1e-15)


def test_another_models_slow_weights_are_refused_before_anything_changes():
    ours, other = wrapped(), Ranger(pairs.parameters(0, shapes=[(*s, 1) for s in pairs.SHAPES]), k=3)
    pairs.run([other], 1)
    with pytest.raises(ValueError, match=r"slow\[0\] has shape \(5, 1\), its parameter \(5,\)"):
        ours.load_state_dict(other.state_dict())
    assert not ours.state


def test_groups_and_state_are_the_inner_ones():
    inner = torch.optim.SGD(pairs.parameters(0), lr=0.1, momentum=0.9)
    ours = Lookahead(inner, 2)
    assert ours.param_groups is inner.param_groups
    assert ours.state is inner.state
    added = torch.nn.Parameter(torch.zeros(3))
    pairs.run([ours], 1)
    ours.add_param_group({"params": [added], "lr": 1.0})
    for step in range(1, 4):
        pairs.give([ours], step)
        added.grad = torch.ones(3)
        ours.step()
        if step == 1:  # in the midst of a cycle: it has no slow weights yet
            assert added not in ours.slow
            assert torch.equal(added.detach(), -torch.ones(3))
    u = [1.9, 1.9 * 0.9 + 1]  # the second cycle, from -1 by momentum's steps
    torch.testing.assert_close(added.detach(), torch.full((3,), -1 - 0.5 * sum(u)))
    ours.load_state_dict(ours.state_dict())  # which gives the inner one other groups
    assert ours.param_groups is inner.param_groups


@pytest.mark.parametrize("module", [mlsys.optim, torch.optim], ids=["ours", "torch's"])
def test_torchs_schedulers_drive_it(module):
    mine, theirs = pairs.parameters(0), pairs.parameters(0)
    ours, peer = Lookahead(module.Adam(mine), 3), Peer(torch.optim.Adam(theirs), k=3)
    schedulers = [lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=9) for o in (ours, peer.optimizer)]
    for step in range(9):
        pairs.run([ours, peer], 1, start=step)
        if step < 8:
            for scheduler in schedulers:
                scheduler.step()
    for p, q in zip(mine, theirs, strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-12, atol=1e-14)


def test_closures_gradients_and_hooks():
    p = torch.nn.Parameter(torch.tensor([3.0]))
    ours, calls = Lookahead(mlsys.optim.SGD([p], lr=0.1), 2), []
    ours.register_step_post_hook(lambda *_: calls.append("step"))
    ours.register_state_dict_pre_hook(lambda *_: calls.append("saving"))
    ours.register_load_state_dict_post_hook(lambda *_: calls.append("loaded"))

    def closure():
        ours.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    assert ours.step(closure).item() == 9.0
    torch.testing.assert_close(p.detach(), torch.tensor([2.4]))
    assert p.grad is not None
    ours.zero_grad(set_to_none=False)
    assert p.grad.item() == 0
    ours.zero_grad()
    assert p.grad is None
    ours.step()  # no gradient: the slow weights go their way all the same
    torch.testing.assert_close(p.detach(), torch.tensor([2.7]))
    ours.load_state_dict(ours.state_dict())
    assert calls == ["step", "step", "saving", "loaded"]


@pytest.mark.parametrize("dtype", [torch.complex128, torch.float32, torch.bfloat16])
def test_other_dtypes(dtype):
    start = pairs.parameters(0, dtype)
    ours, bare = (
        Lookahead(mlsys.optim.SGD(start, lr=0.1), 2),
        mlsys.optim.SGD(pairs.parameters(0, dtype), lr=0.1),
    )
    before = [p.detach().clone() for p in start]
    pairs.run([ours, bare], 2)
    for p, q, w in zip(start, pairs.params(bare), before, strict=True):
        torch.testing.assert_close(p.detach(), (w + q.detach()) / 2)


def test_refusals():
    inner = mlsys.optim.Adam(pairs.parameters(0))
    with pytest.raises(ValueError, match="k must be >= 1; got 0"):
        Lookahead(inner, 0)
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 1\]; got 0"):
        Lookahead(inner, alpha=0)
    with pytest.raises(TypeError, match=r"must be a torch\.optim\.Optimizer; got Rule"):
        Lookahead(adam())
    with pytest.raises(ValueError, match="must not be differentiable"):
        Lookahead(mlsys.optim.Adam(pairs.parameters(0), differentiable=True))
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        Ranger(pairs.parameters(0), lr=-1)
