"""The networks: their shapes and sizes, their seeds, what they may see, and that they can learn."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from mlsys.core import generator
from mlsys.data import images, load
from mlsys.models.networks import conv_net, lstm_model, transformer_model

V = 11


def pictures(b: int = 64, channels: int = 2, size: int = 8) -> torch.Tensor:
    return torch.randn((b, channels, size, size), generator=torch.Generator().manual_seed(0))


def rows(b: int = 64, t: int = 12) -> torch.Tensor:
    return torch.randint(V, (b, t), generator=torch.Generator().manual_seed(0))


NETS = {
    "conv": (lambda seed: conv_net(2, 5, 8, seed=seed), pictures, 5),
    "conv-plain": (lambda seed: conv_net(2, 5, 8, norm=False, seed=seed), pictures, 5),
    "conv-residual": (lambda seed: conv_net(2, 5, 8, blocks=2, seed=seed), pictures, 5),
    "lstm": (lambda seed: lstm_model(V, 16, seed=seed), rows, V),
    "lstm-2": (lambda seed: lstm_model(V, 16, 2, seed=seed), rows, V),
    "transformer": (lambda seed: transformer_model(V, 16, 2, 2, 12, seed=seed), rows, V),
}
LANGUAGE = [name for name in NETS if not name.startswith("conv")]


def loss(net: torch.nn.Module, x: torch.Tensor, classes: int) -> torch.Tensor:
    """The mean cross-entropy of arbitrary labels, one a row or one a token."""
    logits = net(x)
    labels = torch.arange(logits.shape[:-1].numel()) * 7 // 3 % classes
    return F.cross_entropy(logits.reshape(-1, classes), labels)


def size(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name", NETS)
def test_shapes_and_a_first_loss_of_a_guess(name: str) -> None:
    make, data, classes = NETS[name]
    net, x = make(0), data()
    logits = net(x)
    assert logits.shape == (64, classes) if name.startswith("conv") else (64, 12, classes)
    assert logits.dtype == torch.float32
    assert loss(net, x, classes).item() == pytest.approx(math.log(classes), abs=0.1)
    assert net(x[:3]).shape[0] == 3


@pytest.mark.parametrize("name", NETS)
def test_a_seed_makes_the_weights_and_nothing_else_is_drawn(name: str) -> None:
    make = NETS[name][0]
    before = torch.get_rng_state()
    first, second, other = make(3), make(3), make(4)
    torch.testing.assert_close(torch.get_rng_state(), before, rtol=0, atol=0)
    assert first.state_dict().keys() == other.state_dict().keys()
    differ = 0
    for key, value in first.state_dict().items():
        assert value.device.type == "cpu"
        assert value.isfinite().all()
        torch.testing.assert_close(value, second.state_dict()[key], rtol=0, atol=0)
        differ += bool((value != other.state_dict()[key]).any())
    assert differ == sum("weight" in key and value.ndim > 1 for key, value in first.state_dict().items())


@pytest.mark.parametrize("name", NETS)
def test_every_weight_has_a_gradient(name: str) -> None:
    make, data, classes = NETS[name]
    net = make(0)
    loss(net, data(), classes).backward()
    for key, p in net.named_parameters():
        assert p.grad is not None, key
        assert p.grad.isfinite().all(), key
        none = (p.grad == 0).float()  # a ReLU may silence a corner of a kernel on a small image
        assert none.mean() < 0.01, f"{key}: {int(none.sum())} of {p.numel()} have none"
        assert p.grad.flatten(1).abs().amax(1).min() > 1e-9 if p.ndim > 1 else not none.any(), key


@pytest.mark.parametrize("name", NETS)
def test_a_tiny_batch_is_learnt_by_heart(name: str) -> None:
    make, data, classes = NETS[name]
    net, x = make(0), data()[:8]
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    if name in LANGUAGE:
        x = torch.cat(
            [torch.arange(8)[:, None], x[:, 1:6]], 1
        )  # rows that begin alike could not differ there
    for _ in range(100):
        optimiser.zero_grad()
        loss(net, x, classes).backward()
        optimiser.step()
    assert loss(net, x, classes).item() < 0.05


@pytest.mark.parametrize("name", LANGUAGE)
def test_a_later_token_changes_no_earlier_logit(name: str) -> None:
    make, data, _ = NETS[name]
    net, x = make(0), data(4)
    logits = net(x)
    for j in range(12):
        changed = x.clone()
        changed[:, j] = (x[:, j] + 1) % V
        moved = (net(changed) - logits).abs().amax((0, 2))
        assert (moved[:j] < 1e-6).all()
        assert (moved[j:] > 1e-6).all()  # and every later one: it is remembered
        torch.testing.assert_close(net(x[:, : j + 1]), logits[:, : j + 1], rtol=1e-4, atol=1e-5)


def test_positions_matter_to_the_transformer() -> None:
    net = transformer_model(V, 16, 2, 2, 12)
    logits = net(torch.full((1, 12), 3))
    assert (logits[0, 1:] - logits[0, :-1]).abs().amax(1).min() > 1e-4


def test_the_conv_net_sees_what_a_linear_model_does_not() -> None:
    train, test = (
        (torch.from_numpy(images(part) - 0.5).float() / 0.2, torch.tensor(part.y))
        for part in load("shapes", n=3000).split()
    )
    accuracy = {}
    for name, net in (("linear", torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 10))),
                      ("conv", conv_net(1, 10, 16))):  # fmt: skip
        optimiser, rng = torch.optim.AdamW(net.parameters(), lr=0.01), generator(0)
        for _ in range(6):
            for batch in rng.permutation(len(train[1]))[:2240].reshape(-1, 64):
                optimiser.zero_grad()
                F.cross_entropy(net(train[0][batch]), train[1][batch]).backward()
                optimiser.step()
        with torch.no_grad():
            accuracy[name] = (net.eval()(test[0]).argmax(1) == test[1]).float().mean().item()
    assert accuracy["linear"] < 0.3
    assert accuracy["conv"] > 0.6


def test_parameter_counts_are_the_documented_ones() -> None:
    for c, k, w in ((1, 10, 8), (3, 7, 5)):
        body = 9 * c * w + 90 * w * w + 4 * w * k + k
        assert size(conv_net(c, k, 16, w)) == body + 14 * w
        assert size(conv_net(c, k, 16, w, norm=False)) == body + 7 * w
        for n in (1, 3):
            residual = 9 * c * w + 9 * w * w * (42 * n - 10) + 2 * w * (1 + 14 * n) + 4 * w * k + k
            assert size(conv_net(c, k, 16, w, blocks=n)) == residual
    assert size(conv_net(3, 10, 32, 16, blocks=3)) == 269_722  # "0.27M", He et al. (2016), table 6
    for w, layers in ((16, 1), (12, 3)):
        assert size(lstm_model(V, w, layers)) == 2 * V * w + V + layers * (8 * w * w + 8 * w)
        documented = 2 * V * w + V + 20 * w + layers * (12 * w * w + 10 * w) + 2 * w
        assert size(transformer_model(V, w, 2, layers, 20)) == documented


def test_the_residual_net_is_the_identity_where_its_branches_are_silent() -> None:
    net = conv_net(1, 3, 8, 4, blocks=1).eval()
    for name, p in net.named_parameters():
        if "second.1" in name:  # the norm that ends each branch
            p.data.zero_()
    x = pictures(2, 1, 8)
    stem = F.relu(net.stem(x))
    shrunk = F.pad(stem[:, :, ::4, ::4].mean((2, 3)), (0, 12))
    torch.testing.assert_close(net(x), net.head(shrunk))


def test_the_lstm_remembers_at_first_and_its_recurrence_keeps_lengths() -> None:
    lstm = lstm_model(V, 16, 2).lstm
    for layer in range(2):
        bias = getattr(lstm, f"bias_ih_l{layer}") + getattr(lstm, f"bias_hh_l{layer}")
        assert bias.view(4, 16).mean(1).tolist() == [0, 1, 0, 0]
        for gate in getattr(lstm, f"weight_hh_l{layer}").chunk(4):
            torch.testing.assert_close(gate @ gate.T, torch.eye(16), atol=1e-5, rtol=0)


def test_deep_signals_keep_their_size() -> None:
    x = pictures(16, 3, 32)
    deep = conv_net(3, 10, 32, 16, norm=False).body[1](F.relu(conv_net(3, 10, 32, 16, norm=False).stem(x)))
    assert 0.3 < deep.pow(2).mean().sqrt().item() < 3
    net = transformer_model(V, 32, 2, 8, 12)
    start = net.embedding(rows()) + net.position.weight
    assert 0.5 < (net.blocks(start).std() / start.std()).item() < 10


BAD = [
    (lambda: conv_net(0, 10, 8), ValueError, "channels must be >= 1; got 0"),
    (lambda: conv_net(1, 1, 8), ValueError, "classes must be >= 2; got 1"),
    (lambda: conv_net(1, 10, 3), ValueError, "size must be >= 4; got 3"),
    (lambda: conv_net(1, 10, 8, 0.5), TypeError, "width must be a whole number; got 0.5"),
    (lambda: conv_net(1, 10, 8, seed=-1), ValueError, "seed must be >= 0; got -1"),
    (lambda: conv_net(1, 10, 8, norm=False, blocks=1), ValueError, "blocks must be 0 without norm; got 1"),
    (lambda: conv_net(1, 10, 8)(pictures(2, 1, 9)), ValueError, r"x must be \(b, 1, 8, 8\).*got \(2, 1, 9, 9\)"),
    (lambda: lstm_model(1), ValueError, "vocabulary must be >= 2; got 1"),
    (lambda: lstm_model(V)(torch.zeros(2, 3)), TypeError, r"tokens must be \(b, t\) whole.*float32"),
    (lambda: lstm_model(V)(torch.arange(3)), TypeError, r"tokens must be \(b, t\) whole.*shape \(3,\)"),
    (lambda: transformer_model(V, 30, 4), ValueError, "width must be a multiple of heads = 4; got 30"),
    (lambda: transformer_model(V, context=8)(rows(2, 9)), ValueError, "at most context = 8 long; got 9"),
    (lambda: transformer_model(V, layers=0), ValueError, "layers must be >= 1; got 0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_arguments_are_named(call, error, words) -> None:
    with pytest.raises(error, match=words):
        call()
