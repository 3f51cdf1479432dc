"""Generated video: shapes that move over a textured ground under the camera's noise, and now and then a cut."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlsys.core.checks import nonnegative, whole
from mlsys.core.seeds import generator


class Video(NamedTuple):
    """frames : (t, channels, h, w) float32 in [0, 1], read-only;  cuts : the frames that begin a scene, 0 first."""

    frames: np.ndarray
    cuts: np.ndarray


def video(
    seed: int = 0,
    frames: int = 60,
    size: int = 128,
    channels: int = 3,
    shapes: int = 3,
    scene: int = 30,
    noise: float = 0.005,
) -> Video:
    """`frames` frames of size x size pixels; a cut after every `scene`.

    Each scene has a ground of smooth random texture that stands still, and `shapes` discs and squares of one colour
    each, radius 4 to 10 % of the size, that move in straight lines by 0.5 to 2 % of the size a frame and bounce off the
    edges. `noise` : deviation of each pixel's own noise, new in every frame, before it is clipped.
    The same seed gives the same video; of two videos that differ in `noise` alone, the scenes are the same.
    Raises ValueError if frames, size < 16, channels or scene < 1, or shapes or noise < 0. Source: ours.
    """
    frames, size, channels = whole(1, frames=frames), whole(16, size=size), whole(1, channels=channels)
    scene, shapes, noise = whole(1, scene=scene), whole(shapes=shapes), nonnegative(noise=noise)
    grain = generator(seed, "video", "noise")
    out = np.empty((frames, channels, size, size), np.float32)
    cuts = np.arange(0, frames, scene)
    for start in cuts.tolist():
        length = min(scene, frames - start)
        rng = generator(seed, "video", "scene", str(start // scene))
        ground = _texture(rng, size, channels)
        things = [_thing(rng, size, channels, length) for _ in range(shapes)]
        for t in range(length):
            picture = ground
            for colour, square, radius, path in things:
                cover = _cover(path[t], radius, square, size)
                picture = picture + cover * (colour - picture)
            out[start + t] = np.clip(picture + noise * grain.standard_normal(picture.shape), 0, 1)
    for array in (out, cuts):
        array.flags.writeable = False
    return Video(out, cuts)


def _texture(rng: np.random.Generator, size: int, channels: int) -> np.ndarray:
    """Waves of random direction, length (a fortieth of the size and up) and phase, between 0.2 and 0.8."""
    at = np.arange(size) / size
    picture = np.zeros((channels, size, size))
    for _ in range(12):
        down, right = rng.uniform(-40, 40, 2)
        phase = rng.uniform(0, 2 * np.pi, (channels, 1, 1))
        picture += np.sin(2 * np.pi * (down * at[:, None] + right * at) / 2 + phase)
    return 0.5 + 0.3 * picture / abs(picture).max()


def _thing(
    rng: np.random.Generator, size: int, channels: int, length: int
) -> tuple[np.ndarray, bool, float, np.ndarray]:
    """Colour, whether it is a square, its radius, and the places of its centre: (length, 2)."""
    colour, square = rng.uniform(0, 1, (channels, 1, 1)), bool(rng.integers(2))
    radius = size * rng.uniform(0.04, 0.10)
    room = size - 1 - 2 * radius
    angle = rng.uniform(0, 2 * np.pi)
    step = size * rng.uniform(0.005, 0.02) * np.array([np.sin(angle), np.cos(angle)])
    free = rng.uniform(0, room, 2) + step * np.arange(length)[:, None]
    return colour, square, radius, radius + abs((free + room) % (2 * room) - room)  # folded back at the edges


def _cover(centre: np.ndarray, radius: float, square: bool, size: int) -> np.ndarray:
    """The share of each pixel that the thing covers, (size, size)."""
    down, right = abs(np.arange(size)[:, None] - centre[0]), abs(np.arange(size) - centre[1])
    return np.clip(0.5 + radius - (np.maximum(down, right) if square else np.hypot(down, right)), 0, 1)
