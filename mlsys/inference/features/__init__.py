"""Random kernel features, by which a linear model becomes a kernel machine, and their price."""

from mlsys.inference.features.hadamard import Transform, butterfly, hadamard
from mlsys.inference.features.random import KINDS, Dense, Fastfood, Features, fastfood, orthogonal, rff

__all__ = [
    "KINDS",
    "Dense",
    "Fastfood",
    "Features",
    "Transform",
    "butterfly",
    "fastfood",
    "hadamard",
    "orthogonal",
    "rff",
]
