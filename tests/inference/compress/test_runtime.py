"""The chain under onnxruntime says what our reference says."""

from __future__ import annotations

import sys

import pytest
import torch
from chains import chain, inputs
from torch import nn

from mlsys.inference.compress.quantised import MODES, quantise_model
from mlsys.inference.compress.runtime import Runner, onnx_bytes
from mlsys.inference.compress.storage import stored_bytes
from mlsys.inference.compress.training import logits


def test_in_float_the_runtime_is_torch() -> None:
    runner = Runner(chain(), inputs(1))
    for n in (1, 7, 30):
        torch.testing.assert_close(runner(inputs(n)), logits(chain(), inputs(n)), rtol=1e-4, atol=1e-5)


# 7 bits, so that no processor's 8-bit products saturate: 2 x 255 x 63 fits 16 bits.
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_quantised_the_runtime_is_the_reference(mode: str, per_channel: bool) -> None:
    """Weight-only and dynamic to float's rounding, but where it moves a number of a later layer over a half; static
    to a step of each layer's grid, since there the runtime rounds from one integer grid to the next."""
    batches = [inputs()] if mode == "static" else None
    model = quantise_model(chain(), mode, batches, per_channel, bits=7)
    x = inputs(40, seed=1)
    ours, theirs = logits(model, x), Runner(model, x[:1])(x)
    error_of_quantisation = (ours - logits(chain(), x)).abs().max()
    assert (ours - theirs).abs().max() <= error_of_quantisation
    close = (ours - theirs).abs() <= 1e-4 * ours.abs().max()
    assert close.float().mean() >= {"weight-only": 1.0, "dynamic": 0.8, "static": 0.3}[mode]
    assert (ours - theirs).abs().mean() <= 0.25 * (ours - logits(chain(), x)).abs().mean() + 1e-7


def test_the_file_holds_the_bytes_that_were_counted() -> None:
    wide = nn.Sequential(nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 10))
    x = torch.rand(1, 300)
    for model in (wide, quantise_model(wide, "dynamic"), quantise_model(wide, "static", [x])):
        counted, file = stored_bytes(model), len(onnx_bytes(model, x))
        assert counted <= file <= 1.05 * counted + 2500  # the graph, and zero points that are zero


def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'mlsys\[serve\]'"):
        Runner(chain(), inputs(1))


def test_a_layer_without_an_operator_here_is_named() -> None:
    with pytest.raises(TypeError, match=r"no ONNX operator is written here for LayerNorm"):
        Runner(nn.Sequential(nn.LayerNorm(72)), inputs(1))
