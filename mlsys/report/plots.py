"""Drawings that several pages share: level lines, paths over them, and the roofline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator

from mlsys.report.style import COLOURS, DASHES, MARKS

Limits = tuple[float, float]


def on_grid(f: Callable[[np.ndarray], float]) -> Callable[[Any, Any], np.ndarray]:
    """f of a point (2,) as a function of two arrays of coordinates."""
    return np.vectorize(lambda x, y: f(np.array([x, y])), otypes=[float])


def contours(ax: Any, f: Callable[[np.ndarray], float], xlim: Limits, ylim: Limits, levels: int = 12) -> None:
    """The level lines of f over a rectangle, spaced evenly in the logarithm, with the axes named."""
    x, y = np.linspace(*xlim, 81), np.linspace(*ylim, 61)
    z = on_grid(f)(*np.meshgrid(x, y))
    ax.contour(
        x, y, z, np.geomspace(max(z.min(), z.max() * 1e-4), z.max(), levels), colors="#9aa5b1", linewidths=0.8
    )
    ax.set(xlabel="$w_1$", ylabel="$w_2$", xlim=xlim, ylim=ylim)
    ax.grid(False)


def path(ax: Any, points: Sequence[np.ndarray], i: int, label: str, every: int = 1) -> None:
    """The i-th path of a drawing, (k, 2): its own colour, dash and mark, with its end emphasised."""
    x, y = np.asarray(points).T
    style = {"color": COLOURS[i], "marker": MARKS[i]}
    ax.plot(x, y, linestyle=DASHES[i], markersize=4, markevery=every, label=label, **style)
    ax.plot(x[-1], y[-1], markersize=9, markeredgecolor="white", linestyle="none", **style)


def roofline(ax: Any, bandwidth: float, peak: float, points: Mapping[str, float]) -> None:
    """What arithmetic intensity allows, log–log, with named intensities on the roof.

    bandwidth : bytes/s;  peak : operations/s;  points : operations per byte, by name
    """
    ridge = peak / bandwidth
    x = np.geomspace(min(points.values()) / 2, 4 * ridge, 200)
    ax.loglog(x, np.minimum(bandwidth * x, peak) / 1e9, color="#555", linestyle="-")
    ax.axvline(ridge, color="#999", linestyle=":", linewidth=1)
    for i, (name, intensity) in enumerate(points.items()):
        ax.plot(
            intensity, min(bandwidth * intensity, peak) / 1e9, color=COLOURS[i], marker=MARKS[i],
            markersize=8, linestyle="none", label=name,
        )  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    ax.set(xlabel="arithmetic intensity (operations / byte)", ylabel="attainable speed (Gop/s)")
