"""Every lever on one net: what it costs in accuracy, before and after retraining, and what it saves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mlsys.core import generator
from mlsys.core.checks import whole
from mlsys.data import load
from mlsys.inference.compress import distill, pruning, qat, structured
from mlsys.inference.compress.quantised import quantise_model
from mlsys.inference.compress.storage import stored_bytes, work
from mlsys.inference.compress.training import Examples, accuracy, fit, total_steps

EPOCHS, TUNING, LESSONS = 40, 5, 60  # of the first training, of every retraining, of the student
TEST_SHARE = 0.4
WIDTH, STUDENT_WIDTH = 16, 4


class Row(NamedTuple):
    """One lever at one setting.

    stored_bytes : of the parameters, each in the smallest lossless form (mlsys.inference.compress.storage)
    multiply_adds : an image, of the dense layers that are left;  nonzero_multiply_adds : of weights that are not zero
    accuracy_before : on the test part, right after the lossy operation;  accuracy_after : after retraining as long as
    every other lever, None where nothing is retrained. For the student: trained by labels alone, then distilled.
    timing : what `timed` returned of the model, None without it
    """

    lever: str
    setting: str
    stored_bytes: int
    multiply_adds: int
    nonzero_multiply_adds: int
    accuracy_before: float
    accuracy_after: float | None
    timing: Any


@dataclass(frozen=True)
class Bench:
    """The trained net that all levers start from, and its data."""

    seed: int
    net: nn.Module
    train: Examples
    test: Examples

    def rng(self, lever: str) -> np.random.Generator:
        return generator(self.seed, "compression", lever)

    def tuned(self, net: nn.Module, each_step: Any = None) -> nn.Module:
        """Retrained: the same examples in the same order for every lever."""
        return fit(net, self.train, self.rng("tuning"), TUNING, each_step=each_step)


def digits_chain(seed: int, width: int = WIDTH) -> nn.Sequential:
    """Rows of 64 pixels -> logits of 10 digits: convolutions to w and 2w channels, linear layers of 32w -> 4w -> 10.

    Parameters: 146 w**2 + 56 w + 10. All inputs but the first come in fours if w is a multiple of 4.
    """
    w = whole(1, width=width)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(whole(seed=seed))
        return nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, w, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(w, 2 * w, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * w, 4 * w),
            nn.ReLU(),
            nn.Linear(4 * w, 10),
        )


def digits(seed: int) -> tuple[Examples, Examples]:
    """The bundled digits, (train, test), split by the seed."""
    parts = load("digits").split(TEST_SHARE, seed)
    train, test = (Examples(torch.tensor(p.X, dtype=torch.float32), torch.tensor(p.y)) for p in parts)
    return train, test


def prepared(seed: int) -> Bench:
    """The net of this seed, trained."""
    train, test = digits(seed)
    start = digits_chain(int(generator(seed, "compression", "start").integers(2**31)))
    return Bench(seed, fit(start, train, generator(seed, "compression", "training"), EPOCHS), train, test)


Pair = tuple[nn.Module, nn.Module | None]  # right after the lossy operation; after retraining


def untouched(bench: Bench) -> Pair:
    """No lever: its retraining is the control for that of the others."""
    return bench.net, bench.tuned(bench.net)


def magnitude(sparsity: float, scope: str = "global") -> Callable[[Bench], Pair]:
    def lever(bench: Bench) -> Pair:
        masks = pruning.magnitude_masks(bench.net, sparsity, scope)
        return pruning.masked(bench.net, masks), bench.tuned(bench.net, pruning.keeping(masks))

    return lever


def gradual(sparsity: float, kind: str) -> Callable[[Bench], Pair]:
    """Pruned while it is retrained: the last fifth of the steps at the final sparsity."""

    def lever(bench: Bench) -> Pair:
        steps = 4 * total_steps(bench.train, TUNING) // 5
        schedules = {
            "cubic": pruning.cubic(sparsity, steps),
            "iterative": pruning.iterative(sparsity, 4, steps // 3),
        }
        once = pruning.masked(bench.net, pruning.magnitude_masks(bench.net, sparsity))
        return once, bench.tuned(bench.net, pruning.pruning(schedules[kind], every=5))

    return lever


def two_four(bench: Bench) -> Pair:
    masks = pruning.two_four_masks(bench.net)
    return pruning.masked(bench.net, masks), bench.tuned(bench.net, pruning.keeping(masks))


def channels(sparsity: float) -> Callable[[Bench], Pair]:
    def lever(bench: Bench) -> Pair:
        small = structured.remove_channels(bench.net, structured.kept_channels(bench.net, sparsity))
        return small, bench.tuned(small)

    return lever


def int8(mode: str, per_channel: bool) -> Callable[[Bench], Pair]:
    def lever(bench: Bench) -> Pair:
        batches = [bench.train.X] if mode == "static" else None
        return quantise_model(bench.net, mode, batches, per_channel), None

    return lever


def aware(bits: int) -> Callable[[Bench], Pair]:
    """Quantised after training, against training that knows of it."""

    def lever(bench: Bench) -> Pair:
        after = qat.convert(bench.tuned(qat.prepare(bench.net, bits=bits)))
        return quantise_model(bench.net, "static", [bench.train.X], bits=bits), after

    return lever


def student(bench: Bench) -> Pair:
    """A quarter of the width, from a random start: taught by the labels alone, and by the net, for equally long."""
    start = digits_chain(int(bench.rng("student").integers(2**31)), STUDENT_WIDTH)
    alone = fit(start, bench.train, bench.rng("lessons"), LESSONS)
    taught = distill.distil(bench.net, start, bench.train, bench.rng("lessons"), epochs=LESSONS)
    return alone, taught


LEVERS: dict[tuple[str, str], Callable[[Bench], Pair]] = {
    ("none", "float32"): untouched,
    **{("magnitude", f"{s:.0%}"): magnitude(s) for s in (0.5, 0.8, 0.9, 0.95)},
    ("magnitude", "90%, each layer"): magnitude(0.9, "layer"),
    ("magnitude", "95%, iterative"): gradual(0.95, "iterative"),
    ("magnitude", "95%, cubic"): gradual(0.95, "cubic"),
    ("2:4", "50%"): two_four,
    **{("channels", f"{s:.0%}"): channels(s) for s in (0.25, 0.5, 0.75)},
    **{
        (f"int8 {mode}", "per channel" if per_channel else "per tensor"): int8(mode, per_channel)
        for mode in ("weight-only", "dynamic", "static")
        for per_channel in (True, False)
    },
    **{("quantisation-aware", f"{bits}-bit weights"): aware(bits) for bits in (8, 4, 2)},
    ("distilled", f"width {STUDENT_WIDTH} of {WIDTH}"): student,
}


def study(
    seed: int,
    levers: Iterable[tuple[str, str]] = tuple(LEVERS),
    timed: Callable[[nn.Module], Any] | None = None,
) -> list[Row]:
    """A row a lever: the net of this seed on the bundled digits, compressed. The same numbers for the same seed.

    levers : (lever, setting), keys of LEVERS;  timed(model) : measures latency or throughput, elsewhere
    Raises KeyError for a lever that there is not, before anything is trained.
    """
    chosen = {key: LEVERS[key] for key in levers}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order, on every machine
    try:
        bench = prepared(seed)
        return [row(bench, key, lever(bench), timed) for key, lever in chosen.items()]
    finally:
        torch.set_num_threads(threads)


def row(bench: Bench, key: tuple[str, str], pair: Pair, timed: Callable[[nn.Module], Any] | None) -> Row:
    """What is measured of one lever's outcome: of the retrained model, where there is one."""
    before, after = pair
    model: Any = after or before
    image: Tensor = bench.test.X[:1]
    return Row(
        *key,
        stored_bytes(model),
        *work(model, image),
        accuracy(before, bench.test),
        accuracy(after, bench.test) if after is not None else None,
        timed(model) if timed else None,
    )
