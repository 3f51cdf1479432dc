"""What an update costs, counted from the Rule itself: its slots are its memory, its body is its arithmetic."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import NamedTuple

from mlsys.core import Rule


class Cost(NamedTuple):
    """Of one step, a parameter: bytes kept beside w and g, bytes moved, and operations.

    state_bytes : of the slots;  moved_bytes : w, g and slots read once, w and slots written once
    operations : + - * / sqrt maximum abs where, each counted as one
    """

    state_bytes: int
    moved_bytes: int
    operations: int

    @property
    def intensity(self) -> float:
        """Operations per byte moved."""
        return self.operations / self.moved_bytes


def cost(rule: Rule, itemsize: int = 4) -> Cost:
    """The cost of one step of a rule, a parameter.

    itemsize : bytes of a number: 4 in float32
    """
    slots = len(rule.State._fields) - 1  # type: ignore[attr-defined]  # all but t
    return Cost(itemsize * slots, itemsize * ((2 + slots) + (1 + slots)), operations(rule))


def operations(rule: Rule) -> int:
    """The operations that the body of a rule applies to each parameter."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(rule.body)))
    return sum(isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call) for node in ast.walk(tree))
