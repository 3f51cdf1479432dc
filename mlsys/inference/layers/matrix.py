"""Any linear layer as the matrix that it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mlsys.core.checks import whole


def dense_matrix(layer: Callable[[Tensor], Tensor], shape: Sequence[int]) -> Tensor:
    """W with layer(x).flatten() = W x.flatten() + layer(0).flatten(), a column for each unit vector: (outputs, inputs).

    shape : of one example, without the batch; float64. Says nothing about a layer that is not linear.
    """
    shape = [whole(1, shape=side) for side in shape]
    n = torch.Size(shape).numel()
    units = torch.eye(n, dtype=torch.float64).reshape(n, *shape)
    with torch.no_grad():
        zero = layer(torch.zeros(1, *shape, dtype=torch.float64))
        return (layer(units) - zero).flatten(1).T.contiguous()
