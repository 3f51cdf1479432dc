"""What the bodies of `mlsys.core.lowbit` ask of NumPy arrays and torch tensors; other engines have theirs."""

from __future__ import annotations

from typing import Any

from mlsys.core.dispatch import namespace


def bits(x: Any) -> Any:
    """The 32 bits of each float32, as an int32."""
    return x.view(namespace(x).int32)


def real(n: Any) -> Any:
    """The float32 that has the bits of each int32."""
    return n.view(namespace(n).float32)


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y."""
    return namespace(condition).where(condition, x, y)


def at_least(n: Any, low: int) -> Any:
    """n, or low where n is less."""
    return n.clip(low)


def whole(x: Any, kind: str = "int32") -> Any:
    """The numbers in an integer type, of which they keep the low bits."""
    xp = namespace(x)
    return x.astype(kind) if xp.__name__ == "numpy" else x.to(getattr(xp, kind))
