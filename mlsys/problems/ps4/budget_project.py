"""The project: a net that fits a device's budgets of bytes and of work, with the least loss of accuracy.

The device comes with the case, from the grader's side, which counts its trials and keeps its examples.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, parts
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps4.small_device import fit, practice, whole_bits


def cases(rng: np.random.Generator) -> list[Case]:
    """Three tasks of the same kind; the grader draws net and examples from the seed."""
    seeds = [int(s) for s in rng.integers(2**62, size=3)]
    return [Case(f"net {k}", {"seed": s}) for k, s in enumerate(seeds, 1)]


def drive(answer: Any, case: Case) -> Arrays:
    """Let the answer try what it likes on the device, and take the net that it returns."""
    given = case.given
    net = tuple(given[name].copy() for name in ("W1", "b1", "W2", "b2"))
    result = answer(net, given["X"].copy(), given["y"].copy(), given["device"])
    *smaller, bits = parts(result, "W1", "b1", "W2", "b2", "bits")
    try:
        made, width = fit(*smaller), whole_bits(bits)
    except (TypeError, ValueError) as error:
        raise Unfit(f"compress should return (W1, b1, W2, b2, bits): {error}") from error
    left = np.asarray(float(given["device"].left))
    return {**made._asdict(), "bits": np.asarray(float(width)), "trials left": left}


def replay(case: Case) -> str:
    """The answer on a net of the same kind that is made up for practice."""
    return (
        "# a made-up net of the same kind, not those of the case: they stay with the check\n"
        'net, X, y, device, test = practice("budget.project", seed=0)\n'
        "smaller = compress(net, X, y, device)\n"
        "print('bytes, work, accuracy:', device.trial(*smaller), ' of', device.most_bytes, device.most_work)\n"
        "print('on examples kept apart:', test(*smaller), ' before, in 16 bits:', test(*net, 16))"
    )


PROBLEM = Problem("budget.project", "compress", 4.0, cases, drive, replay, practice)
