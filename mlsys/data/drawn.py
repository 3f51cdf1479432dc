"""Generated images: ten shapes and textures, anywhere, of any size and contrast, under noise."""

from __future__ import annotations

import numpy as np

from mlsys.core.checks import nonnegative, whole
from mlsys.core.seeds import generator
from mlsys.data.dataset import Dataset
from mlsys.data.generated import FREE, OURS

CLASSES = ("disc", "ring", "square", "frame", "triangle", "plus", "saltire", "bars", "stripes", "checks")


def shapes(seed: int = 0, n: int = 4000, size: int = 16, channels: int = 1, noise: float = 0.1) -> Dataset:
    """Images of one of CLASSES each, lighter or darker than its ground; a mirrored one is of the same class.

    X : (n, channels * size**2) float64 in [0, 1], channel, row, column; images(dataset) gives (n, c, size, size)
    y : (n,) labels 0 … 9, equally many of each (the first classes one more)
    Centre, radius (0.25 to 0.45 of the size), tilt (up to 11 degrees), ground (0.3 to 0.7) and contrast (0.25 to
    0.6 either way) are uniform; with more channels, ground and contrast differ in each. `noise` is the deviation
    of each pixel before it is clipped. Since a shape may be anywhere and of either sign, the mean image of every
    class is the same grey: a linear model learns next to nothing, and the smallest conv net most of it.
    Raises ValueError if n, size < 8 or channels < 1, or noise < 0. Source: ours.
    """
    n, size, channels = whole(1, n=n), whole(8, size=size), whole(1, channels=channels)
    noise, rng = nonnegative(noise=noise), generator(seed, "shapes")
    y = np.arange(n) % len(CLASSES)
    radius = size * rng.uniform(0.25, 0.45, (n, 1, 1))
    room = (size - 1) / 2 - 0.9 * radius  # how far the centre may be from the middle
    off = np.maximum(room, 0) * rng.uniform(-1, 1, (2, n, 1, 1))
    tilt = rng.uniform(-0.2, 0.2, (n, 1, 1))
    at = np.arange(size) - (size - 1) / 2
    down, right = at[:, None] - off[0], at[None, :] - off[1]
    u = (np.cos(tilt) * right + np.sin(tilt) * down) / radius
    v = (np.cos(tilt) * down - np.sin(tilt) * right) / radius
    inside = np.zeros((n, size, size))
    for label in range(len(CLASSES)):
        rows = y == label
        inside[rows] = _depth(label, u[rows], v[rows])
    cover = np.clip(0.5 + inside * radius, 0, 1)[:, None]  # the share of each pixel that the shape covers
    ground = rng.uniform(0.3, 0.7, (n, channels, 1, 1))
    sign = rng.choice([-1.0, 1.0], (n, channels, 1, 1))
    contrast = sign * rng.uniform(0.25, 0.6, (n, channels, 1, 1))
    X = np.clip(ground + contrast * cover + noise * rng.standard_normal((n, channels, size, size)), 0, 1)
    return Dataset("shapes", X.reshape(n, -1), y, OURS, FREE, (channels, size, size))


def _depth(label: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """How far inside the shape each point is, in radii, negative outside; u to the right, v down, in radii."""
    a, b = abs(u), abs(v)
    box = 0.85 - np.maximum(a, b)
    match CLASSES[label]:
        case "disc":
            return 0.95 - np.hypot(u, v)
        case "ring":
            return 0.2 - abs(np.hypot(u, v) - 0.75)
        case "square":
            return box
        case "frame":
            return 0.2 - abs(np.maximum(a, b) - 0.65)
        case "triangle":
            return np.minimum(0.8 - v, 0.45 * (v + 0.95) - 0.9 * a)
        case "plus":
            return np.maximum(np.minimum(0.22 - a, 0.95 - b), np.minimum(0.22 - b, 0.95 - a))
        case "saltire":
            c, d = abs(u + v) / np.sqrt(2), abs(u - v) / np.sqrt(2)
            return np.maximum(np.minimum(0.22 - c, 0.95 - d), np.minimum(0.22 - d, 0.95 - c))
        case "bars":
            return np.minimum(box, 0.17 * np.cos(2 * np.pi * v / 0.68))
        case "stripes":
            return np.minimum(box, 0.17 * np.cos(2 * np.pi * u / 0.68))
        case _:
            return np.minimum(box, 0.3 * np.cos(np.pi * u / 0.6) * np.cos(np.pi * v / 0.6))
