"""The front in a training loop: schedulers, closures, groups, a network, mixed precision's scaler."""

from __future__ import annotations

import front_pairs as pairs
import pytest
import torch
from torch.optim import lr_scheduler

import mlsys.optim

every_variant = pytest.mark.parametrize(("name", "options"), pairs.VARIANTS, ids=pairs.IDS)
SCHEDULERS = {
    "step": lambda o: lr_scheduler.StepLR(o, 2, gamma=0.3),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3),
    "warm-up then exponential": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.ExponentialLR(o, 0.8)], [3]
    ),
    "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda step: 1 / (1 + step)),
}


@pytest.fixture(params=[True, False], ids=["fast", "readable"])
def fast(request):
    return request.param


@pytest.mark.parametrize("schedule", SCHEDULERS)
@pytest.mark.parametrize("name", pairs.NAMES)
def test_schedulers_drive_the_rate(name, schedule, fast):
    ours, theirs = pairs.twins(name, {"lr": 0.1}, fast=fast)
    schedulers = [SCHEDULERS[schedule](optimizer) for optimizer in (ours, theirs)]
    rates = set()
    for step in range(9):
        pairs.run([ours, theirs], 1, start=step)
        for scheduler in schedulers:
            scheduler.step()
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"]
        rates.add(ours.param_groups[0]["lr"])
    assert len(rates) > 2
    pairs.same(ours, theirs)


@pytest.mark.parametrize(
    ("name", "options", "cycled"),
    [
        ("SGD", {"momentum": 0.9, "nesterov": True}, "momentum"),
        ("RMSprop", {"momentum": 0.9}, "momentum"),
        ("Adam", {}, "betas"),
        ("AdamW", {}, "betas"),
        ("NAdam", {"momentum_decay": 0.1}, "betas"),
        ("RAdam", {"betas": (0.9, 0.9)}, "betas"),
    ],
)
def test_one_cycle_cycles_rate_and_momentum(name, options, cycled, fast):
    ours, theirs = pairs.twins(name, options, fast=fast)
    schedulers = [lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=8) for o in (ours, theirs)]
    seen = set()
    for step in range(8):
        seen.add(ours.param_groups[0][cycled])
        pairs.run([ours, theirs], 1, start=step)
        if step < 7:
            for scheduler in schedulers:
                scheduler.step()
    assert len(seen) > 4
    pairs.same(ours, theirs)


def test_reduce_on_plateau(fast):
    ours, theirs = pairs.twins("Adam", {"lr": 0.1}, fast=fast)
    schedulers = [lr_scheduler.ReduceLROnPlateau(o, patience=1, factor=0.1) for o in (ours, theirs)]
    for step in range(6):
        pairs.run([ours, theirs], 1, start=step)
        for scheduler in schedulers:
            scheduler.step(1.0)  # no progress at all
    assert ours.param_groups[0]["lr"] == pytest.approx(0.1 * 0.1**2)
    pairs.same(ours, theirs)


@pytest.mark.parametrize("rate", [torch.tensor(0.125), torch.tensor([0.125])], ids=["0-dim", "1-dim"])
@pytest.mark.parametrize("name", pairs.NAMES)
def test_a_tensor_rate_may_be_changed_in_place(name, rate, fast):
    rate = rate.clone()
    ours, theirs = pairs.twins(name, {"lr": 0.125}, fast=fast)
    ours.param_groups[0]["lr"] = rate
    pairs.run([ours, theirs], 2)
    rate.mul_(0.5)
    theirs.param_groups[0]["lr"] *= 0.5
    pairs.run([ours, theirs], 2, start=2)
    pairs.same(ours, theirs)


