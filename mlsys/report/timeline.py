"""A figure with a slider whose frames are bars over time: who waited when, and who was computed when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlsys.report.slider import Slider
from mlsys.report.style import COLOURS


class Timeline(Slider):
    """Bars over time in rows, in kinds that differ in colour and width; one set of bars a slider position.

    end : of the time axis, which begins at 0;  rows : how many, counted from 1 at the bottom
    name : what the slider sets;  alt : what a reader who cannot see it needs to know
    names : of the kinds of bars, for the legend;  widths : of each kind, as a share of a row
    axes : what time and rows are called;  at : the position that the slider starts at
    add(label, text, *bars) : a frame; bars (k, 3) a kind: row, from, to. What is beyond the end is cut off.
    """

    draw = 'lines[i].setAttribute("d", shape);'

    def __init__(
        self,
        end: float,
        rows: int,
        name: str,
        alt: str,
        names: Sequence[str],
        widths: Sequence[float],
        axes: tuple[str, str] = ("ms", "request"),
        at: int = 0,
    ) -> None:
        super().__init__((0.0, end), (0.5, rows + 0.5), name, alt, names, axes, at)
        self.ends, self.widths = ((0.0, end), (1, rows)), tuple(widths)

    def add(self, label: str, text: str, *bars: np.ndarray) -> None:
        """One more position of the slider. Raises ValueError if the number of kinds is not that of the names."""
        if len(bars) != len(self.names):
            raise ValueError(f"every frame needs {len(self.names)} kinds of bars; got {len(bars)}.")
        self.frames.append({"label": label, "text": text, "paths": [self._shape(kind) for kind in bars]})

    def _shape(self, bars: np.ndarray) -> str:
        bars = np.asarray(bars, dtype=float).reshape(-1, 3)
        starts = self._pixels(bars[:, [1, 0]])
        ends = self._pixels(bars[:, [2, 0]])
        return "".join(f"M{x:.1f} {y:.1f}H{to:.1f}" for (x, y), (to, _) in zip(starts, ends, strict=True))

    def _series(self, name: str) -> str:
        row = self.height / (self.ylim[1] - self.ylim[0])
        return "".join(
            f'<path class="path" stroke="{COLOURS[i]}" style="stroke-width:{row * width:.1f}" d="{shape}"/>'
            for i, (shape, width) in enumerate(zip(self.frames[self.at]["paths"], self.widths, strict=True))
        )

    def _key(self, i: int) -> str:
        return f'stroke="{COLOURS[i]}" stroke-width="{10 * self.widths[i]:g}"'
