"""State: loaded to and from torch's own, resumed exactly, copied, pickled, edited."""

from __future__ import annotations

import copy
import io
import pickle
from contextlib import nullcontext

import front_pairs as pairs
import pytest
import torch
from rule_cases import double

import mlsys.optim

every_variant = pytest.mark.parametrize(("name", "options"), pairs.VARIANTS, ids=pairs.IDS)


@pytest.fixture(params=[True, False], ids=["fast", "readable"])
def fast(request):
    return request.param


@pytest.fixture
def float64():
    with double():
        yield


def through_a_file(state: dict) -> dict:
    """What a checkpoint gives back, under torch.load's safe default."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def twin_of(optimizer, module, options, **more):
    """An optimizer of the other module over copies of the parameters as they stand."""
    copies = [torch.nn.Parameter(p.detach().clone()) for p in pairs.params(optimizer)]
    return getattr(module, type(optimizer).__name__)(copies, **options, **more)


@pytest.mark.usefixtures("float64")  # or torch's NAdam would go on with a product in the parameters' dtype
@every_variant
def test_state_dict_moves_both_ways_midway(name, options, fast):
    ours, theirs = pairs.twins(name, options, fast=fast)
    pairs.run([ours, theirs], 4, skip=lambda step: (1,) if step < 2 else ())
    swapped_to_torch = twin_of(ours, torch.optim, options)
    swapped_to_torch.load_state_dict(through_a_file(ours.state_dict()))
    swapped_to_ours = twin_of(theirs, mlsys.optim, options, fast=fast)
    swapped_to_ours.load_state_dict(through_a_file(theirs.state_dict()))
    both = [ours, theirs, swapped_to_torch, swapped_to_ours]
    pairs.run(both, 4, start=4)
    for other in both[1:]:
        pairs.same(ours, other)


@every_variant
def test_resumes_to_the_bit(name, options, fast):
    """A checkpoint, a pickle and a deepcopy each go on as if nothing had happened; float32 to make rounding show."""
    ours, _ = pairs.twins(name, options, torch.float32, fast)
    pairs.run([ours], 3, skip=lambda step: (0,) if step == 0 else ())
    loaded = twin_of(ours, mlsys.optim, options, fast=fast)
    loaded.load_state_dict(through_a_file(ours.state_dict()))
    resumed = [loaded, pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)]
    pairs.run([ours, *resumed], 4, start=3)
    for other in resumed:
        pairs.bits(ours, other)
        assert other.fast == fast
        assert pairs.planned(other) == [fast] * len(pairs.SHAPES)


@every_variant
def test_reading_the_state_changes_nothing(name, options):
    """state_dict between steps makes the next step look again; it finds the same plans."""
    ours, quiet = (pairs.twins(name, options)[0] for _ in range(2))
    pairs.run([ours, quiet], 1)
    plans = [c.plan for c in ours._ledgers[0].rosters[0].cohorts]
    for step in range(1, 4):
        ours.state_dict()
        pairs.run([ours, quiet], 1, start=step)
    pairs.bits(ours, quiet)
    assert [c.plan for c in ours._ledgers[0].rosters[0].cohorts] == plans


def test_each_parameter_has_its_own_step_that_follows():
    """As in torch, a state_dict refers to the living state, and no two steps are one tensor."""
    ours, _ = pairs.twins("Adam", {})
    pairs.run([ours], 3, skip=lambda step: (2,) if step == 0 else ())
    steps = [entry["step"] for entry in ours.state_dict()["state"].values()]
    assert [float(s) for s in steps] == [
        3,
        3,
        3,
        3,
        2,
    ]  # in the order of first gradients, as in torch's dicts
    assert all(s.shape == () and s.dtype == torch.float32 for s in steps)
    pairs.run([ours], 1, start=3)
    assert [float(s) for s in steps] == [4, 4, 4, 4, 3]
    assert len({s.data_ptr() for s in steps}) == len(steps)


@pytest.mark.parametrize("name", ["Adam", "NAdam"])
def test_numbers_beside_the_slots_have_the_default_dtype(name):
    for default in (torch.float32, torch.float64):
        with double() if default is torch.float64 else nullcontext():
            ours, theirs = pairs.twins(name, {})
            pairs.run([ours, theirs], 2)
        kept = [s[key] for s in ours.state.values() for key in ours.numbers]
        assert {number.dtype for number in kept} == {default}
        pairs.same(ours, theirs)


def test_each_parameter_has_its_own_product_that_follows():
    """Of the momenta of its own steps, whatever beta1 was then: also where the gradients come and go."""
    ours, theirs = pairs.twins("NAdam", {"momentum_decay": 0.1})
    for step in range(6):
        for optimizer in (ours, theirs):
            optimizer.param_groups[0]["betas"] = (0.9 - 0.1 * step, 0.999)
        pairs.run([ours, theirs], 1, start=step, skip=lambda s: (s, 1))
    pairs.same(ours, theirs)
    products = [s["mu_product"] for s in ours.state.values()]
    assert all(p.shape == () for p in products)
    assert len({p.data_ptr() for p in products}) == len({float(p) for p in products}) == len(products) == 4
    for optimizer in (ours, theirs):
        for own in optimizer.state.values():
            own["mu_product"].mul_(0.5)
    pairs.run([ours, theirs], 2, start=6)
    pairs.same(ours, theirs)


def test_a_loaded_product_is_what_was_saved():
    """torch would round it to the parameters' dtype."""
    ours, _ = pairs.twins("NAdam", {}, torch.bfloat16)
    pairs.run([ours], 3)
    loaded, _ = pairs.twins("NAdam", {}, torch.bfloat16)
    loaded.load_state_dict(through_a_file(ours.state_dict()))
    for p, q in zip(pairs.params(ours), pairs.params(loaded), strict=True):
        mine, other = ours.state[p]["mu_product"], loaded.state[q]["mu_product"]
        assert mine.dtype == other.dtype == torch.float32
        assert mine == other
        assert mine != mine.bfloat16()


