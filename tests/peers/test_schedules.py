"""Our schedules beside torch's schedulers, on our optimisers and torch's; and scheduled rules beside both."""

from __future__ import annotations

import pickle

import front_pairs as pairs
import numpy as np
import pytest
import torch
from rule_cases import double, hostile_gradients
from torch.optim import lr_scheduler

import mlsys.optim
from mlsys.optim import (
    Scheduler,
    adam,
    adamw,
    decayed,
    gradient_rule,
    momentum,
    nadam,
    radam,
    rmsprop,
    scheduled,
    schedules,
)

RATE = 0.3


def optimizer(module=mlsys.optim, name="Adam", **options) -> torch.optim.Optimizer:
    p = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    p.grad = torch.ones_like(p)
    return getattr(module, name)([p], **{"lr": RATE, **options})


def trace(o: torch.optim.Optimizer, scheduler, steps: int) -> list[tuple[float, float]]:
    """(rate, momentum) at each of the optimiser's steps."""
    seen = []
    for step in range(steps):
        group = o.param_groups[0]
        seen.append((group["lr"], group["betas"][0] if "betas" in group else group["momentum"]))
        o.step()
        if step < steps - 1:
            scheduler.step()
    return seen


def cycle(total: int, share: float, start: float, final: float):
    return lambda o: lr_scheduler.OneCycleLR(
        o,
        max_lr=RATE,
        total_steps=total,
        pct_start=share,
        div_factor=1 / start,
        final_div_factor=start / final,
    )


TWINS = {
    "constant": (schedules.constant(), lambda o: lr_scheduler.LambdaLR(o, lambda step: 1.0), 5),
    "step": (schedules.step_decay(3, 0.3), lambda o: lr_scheduler.StepLR(o, 3, 0.3), 20),
    "step of zero": (schedules.step_decay(2, 0.0), lambda o: lr_scheduler.StepLR(o, 2, 0.0), 5),
    "cosine": (schedules.cosine(50), lambda o: lr_scheduler.CosineAnnealingLR(o, 50), 51),
    "cosine to 0.1": (
        schedules.cosine(7, 0.1), lambda o: lr_scheduler.CosineAnnealingLR(o, 7, eta_min=0.1 * RATE), 8,
    ),
    "linear warm-up": (
        schedules.linear_warmup(10), lambda o: lr_scheduler.LinearLR(o, 1 / 10, 1.0, 9), 30,
    ),
    "exponential warm-up": (
        schedules.exponential_warmup(8.5),
        lambda o: lr_scheduler.LambdaLR(o, lambda step: -np.expm1(-(step + 1) / 8.5)), 40,
    ),
    "warm-up x cosine": (
        schedules.product(schedules.linear_warmup(5), schedules.cosine(20)),
        lambda o: lr_scheduler.LambdaLR(
            o, lambda step: min(1, (step + 1) / 5) * (1 + np.cos(np.pi * step / 20)) / 2
        ),
        20,
    ),
} | {
    f"one-cycle, {total} steps, {share}, to {final:g}": (
        schedules.one_cycle(total, share, final=final), cycle(total, share, 1 / 25, final), total,
    )
    for total in (10, 37, 200)
    for share, final in ((0.3, 1 / 25e4), (0.25, 1e-5), (0.5, 1e-3), (0.45, 0.01))
}  # fmt: skip


@pytest.mark.parametrize("module", [mlsys.optim, torch.optim], ids=["ours", "torch's"])
@pytest.mark.parametrize(
    "options", [{"name": "Adam"}, {"name": "SGD", "momentum": 0.9}], ids=lambda o: o["name"]
)
@pytest.mark.parametrize("case", TWINS)
def test_rates_and_momenta_are_those_of_torchs_scheduler(case, options, module):
    schedule, theirs, steps = TWINS[case]
    ours, peer = optimizer(module, **options), optimizer(torch.optim, **options)
    mine = trace(ours, Scheduler(ours, schedule), steps)
    np.testing.assert_allclose(mine, trace(peer, theirs(peer), steps), rtol=1e-12, atol=1e-13 * RATE)
    assert mine[0][0] == RATE * schedule.factor(1)


def test_the_defaults_of_one_cycle_are_torchs():
    ours, peer = optimizer(), optimizer(torch.optim)
    mine = trace(ours, Scheduler(ours, schedules.one_cycle(30)), 30)
    theirs = trace(peer, lr_scheduler.OneCycleLR(peer, max_lr=RATE, total_steps=30), 30)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)


