"""A row-sparse array: the shape of the gradient of an embedding, or of a linear model on sparse features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlsys.core.dispatch import namespace


class RowSparse(NamedTuple):
    """Rows of an array that is zero elsewhere.

    rows : (k,) int, each at most once;  values : (k, ...) the rows themselves;  shape : of the whole array
    """

    rows: Any
    values: Any
    shape: tuple[int, ...]

    def check(self) -> RowSparse:
        """Itself, or an IndexError, TypeError or ValueError that names what is wrong."""
        n = self.shape[0]
        rows = np.asarray(self.rows.cpu() if hasattr(self.rows, "cpu") else self.rows)
        if rows.ndim != 1 or len(rows) != len(self.values):
            raise ValueError(f"rows must be (k,) beside k values; got {rows.shape} and {len(self.values)}.")
        if rows.dtype.kind not in "iu":
            raise TypeError(f"rows must be whole numbers; got dtype {rows.dtype}. Pass an array of integers.")
        if rows.size and (rows.min() < 0 or rows.max() >= n):
            raise IndexError(f"rows must lie in [0, {n}); got {rows.min()} to {rows.max()}.")
        if len(np.unique(rows)) != len(rows):
            raise ValueError("rows must be distinct; add up the values of equal rows first.")
        if tuple(self.values.shape[1:]) != tuple(self.shape[1:]):
            raise ValueError(f"values must have rows of shape {self.shape[1:]}; got {self.values.shape[1:]}.")
        return self

    def dense(self) -> Any:
        """The whole array (shape,), zeros included, in the library, place and dtype of the values."""
        place = {} if isinstance(self.values, np.ndarray) else {"device": self.values.device}
        full = namespace(self.values).zeros(self.shape, dtype=self.values.dtype, **place)
        full[self.rows] = self.values
        return full
