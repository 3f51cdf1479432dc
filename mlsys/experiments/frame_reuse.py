"""What reuse between frames saves in multiply-adds and costs in error. `measured` makes the record `frame_reuse`.

One first layer, generated videos that differ in one thing at a time: the camera's noise, whether it stands still, and
how often the picture is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from mlsys.experiments.parallel import parallel
from mlsys.experiments.runs import FACTOR
from mlsys.inference.frames import ReusedConv, Video, first_layer, run, video
from mlsys.inference.frames.reuse import as_tensors
from mlsys.report import Claim, Result, measure, record

SEEDS = (1, 2, 3, 4, 5, 6, 7)
NOISE, SIZE, FRAMES, SCENE, BLOCK = 0.005, 128, 40, 20, 16
THRESHOLDS = (0.0, 0.01, 0.02, 0.03, 0.06, 0.1, 0.2)
CHOSEN = 0.03  # 4.2 deviations of the difference of two noisy pixels


def panned(seed: int, frames: int = FRAMES, size: int = SIZE) -> Video:
    """A camera that turns: a window that moves a pixel a frame to the right over the still camera's scene of twice the
    size."""
    wide = video(seed, frames, 2 * size, scene=SCENE, noise=NOISE)
    at = size // 2
    windows = [frame[:, at : at + size, t % size : t % size + size] for t, frame in enumerate(wide.frames)]
    return Video(np.stack(windows), wide.cuts)


FILMS: dict[str, Callable[..., Video]] = {
    "no noise": partial(video, scene=SCENE, noise=0.0),
    "still camera": partial(video, scene=SCENE, noise=NOISE),
    "four times the noise": partial(video, scene=SCENE, noise=4 * NOISE),
    "turning camera": panned,
    "a cut every second frame": partial(video, scene=2, noise=NOISE),
}


def of_film(
    film: str, seed: int, thresholds: Sequence[float] = THRESHOLDS, frames: int = FRAMES, size: int = SIZE
) -> list[tuple[float, float, float]]:
    """A threshold each: (multiply-adds as a share of computing everything, root mean square of the outputs' error, the
    largest), errors over the outputs' own root mean square. 32 outputs of 7 x 7 pixels in 3 colours."""
    pictures = as_tensors(FILMS[film](seed, frames=frames, size=size).frames)
    weight, bias = first_layer(seed)
    with torch.no_grad():
        exact = torch.stack([F.conv2d(picture[None], weight, bias, padding=3)[0] for picture in pictures])
    scale = exact.square().mean().sqrt()
    rows = []
    for threshold in thresholds:
        outputs, work = run(ReusedConv(weight, bias, BLOCK, threshold), pictures)
        error = (torch.stack(outputs) - exact).abs_()
        rows.append((work, float(error.square().mean().sqrt() / scale), float(error.max() / scale)))
    return rows


def measured(seeds: Sequence[int] = SEEDS, **options: Any) -> dict[str, Any]:
    """{"thresholds", "films": {film: a seed each, a threshold each, (work, error, largest error)}}."""
    calls = [(film, seed) for film in FILMS for seed in seeds]
    done = parallel(partial(of_film, **options), calls)
    films = {film: [next(done) for _ in seeds] for film in FILMS}
    return {"thresholds": list(options.get("thresholds", THRESHOLDS)), "films": films}


def recorded(film: str, threshold: float | None = None) -> np.ndarray:
    """What the record `frame_reuse` has: (seeds, thresholds, 3), or at one threshold (seeds, 3)."""
    kept = record.load("frame_reuse")["result"]
    rows = np.array(kept["films"][film])
    return rows if threshold is None else rows[:, kept["thresholds"].index(threshold)]


def saves(name: str, film: str, threshold: float, statement: str, source: str, reported: str = "") -> Result:
    """How many times fewer multiply-adds a film takes."""
    claim = Claim(
        name,
        statement,
        source,
        f"log10 of the multiply-adds of computing every frame over those with reuse, threshold {threshold:g} of a "
        f"pixel's range, {FRAMES} generated frames in scenes of {SCENE}, {film}",
        "positive",
        FACTOR,
        reported=reported,
    )
    return measure(claim, list(-np.log10(recorded(film, threshold)[:, 0])))


def error_stays() -> Result:
    """Whether the error grows from frame to frame is a matter of the bound; here, what it is beside the outputs."""
    claim = Claim(
        "reuse-error",
        "Reuse with a threshold above the noise changes outputs by less than a fiftieth of their size.",
        "Our question, to Cavigelli et al. (2017)",
        f"root mean square of the outputs' error over that of the outputs, threshold {CHOSEN:g}, {FRAMES} generated "
        "frames, still camera",
        "none",
        0.02,
        (0.0, np.inf),
        reported="accuracy lost on the whole task: less than 0.1 %",
    )
    return measure(claim, list(recorded("still camera", CHOSEN)[:, 1]))


_CAVIGELLI = "Cavigelli et al. (2017), of a camera that stands still"
CLAIMS: dict[str, Callable[[], Result]] = {
    "reuse-exact": partial(
        saves,
        "reuse-exact",
        "no noise",
        0.0,
        "On video without noise reuse saves work and changes nothing.",
        "The lecture on inference",
    ),
    "reuse-noise": partial(
        saves,
        "reuse-noise",
        "still camera",
        0.0,
        "Without a threshold reuse saves work on a camera's video, whose pixels have noise.",
        "Our question: no two frames of a camera are the same",
    ),
    "reuse-threshold": partial(
        saves,
        "reuse-threshold",
        "still camera",
        CHOSEN,
        "With a threshold above the noise reuse saves work.",
        _CAVIGELLI,
        "8.6 times faster than every frame anew, on a GPU",
    ),
    "reuse-error": error_stays,
    "reuse-turning": partial(
        saves,
        "reuse-turning",
        "turning camera",
        CHOSEN,
        "Reuse with a threshold above the noise saves work where the camera turns.",
        "Our question: frames that hold the same things, elsewhere",
    ),
}
