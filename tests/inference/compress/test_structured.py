"""Channels removed for real: the smaller net equals the masked one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mlsys.core import generator
from mlsys.inference.compress.structured import kept_channels, mask_channels, remove_channels
from mlsys.inference.compress.training import Examples, fit, logits

quick = settings(max_examples=25, deadline=None, derandomize=True)


def chain(seed: int) -> nn.Sequential:
    """Every layer that channels are followed through; norms with statistics of their own."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Unflatten(1, (2, 6, 6)),
            nn.Conv2d(2, 7, 3, padding=1),
            nn.BatchNorm2d(7),
            nn.ReLU(),
            nn.Conv2d(7, 6, 3, bias=False),
            nn.Tanh(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(24, 9),
            nn.BatchNorm1d(9),
            nn.GELU(),
            nn.Linear(9, 5),
        )
        for part in model:
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                for tensor in (part.weight.data, part.bias.data, part.running_mean, part.running_var):
                    tensor.uniform_(0.5, 1.5)
    return model.eval()


def inputs(n: int = 20) -> torch.Tensor:
    return torch.tensor(generator(1, "channels").standard_normal((n, 72)), dtype=torch.float32)


@quick
@given(st.integers(0, 2**31), st.floats(0, 1))
def test_the_smaller_net_equals_the_masked_one(seed: int, sparsity: float) -> None:
    model = chain(seed)
    kept = kept_channels(model, sparsity)
    small = remove_channels(model, kept)
    torch.testing.assert_close(logits(small, inputs()), logits(mask_channels(model, kept), inputs()))
    for i, channels in kept.items():
        n = len(model[i].weight)
        assert len(channels) == len(small[i].weight) == max(1, n - round(min(sparsity, 1 - 1 / n) * n))
        norms = model[i].weight.abs().flatten(1).sum(1)
        gone = sorted(set(range(n)) - set(channels.tolist()))
        assert not gone or norms[gone].max() <= norms[channels].min()
    assert 11 not in kept  # the answer keeps its classes


def test_the_smaller_net_knows_its_sizes_and_can_be_trained() -> None:
    model = chain(0)
    small = remove_channels(model, kept_channels(model, 0.5))
    assert (small[1].out_channels, small[2].num_features, small[4].in_channels) == (3, 3, 3)
    assert (small[4].out_channels, small[8].in_features, small[8].out_features) == (3, 12, 5)
    assert (small[9].num_features, small[11].in_features, small[11].out_features) == (5, 5, 5)
    fresh = nn.Sequential(*(type(part)(**_sizes(part)) for part in (small[1], small[8], small[11])))
    for part, new in zip((small[1], small[8], small[11]), fresh, strict=True):
        new.load_state_dict(part.state_dict())
    y = torch.from_numpy(generator(2).integers(5, size=20))
    tuned = fit(small, Examples(inputs(), y), generator(3), epochs=2, batch=10)
    assert not torch.equal(tuned[1].weight, small[1].weight)
    assert len(model[1].weight) == 7


def _sizes(part: nn.Module) -> dict[str, int]:
    if isinstance(part, nn.Linear):
        return {"in_features": part.in_features, "out_features": part.out_features}
    return {"in_channels": part.in_channels, "out_channels": part.out_channels, "kernel_size": 3}


@pytest.mark.parametrize(
    "model",
    [
        nn.Linear(3, 3),
        nn.Sequential(nn.Linear(3, 3), nn.Sigmoid(), nn.Linear(3, 3)),
        nn.Sequential(nn.Conv2d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(4, 2)),
        nn.Sequential(nn.LSTM(3, 3)),
    ],
)
def test_where_channels_cannot_be_followed_it_says_so(model: nn.Module) -> None:
    with pytest.raises(
        TypeError, match=r"channels are removed from an nn.Sequential|no channel can be followed"
    ):
        kept_channels(model, 0.5)
