"""A figure with a slider that works in the browser alone: every frame is computed by the build."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from mlsys.report.style import COLOURS

DASH = ("none", "9 5", "2 4", "12 4 2 4")  # of the paths, as strokes
_ids = count(1)

_SCRIPT = """
(function () {
  const root = document.getElementById("ID"), frames = FRAMES;
  const input = root.querySelector("input"), out = root.querySelector("output");
  const lines = root.querySelectorAll(".path"), dots = root.querySelectorAll(".end");
  function show() {
    const frame = frames[input.value];
    out.textContent = frame.text;
    input.setAttribute("aria-valuetext", frame.label + ". " + frame.text);
    root.querySelector(".value").textContent = frame.label;
    frame.paths.forEach(function (shape, i) {
      DRAW
    });
  }
  input.addEventListener("input", show);
  show();
})();
"""


class Slider:
    """What figures with a slider share: the frames, the axes, the legend, the control and its script.

    xlim, ylim : the map's limits;  name : what the slider sets, such as "learning rate"
    alt : what a reader who cannot see it needs to know;  names : of what is drawn, for a legend
    axes : what the two coordinates are called;  at : the position that the slider starts at
    A subclass adds frames of a label, a text and paths, draws the first of them in `_series`, and says in `draw`,
    in JavaScript, how the i-th path takes a frame's `shape`. ends : the numbers at the ends of the axes.
    """

    width, height = 640, 420
    draw = ""

    def __init__(
        self,
        xlim: Sequence[float],
        ylim: Sequence[float],
        name: str,
        alt: str,
        names: Sequence[str],
        axes: tuple[str, str],
        at: int,
    ) -> None:
        self.xlim, self.ylim, self.name, self.alt = tuple(xlim), tuple(ylim), name, alt
        self.names, self.axes, self.at = tuple(names), axes, at
        self.ends = (self.xlim, self.ylim)
        self.frames: list[dict[str, Any]] = []

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        """Points in the picture's units; what leaves the map by far (a diverging path) is cut at its surroundings."""
        low, high = np.array([self.xlim[0], self.ylim[0]]), np.array([self.xlim[1], self.ylim[1]])
        unit = (np.nan_to_num(np.asarray(points, dtype=float), posinf=1e9, neginf=-1e9) - low) / (high - low)
        unit = np.clip(unit, -3, 4)
        return np.column_stack([unit[:, 0] * self.width, (1 - unit[:, 1]) * self.height])

    def _labels(self) -> str:
        """The ends of both axes and their names, beside the map."""
        w, h = self.width, self.height
        (left, right), (bottom, top) = self.ends
        labels = [
            (0, h + 22, "start", f"{left:g}"),
            (w, h + 22, "end", f"{right:g}"),
            (w / 2, h + 22, "middle", f"{self.axes[0]} \u2192"),
            (-8, h, "end", f"{bottom:g}"),
            (-8, 14, "end", f"{top:g}"),
        ]
        drawn = "".join(
            f'<text class="axis" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>'
            for x, y, anchor, text in labels
        )
        middle = f'transform="translate(-16 {h / 2:g}) rotate(-90)" text-anchor="middle"'
        return f'{drawn}<text class="axis" {middle}>{self.axes[1]} \u2192</text>'

    def _ground(self) -> str:
        """What lies under the paths."""
        return ""

    def _series(self, name: str) -> str:
        """What is drawn at the frame that the slider starts at."""
        raise NotImplementedError

    def _key(self, i: int) -> str:
        """How the legend draws the i-th name: attributes of a stroke."""
        raise NotImplementedError

    def _legend(self) -> str:
        rows = "".join(
            f'<li><svg viewBox="0 0 28 10" aria-hidden="true"><path d="M0 5h28" {self._key(i)}/></svg>'
            f"{html.escape(name)}</li>"
            for i, name in enumerate(self.names)
        )
        return f"<ul>{rows}</ul>" if rows else ""

    def _repr_html_(self) -> str:
        name = f"mlsys-slider-{next(_ids)}"
        now = self.frames[self.at]
        script = _SCRIPT.replace("ID", name).replace("DRAW", self.draw)
        script = script.replace("FRAMES", json.dumps(self.frames))
        w, h = self.width, self.height
        return (
            f'<div class="mlsys-slider" id="{name}"><svg viewBox="-52 -8 {w + 62} {h + 40}" role="img" '
            f'aria-label="{html.escape(self.alt, quote=True)}">{self._labels()}'
            f'<svg width="{w}" height="{h}">{self._ground()}{self._series(name)}</svg>'
            f'<rect class="map" width="{w}" height="{h}"/></svg>{self._legend()}'
            f'<label>{html.escape(self.name)}: <span class="value">{html.escape(now["label"])}</span> '
            f'<input type="range" min="0" max="{len(self.frames) - 1}" value="{self.at}" step="1"></label>'
            f'<output aria-live="polite">{html.escape(now["text"])}</output></div><script>{script}</script>'
        )


