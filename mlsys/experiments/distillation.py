"""What a teacher is worth to a small net: one start, the same batches, with and without it; the record `distillation`.

Each student is trained for equally many steps by the labels alone, and by the teacher's outputs beside them, the wider
ones at two temperatures; on all training examples, or on a tenth of them. The teacher has always seen all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mlsys.core import generator
from mlsys.experiments.parallel import parallel
from mlsys.inference.compress.distill import distil
from mlsys.inference.compress.study import LESSONS, Bench, digits_chain, prepared
from mlsys.inference.compress.training import Examples, accuracy, fit, total_steps
from mlsys.report import record

SEEDS = tuple(range(201, 217))
WIDTHS = (2, 4)  # the teacher's is 16
SHARES = {"all": 1, "tenth": 10}  # one example in so many
TEMPERATURES = {2: (4.0,), 4: (1.0, 4.0)}  # by width
ALPHA = 0.9  # the share of the soft targets


def measured(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """{"teacher": accuracies, "width, share": {"labels", "T = 4", …: accuracies}}, on the test part, a seed each."""
    done = list(parallel(one, [(seed,) for seed in seeds]))
    result: dict[str, Any] = {"teacher": [each["teacher"] for each in done]}
    for name, ways in done[0].items():
        if name != "teacher":
            result[name] = {way: [each[name][way] for each in done] for way in ways}
    return result


def one(seed: int) -> dict[str, Any]:
    """The teacher of this seed and all its students."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order, on every machine
    try:
        bench = prepared(seed)
        students = {
            f"width {width}, {share}": student(bench, width, every)
            for width in WIDTHS
            for share, every in SHARES.items()
        }
        return {"teacher": accuracy(bench.net, bench.test), **students}
    finally:
        torch.set_num_threads(threads)


def student(bench: Bench, width: int, every: int) -> dict[str, float]:
    """The accuracy of one start trained each way, by one example in `every`, for as many steps as all would take."""

    def rng(what: str) -> Any:
        return generator(bench.seed, "distillation", what, str(width), str(every))

    start = digits_chain(int(rng("start").integers(2**31)), width)
    seen = Examples(bench.train.X[::every], bench.train.y[::every])
    epochs = round(total_steps(bench.train, LESSONS) / total_steps(seen, 1))
    taught = {
        f"T = {T:g}": distil(bench.net, start, seen, rng("lessons"), T, ALPHA, epochs)
        for T in TEMPERATURES[width]
    }
    alone = {"labels": fit(start, seen, rng("lessons"), epochs)}
    return {way: accuracy(net, bench.test) for way, net in (alone | taught).items()}


def recorded() -> dict[str, Any]:
    """What the record `distillation` has."""
    return record.load("distillation")["result"]
