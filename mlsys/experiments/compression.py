"""Every lever of compression on one net, over several seeds: accuracy and bytes, no clock; the record `compression`.

The seed draws the split of the digits, the start of the net and the order of the examples; all levers of a seed begin
at one trained net, and are retrained on the same examples in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mlsys.core import generator
from mlsys.experiments.parallel import parallel
from mlsys.inference.compress.storage import stored_bytes, work
from mlsys.inference.compress.study import EPOCHS, TUNING, digits, digits_chain, study
from mlsys.inference.compress.training import accuracy, fit
from mlsys.report import record

SEEDS = tuple(range(101, 117))  # lower ones served to try the code out
NARROW = (4, 8, 12)  # the widths to which 75, 50 and 25 % of the channels are removed


def measured(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """{"lever, setting": {"bytes", "multiply_adds", "nonzero", "before", "after"}}, each a list, a seed a number.

    "after" is None where nothing is retrained. Of nets trained from the start in a lesser width, "width 8", "before" is
    their accuracy; of a student it is that of the labels alone, and "after" of the teacher's lessons.
    """
    done = list(parallel(one, [(seed,) for seed in seeds]))
    return {
        name: {field: _listed(rows[name][field] for rows in done) for field in done[0][name]}
        for name in done[0]
    }


def _listed(values: Any) -> list[Any] | None:
    found = list(values)
    return None if found[0] is None else found


def one(seed: int) -> dict[str, dict[str, Any]]:
    """All levers of one seed, and the narrow nets."""
    levers = {
        f"{row.lever}, {row.setting}": {
            "bytes": row.stored_bytes,
            "multiply_adds": row.multiply_adds,
            "nonzero": row.nonzero_multiply_adds,
            "before": row.accuracy_before,
            "after": row.accuracy_after,
        }
        for row in study(seed)
    }
    return levers | {f"narrow, width {width}": narrow(seed, width) for width in NARROW}


def narrow(seed: int, width: int) -> dict[str, Any]:
    """A net of this width trained from the start, for as many epochs as a wide one is trained and retrained."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order, on every machine
    try:
        train, test = digits(seed)
        rng = generator(seed, "compression", "narrow", str(width))
        net = fit(digits_chain(int(rng.integers(2**31)), width), train, rng, EPOCHS + TUNING)
        counted = work(net, test.X[:1])
        return {
            "bytes": stored_bytes(net),
            "multiply_adds": counted.multiply_adds,
            "nonzero": counted.nonzero,
            "before": accuracy(net, test),
            "after": None,
        }
    finally:
        torch.set_num_threads(threads)


def recorded() -> dict[str, Any]:
    """What the record `compression` has."""
    return record.load("compression")["result"]