class PathSlider(Slider):
    """Paths over a contour map, one set of paths a slider position.

    f(x, y) : the function whose level lines are drawn, on arrays;  xlim, ylim : the map's limits
    name : what the slider sets, such as "learning rate";  alt : what a reader who cannot see it needs to know
    minimum : (x, y) of a cross to draw;  names : of the paths, for a legend, where there are several
    axes : what the two coordinates are called;  at : the position that the slider starts at
    add(label, text, *paths) : a frame; `label` is the slider's value, `text` one line of result, each path (k, 2)
    """

    draw = """
      lines[i].setAttribute("points", shape.join(" "));
      const last = shape[shape.length - 1].split(",");
      dots[i].setAttribute("cx", last[0]);
      dots[i].setAttribute("cy", last[1]);"""

    def __init__(
        self,
        f: Any,
        xlim: Sequence[float],
        ylim: Sequence[float],
        name: str,
        alt: str,
        minimum: Sequence[float] | None = None,
        names: Sequence[str] = (),
        axes: tuple[str, str] = ("w\u2081", "w\u2082"),
        at: int = 0,
    ) -> None:
        super().__init__(xlim, ylim, name, alt, names, axes, at)
        self.f, self.minimum = f, minimum

    def add(self, label: str, text: str, *paths: np.ndarray) -> None:
        """One more position of the slider. Raises ValueError if the number of paths changes."""
        if self.frames and len(paths) != len(self.frames[0]["paths"]):
            raise ValueError(f"every frame needs {len(self.frames[0]['paths'])} paths; got {len(paths)}.")
        drawn = [[f"{x:.1f},{y:.1f}" for x, y in self._pixels(path)] for path in paths]
        self.frames.append({"label": label, "text": text, "paths": drawn})

    def _ground(self, levels: int = 12) -> str:
        """The level lines, by matplotlib's contour generator, as SVG paths, and a cross at the minimum."""
        from contourpy import LineType, contour_generator

        x = np.linspace(self.xlim[0], self.xlim[1], 161)
        y = np.linspace(self.ylim[0], self.ylim[1], 121)
        z = self.f(*np.meshgrid(x, y))
        generator = contour_generator(x, y, z, line_type=LineType.Separate)
        low, high = np.quantile(z, [0.005, 0.98])
        drawn = []
        for level in np.geomspace(max(low, high * 1e-4), high, levels):
            for line in generator.lines(level):
                points = " ".join(f"{a:.1f},{b:.1f}" for a, b in self._pixels(np.asarray(line)))
                drawn.append(f'<polyline class="level" points="{points}"/>')
        return "".join(drawn) + self._minimum()

    def _minimum(self) -> str:
        """A cross at the minimum."""
        if self.minimum is None:
            return ""
        ((x, y),) = self._pixels(np.array([self.minimum]))
        return f'<path class="minimum" d="M{x - 7:.1f} {y:.1f}h14M{x:.1f} {y - 7:.1f}v14"/>'

    def _series(self, name: str) -> str:
        """A line, its points and its end for each path."""
        drawn = ""
        for i, points in enumerate(self.frames[self.at]["paths"]):
            x, y = points[-1].split(",")
            drawn += (
                f'<marker id="{name}-dot-{i}" markerWidth="4" markerHeight="4" refX="1.5" refY="1.5">'
                f'<circle cx="1.5" cy="1.5" r="1.2" fill="{COLOURS[i]}"/></marker>'
                f'<polyline class="path" stroke="{COLOURS[i]}" stroke-dasharray="{DASH[i]}" '
                f'marker-mid="url(#{name}-dot-{i})" marker-start="url(#{name}-dot-{i})" points="{" ".join(points)}"/>'
                f'<circle class="end" r="6" cx="{x}" cy="{y}" fill="{COLOURS[i]}"/>'
            )
        return drawn

    def _key(self, i: int) -> str:
        return f'stroke="{COLOURS[i]}" stroke-width="3" stroke-dasharray="{DASH[i]}"'