def test_a_loaded_adam_decays_as_adamw_does():
    adam, _ = pairs.twins("Adam", {"weight_decay": 0.1})
    adamw, peer = pairs.twins("AdamW", {})
    for optimizer in (adamw, peer):
        optimizer.load_state_dict(adam.state_dict())
    pairs.run([adamw, peer], 2)
    pairs.same(adamw, peer)
    assert adamw.param_groups[0]["decoupled_weight_decay"]


@pytest.mark.parametrize(
    "edit", ["slot replaced", "slot edited", "slot moved", "step set", "removed", "cleared"]
)
def test_edits_of_the_state_count(edit, fast):
    ours, theirs = pairs.twins("Adam", {}, fast=fast)
    pairs.run([ours, theirs], 3)
    for optimizer in (ours, theirs):
        p = pairs.params(optimizer)[1]
        if edit == "slot replaced":
            optimizer.state[p]["exp_avg"] = torch.ones_like(p)
        elif edit == "slot edited":
            optimizer.state[p]["exp_avg_sq"].mul_(4)
        elif edit == "slot moved":
            optimizer.state[p]["exp_avg_sq"].data = torch.full_like(p, 2)
        elif edit == "step set":
            optimizer.state[p]["step"].fill_(50)
        elif edit == "removed":
            del optimizer.state[p]
        else:
            optimizer.state.clear()
    pairs.run([ours, theirs], 3, start=3)
    pairs.same(ours, theirs)


def test_old_checkpoints_with_plain_numbers_load():
    """Before torch 1.12 steps were ints, and groups lacked today's options; SGD kept empty buffers as None."""
    ours, theirs = pairs.twins("Adam", {"lr": 0.1})
    pairs.run([ours, theirs], 2)
    old = copy.deepcopy(ours.state_dict())
    for entry in old["state"].values():
        entry["step"] = int(entry["step"])
    for option in ("maximize", "foreach", "differentiable", "fused", "decoupled_weight_decay"):
        del old["param_groups"][0][option]
    ours.load_state_dict(old)
    pairs.run([ours, theirs], 2, start=2)
    pairs.same(ours, theirs)
    ours, theirs = pairs.twins("SGD", {"momentum": 0.9})
    for optimizer in (ours, theirs):
        state = optimizer.state_dict()
        state["state"] = {i: {"momentum_buffer": None} for i in range(len(pairs.SHAPES))}
        optimizer.load_state_dict(state)
    pairs.run([ours, theirs], 3)
    pairs.same(ours, theirs)


def test_a_state_of_another_rule_or_model_is_refused_before_anything_moves(fast):
    ours, _ = pairs.twins("Adam", {"amsgrad": True}, fast=fast)
    without, _ = pairs.twins("Adam", {}, fast=fast)
    pairs.run([without], 1)
    ours.load_state_dict({**without.state_dict(), "param_groups": ours.state_dict()["param_groups"]})
    before = [p.detach().clone() for p in pairs.params(ours)]
    with pytest.raises(KeyError, match="max_exp_avg_sq"):
        pairs.run([ours], 1)
    assert all(map(torch.equal, before, pairs.params(ours)))
    wider, _ = pairs.twins("Adam", {}, fast=fast, shapes=[(*s, 1) for s in pairs.SHAPES])
    wider.load_state_dict(without.state_dict())
    with pytest.raises(ValueError, match=r"state\['exp_avg'\] must have the shape"):
        pairs.run([wider], 1)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        ours.load_state_dict({"state": {}, "param_groups": []})


def test_sums_of_adagrad_can_be_shared():
    ours, _ = pairs.twins("Adagrad", {})
    ours.share_memory()
    assert all(s["sum"].is_shared() for s in ours.state.values() if s["sum"].numel())


def test_hooks_of_state_and_step_run():
    ours, _ = pairs.twins("Adam", {})
    calls = []
    ours.register_step_pre_hook(lambda *_: calls.append("before"))
    ours.register_step_post_hook(lambda *_: calls.append("after"))
    ours.register_state_dict_pre_hook(lambda *_: calls.append("saving"))
    ours.register_load_state_dict_post_hook(lambda *_: calls.append("loaded"))
    pairs.run([ours], 1)
    ours.load_state_dict(ours.state_dict())
    assert calls == ["before", "after", "saving", "loaded"]


def test_hooks_of_every_optimizer_run_and_may_change_the_arguments():
    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    ours, _ = pairs.twins("Adam", {})
    calls = []
    handles = [
        register_optimizer_step_pre_hook(
            lambda optimizer, args, kwargs: ((optimizer, lambda: calls.append("closure")), {})
        ),
        register_optimizer_step_post_hook(lambda *_: calls.append("after")),
    ]
    try:
        ours.step()
    finally:
        for handle in handles:
            handle.remove()
    ours.step()
    assert calls == ["closure", "after"]


def test_torchs_profiler_sees_the_step_by_name():
    from torch.profiler import ProfilerActivity, profile

    ours, _ = pairs.twins("Adam", {})
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        ours.step()
    assert "Optimizer.step#Adam.step" in {event.name for event in seen.events()}