def test_radam_s_warm_up_is_what_torchs_radam_does():
    """With a constant gradient of 1 and eps = 0 the corrected moments are 1: a step is lr * r_t, or lr below 5."""
    for beta2 in (0.9, 0.99, 0.999):
        p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
        peer = torch.optim.RAdam([p], lr=1.0, betas=(0.9, beta2), eps=0.0, foreach=False)
        factor, warm = schedules.radam_warmup(beta2).factor, []
        for t in range(1, 200):
            p.data.zero_()
            p.grad = torch.ones_like(p)
            peer.step()
            warm.append(factor(t) > 0)
            assert -p.item() == pytest.approx(factor(t) if warm[-1] else 1.0, rel=1e-11)
        assert warm == sorted(warm)
        assert 3 <= warm.index(True) <= 6  # the step that is rectified first


PAIRS = {
    "sgd": (gradient_rule(RATE), "SGD", {}),
    "momentum": (momentum(RATE, 0.9), "SGD", {"momentum": 0.9}),
    "rmsprop": (rmsprop(RATE, mu=0.9), "RMSprop", {"momentum": 0.9}),
    "adam": (adam(RATE), "Adam", {}),
    "adam-l2": (decayed(adam(RATE), 0.1), "Adam", {"weight_decay": 0.1}),
    "adamw": (adamw(RATE, lam=0.1), "AdamW", {"weight_decay": 0.1}),
    "nadam": (nadam(RATE, psi=0.1), "NAdam", {"momentum_decay": 0.1}),
    "radam": (radam(RATE, beta2=0.9), "RAdam", {"betas": (0.9, 0.9)}),
}
SCHEDULES = {
    "cosine": schedules.cosine(30),
    "warm-up": schedules.linear_warmup(10),
    "one-cycle": schedules.one_cycle(40),
}


@pytest.mark.parametrize("module", [mlsys.optim, torch.optim], ids=["ours", "torch's"])
@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("name", PAIRS)
def test_a_scheduled_rule_equals_a_scheduled_optimiser(name, schedule, module):
    rule, peer, options = PAIRS[name]
    if schedule.momentum and name == "sgd":
        with pytest.raises(ValueError, match="sgd has no momentum for one-cycle to change"):
            scheduled(rule, schedule)
        return
    gradients = hostile_gradients(40, 30)
    w = np.ones(30)
    rule = scheduled(rule, schedule)
    state, travelled = rule.init(w), np.ones(30)
    p = torch.nn.Parameter(torch.ones(30, dtype=torch.float64))
    with double():
        o = getattr(module, peer)([p], lr=RATE, **options)
        scheduler = Scheduler(o, schedule)
        for g in gradients:
            before = w
            w, state = rule.step(w, g, state)
            travelled += abs(w - before)
            p.grad = torch.from_numpy(g.copy())
            o.step()
            scheduler.step()
            assert (abs(w - p.detach().numpy()) <= 1e-12 * travelled).all()


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_state_dict_resumes(schedule):
    """Optimiser and scheduler from a checkpoint after 7 steps."""
    whole, first = optimizer(), optimizer()
    expected = trace(whole, Scheduler(whole, schedule), 20)
    begun = Scheduler(first, schedule)
    assert trace(first, begun, 7) == expected[:7]
    begun.step()
    saved = pickle.dumps((first.state_dict(), begun.state_dict()))
    second = optimizer()
    resumed = Scheduler(second, schedule)
    for receiver, state in zip((second, resumed), pickle.loads(saved), strict=True):
        receiver.load_state_dict(state)
    assert trace(second, resumed, 13) == expected[7:]
    assert resumed.get_last_lr() == [expected[-1][0]]


def test_groups_keep_rates_of_their_own_and_tensors_stay_tensors():
    a, b = pairs.parameters(0, shapes=[(2,), (3,)])
    rate = torch.tensor(0.5, dtype=torch.float64)
    o = mlsys.optim.SGD([{"params": [a], "lr": 1.0}, {"params": [b], "lr": rate}])
    scheduler = Scheduler(o, schedules.linear_warmup(4))
    for step in range(5):
        assert o.param_groups[0]["lr"] == min(1, (step + 1) / 4)
        assert o.param_groups[1]["lr"] is rate
        assert rate.item() == 0.5 * min(1, (step + 1) / 4)
        o.step()
        scheduler.step()


def test_refusals():
    with pytest.raises(ValueError, match="group 0 of Adagrad has no momentum for one-cycle to change"):
        Scheduler(optimizer(name="Adagrad"), schedules.one_cycle(10))
    with pytest.raises(TypeError, match="schedule must be a Schedule; got function"):
        Scheduler(optimizer(), lambda step: 1.0)
    with pytest.raises(TypeError, match="Rule is not an Optimizer"):
        Scheduler(adam(), schedules.constant())
    with pytest.raises(ValueError, match="has no momentum for one-cycle"):
        scheduled(rmsprop(), schedules.one_cycle(10))