@every_variant
def test_groups_have_options_of_their_own(name, options, fast):
    """Groups given at first and added midway, one with a gradient always absent."""
    results = []
    for module in (mlsys.optim, torch.optim):
        a, b, c, d = ([p] for p in pairs.parameters(1, shapes=[(3,), (4,), (5,), (6,)]))
        more = {"fast": fast} if module is mlsys.optim else {}
        groups = [{"params": a}, {"params": b, "lr": 0.03, "weight_decay": 0.2, "maximize": True}]
        results.append((getattr(module, name)(groups, **options, **more), c, d))
    both = [optimizer for optimizer, _, _ in results]
    pairs.run(both, 3)
    for optimizer, c, d in results:
        optimizer.add_param_group({"params": c, "lr": 0.5})
        optimizer.add_param_group({"params": d})
    pairs.run(both, 3, start=3, skip=lambda _: (3,))
    pairs.same(*both)


def test_options_may_be_switched_between_steps(fast):
    ours, theirs = pairs.twins("SGD", {"lr": 0.1}, fast=fast)
    for step, change in enumerate(
        [
            {},
            {"momentum": 0.9},
            {"nesterov": True},
            {"weight_decay": 0.1},
            {"momentum": 0.0},
            {"momentum": 0.5},
        ]
    ):
        for optimizer in (ours, theirs):
            optimizer.param_groups[0].update(change)
        pairs.run([ours, theirs], 2, start=2 * step)
    pairs.same(ours, theirs)


def test_named_parameters():
    net = torch.nn.Linear(2, 3)
    ours = mlsys.optim.Adam(net.named_parameters())
    theirs = torch.optim.Adam(net.named_parameters())
    assert ours.state_dict() == theirs.state_dict()
    assert ours.param_groups[0]["param_names"] == ["weight", "bias"]
    assert repr(ours) == repr(theirs)


def test_a_closure_runs_once_with_autograd_and_its_loss_comes_back(fast):
    p = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = mlsys.optim.SGD([p], lr=0.1, fast=fast)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        calls.append(float(loss.detach()))
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert calls == [9.0]
    assert loss.item() == 9.0
    torch.testing.assert_close(p.detach(), torch.tensor([2.4]))
    assert optimizer.step() is None


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    layers = (torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    return torch.nn.Sequential(*layers).double()


def train(
    net: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: int, set_to_none: bool
) -> list[float]:
    """Losses of a regression on fixed random data."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(64, 6, generator=generator, dtype=torch.float64)
    y = torch.randn(64, 3, generator=generator, dtype=torch.float64)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=set_to_none)
        loss = torch.nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, o in pairs.VARIANTS if not o.get("maximize")], ids=str
)
def test_a_network_learns_as_with_torch(name, options, fast, set_to_none):
    """The training itself magnifies rounding, by some 10 a step at worst here: hence 1e-9 after thirty."""
    mine, theirs = network(), network()
    ours = getattr(mlsys.optim, name)(mine.parameters(), **options, fast=fast)
    peer = getattr(torch.optim, name)(theirs.parameters(), **options)
    losses = train(mine, ours, 30, set_to_none)
    torch.testing.assert_close(losses, train(theirs, peer, 30, set_to_none), rtol=1e-9, atol=0)
    assert losses[-1] < losses[0]
    assert all(pairs.planned(ours)) == fast


def test_the_scaler_of_mixed_precision_skips_a_step_that_overflowed(fast):
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = mlsys.optim.Adam([p], lr=0.1, fast=fast)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale((p * torch.tensor([1.0, float("inf"), 1.0])).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(p.detach(), torch.ones(3))
    assert not optimizer.state
    optimizer.zero_grad()
    scaler.scale((2 * p).sum()).backward()
    scaler.step(optimizer)
    torch.testing.assert_close(optimizer.state[p]["exp_avg"], torch.full((3,), 0.2))


def test_the_step_of_a_subclass_is_called_once_and_hooked_once(fast):
    class Louder(mlsys.optim.SGD):
        def step(self, closure=None):
            calls.append("step")
            return super().step(closure)

    calls: list[str] = []
    p = torch.nn.Parameter(torch.ones(1))
    optimizer = Louder([p], lr=0.5, fast=fast)
    p.grad = torch.ones(1)
    optimizer.step()
    assert calls == ["step"]
    assert p.item() == 0.5
