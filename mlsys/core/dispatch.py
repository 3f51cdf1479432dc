"""One body, several engines: rebinding `xp`, and the one table from array kind to engine."""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from mlsys.core.checks import kind

# An entry is "module:attribute", imported at its first use, so that core imports nothing upwards
# and a machine without Numba or Triton never asks for them.
_NAMESPACES: dict[str, str] = {"numpy": "numpy", "torch.cpu": "torch", "torch.cuda": "torch"}
_FAST_PATHS: dict[str, str] = {
    "torch.cpu": "mlsys.kernels.cpu:Plan",
    "torch.cuda": "mlsys.kernels.cuda:Plan",
}
_LOWBIT_PATHS: dict[str, str] = {
    "torch.cpu": "mlsys.kernels.lowbit_cpu:Plan",
    "torch.cuda": "mlsys.kernels.lowbit_cuda:Plan",
}


def load(entry: str) -> Any:
    """The object that "module:attribute" names; the module itself without an attribute."""
    module, _, attribute = entry.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def _entry(table: dict[str, str], array_kind: str, what: str) -> Any:
    if array_kind not in table:
        raise TypeError(f"no {what} for {array_kind} arrays. There is one for: {', '.join(sorted(table))}.")
    return load(table[array_kind])


def namespace(array: Any) -> types.ModuleType:
    """The module whose sqrt, maximum, where, abs fit this array: numpy or torch."""
    return _entry(_NAMESPACES, kind(array), "array namespace")


def fast_path(array_kind: str) -> Any:
    """The class that lifts a body over pointer tables for arrays of this kind."""
    return _entry(_FAST_PATHS, array_kind, "fast path")


def lowbit_path(array_kind: str) -> Any:
    """The same for bodies whose moments are kept in fewer bits."""
    return _entry(_LOWBIT_PATHS, array_kind, "fast path for moments in fewer bits")


@functools.cache
def lift(body: Callable, xp: types.ModuleType) -> Callable:
    """The same body with its module's global `xp` bound to another namespace."""
    if body.__globals__.get("xp", np) is xp:
        return body
    lifted = types.FunctionType(
        body.__code__, {**body.__globals__, "xp": xp}, body.__name__, body.__defaults__, body.__closure__
    )
    return functools.update_wrapper(lifted, body)
