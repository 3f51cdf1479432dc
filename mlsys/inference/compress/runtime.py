"""The compressed model made fast: written as a graph of standard ONNX operators, run by onnxruntime.

The graph is built here from the layers, with the grids that our reference has chosen, so that the runtime and the
reference stand for the same numbers. Static layers are in the QDQ form (quantise, dequantise, float operator), of
which the runtime makes one integer kernel; dynamic ones use DynamicQuantizeLinear and MatMulInteger.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlsys.core.checks import whole
from mlsys.inference.compress.quantised import QuantisedLayer

OPSET, IR = 21, 10  # of 2024: what every later runtime reads
PLAIN = {nn.ReLU: "Relu", nn.Tanh: "Tanh", nn.Identity: "Identity"}


def onnx_bytes(model: nn.Sequential, example: Tensor) -> bytes:
    """The chain as a serialised ONNX model: input x (n, …) float32, output y.

    model : a Sequential of Linear, Conv2d, QuantisedLayer, ReLU, Tanh, Identity, Flatten, Unflatten, in float32
    example (1, …) : an input, by which shapes are found
    Raises TypeError for a layer that is none of them.
    """
    return Graph(model, example).model.SerializeToString()


def libraries() -> tuple[Any, Any]:
    """onnx and onnxruntime. Raises ImportError that says how they are installed."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"{error}. The runtime needs onnx and onnxruntime: pip install 'mlsys[serve]'."
        ) from error
    return onnx, onnxruntime


class Runner:
    """The chain under onnxruntime: call it with x (n, …), a tensor, for the outputs, a tensor.

    threads : of the runtime's own, which torch's settings do not reach
    On x86 without VNNI instructions the runtime's 8-bit products may saturate in int16 halfway: quantise the
    weights to bits=7 there. Raises ImportError without onnx and onnxruntime.
    """

    def __init__(self, model: nn.Sequential, example: Tensor, threads: int = 1) -> None:
        _, onnxruntime = libraries()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = whole(1, threads=threads)
        options.inter_op_num_threads = 1
        self.content = onnx_bytes(model, example)
        self.session = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])

    def __call__(self, x: Tensor) -> Tensor:
        return torch.from_numpy(self.session.run(None, {"x": x.numpy()})[0])


class Graph:
    """Collects nodes and constants while it walks along the chain."""

    def __init__(self, model: nn.Sequential, example: Tensor) -> None:
        onnx, _ = libraries()
        self.onnx, self.nodes, self.constants = onnx, list[Any](), dict[str, np.ndarray]()
        value, shape = "x", example.shape
        with torch.no_grad():
            for layer in model.eval():
                example = layer(example)
                value = self.layer(layer, value, example.shape)
        self.node("Identity", value, out="y")
        helper = onnx.helper
        inputs, outputs = (
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", *size[1:]])
            for name, size in (("x", shape), ("y", example.shape))
        )
        constants = [onnx.numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(self.nodes, "chain", [inputs], [outputs], constants)
        opset = [helper.make_opsetid("", OPSET)]
        self.model = helper.make_model(graph, opset_imports=opset, ir_version=IR)
        onnx.checker.check_model(self.model)

    def node(self, operator: str, *inputs: str, out: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """Add an operator; the name of its output, or of its outputs."""
        stem = out or f"{operator}_{len(self.nodes)}"
        names = [stem] if outputs == 1 else [f"{stem}_{i}" for i in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, names, **attributes))
        return stem if outputs == 1 else names

    def constant(self, array: Any) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.ascontiguousarray(
            array.detach().numpy() if isinstance(array, Tensor) else array
        )
        return name

    def layer(self, layer: Any, x: str, shape: torch.Size) -> str:
        """The operators of one layer; shape : of its output."""
        if type(layer) in PLAIN:
            return self.node(PLAIN[type(layer)], x)
        if isinstance(layer, nn.Flatten | nn.Unflatten):
            return self.node("Reshape", x, self.constant(np.array([-1, *shape[1:]])))
        if isinstance(layer, QuantisedLayer):
            if layer.mode == "dynamic":
                return self.dynamic(layer, x)
            return self.dequantised(layer, x)
        if isinstance(layer, nn.Linear) or (
            isinstance(layer, nn.Conv2d) and not isinstance(layer.padding, str)
        ):
            operands = [self.constant(p) for p in (layer.weight, layer.bias) if p is not None]
            return self.product(layer, x, *operands)
        raise TypeError(
            f"no ONNX operator is written here for {layer}. Use Linear, Conv2d, ReLU, Tanh, Flatten."
        )

    def product(self, layer: Any, x: str, *operands: str) -> str:
        if layer.weight.ndim == 2:
            return self.node("Gemm", x, *operands, transB=1)
        return self.node("Conv", x, *operands, **self.window(layer))

    def window(self, layer: Any) -> dict[str, Any]:
        window = layer.window if isinstance(layer, QuantisedLayer) else vars(layer)
        (top, left), stride = window["padding"], list(window["stride"])
        more = (
            {"group": layer.groups, "dilations": list(layer.dilation)} if isinstance(layer, nn.Conv2d) else {}
        )
        return {"pads": [top, left, top, left], "strides": stride, **more}

    def dequantised(self, layer: QuantisedLayer, x: str) -> str:
        """Static and weight-only: a float operator between dequantised operands."""
        axis: dict[str, Any] = {} if layer.weight_grid.axis is None else {"axis": 0}
        scale = np.asarray(layer.weight_grid.scale)
        zeros = self.constant(np.zeros(scale.shape, np.int8))
        operands = [
            self.node("DequantizeLinear", self.constant(layer.weight), self.constant(scale), zeros, **axis)
        ]
        if layer.x_grid is None:
            bias = [] if layer.bias is None else [self.constant(layer.bias)]
            return self.product(layer, x, *operands, *bias)
        grid = self.constant(layer.x_grid.scale), self.constant(np.asarray(layer.x_grid.zero_point, np.uint8))
        x = self.node("DequantizeLinear", self.node("QuantizeLinear", x, *grid), *grid)
        if layer.bias is not None:  # in int32, in units of the sums: the form that the runtime fuses
            unit = scale * layer.x_grid.scale
            whole_bias = np.round(layer.bias.numpy() / unit.astype(np.float64)).astype(np.int32)
            zeros = self.constant(np.zeros(unit.shape, np.int32))
            operands.append(
                self.node("DequantizeLinear", self.constant(whole_bias), self.constant(unit), zeros, **axis)
            )
        return self.product(layer, x, *operands)

    def dynamic(self, layer: QuantisedLayer, x: str) -> str:
        """The grid from this call's min and max, an integer product, one scale, the float bias."""
        q, x_scale, x_zero = self.node("DynamicQuantizeLinear", x, outputs=3)
        spread = (-1,) + (1,) * (layer.weight.ndim - 2)
        scale = np.asarray(layer.weight_grid.scale).reshape(
            spread if layer.weight_grid.axis is not None else ()
        )
        if layer.weight.ndim == 2:
            sums = self.node("MatMulInteger", q, self.constant(layer.weight.T), x_zero)
        else:
            sums = self.node("ConvInteger", q, self.constant(layer.weight), x_zero, **self.window(layer))
        real = self.node("Cast", sums, to=self.onnx.TensorProto.FLOAT)
        out = self.node("Mul", real, self.node("Mul", x_scale, self.constant(scale)))
        return out if layer.bias is None else self.node("Add", out, self.constant(layer.bias.reshape(spread)))
