"""Random kernel features against scikit-learn's RBFSampler: the time of a transform, and the error beside it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.kernel_approximation import RBFSampler
from sklearn.metrics.pairwise import rbf_kernel

from benchmarks.race import Contention, Race, Row, compare, seconds
from mlsys.core import generator
from mlsys.inference.features import KINDS

ROWS = 256
PEER = "scikit-learn RBFSampler"
SIZES = (1024, 4096)  # d = D
GOALS = {("fastfood", 4096): 4.0}
DRAWS = 3  # maps that an error is the root mean square over


def points(d: int, n: int, dtype: type) -> np.ndarray:
    """Rows of random directions whose lengths go from 0 to sqrt(d), so that kernel values are of all sizes."""
    rng = generator(0, "race", "points")
    X = rng.standard_normal((n, d)) * rng.uniform(0, 1, (n, 1))
    return X.astype(dtype)


def transforms(d: int, dtype: type, quick: bool) -> Iterator[Row]:
    """ROWS rows of d numbers into d features of the same kernel, gamma = 1 / d."""
    X, gamma = points(d, ROWS, dtype), 1 / d
    sampler = RBFSampler(gamma=gamma, n_components=d, random_state=0).fit(X)
    maps = {name: make(d, d, gamma, generator(0, name), dtype) for name, make in KINDS.items()}
    calls = {name: lambda features=features: features.transform(X) for name, features in maps.items()}
    with Contention() as others:
        times = seconds({PEER: lambda: sampler.transform(X), **calls}, 6 if quick else 30, {})
    for name in maps:
        yield compare(
            times,
            name,
            PEER,
            race="random features",
            case=f"{name}, d = D = {d}, {np.dtype(dtype)}",
            metric="transform_s",
            goal=GOALS.get((name, d)),
            contention=others.share,
        )


def errors(d: int) -> Iterator[Row]:
    """The root mean square of z(x) . z(y) - k(x, y) over pairs of 64 points and DRAWS maps."""
    X, gamma = points(d, 64, np.float64), 1 / d
    exact = rbf_kernel(X, gamma=gamma)
    pairs = np.triu_indices(len(X), 1)

    def error(maps: list) -> float:
        squares = [(z @ z.T - exact)[pairs] ** 2 for z in (features.transform(X) for features in maps)]
        return float(np.sqrt(np.mean(squares)))

    peer = error([RBFSampler(gamma=gamma, n_components=d, random_state=seed).fit(X) for seed in range(DRAWS)])
    for name, make in KINDS.items():
        ours = error([make(d, d, gamma, generator(seed, "race", name)) for seed in range(DRAWS)])
        yield Row(
            race="random features",
            case=f"{name}, d = D = {d}",
            metric="rms_error",
            ours=ours,
            peer=peer,
            peer_name=PEER,
            ratio=peer / ours,
        )


def run(quick: bool) -> Iterator[Row]:
    """Time in either precision, then the error, at each size."""
    for d in SIZES:
        for dtype in (np.float64, np.float32):
            yield from transforms(d, dtype, quick)
        yield from errors(d)


RACE = Race(
    name="features",
    tests=("tests/inference/features",),
    modules=("mlsys.inference.features",),
    run=run,
)
