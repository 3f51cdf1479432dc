"""Quantisers: grids of whole numbers for real ones, how to choose them, and arithmetic on them.

NumPy arrays and torch tensors alike; mlsys.quant.fake, for training, is torch's alone and imports it.
"""

from mlsys.quant.grid import Grid, dequantise, grid_of, levels, quantise
from mlsys.quant.integer import centred, dequantised_product, product
from mlsys.quant.observers import Histogram, MinMax, MovingAverage, Observer
from mlsys.quant.ranges import CLIPS, calibrate, least_squares, min_max, percentile

__all__ = [
    "CLIPS",
    "Grid",
    "Histogram",
    "MinMax",
    "MovingAverage",
    "Observer",
    "calibrate",
    "centred",
    "dequantise",
    "dequantised_product",
    "grid_of",
    "least_squares",
    "levels",
    "min_max",
    "percentile",
    "product",
    "quantise",
]
