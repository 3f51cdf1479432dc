"""The claims on tuned optimisers in the setting of the literature: `mlsys claims --data cifar10`.

A residual net on CIFAR-10 or MNIST, the same protocol, fewer trials: for a machine that has the data and the time (on
one GPU some hours, on a CPU days).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlsys.experiments import adam_history, studies
from mlsys.experiments.claims import Entry
from mlsys.experiments.tasks import PUBLISHED, Task

STUDIES, TRIALS = (1, 2, 3), 6
MEASURED = {
    "adam-accuracy": adam_history.adam_accuracy,
    "adam-epochs": adam_history.adam_epochs,
    "amsgrad": adam_history.amsgrad_gain,
    "adam-default": adam_history.default_gap,
    "adam-tuning": adam_history.tuning_share,
}


def entries(
    name: str,
    chosen: Sequence[str],
    told: Callable[[str], Any],
    seeds: Sequence[int] = STUDIES,
    trials: int = TRIALS,
    made: Callable[[], Task] | None = None,
) -> list[Entry]:
    """Measure the claims of MEASURED on a real set, all or those chosen.

    name : of PUBLISHED;  told : hears of each study when it is done;  made : another task, in its place
    Raises ValueError for a name that there is not, ConnectionError if the set cannot be had.
    """
    if name not in PUBLISHED and made is None:
        raise ValueError(f"no published setting for {name!r}. There is one for: {', '.join(PUBLISHED)}.")
    wrong = [claim for claim in chosen if claim not in MEASURED]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not measured on {name}. These are: {', '.join(MEASURED)}.")
    task = (made or PUBLISHED[name])()
    parts = task.parts(seeds[0])  # first of all: without the data nothing is worth beginning
    told(
        f"{name}: {len(parts.train.y):,} to learn from, {task.epochs} epochs on {task.device}, "
        f"{len(seeds)} studies of {trials} trials"
    )
    result = studies.measured(seeds, {name: task}, trials, told)
    if result["refused"]:
        told(f"too narrow a range, so that a better value may lie beyond: {'; '.join(result['refused'])}")
    return [Entry("published", MEASURED[claim](name, result), ()) for claim in chosen or MEASURED]
