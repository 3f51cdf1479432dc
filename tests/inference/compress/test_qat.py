"""Quantisation-aware training: what is trained is what is converted."""

from __future__ import annotations

import pytest
import torch
from chains import chain, inputs
from torch import nn

from mlsys.core import generator
from mlsys.inference.compress.qat import FakeQuantisedLayer, convert, prepare
from mlsys.inference.compress.quantised import quantise_model
from mlsys.inference.compress.training import Examples, accuracy, fit, logits
from mlsys.quant import grid_of


def examples(n: int = 400, seed: int = 0) -> Examples:
    """Labels of another net of the same kind, so that there is something to learn."""
    X = inputs(n, seed)
    return Examples(X, logits(chain(7), X).sub(logits(chain(7), inputs(500)).mean(0)).argmax(1))


def tuned(bits: int = 8, per_channel: bool = True, epochs: int = 2) -> nn.Module:
    return fit(prepare(chain(), per_channel, bits), examples(), generator(0), epochs=epochs)


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("bits", [8, 4])
def test_the_converted_net_equals_the_fake_quantised_one(bits: int, per_channel: bool) -> None:
    """To float64's rounding in float64. In float32 sums in another order may move a number over a half: by one step
    of a later layer's grid, at few places."""
    fake = tuned(bits, per_channel).double()
    x = inputs(50, seed=1)
    torch.testing.assert_close(
        logits(convert(fake), x.double()), logits(fake, x.double()), rtol=1e-6, atol=1e-6
    )
    fake = fake.float()
    ours, theirs = logits(convert(fake), x), logits(fake, x)
    same = (ours - theirs).abs() <= 1e-5 * theirs.abs().max()
    assert same.float().mean() > 0.8
    last = list(fake)[-1]
    step = float(last.grids()[1].scale) * float(last.layer.weight.detach().abs().sum(1).max())
    assert (ours - theirs).abs().max() <= step


def test_conversion_of_an_untrained_net_is_static_quantisation() -> None:
    prepared = prepare(chain())
    prepared.train()
    prepared(inputs())
    static = quantise_model(chain(), "static", [inputs()])
    fake = [m for m in prepared if isinstance(m, FakeQuantisedLayer)]
    # Later layers see inputs that are already quantised: only the first sees the same.
    assert fake[0].grids()[1] == grid_of(inputs().min(), inputs().max(), scheme="unsigned")
    assert torch.equal(convert(prepared)[1].weight, static[1].weight)
    assert torch.equal(convert(prepared)[1](inputs().unflatten(1, (2, 6, 6))), static[1](static[0](inputs())))


def test_evaluation_does_not_move_the_grids() -> None:
    net = tuned()
    before = [m.grids()[1].scale for m in net if isinstance(m, FakeQuantisedLayer)]
    logits(net, inputs() * 100)
    assert before == [m.grids()[1].scale for m in net if isinstance(m, FakeQuantisedLayer)]
    net.train()
    net(inputs() * 100)
    assert before != [m.grids()[1].scale for m in net if isinstance(m, FakeQuantisedLayer)]


def test_two_bits_are_three_levels_and_the_net_learns_with_them() -> None:
    train = examples()
    aware = {
        epochs: convert(fit(prepare(chain(), bits=2), train, generator(2), epochs)) for epochs in (1, 12)
    }
    assert set(aware[12][6].weight.unique().tolist()) == {-1, 0, 1}
    assert accuracy(aware[12], train) > accuracy(aware[1], train) + 0.1


def test_what_was_not_prepared_or_not_trained_is_refused() -> None:
    with pytest.raises(ValueError, match=r"holds no fake-quantised layer. prepare\(model"):
        convert(chain())
    with pytest.raises(ValueError, match="nothing was observed yet"):
        convert(prepare(chain()))
    with pytest.raises(ValueError, match="bits must be <= 8; got 16"):
        prepare(chain(), bits=16)
