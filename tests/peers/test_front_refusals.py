"""What is refused, in whose words, and that nothing has moved; and what happens without a fast path."""

from __future__ import annotations

import warnings

import front_pairs as pairs
import pytest
import torch

import mlsys.optim
from mlsys.optim.front import engines

NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        *[(name, {"lr": -0.1}, r"Invalid learning rate: -0\.1\. Pass lr >= 0") for name in pairs.NAMES],
        *[(name, {"lr": NAN}, "Invalid learning rate: nan") for name in pairs.NAMES],
        *[(name, {"weight_decay": -1}, "Invalid weight_decay value: -1") for name in pairs.NAMES],
        *[(name, {"eps": -1.0}, r"Invalid epsilon value: -1\.0") for name in pairs.NAMES[1:]],
        ("SGD", {"momentum": NAN}, "Invalid momentum value: nan"),
        (
            "SGD",
            {"nesterov": True},
            "Nesterov momentum requires a momentum and zero dampening; got momentum=0",
        ),
        ("Adagrad", {"initial_accumulator_value": -1}, "Invalid initial_accumulator_value value: -1"),
        ("RMSprop", {"alpha": -0.1}, r"Invalid alpha value: -0\.1"),
        ("Adadelta", {"rho": NAN}, "Invalid rho value: nan"),
        ("Adam", {"betas": (0.9, 1.0)}, r"Invalid beta parameter at index 1: 1\.0"),
        ("Adam", {"betas": (0.9,)}, r"betas must be a pair; got \(0\.9,\)"),
        ("NAdam", {"betas": (NAN, 0.9)}, "Invalid beta parameter at index 0: nan"),
        ("NAdam", {"momentum_decay": -1}, "Invalid momentum_decay value: -1"),
        ("RAdam", {"betas": (0.9, 0.9, 0.9)}, "betas must be a pair"),
    ],
)
def test_hyper_parameters_out_of_range(name, options, words):
    make, start = getattr(mlsys.optim, name), pairs.parameters(0)
    with pytest.raises(ValueError, match=words):
        make(start, **options)
    if "nesterov" in options:
        return
    with pytest.raises(ValueError, match=words):
        make([{"params": start, **options}])
    optimizer = make(start[:1])
    with pytest.raises(ValueError, match=words):
        optimizer.add_param_group({"params": start[1:], **options})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("name", pairs.NAMES)
def test_what_is_no_number_and_what_is_no_parameter(name):
    make, start = getattr(mlsys.optim, name), pairs.parameters(0)
    with pytest.raises(TypeError, match="lr must be a real number; got 'fast'"):
        make(start, lr="fast")
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        make([])
    with pytest.raises(TypeError, match="optimizer can only optimize Tensors"):
        make([1.0])
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        make([start[0] * 2])


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "Adam", "AdamW"])
def test_fused_excludes_the_others_and_complex_parameters(name):
    make = getattr(mlsys.optim, name)
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        make(pairs.parameters(0), fused=True, foreach=True)
    with pytest.raises(RuntimeError, match="`fused` does not support `differentiable`"):
        make(pairs.parameters(0), fused=True, differentiable=True)
    optimizer = make(pairs.parameters(0, torch.complex64), fused=True)
    with pytest.raises(
        RuntimeError, match="`fused=True` requires all the params to be floating point Tensors"
    ):
        pairs.run([optimizer], 1)


@pytest.mark.parametrize("name", ["RMSprop", "Adadelta", "Adam", "AdamW", "NAdam", "RAdam"])
def test_capturable_is_refused_at_the_step_as_torch_refuses_it_on_cpu(name):
    ours, theirs = pairs.twins(name, {"capturable": True})
    for optimizer in (ours, theirs):
        kept = "params, mu_products and" if name == "NAdam" else "params and"
        with pytest.raises(AssertionError, match=f"If capturable=True, {kept} state_steps must be on supp"):
            pairs.run([optimizer], 1)
    pairs.bits(ours, pairs.twins(name, {})[0])
    ours.param_groups[0]["capturable"] = False
    pairs.run([ours], 1)


@pytest.mark.parametrize("name", pairs.NAMES)
def test_foreach_excludes_differentiable_at_the_step(name):
    for optimizer in pairs.twins(name, {"foreach": True, "differentiable": True}):
        if name == "SGD" and isinstance(optimizer, torch.optim.SGD):
            continue  # torch's SGD does not look
        with pytest.raises(AssertionError, match="_foreach ops don't support autograd"):
            pairs.run([optimizer], 1)


def test_a_refusal_in_the_second_group_leaves_the_first_alone():
    start = pairs.parameters(0, shapes=[(3,), (4,)])
    ours = mlsys.optim.Adam([{"params": [start[0]]}, {"params": [start[1]], "capturable": True}])
    before = [p.detach().clone() for p in start]
    with pytest.raises(AssertionError, match="capturable"):
        pairs.run([ours], 1)
    assert all(map(torch.equal, before, start))
    assert not ours.state


def test_a_parameter_that_changed_its_shape_is_refused():
    ours, _ = pairs.twins("Adam", {}, shapes=[(6,), (4,)])
    pairs.run([ours], 2)
    p = pairs.params(ours)[0]
    p.grad = None
    p.data = p.data[:3]
    before = p.detach().clone()
    pairs.give([ours], 2)
    with pytest.raises(
        ValueError, match=r"state\['exp_avg'\] must have the shape \(3,\) of its parameter; got \(6,\)"
    ):
        ours.step()
    assert torch.equal(p, before)


@pytest.fixture
def no_engine(monkeypatch):
    """A machine where the fast path cannot be imported; what is cached is forgotten before and after."""

    def missing(kind):
        raise ImportError("No module named 'numba'")

    monkeypatch.setattr(engines, "fast_path", missing)
    caches = (engines._plan_class, engines.say_once)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_the_readable_path_serves_and_says_so_once():
    ours, theirs = pairs.twins("Adam", {})
    with pytest.warns(UserWarning, match="readable path: No module named 'numba'"):
        pairs.run([ours, theirs], 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs.run([ours, theirs], 3, start=1)
        pairs.run([pairs.twins("SGD", {})[0]], 1)
    pairs.same(ours, theirs)
    assert not any(pairs.planned(ours))


@pytest.mark.usefixtures("no_engine")
def test_who_asks_for_the_readable_path_hears_nothing():
    ours, _ = pairs.twins("Adam", {}, fast=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs.run([ours], 1)


class Moody:
    """A plan that refuses every other step, before it writes."""

    steps = 0

    def __init__(self, body, params, slots, decay=False):
        self.body, self.params, self.slots = body, params, slots

    def step(self, grads, c, d=None):
        Moody.steps += 1
        if Moody.steps % 2:
            raise NotImplementedError("not today")
        for p, own, g in zip(self.params, self.slots, grads, strict=True):
            for place, new in zip((p, *own), self.body(p, g, *own, *c), strict=True):
                place.copy_(new)


def test_a_plan_that_refuses_a_step_is_stood_in_for(monkeypatch):
    monkeypatch.setattr(engines, "_plan_class", lambda kind: Moody)
    ours, theirs = pairs.twins("SGD", {"momentum": 0.9})
    pairs.run([ours, theirs], 6)
    pairs.same(ours, theirs)
    assert Moody.steps == 6
