"""LowBitAdamW behind torch.optim: held to the readable rule and to torch's AdamW, resumed, refused."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import numpy as np
import pytest
import torch

from mlsys.core import dispatch
from mlsys.optim import LowBitAdamW, adamw, lowbit
from mlsys.optim.front import lowbit as front

FORMATS = [(m, r) for m in ("bfloat16", "8bit") for r in ("stochastic", "nearest")]
every_format = pytest.mark.parametrize(("moments", "rounding"), FORMATS)


@pytest.fixture(params=[True, False], ids=["fast", "readable"])
def fast(request):
    return request.param


def parameters(*shapes) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def run(optimizers: list[torch.optim.Optimizer], steps: int, start: int = 0, skip=lambda t: ()) -> None:
    """Steps from the same gradients; some parameters have none."""
    for t in range(start, start + steps):
        generator = torch.Generator().manual_seed(100 + t)
        count = sum(len(group["params"]) for group in optimizers[0].param_groups)
        for i in range(count):
            shape = flat(optimizers[0])[i].shape
            g = torch.randn(shape, generator=generator) * 10.0 ** (i - 1)
            for optimizer in optimizers:
                flat(optimizer)[i].grad = None if i in skip(t) else g.clone()
        for optimizer in optimizers:
            optimizer.step()


def flat(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def through_a_file(state: dict) -> dict:
    """What a checkpoint gives back."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def same(a: torch.optim.Optimizer, b: torch.optim.Optimizer) -> None:
    """To the bit, states included."""
    for p, q in zip(flat(a), flat(b), strict=True):
        assert torch.equal(p, q)
        assert a.state[p].keys() == b.state[q].keys()
        for key, value in a.state[p].items():
            assert value.dtype == b.state[q][key].dtype
            assert torch.equal(value, b.state[q][key]), key


@every_format
def test_is_the_readable_rule(moments, rounding):
    """On the fast path to the bit, each parameter with its own place among the random numbers."""
    params = parameters((33, 31), (300,), ())
    rules = [
        lowbit(adamw(0.01, 0.8, 0.99, 1e-6, 0.1), moments, rounding, 9, first) for first in (0, 1023, 1323)
    ]
    arrays = [p.detach().numpy().copy() for p in params]
    states = [rule.init(w) for rule, w in zip(rules, arrays, strict=True)]
    ours = LowBitAdamW(
        params, 0.01, (0.8, 0.99), 1e-6, 0.1, moments=moments, rounding=rounding, seed=9, maximize=True
    )
    for t in range(5):
        run([ours], 1, t)
        for k, p in enumerate(params):
            arrays[k], states[k] = rules[k].step(arrays[k], -p.grad.numpy(), states[k])
    assert all(cohort.plan is not None for _, _, cohorts in ours._kept.values() for cohort in cohorts)
    for p, w in zip(params, arrays, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), w)


@every_format
def test_the_readable_path_agrees_but_for_torch_s_root(moments, rounding):
    """torch's vector root may be off by a unit in the last place: it moves weights, never codes."""
    ours, slow = (
        LowBitAdamW(parameters((40, 30), (5,)), 0.01, moments=moments, rounding=rounding, fast=f)
        for f in (True, False)
    )
    run([ours, slow], 4)
    for p, q in zip(flat(ours), flat(slow), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)
        for a, b in zip(list(ours.state[p].values())[1:], list(slow.state[q].values())[1:], strict=True):
            assert (a != b).float().mean() < 0.01  # where torch adds a product in one rounding


def test_bfloat16_stays_close_to_torch_s_adamw_and_its_first_step_is_torch_s():
    theirs = torch.optim.AdamW(parameters((50, 40)), 0.01)
    for moments in ("bfloat16", "8bit"):
        ours = LowBitAdamW(parameters((50, 40)), 0.01, moments=moments)
        theirs = torch.optim.AdamW(parameters((50, 40)), 0.01)
        run([ours, theirs], 1)
        torch.testing.assert_close(flat(ours)[0], flat(theirs)[0], rtol=1e-6, atol=1e-7)
        run([ours, theirs], 60, 1)
        moved = (flat(theirs)[0] - parameters((50, 40))[0]).norm()
        apart = (flat(ours)[0] - flat(theirs)[0]).norm() / moved
        assert apart < {"bfloat16": 0.03, "8bit": 0.3}[moments]


@every_format
def test_resumes_to_the_bit(moments, rounding, fast):
    form = {"moments": moments, "rounding": rounding, "seed": 4, "fast": fast}
    ours = LowBitAdamW(parameters((20, 30), (7,), (300,)), 0.01, **form)
    run([ours], 3, skip=lambda t: (1,) if t == 0 else ())
    loaded = LowBitAdamW([torch.nn.Parameter(p.detach().clone()) for p in flat(ours)], fast=fast)
    loaded.load_state_dict(through_a_file(ours.state_dict()))
    resumed = [loaded, pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)]
    run([ours, *resumed], 3, start=3)
    for other in resumed:
        same(ours, other)


