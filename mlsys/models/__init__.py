"""Objectives: each has n terms, value(w, batch) and gradient(w, batch).

The torch networks are in mlsys.models.networks, which imports torch as this does not.
"""

from mlsys.models.landscapes import Plateau, Rosenbrock
from mlsys.models.linear import LeastSquares, Logistic
from mlsys.models.mlp import MLP, torch_mlp
from mlsys.models.quadratic import Quadratic, conditioned

__all__ = [
    "MLP",
    "LeastSquares",
    "Logistic",
    "Plateau",
    "Quadratic",
    "Rosenbrock",
    "conditioned",
    "torch_mlp",
]
