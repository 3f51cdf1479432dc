"""The one shape of the course: immutable data; pick something at random, update, iterate."""

from mlsys.core.algorithm import Algorithm, Objective, iterate
from mlsys.core.checks import fraction, nonnegative, positive, same_kind, whole
from mlsys.core.rule import Rule
from mlsys.core.seeds import generator
from mlsys.core.sparse import RowSparse

__all__ = [
    "Algorithm",
    "Objective",
    "RowSparse",
    "Rule",
    "fraction",
    "generator",
    "iterate",
    "nonnegative",
    "positive",
    "same_kind",
    "whole",
]
