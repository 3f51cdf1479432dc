"""Efficient architectures: depthwise-separable, grouped and shuffled, block-circulant.

Each is a matrix that is cheaper to apply than to write down.

Imported where it is used, since it needs torch: `from mlsys.inference.layers import DepthwiseSeparable`.
"""

from mlsys.inference.layers.circulant import CirculantConv, CirculantLinear
from mlsys.inference.layers.classifiers import classifier
from mlsys.inference.layers.counting import Cost, circulant_cost, conv_cost, counted, separable_cost
from mlsys.inference.layers.matrix import dense_matrix
from mlsys.inference.layers.separable import DepthwiseSeparable, thinned
from mlsys.inference.layers.shuffle import ShuffleUnit, channel_shuffle
from mlsys.inference.layers.study import Outcome, accuracy_against_cost

__all__ = [
    "CirculantConv",
    "CirculantLinear",
    "Cost",
    "DepthwiseSeparable",
    "Outcome",
    "ShuffleUnit",
    "accuracy_against_cost",
    "channel_shuffle",
    "circulant_cost",
    "classifier",
    "conv_cost",
    "counted",
    "dense_matrix",
    "separable_cost",
    "thinned",
]