def test_torch_s_state_is_taken_up_in_bfloat16_and_refused_in_8_bits():
    theirs = torch.optim.AdamW(parameters((20, 30)), 0.01)
    run([theirs], 3)
    ours = LowBitAdamW([torch.nn.Parameter(p.detach().clone()) for p in flat(theirs)], 0.01)
    state = through_a_file(theirs.state_dict())
    ours.load_state_dict({**state, "param_groups": ours.state_dict()["param_groups"]})
    own = ours.state[flat(ours)[0]]
    assert torch.equal(own["exp_avg"], theirs.state[flat(theirs)[0]]["exp_avg"].to(torch.bfloat16))
    run([ours, theirs], 3, 3)
    torch.testing.assert_close(flat(ours)[0], flat(theirs)[0], rtol=0, atol=1e-3)
    eight = LowBitAdamW(parameters((20, 30)), 0.01, moments="8bit")
    eight.load_state_dict({**state, "param_groups": eight.state_dict()["param_groups"]})
    flat(eight)[0].grad = torch.ones(20, 30)
    with pytest.raises(KeyError, match="exp_avg_codes"):
        eight.step()


@every_format
def test_memory_orders(moments, rounding):
    """A parameter in another order, or with holes, steps as it would alone in the order of its memory."""
    x = torch.randn(4, 6, 5, 3, generator=torch.Generator().manual_seed(1))
    for w in (
        x.to(memory_format=torch.channels_last),
        x.permute(2, 0, 3, 1),
        torch.zeros(40, 2)[:, 0],
        x[..., :2],
    ):
        p = torch.nn.Parameter(w.clone(memory_format=torch.preserve_format) if w.dim() > 1 else w)
        q = torch.nn.Parameter(p.detach().clone(memory_format=torch.preserve_format))
        optimizers = [
            LowBitAdamW([r], 0.01, moments=moments, rounding=rounding, fast=f)
            for r, f in ((p, True), (q, False))
        ]
        run(optimizers, 3)
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-6)


def test_groups_closures_and_missing_gradients(fast):
    a, b, c = parameters((30,), (40,), (50,))
    ours = LowBitAdamW([{"params": [a], "lr": 0.1}, {"params": [b], "weight_decay": 0.5}], 0.01, fast=fast)
    ours.add_param_group({"params": [c], "moments": "8bit"})
    start = [p.detach().clone() for p in (a, b, c)]

    def closure():
        ours.zero_grad()
        loss = a.square().sum() + c.square().sum()
        loss.backward()
        return loss

    assert ours.step(closure).item() > 0
    assert torch.equal(b, start[1])
    assert not ours.state[b] if b in ours.state else True
    assert torch.allclose(a, start[0] * (1 - 0.1 * 0.01) - 0.1 * start[0].sign(), atol=1e-5)
    assert ours.state[c]["exp_avg_codes"].dtype == torch.uint8
    b.grad = torch.ones(40)
    ours.step()
    assert ours.state[b]["step"] == 1
    assert ours.state[a]["step"] == 2


def test_schedulers_change_the_rate_without_a_new_plan():
    ours = LowBitAdamW(parameters((300,)), 0.01)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(ours, 0.5)
    run([ours], 1)
    (plan,) = [c.plan for c in ours._kept[0][2]]
    scheduler.step()
    run([ours], 1, 1)
    assert [c.plan for c in ours._kept[0][2]] == [plan]
    assert ours.param_groups[0]["lr"] == 0.005


def test_bytes_kept_a_parameter():
    for moments, expected in (("bfloat16", 4.0), ("8bit", 2 + 8 / 256)):
        ours = LowBitAdamW(parameters((256, 40)), moments=moments)
        run([ours], 1)
        own = ours.state[flat(ours)[0]]
        kept = sum(x.numel() * x.element_size() for key, x in own.items() if key != "step")
        assert kept / (256 * 40) == expected


def test_where_there_is_no_engine_the_readable_path_serves_and_says_so_once(monkeypatch):
    def missing(kind):
        raise ImportError("no engine")

    monkeypatch.setattr(front, "lowbit_path", missing)
    front.say_once.cache_clear()
    ours = LowBitAdamW(parameters((30,)), 0.01)
    with pytest.warns(UserWarning, match="readable path: no engine"):
        run([ours], 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run([LowBitAdamW(parameters((30,)), 0.01)], 1)
    front.say_once.cache_clear()
    with pytest.raises(TypeError, match="moments in fewer bits"):
        dispatch.lowbit_path("numpy")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"lr": -1.0}, "Invalid learning rate"),
        ({"eps": -1.0}, "Invalid epsilon"),
        ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0"),
        ({"weight_decay": -1}, "Invalid weight_decay"),
        ({"moments": "int4"}, "moments must be one of"),
        ({"rounding": "up"}, "rounding must be one of"),
        ({"seed": -1}, "seed must be >= 0"),
        ({"seed": 2**32}, "seed must be below"),
    ],
)
def test_wrong_options(options, match):
    with pytest.raises(ValueError, match=match):
        LowBitAdamW(parameters((3,)), **options)


def test_wrong_parameters_and_gradients_change_nothing(fast):
    good, double = parameters((30,), (20,))
    double.data = double.data.double()
    ours = LowBitAdamW([{"params": [good]}, {"params": [double]}], 0.01, fast=fast)
    good.grad, double.grad = torch.ones(30), torch.ones(20).double()
    before = good.detach().clone()
    with pytest.raises(TypeError, match=r"float32 parameters; got torch\.float64"):
        ours.step()
    assert torch.equal(good, before)
    table = torch.nn.Embedding(5, 3, sparse=True)
    sparse = LowBitAdamW(table.parameters(), 0.01, fast=fast)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="does not support sparse gradients"):
        sparse.step()
