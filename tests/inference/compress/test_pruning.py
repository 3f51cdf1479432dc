"""Masks: which weights go, that they stay gone, and the schedules by which they go."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mlsys.core import generator
from mlsys.inference.compress import pruning
from mlsys.inference.compress.pruning import magnitude_masks, two_four_mask
from mlsys.inference.compress.training import Examples, fit

quick = settings(max_examples=40, deadline=None, derandomize=True)


def net(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Unflatten(1, (1, 4, 4)),
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 4, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16, 3),
        )


def examples(n: int = 64) -> Examples:
    rng = generator(0, "pruning examples")
    X = torch.tensor(rng.standard_normal((n, 16)), dtype=torch.float32)
    return Examples(X, torch.from_numpy(rng.integers(3, size=n)))


@quick
@given(st.integers(0, 2**31), st.floats(0, 1))
def test_globally_no_weight_that_goes_is_larger_than_one_that_stays(seed: int, sparsity: float) -> None:
    model = net(seed)
    w = pruning.weights(model)
    masks = magnitude_masks(model, sparsity)
    assert masks.keys() == w.keys() == {"1.weight", "3.weight", "6.weight"}
    kept = torch.cat([w[name][masks[name]].abs() for name in w])
    gone = torch.cat([w[name][~masks[name]].abs() for name in w])
    assert len(gone) == round(sparsity * (len(kept) + len(gone)))
    if len(kept) and len(gone):
        assert gone.max() <= kept.min()


@quick
@given(st.integers(0, 2**31), st.floats(0, 1))
def test_by_layer_each_loses_its_own_least_as_in_torch(seed: int, sparsity: float) -> None:
    from torch.nn.utils import prune

    model = net(seed)
    for name, mask in magnitude_masks(model, sparsity, "layer").items():
        theirs = prune.L1Unstructured(sparsity).compute_mask(
            pruning.weights(model)[name], torch.ones(mask.shape)
        )
        assert torch.equal(mask, theirs.bool())


def test_of_equal_weights_the_earlier_go() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    for p in model.parameters():
        nn.init.constant_(p, -0.5)
    masks = magnitude_masks(model, 0.625)
    assert masks["0.weight"].tolist() == [[False, False], [False, False]]
    assert masks["1.weight"].tolist() == [[False, True], [True, True]]


@quick
@given(st.integers(0, 2**31), st.sampled_from([(3, 8), (5, 4, 3, 3), (2, 16)]), st.booleans())
def test_two_four_keeps_the_largest_pair_of_every_four(seed: int, shape: tuple[int, ...], ties: bool) -> None:
    rng = generator(seed, "2:4")
    w = torch.tensor(rng.integers(-2, 3, shape) if ties else rng.standard_normal(shape), dtype=torch.float64)
    mask = two_four_mask(w)
    assert pruning.is_two_four(w * mask)
    fours = w.movedim(1, -1).reshape(-1, 4).abs()
    kept = mask.movedim(1, -1).reshape(-1, 4)
    assert (kept.sum(1) == 2).all()
    best = torch.stack([fours[:, list(pair)].sum(1) for pair in itertools.combinations(range(4), 2)]).max(0)
    assert torch.equal((fours * kept).sum(1), best.values)
    for four, keep in zip(fours, kept, strict=True):  # of equals, the first
        order = sorted(range(4), key=lambda i: (-four[i], i))
        assert set(keep.nonzero().flatten().tolist()) == set(order[:2])


def test_two_four_is_what_torch_s_sparse_kernels_take() -> None:
    """Their check of the pattern, done by hand: any more and the product would lose weights."""
    w = torch.tensor([[1.0, 2, 3, 4], [4, 3, 2, 1]])
    assert not pruning.is_two_four(w)
    assert (w * two_four_mask(w)).tolist() == [[0, 0, 3, 4], [4, 3, 0, 0]]
    assert not pruning.is_two_four(torch.zeros(2, 6))
    assert pruning.two_four_masks(net()).keys() == {"3.weight", "6.weight"}  # one channel comes in no fours


def test_masks_hold_through_fine_tuning_though_adam_has_momentum() -> None:
    model = net()
    masks = magnitude_masks(model, 0.7)
    tuned = fit(model, examples(), generator(0), epochs=3, lr=0.05, each_step=pruning.keeping(masks))
    for name, w in pruning.weights(tuned).items():
        assert (w[~masks[name]] == 0).all()
        assert not torch.equal(w, pruning.weights(model)[name])
    assert pruning.zeros(model) == 0
    assert pruning.zeros(tuned) == pytest.approx(0.7, abs=0.01)
    loose = fit(pruning.masked(model, masks), examples(), generator(0), epochs=3, lr=0.05)
    assert pruning.zeros(loose) < 0.1  # the test above can fail


def test_gradual_pruning_follows_its_schedule_and_what_is_dropped_stays_dropped() -> None:
    schedule, seen = pruning.cubic(0.9, steps=20), []
    step = pruning.pruning(schedule, every=2)

    def watch(model: nn.Module, t: int) -> None:
        step(model, t)
        seen.append({name: w == 0 for name, w in pruning.weights(model).items()})
        n = sum(w.numel() for w in pruning.weights(model).values())
        assert sum(int(z.sum()) for z in seen[-1].values()) == round(schedule(t - t % 2) * n)

    fit(net(), examples(), generator(0), epochs=12, each_step=watch)
    assert len(seen) == 25
    for earlier, later in itertools.pairwise(seen):
        assert all((later[name] | ~earlier[name]).all() for name in later)


def test_the_cubic_schedule_is_zhu_and_gupta_s() -> None:
    """Its ends, its rate: the sparsity still to come shrinks as the cube of the steps still to come."""
    s = pruning.cubic(0.8, steps=100, begin=10, initial=0.2)
    assert [s(0), s(10), s(110), s(1000)] == [0.2, 0.2, 0.8, 0.8]
    assert s(60) == pytest.approx(0.8 - 0.6 / 8)
    rest = np.array([0.8 - s(t) for t in range(10, 110)])
    left = np.arange(100, 0, -1)
    slope = np.polyfit(np.log(left), np.log(rest), 1)[0]
    assert slope == pytest.approx(3, abs=1e-6)


def test_iterative_rounds_take_the_same_share_of_what_is_left() -> None:
    s = pruning.iterative(0.9, rounds=3, every=5)
    dense = [1 - s(t) for t in (0, 5, 10)]
    assert dense[2] == pytest.approx(0.1)
    assert dense[1] / dense[0] == pytest.approx(dense[2] / dense[1]) == pytest.approx(dense[0])
    assert s(4) == s(0)
    assert s(100) == s(10)
    assert pruning.one_shot(0.5)(0) == 0.5


def test_a_mask_that_does_not_fit_writes_nothing() -> None:
    model = net()
    before = [p.clone() for p in model.parameters()]
    good = magnitude_masks(model, 1.0)
    for bad in (
        {"nowhere": torch.ones(1, dtype=torch.bool)},
        {"6.weight": torch.zeros(2, 2, dtype=torch.bool)},
    ):
        with pytest.raises(ValueError, match=r"the mask '(nowhere|6.weight)' is \(.*\); the model has"):
            pruning.apply_(model, {"1.weight": good["1.weight"], **bad})
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


def test_bad_arguments_are_named() -> None:
    broken = net()
    nn.init.constant_(broken[1].weight, torch.nan)
    for call, words in (
        (lambda: magnitude_masks(net(), 1.5), r"sparsity must lie in \[0, 1\]; got 1.5"),
        (lambda: magnitude_masks(net(), 0.5, "all"), "scope must be 'global' or 'layer'; got 'all'"),
        (lambda: magnitude_masks(broken, 0.5), "weight must be finite; 72 of 72"),
        (lambda: two_four_mask(torch.ones(2, 6)), r"2:4 needs inputs in fours; the weight is \(2, 6\)"),
        (lambda: two_four_mask(torch.full((2, 4), torch.inf)), "weight must be finite; 8 of 8"),
        (lambda: pruning.cubic(0.2, 10, initial=0.5), "final must be >= initial = 0.5; got 0.2"),
        (lambda: pruning.iterative(0.5, 0, 1), "rounds must be >= 1; got 0"),
        (lambda: fit(net(), examples(0), generator(0)), "examples must hold at least one row"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_a_loss_that_is_not_finite_ends_the_training_and_says_where() -> None:
    bad = Examples(torch.full((8, 16), torch.inf), torch.zeros(8, dtype=torch.int64))
    with pytest.raises(FloatingPointError, match="the loss is nan at step 1"):
        fit(net(), bad, generator(0))
