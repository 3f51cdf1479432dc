"""Where the slots lie: small ones side by side, each a tensor of its own to torch."""

from __future__ import annotations

import io
import itertools

import front_pairs as pairs
import pytest
import torch

import mlsys.optim
from mlsys.optim.front.flat import _SMALL, Flat

SHAPES = [(40,), (3, 5), (), (0, 2), (7, 3, 2, 2)]


def slots(optimizer, key: str) -> list[torch.Tensor]:
    return [optimizer.state[p][key] for p in pairs.params(optimizer)]


@pytest.mark.parametrize(("name", "keys"), [("NAdam", ("exp_avg", "exp_avg_sq")), ("Adagrad", ("sum",))])
def test_small_slots_lie_side_by_side_and_aligned(name, keys):
    ours, theirs = pairs.twins(name, {}, shapes=SHAPES)
    pairs.run([ours, theirs], 3)
    pairs.same(ours, theirs)
    for key in keys:
        mine = slots(ours, key)
        assert len({s.untyped_storage().data_ptr() for s in mine}) == 1
        spans = sorted((s.data_ptr(), s.data_ptr() + s.numel() * 8) for s in mine if s.numel())
        assert all(start % 64 == 0 for start, _ in spans)
        gaps = [after - stop for (_, stop), (after, _) in itertools.pairwise(spans)]
        assert all(0 <= gap < 64 for gap in gaps)


def test_slots_have_the_strides_that_torchs_have():
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    results = []
    for module in (mlsys.optim, torch.optim):
        a = torch.nn.Parameter(x.clone().to(memory_format=torch.channels_last))
        b, c = torch.nn.Parameter(x[0].clone().permute(2, 0, 1)), torch.nn.Parameter(x.flatten().clone()[::2])
        results.append(module.Adam([a, b, c]))
    pairs.run(results, 2)
    pairs.same(*results)
    for key in ("exp_avg", "exp_avg_sq"):
        strides = [[s.stride() for s in slots(optimizer, key)] for optimizer in results]
        assert strides[0] == strides[1]


def test_large_odd_and_late_parameters_have_memory_of_their_own():
    large = torch.nn.Parameter(torch.zeros(_SMALL))
    odd = torch.zeros(4).as_subclass(type("Odd", (torch.Tensor,), {}))
    small, late = torch.nn.Parameter(torch.zeros(5)), torch.nn.Parameter(torch.zeros(6))
    flat = Flat([large, odd, small])
    views = {p: flat.like(p, "m", 0.5) for p in (large, odd, small, late)}
    sizes = [v.untyped_storage().nbytes() for v in views.values()]
    assert sizes == [4 * _SMALL, 4 * 4, 64, 4 * 6]  # the third alone is part of a stretch, which is padded
    assert all(v.shape == p.shape and bool((v == 0.5).all()) for p, v in views.items())
    assert (
        flat.like(small, "v", 0.0).untyped_storage().data_ptr() != views[small].untyped_storage().data_ptr()
    )


def test_what_comes_later_takes_only_what_it_needs():
    """A parameter whose first gradient comes late gets room for itself alone."""
    ours, _ = pairs.twins("Adam", {}, shapes=SHAPES)
    pairs.run([ours], 2, skip=lambda step: (0,) if step == 0 else ())
    late, *others = slots(ours, "exp_avg")
    assert late.untyped_storage().nbytes() == 40 * 8
    assert len({s.untyped_storage().data_ptr() for s in others}) == 1


def test_a_checkpoint_holds_each_stretch_once_and_gives_it_back():
    ours, _ = pairs.twins("Adam", {}, torch.float32, shapes=[(100,)] * 50)
    pairs.run([ours], 2)
    file = io.BytesIO()
    torch.save(ours.state_dict(), file)
    assert file.tell() < 50 * (2 * 112 * 4 + 500)
    file.seek(0)
    again, _ = pairs.twins("Adam", {}, torch.float32, shapes=[(100,)] * 50)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert len({s.untyped_storage().data_ptr() for s in slots(again, "exp_avg")}) == 1


def test_what_autograd_sees_is_not_shared():
    start = [p.clone() for p in pairs.parameters(0, shapes=[(3,), (4,)])]
    ours = mlsys.optim.Adam(start, differentiable=True)
    pairs.run([ours], 1)
    assert all(s._base is None for s in slots(ours, "exp_avg"))
