"""Int8 layers: their integers against a product done by hand and against torch's int8 kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from chains import chain, inputs
from torch import nn
from torch.nn import functional as F

from mlsys.inference.compress.quantised import (
    MODES,
    QuantisedLayer,
    fold_norms,
    quantise_model,
    targets,
)
from mlsys.inference.compress.training import logits
from mlsys.models.networks import conv_net
from mlsys.quant import Histogram, calibrate, dequantise, quantise


def quantised(mode: str, per_channel: bool = True, **options) -> nn.Module:
    return quantise_model(chain(), mode, [inputs()] if mode == "static" else None, per_channel, **options)


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_each_layer_is_the_float_layer_of_its_dequantised_operands(mode: str, per_channel: bool) -> None:
    """In float64, where nothing but the grids is rounded: the integers, zero points, padding and scales are right."""
    x = inputs().double()
    for layer, was in zip(quantised(mode, per_channel), chain(), strict=True):
        out = layer(x)
        if isinstance(layer, QuantisedLayer):
            w = dequantise(layer.weight, layer.weight_grid).double()
            grid = layer.x_grid or calibrate(x, scheme="unsigned")
            a = x if mode == "weight-only" else dequantise(quantise(x, grid), grid).double()
            bias = None if was.bias is None else was.bias.detach().double()
            if isinstance(was, nn.Linear):
                expected = F.linear(a, w, bias)
            else:
                expected = F.conv2d(a, w, bias, was.stride, was.padding)
            # dequantise multiplies in float32, which rounds each operand once.
            torch.testing.assert_close(out, expected, rtol=1e-6, atol=1e-6 * float(expected.abs().max()))
        x = out


@pytest.mark.parametrize("per_channel", [True, False])
def test_a_static_linear_layer_is_torch_s_onednn_kernel(per_channel: bool) -> None:
    model = quantised("static", per_channel)
    x = inputs()
    with torch.no_grad():
        for layer in model:
            out = layer(x)
            if isinstance(layer, QuantisedLayer) and layer.weight.ndim == 2:
                grid, scale = layer.x_grid, layer.scale.reshape(-1)
                q = quantise(x, grid)
                packed = torch.ops.onednn.qlinear_prepack(layer.weight, None)
                theirs = torch.ops.onednn.qlinear_pointwise(
                    q,
                    float(grid.scale),
                    int(grid.zero_point),
                    packed,
                    scale,
                    torch.zeros(len(scale), dtype=torch.int64),
                    layer.bias,
                    1.0,
                    0,
                    torch.float32,
                    "none",
                    [],
                    "",
                )
                torch.testing.assert_close(out, theirs, rtol=1e-5, atol=1e-6)
            x = out


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor, torch.quantize_per_channel")
def test_a_dynamic_linear_layer_is_torch_s_dynamic_one() -> None:
    """Without reduce_range, with which torch leaves one bit of the activations out for older processors."""
    layer, x = nn.Sequential(nn.Linear(72, 9)), inputs()
    ours = quantise_model(layer, "dynamic")(x)
    w = layer[0].weight.detach()
    grid = calibrate(w, axis=0)
    theirs_w = torch.quantize_per_channel(
        w, torch.tensor(grid.scale), torch.zeros(9, dtype=torch.int64), 0, torch.qint8
    )
    packed = torch.ops.quantized.linear_prepack(theirs_w, layer[0].bias.detach())
    theirs = torch.ops.quantized.linear_dynamic(x, packed, False)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_error_against_float_is_within_its_bound() -> None:
    """A linear layer: |x| scale_w / 2 + scale_x / 2 (|w| + scale_w / 2), summed over the inputs."""
    layer, x = chain()[6], torch.rand(40, 56)
    ours = quantise_model(nn.Sequential(layer), "dynamic")
    half_w = ours[0].scale[:, None] / 2
    half_x = float(calibrate(x, scheme="unsigned").scale) / 2
    bound = x.abs().sum(1, keepdim=True) * half_w.T + half_x * (layer.weight.abs() + half_w).sum(1)
    error = (ours(x) - layer(x)).abs()
    assert (error <= bound * 1.001).all()
    assert error.max() > 0


def test_dynamic_adapts_to_each_call_and_static_saturates() -> None:
    loud = inputs() * 20
    error = {m: float((logits(quantised(m), loud) - logits(chain(), loud)).abs().mean()) for m in MODES}
    assert error["dynamic"] < 0.2 * error["static"]
    assert error["weight-only"] < error["dynamic"]


def test_a_scale_a_channel_suits_channels_of_different_size() -> None:
    model = nn.Sequential(nn.Linear(72, 6))
    with torch.no_grad():
        model[0].weight *= 10.0 ** -torch.arange(6.0)[:, None]
        model[0].bias.zero_()
    x = inputs()
    with torch.no_grad():
        real = model(x)
        relative = {
            each: (quantise_model(model, "weight-only", per_channel=each)(x) - real).norm(dim=0)
            / real.norm(dim=0)
            for each in (True, False)
        }
    assert relative[True].max() < 0.01
    assert relative[False][-1] > 0.5  # the smallest channel is rounded away


def test_calibration_uses_what_the_observer_says() -> None:
    outlier = torch.cat([inputs(200), torch.full((1, 72), 1000.0)])
    everything = quantise_model(chain(), "static", [outlier])
    clipped = quantise_model(chain(), "static", [outlier[:100], outlier[100:]], observer=Histogram(p=99))
    first = next(iter(targets(chain())))
    assert everything.get_submodule(first).x_grid.scale > 3.9
    assert clipped.get_submodule(first).x_grid.scale < 0.05
    x = inputs(seed=1)
    error = [(logits(m, x) - logits(chain(), x)).abs().mean() for m in (clipped, everything)]
    assert error[0] < 0.2 * error[1]


def test_folded_norms_leave_the_outputs_as_they_are() -> None:
    model = nn.Sequential(
        nn.Unflatten(1, (2, 6, 6)),
        nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
        nn.Flatten(),
        nn.Linear(64, 8, bias=False),
        nn.BatchNorm1d(8),
    )
    for _ in range(5):
        model(inputs() * 3)  # so that the norms have statistics
    folded = fold_norms(model)
    assert not any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in folded.modules())
    torch.testing.assert_close(folded(inputs()), logits(model, inputs()), rtol=1e-4, atol=1e-5)


def test_the_conv_net_of_the_course_in_int8() -> None:
    """Its norms fold, and it is no chain: layers are found wherever they are."""
    model, x = conv_net(1, 10, 8, seed=0), torch.rand(50, 1, 8, 8)
    for _ in range(3):
        model(x)
    folded = fold_norms(model)
    assert len(targets(folded)) == 4
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    real = logits(model, x)
    torch.testing.assert_close(logits(folded, x), real, rtol=1e-4, atol=1e-5)
    for mode in ("dynamic", "static"):
        eight = quantise_model(folded, mode, [x] if mode == "static" else None)
        assert (logits(eight, x) - real).abs().mean() < 0.05 * real.std()


@pytest.mark.parametrize("mode", MODES)
def test_all_that_a_layer_knows_is_in_its_state(mode: str) -> None:
    other = quantise_model(chain(5), mode, [inputs(seed=5) * 3] if mode == "static" else None)
    assert not torch.equal(other(inputs()), quantised(mode)(inputs()))
    other.load_state_dict(quantised(mode).state_dict())
    assert torch.equal(other(inputs()), quantised(mode)(inputs()))


def test_the_model_itself_is_left_alone_and_nothing_is_left_on_it() -> None:
    model = chain()
    before = logits(model, inputs())
    quantise_model(model, "static", [inputs()])
    assert torch.equal(logits(model, inputs()), before)
    assert not any(m._forward_pre_hooks for m in model.modules())


def test_what_cannot_be_quantised_is_named() -> None:
    nan = inputs()
    nan[3, 5] = torch.nan
    broken, exploding = chain(), chain()
    nn.init.constant_(broken[3].weight, torch.inf)
    with torch.no_grad():
        exploding[1].bias[0] = torch.inf
    for call, words in (
        (
            lambda: quantise_model(chain(), "int8"),
            "mode must be one of weight-only, dynamic, static; got 'int8'",
        ),
        (lambda: quantise_model(chain(), "static"), "batches are for static quantisation, which needs them"),
        (lambda: quantise_model(chain(), "dynamic", [inputs()]), "batches are for static quantisation"),
        (lambda: quantise_model(chain(), "static", []), "1: nothing was observed yet"),
        (
            lambda: quantise_model(chain(), "static", [inputs(), nan]),
            "batches must be finite; 1 of 2160 .*1 NaN",
        ),
        (lambda: quantise_model(broken, "dynamic"), "3: x must be finite; 192 of 192 numbers"),
        (
            lambda: quantise_model(exploding, "static", [inputs()]),
            "the input of 3: x must be finite; 1080 of",
        ),
        (lambda: quantise_model(nn.Sequential(nn.ReLU()), "dynamic"), "holds nn.Linear or nn.Conv2d layers"),
        (lambda: quantise_model(chain(), "dynamic", bits=9), "bits must be <= 8; got 9"),
        (lambda: quantise_model(chain(), "dynamic")(nan), "x must be finite; 1 of"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    for layer in (
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(2, 2, 3, dilation=2),
        nn.Conv2d(2, 2, 3, padding="same"),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"),
    ):
        with pytest.raises(
            TypeError, match=r"Linear and Conv2d of one group|padding must be numbers of zeros"
        ):
            quantise_model(nn.Sequential(layer), "dynamic")


def test_fewer_bits_of_the_weights_cost_more() -> None:
    x = inputs()
    error = [
        float((logits(quantised("weight-only", bits=b), x) - logits(chain(), x)).abs().mean())
        for b in (8, 6, 4, 2)
    ]
    assert np.all(np.diff(error) > 0)
