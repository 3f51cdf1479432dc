"""A figure with a slider that works in the browser alone: every frame is computed by the build."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from mlsys.report.style import COLOURS

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
    frame.paths.forEach(function (points, i) {
      lines[i].setAttribute("points", points.join(" "));
      const last = points[points.length - 1].split(",");
      dots[i].setAttribute("cx", last[0]);
      dots[i].setAttribute("cy", last[1]);
    });
  }
  input.addEventListener("input", show);
  show();
})();
"""


class PathSlider:
    """Paths over a contour map, one set of paths a slider position.

    f(x, y) : the function whose level lines are drawn, on arrays;  xlim, ylim : the map's limits
    name : what the slider sets, such as "learning rate";  alt : what a reader who cannot see it needs to know
    add(label, text, *paths) : a frame; `label` is the slider's value, `text` one line of result, each path (k, 2)
    """

    width, height = 640, 420

    def __init__(self, f: Any, xlim: Sequence[float], ylim: Sequence[float], name: str, alt: str) -> None:
        self.f, self.xlim, self.ylim, self.name, self.alt = f, tuple(xlim), tuple(ylim), name, alt
        self.frames: list[dict[str, Any]] = []

    def add(self, label: str, text: str, *paths: np.ndarray) -> None:
        """One more position of the slider. Raises ValueError if the number of paths changes."""
        if self.frames and len(paths) != len(self.frames[0]["paths"]):
            raise ValueError(f"every frame needs {len(self.frames[0]['paths'])} paths; got {len(paths)}.")
        drawn = [[f"{x:.1f},{y:.1f}" for x, y in self._pixels(path)] for path in paths]
        self.frames.append({"label": label, "text": text, "paths": drawn})

    def _pixels(self, path: np.ndarray) -> np.ndarray:
        """Points in the picture's units; what leaves the map by far (a diverging path) is cut at its surroundings."""
        low, high = np.array([self.xlim[0], self.ylim[0]]), np.array([self.xlim[1], self.ylim[1]])
        unit = (np.nan_to_num(np.asarray(path, dtype=float), posinf=1e9, neginf=-1e9) - low) / (high - low)
        unit = np.clip(unit, -3, 4)
        return np.column_stack([unit[:, 0] * self.width, (1 - unit[:, 1]) * self.height])

    def _contours(self, levels: int = 14) -> str:
        """The level lines, by matplotlib's contour generator, as SVG paths."""
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
        return "".join(drawn)

    def _repr_html_(self) -> str:
        name = f"mlsys-slider-{next(_ids)}"
        series = "".join(
            f'<polyline class="path" stroke="{COLOURS[i]}"/><circle class="end" r="6" fill="{COLOURS[i]}"/>'
            for i in range(len(self.frames[0]["paths"]))
        )
        script = _SCRIPT.replace("ID", name).replace("FRAMES", json.dumps(self.frames))
        return (
            f'<div class="mlsys-slider" id="{name}"><svg viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{html.escape(self.alt, quote=True)}">{self._contours()}{series}</svg>'
            f"<label>{html.escape(self.name)}: <span class='value'></span> "
            f'<input type="range" min="0" max="{len(self.frames) - 1}" value="{len(self.frames) // 3}" step="1">'
            f'</label><output aria-live="polite"></output></div><script>{script}</script>'
        )
