"""What a model costs to store and to compute: bytes of arrays that are really packed, multiply-adds counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mlsys.inference.compress.pruning import is_two_four
from mlsys.inference.compress.quantised import QuantisedLayer

Packed = dict[str, np.ndarray]


def narrow(numbers: np.ndarray, largest: int) -> np.ndarray:
    """Whole numbers up to `largest` in the narrowest unsigned type."""
    return numbers.astype(np.min_scalar_type(largest))


def dense(w: np.ndarray) -> Packed:
    """Every value."""
    return {"values": w.ravel()}


def bitmap(w: np.ndarray) -> Packed:
    """A bit a weight that says where it is, and the values that are not zero."""
    return {"bits": np.packbits(w.ravel() != 0), "values": w[w != 0]}


def csr(w: np.ndarray) -> Packed:
    """Compressed sparse rows: values, their columns, where each row ends."""
    rows = w.reshape(len(w), -1)
    _, columns = np.nonzero(rows)
    ends = np.cumsum((rows != 0).sum(1))
    return {
        "values": rows[rows != 0],
        "columns": narrow(columns, rows.shape[1] - 1),
        "ends": narrow(ends, rows.size),
    }


def two_four(w: np.ndarray) -> Packed:
    """Half of the values, and 2 bits for the place of each among its four: four places a byte."""
    fours = np.moveaxis(w, 1, -1).reshape(-1, 4)
    places = np.sort(np.argsort(fours == 0, axis=1, kind="stable")[:, :2], axis=1)
    flat = np.append(places.ravel(), np.zeros(-places.size % 4, int)).reshape(-1, 4)
    return {
        "values": np.take_along_axis(fours, places, 1).ravel(),
        "places": (flat << (2 * np.arange(4))).sum(1).astype(np.uint8),
    }


def few_bits(w: np.ndarray, bits: int) -> Packed:
    """Integers of 2 or of 4 bits, four or two a byte."""
    each = 8 // bits
    flat = np.append(w.ravel(), np.zeros(-w.size % each, w.dtype)).reshape(-1, each).astype(np.uint8)
    return {"bytes": ((flat & (2**bits - 1)) << (bits * np.arange(each))).sum(1).astype(np.uint8)}


def unpack(form: str, packed: Packed, shape: tuple[int, ...]) -> np.ndarray:
    """The weight again: nothing that `pack` stores is lost, and it needs nothing else but the shape."""
    if "bytes" in packed:
        bits = int(form[0])
        codes = (packed["bytes"][:, None] >> (bits * np.arange(8 // bits))).ravel()[: int(np.prod(shape))]
        half = 2 ** (bits - 1)  # two's complement: the upper half of the codes are the negative numbers
        return (((codes.astype(np.int64) + half) & (2 * half - 1)) - half).astype(np.int8).reshape(shape)
    values = packed["values"]
    w = np.zeros(int(np.prod(shape)), values.dtype)
    if form == "dense":
        w[:] = values
    elif form == "bitmap":
        w[np.unpackbits(packed["bits"], count=w.size).astype(bool)] = values
    elif form == "csr":
        counts: Any = np.diff(packed["ends"].astype(np.int64), prepend=0)
        width = w.size // shape[0]
        w[np.repeat(np.arange(shape[0]), counts) * width + packed["columns"]] = values
    else:
        places = (packed["places"][:, None] >> (2 * np.arange(4))) & 3
        fours = w.reshape(-1, 4)
        np.put_along_axis(
            fours, places.ravel()[: len(values)].reshape(-1, 2).astype(int), values.reshape(-1, 2), 1
        )
        moved = (shape[0], *shape[2:], shape[1])
        return np.moveaxis(fours.reshape(moved), -1, 1)
    return w.reshape(shape)


FORMS: dict[str, Callable[[np.ndarray], Packed]] = {
    "dense": dense,
    "bitmap": bitmap,
    "csr": csr,
    "two-four": two_four,
    "2-bit": lambda w: few_bits(w, 2),
    "4-bit": lambda w: few_bits(w, 4),
}


def pack(w: Tensor) -> tuple[str, Packed]:
    """(form, arrays) of the form among FORMS that takes the fewest bytes for this tensor; only matrices are sparse."""
    array = w.detach().cpu().numpy()
    forms = ["dense"]
    if array.ndim >= 2 and w.is_floating_point():
        forms += ["bitmap", "csr", *(["two-four"] if is_two_four(w.detach()) else [])]
    if array.dtype == np.int8 and array.size:
        largest = int(np.abs(array.astype(int)).max())
        forms += ["2-bit"] * (largest <= 1) + ["4-bit"] * (largest <= 7)
    packed = {form: FORMS[form](array) for form in forms}
    best = min(forms, key=lambda form: nbytes(packed[form]))
    return best, packed[best]


def nbytes(packed: Packed) -> int:
    return sum(array.nbytes for array in packed.values())


def stored_bytes(model: nn.Module) -> int:
    """Bytes of the model's parameters and buffers, each in its smallest form; names and shapes are not counted."""
    return sum(nbytes(pack(tensor)[1]) for tensor in model.state_dict().values())


LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, QuantisedLayer)


class Work(NamedTuple):
    """multiply_adds : of all weights;  nonzero : of those that are not zero, which only a kernel that skips the
    others can save."""

    multiply_adds: int
    nonzero: int


def work(model: nn.Module, x: Tensor) -> Work:
    """Multiply-adds of linear and convolutional layers, ours of 8 bits among them, for one example x (1, …).

    Each weight of a layer is used once at each position of its output. (At a zero-padded border a convolution's
    are counted too: dense kernels do them.)
    """
    total = np.zeros(2, np.int64)

    def count(layer: Any, inputs: Any, out: Tensor) -> None:
        positions = out.numel() // len(layer.weight) // len(x)
        total[:] += positions * np.array([layer.weight.numel(), int((layer.weight != 0).sum())])

    hooks = [layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, LAYERS)]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return Work(int(total[0]), int(total[1]))
