"""Ours beside torch's: the same start, the same gradients of hostile scales, and how far apart they may end."""

from __future__ import annotations

import copy

import torch
from torch.testing._internal.common_optimizers import optim_db

import mlsys.optim

NAMES = ("SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "NAdam", "RAdam")
INFOS = {info.name: info for info in optim_db if info.name in NAMES}
# One configuration a variant of each rule's body, with everything on that it has.
VARIANTS = [
    ("SGD", {"lr": 0.01, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.5, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "centered": True, "weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {"lr": 0.5, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.01, "amsgrad": True, "maximize": True}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.9)}),
    ("RAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
]
IDS = [f"{name}-{'-'.join(options)}" for name, options in VARIANTS]
SHAPES = [(5,), (3, 4), (), (2, 3, 2, 2), (0, 3)]


def parameters(seed: int, dtype: torch.dtype = torch.float64, shapes=SHAPES) -> list[torch.nn.Parameter]:
    """Random parameters of several shapes, an empty and a 0-dim one among them."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(s, generator=generator, dtype=dtype)) for s in shapes]


def gradient(p: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Normal numbers times 1e-3 … 1e3, a scale of its own for each element."""
    g = torch.randn(p.shape, generator=generator, dtype=p.dtype)
    power = torch.rand(p.shape, generator=generator, dtype=torch.float64) * 6 - 3
    return g * (10**power).to(g.real.dtype)


def twins(name: str, options: dict, dtype=torch.float64, fast=True, seed=0, shapes=SHAPES):
    """(our optimizer, torch's), over equal parameters; torch runs its for-loop, which keeps the dtype throughout."""
    ours, theirs = parameters(seed, dtype, shapes), parameters(seed, dtype, shapes)
    peer = getattr(torch.optim, name)(theirs, **copy.deepcopy(options))
    return getattr(mlsys.optim, name)(ours, **copy.deepcopy(options), fast=fast), peer


def params(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def give(optimizers, seed: int, skip=()) -> None:
    """The same fresh gradients to each optimizer's parameters; None to the places in `skip`."""
    for optimizer in optimizers:
        generator = torch.Generator().manual_seed(seed)
        for i, p in enumerate(params(optimizer)):
            g = gradient(p, generator)
            p.grad = None if i in skip else g


def run(optimizers, steps: int, start: int = 0, skip=lambda step: ()) -> None:
    """`steps` steps of each, on equal gradients."""
    for step in range(start, start + steps):
        give(optimizers, step, skip(step))
        for optimizer in optimizers:
            optimizer.step()


def same(ours, theirs, rtol: float = 1e-12) -> None:
    """Parameters and states agree to rtol, elementwise."""
    mine, peers = params(ours), params(theirs)
    for p, q in zip(mine, peers, strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=rtol, atol=0)
        own, other = ours.state.get(p, {}), theirs.state.get(q, {})
        assert list(own) == list(other)
        for key in own:
            torch.testing.assert_close(own[key], other[key], rtol=rtol, atol=0, check_dtype=key != "step")


def bits(ours, theirs) -> None:
    """Parameters agree to the bit."""
    for p, q in zip(params(ours), params(theirs), strict=True):
        assert torch.equal(p, q)


def planned(optimizer) -> list[bool]:
    """Of each parameter that takes part, whether the fast path serves it."""
    rosters = [ledger.rosters[0] for ledger in optimizer._ledgers]
    fast = {id(m.p) for r in rosters for c in r.cohorts for m in c.served}
    return [id(p) in fast for p in params(optimizer) if p.grad is not None]
