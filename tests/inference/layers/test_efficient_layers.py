"""Each efficient layer is its explicit dense matrix; what it costs is counted, and held to torch's own counter."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from mlsys.inference.layers import (
    CirculantConv,
    CirculantLinear,
    DepthwiseSeparable,
    ShuffleUnit,
    accuracy_against_cost,
    channel_shuffle,
    circulant_cost,
    classifier,
    conv_cost,
    counted,
    dense_matrix,
    separable_cost,
    thinned,
)


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-11)


def convolution_matrix(weight: Tensor, size: int, stride: int = 1, groups: int = 1) -> Tensor:
    """The matrix of a padded square convolution by its definition: one entry at a time."""
    outputs, inside, k, _ = weight.shape
    inputs, to = inside * groups, -(-size // stride)
    W = torch.zeros(outputs, to, to, inputs, size, size, dtype=torch.float64)
    for o, c, i, j in itertools.product(range(outputs), range(inside), range(k), range(k)):
        channel = o // (outputs // groups) * inside + c
        for y, x in itertools.product(range(to), range(to)):
            down, right = y * stride + i - k // 2, x * stride + j - k // 2
            if 0 <= down < size and 0 <= right < size:
                W[o, y, x, channel, down, right] = weight[o, c, i, j]
    return W.reshape(outputs * to * to, -1)


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 3), (1, 5)])
def test_the_separable_block_is_a_dense_convolution_of_rank_one_a_channel(stride: int, kernel: int) -> None:
    torch.manual_seed(0)
    block = DepthwiseSeparable(3, 4, stride, kernel).double()
    matrix = dense_matrix(block.linear, (3, 5, 5))
    depthwise = convolution_matrix(block.depthwise.weight.detach(), 5, stride, groups=3)
    pointwise = convolution_matrix(block.pointwise.weight.detach(), -(-5 // stride))
    close(matrix, pointwise @ depthwise)
    close(matrix, convolution_matrix(block.dense().detach(), 5, stride))
    for kernel_of_one in block.dense().unbind(1):
        assert torch.linalg.matrix_rank(kernel_of_one.flatten(1)) == 1


def test_a_separable_block_s_norms_and_relus_stand_where_mobilenet_has_them() -> None:
    torch.manual_seed(0)
    block = DepthwiseSeparable(3, 8).double().train()
    x = torch.randn(4, 3, 6, 6, dtype=torch.float64)

    def normed(z: Tensor) -> Tensor:
        mean, variance = z.mean((0, 2, 3), keepdim=True), z.var((0, 2, 3), keepdim=True, unbiased=False)
        return torch.clamp((z - mean) / torch.sqrt(variance + 1e-5), min=0)

    expected = normed(F.conv2d(x, block.depthwise.weight, padding=1, groups=3))
    close(block(x), normed(torch.einsum("oc,bchw->bohw", block.pointwise.weight[:, :, 0, 0], expected)))


@pytest.mark.parametrize(
    ("inputs", "outputs", "stride", "groups"), [(8, 8, 1, 2), (8, 16, 2, 4), (6, 6, 1, 3)]
)
def test_the_shuffle_unit_s_branch_is_the_product_of_its_matrices(inputs, outputs, stride, groups) -> None:
    torch.manual_seed(0)
    unit = ShuffleUnit(inputs, outputs, stride, groups).double()
    size, middle = 4, unit.squeeze.out_channels
    permutation = dense_matrix(lambda x: channel_shuffle(x, groups), (middle, size, size))
    assert (permutation.sum(0) == 1).all()
    assert (permutation.sum(1) == 1).all()
    grouped = convolution_matrix(unit.squeeze.weight.detach(), size, groups=groups)
    depthwise = convolution_matrix(unit.depthwise.weight.detach(), size, stride, groups=middle)
    expand = convolution_matrix(unit.expand.weight.detach(), size // stride, groups=groups)
    close(dense_matrix(unit.linear, (inputs, size, size)), expand @ depthwise @ permutation @ grouped)
    unit.eval()  # new running means and variances: the norms only divide by sqrt(1 + 1e-5)
    x = torch.randn(2, inputs, size, size, dtype=torch.float64)
    y = unit(x)
    beside = x if stride == 1 else F.avg_pool2d(x, 3, 2, 1)
    assert y.shape == (2, outputs, size // stride, size // stride)
    if stride == 2:
        close(y[:, :inputs], beside.relu())


@given(st.integers(1, 5), st.integers(1, 5))
@settings(deadline=None, derandomize=True)
def test_a_shuffle_hands_each_group_one_channel_of_every_other(groups: int, n: int) -> None:
    x = torch.arange(groups * n).reshape(1, -1, 1, 1)
    y = channel_shuffle(x, groups)
    for g, i in itertools.product(range(groups), range(n)):
        assert y[0, i * groups + g] == g * n + i
    assert torch.equal(channel_shuffle(y, n), x)


def test_without_the_shuffle_groups_never_hear_of_each_other() -> None:
    torch.manual_seed(0)
    unit = ShuffleUnit(16, 16, groups=2).double()
    reach = dense_matrix(unit.linear, (16, 3, 3)).reshape(16, 9, 16, 9).abs().amax((1, 3))
    alone = dense_matrix(lambda x: unit.expand(unit.depthwise(unit.squeeze(x))), (16, 3, 3))
    assert (reach > 0).all()
    assert (alone.reshape(16, 9, 16, 9)[:8, :, 8:] == 0).all()


SIZES = [(8, 8, 8), (6, 9, 3), (12, 4, 4), (5, 10, 5), (4, 6, 1), (6, 4, 2)]


@pytest.mark.parametrize(("inputs", "outputs", "block"), SIZES)
def test_the_circulant_layer_is_its_matrix_forward_and_backward(inputs, outputs, block) -> None:
    torch.manual_seed(0)
    layer = CirculantLinear(inputs, outputs, block).double()
    nn.init.normal_(layer.bias)
    w = layer.weight.detach().numpy()
    W = torch.from_numpy(np.block([[scipy.linalg.circulant(column) for column in row] for row in w]))
    close(dense_matrix(layer, (inputs,)), W)
    close(layer.dense().detach(), W)
    x = torch.randn(2, 3, inputs, dtype=torch.float64, requires_grad=True)
    y, expected = layer(x), F.linear(x, layer.dense(), layer.bias)
    close(y, expected)
    back = torch.randn_like(y)
    wanted = [x, layer.weight, layer.bias]
    fast, dense = (torch.autograd.grad(out, wanted, back) for out in (y, expected))
    for a, b in zip(fast, dense, strict=True):
        close(a, b)


def test_the_spectra_are_kept_while_nothing_changes_and_never_longer() -> None:
    torch.manual_seed(0)
    layer = CirculantLinear(6, 6, 3).double().eval()
    x = torch.randn(2, 6, dtype=torch.float64)
    with torch.inference_mode():
        layer(x)
        kept = layer._kept
        layer(x)
        assert layer._kept is kept
    with torch.no_grad():
        layer.weight.mul_(2)  # in place, as an optimiser or load_state_dict does
        close(layer(x), F.linear(x, layer.dense(), layer.bias))
        layer.weight.data = torch.randn(2, 2, 3, dtype=torch.float64)
        close(layer(x), F.linear(x, layer.dense(), layer.bias))
        assert layer.float()(x.float()).dtype == torch.float32
    assert layer._kept is not None
    assert copy.deepcopy(layer)._kept is None
    with torch.inference_mode():
        born = CirculantLinear(6, 6, 3)
        for _ in range(2):  # its weights may change uncounted
            born.weight.mul_(2)
            y = F.linear(x.float(), born.dense(), born.bias)
            torch.testing.assert_close(born(x.float()), y)
    with torch.no_grad():  # a weight that comes to lie where another lay is not taken for it
        for _ in range(20):
            layer.weight.data = torch.randn(2, 2, 3)
            layer.weight.data = torch.randn(2, 2, 3)
            torch.testing.assert_close(layer(x.float()), F.linear(x.float(), layer.dense(), layer.bias))
    layer.double().weight.requires_grad_(False)
    with torch.inference_mode():
        layer(x)
    x.requires_grad_()
    (grad,) = torch.autograd.grad(layer(x).sum(), x)  # spectra made in inference mode serve here
    close(grad, layer.dense().sum(0).expand(2, -1))


@pytest.mark.parametrize("stride", [1, 2])
def test_the_circulant_convolution_is_nine_block_circulant_matrices_of_channels(stride: int) -> None:
    torch.manual_seed(0)
    layer = CirculantConv(4, 8, 4, stride).double()
    taps = layer.linear.dense().detach().reshape(8, 3, 3, 4).permute(0, 3, 1, 2)
    for i, j, k in itertools.product(range(3), range(3), range(2)):
        block = taps[4 * k : 4 * k + 4, :, i, j].numpy()
        np.testing.assert_array_equal(block, scipy.linalg.circulant(block[:, 0]))
    close(dense_matrix(layer, (4, 5, 5)), convolution_matrix(taps, 5, stride))


@given(
    st.sampled_from([1, 2, 4]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([1, 3]),
    st.integers(1, 2),
)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_a_convolution_s_cost_is_what_torch_counts(groups, n, m, kernel, stride) -> None:
    conv = nn.Conv2d(groups * n, groups * m, kernel, stride, kernel // 2, groups=groups, bias=False)
    x = torch.zeros(3, groups * n, 6, 6)
    with FlopCounterMode(display=False) as flops:
        conv(x)
    formula = conv_cost(groups * n, groups * m, kernel, (6 // stride) ** 2, groups)
    assert 2 * 3 * formula.multiply_adds == flops.get_total_flops()
    assert formula.parameters == sum(p.numel() for p in conv.parameters())
    assert counted(conv, x) == formula


@pytest.mark.parametrize("kind", ["dense", "separable", "shuffle"])
def test_a_net_s_counted_cost_is_torch_s(kind: str) -> None:
    net, x = classifier(kind), torch.zeros(2, 1, 16, 16)
    with FlopCounterMode(display=False) as flops:
        net(x)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    cost = counted(net, x)
    assert 2 * 2 * cost.multiply_adds == flops.get_total_flops()
    assert cost.parameters == sum(p.numel() for p in net.parameters() if p.ndim > 1)
    assert net.training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert not any(part._forward_hooks for part in net.modules())


def test_the_formulas_of_the_papers() -> None:
    dense, thin = conv_cost(64, 128, 3, 56 * 56), separable_cost(64, 128, 3, 56 * 56)
    assert thin.multiply_adds / dense.multiply_adds == pytest.approx(1 / 128 + 1 / 9, rel=1e-12)
    block = DepthwiseSeparable(16, 24, stride=2)
    assert counted(block, torch.zeros(1, 16, 8, 8)) == separable_cost(16, 24, 3, 16)
    layer = CirculantLinear(32, 16, 8, bias=False)
    assert counted(layer, torch.zeros(5, 7, 32)) == circulant_cost(32, 16, 8, vectors=7)
    assert circulant_cost(32, 16, 8) == (6 * 30 + 4 * 8 * 5, 64)  # by hand: 1.25 * 8 * 3 = 30 a transform
    assert circulant_cost(4096, 4096, 4096).multiply_adds * 100 < 4096**2
    assert [thinned(32, a) for a in (1, 0.75, 0.5, 0.25, 0.1)] == [32, 24, 16, 8, 8]


def test_a_width_multiplier_shrinks_the_cost_with_its_square() -> None:
    x = torch.zeros(1, 1, 16, 16)
    one, half = (counted(classifier("separable", a), x).multiply_adds for a in (2.0, 1.0))
    assert 2 < one / half < 4


def test_the_study_is_its_seed_and_nets_learn() -> None:
    nets = [("separable", 1.0), ("circulant", 0.5)]
    state = torch.random.get_rng_state()
    first, again = (accuracy_against_cost(1, nets, n=160, epochs=1) for _ in range(2))
    assert first == again
    assert torch.equal(state, torch.random.get_rng_state())
    assert first[0].multiply_adds == counted(classifier("separable"), torch.zeros(1, 1, 16, 16)).multiply_adds
    # Of ten classes a guess is right in 0.1 of 200; 0.25 is seven deviations off.
    (longer,) = accuracy_against_cost(1, [("dense", 1.0)], n=800, epochs=5)
    assert longer.accuracy > 0.25


BAD = [
    (lambda: CirculantLinear(6, 4, 4), "block must divide inputs and outputs; got block=4, inputs=6"),
    (lambda: CirculantLinear(6, 4, 2)(torch.zeros(1, 4)), r"x must be \(\.\.\., 6\); got \(1, 4\)"),
    (lambda: CirculantConv(4, 9, 9), "block must divide inputs; got block=9, inputs=4"),
    (lambda: channel_shuffle(torch.zeros(1, 6, 1, 1), 4), "groups must divide the channels; got groups=4, 6"),
    (lambda: ShuffleUnit(8, 16), "outputs must be inputs = 8 where stride is 1; got 16"),
    (lambda: ShuffleUnit(8, 8, 2), "outputs must be more than inputs = 8"),
    (lambda: ShuffleUnit(6, 6, 1, 4), "groups must divide inputs .*groups=4, inputs=6"),
    (lambda: ShuffleUnit(8, 8, 3), "stride must be 1 or 2; got 3"),
    (lambda: DepthwiseSeparable(2, 2, 1, 4), "kernel must be odd.*got 4"),
    (lambda: classifier("resnet"), "no classifier 'resnet'. There is: dense, separable"),
    (lambda: classifier("dense")(torch.zeros(1, 3, 8, 8)), r"x must be \(b, 1, h, w\); got \(1, 3, 8, 8\)"),
    (lambda: counted(nn.Linear(2, 2), torch.zeros(0, 2)), "example must hold at least one"),
    (lambda: thinned(8, 0), "multiplier must be > 0; got 0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "words"), BAD)
def test_bad_layers_are_named(call, words) -> None:
    with pytest.raises(ValueError, match=words):
        call()
