"""A fair comparison of optimisers: the same tasks, starts, batches and tuning trials for each.

A *study* is all that one would do on a task with one optimiser: a random search of so many trials, judged on the
valid part; then its best setting, trained anew on fresh seeds and judged on the test part, which no search looks at.
A study's seed draws everything: data or split, points to try, starts, batches. So the spread between studies holds the
luck of the search too, and studies of one seed are paired: they see the same data, and, of one space, the same points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from mlsys.core import generator
from mlsys.experiments.parallel import parallel
from mlsys.experiments.training import Curve, Task, train
from mlsys.optim.search import Found, Range, random_search

TRIALS = 12  # of every search
FRESH = 6  # runs of the best setting; with two, in a first record, one run that blew up decided the mean of 16 studies
STUDIES = tuple(
    range(101, 117)
)  # lower seeds were a pilot's, on which ranges, margins and this number were set
FLAGGED = 0.25  # of the searches: so many bests at an end say that the range is too narrow


@dataclass(frozen=True)
class Method:
    """An optimiser and what may be tuned of it.

    make : (parameters, **values) -> optimizer;  space : a Range for each value; none for an optimiser taken as it comes
    """

    make: Callable[..., torch.optim.Optimizer]
    space: Mapping[str, Range] = field(default_factory=dict)

    def at(self, values: Mapping[str, float]) -> Callable[[Iterable[Any]], torch.optim.Optimizer]:
        """The optimizer's constructor at these values."""
        return lambda parameters: self.make(parameters, **values)


class Study(NamedTuple):
    """best : the setting chosen;  edges : which of its values lie at an end of their range;  trials : spent
    scores : the error of each trial on the valid part;  loss, error : of the fresh runs, (FRESH, epochs)
    """

    best: dict[str, float]
    edges: tuple[str, ...]
    trials: int
    scores: list[float]
    loss: list[list[float]]
    error: list[list[float]]


def search(task: Task, method: Method, seed: int, trials: int = TRIALS, **options: Any) -> Found:
    """The best of so many random points by the error on the valid part, after the last epoch.

    seed : of the study;  options : of `train`
    """

    def score(values: dict[str, float]) -> float:
        return float(train(task, tuning_seed(seed), method.at(values), "valid", **options).error[-1])

    return random_search(score, method.space, trials, generator(seed, "protocol", task.name, *method.space))


def study(task: Task, method: Method, seed: int, trials: int = TRIALS, **options: Any) -> Study:
    """A whole study; of a method with nothing to tune, the fresh runs alone."""
    values, edges, scores = dict[str, float](), tuple[str, ...](), list[float]()
    if method.space:
        found = search(task, method, seed, trials, **options)
        values, edges, scores = found.best.at, found.edges, [trial.score for trial in found.trials]
    runs = [train(task, fresh, method.at(values), "test", **options) for fresh in fresh_seeds(seed)]
    return Study(values, edges, len(scores), scores, *_listed(runs))


def _listed(runs: Sequence[Curve]) -> tuple[list[list[float]], list[list[float]]]:
    """Their losses and errors as JSON has them."""
    loss, error = (np.round([run[i] for run in runs], 5).tolist() for i in (0, 1))
    return loss, error


def tuning_seed(seed: int) -> int:
    """The seed of a study's trials."""
    return 1000 + seed


def fresh_seeds(seed: int) -> tuple[int, ...]:
    """The seeds of its fresh runs, which no trial of any study has."""
    return tuple(2000 + FRESH * seed + i for i in range(FRESH))


def studies(
    tasks: Mapping[str, Task],
    methods: Mapping[str, Method],
    seeds: Sequence[int] = STUDIES,
    trials: int = TRIALS,
    told: Callable[[str], Any] = lambda words: None,
    **options: Any,
) -> dict[str, Any]:
    """{task: {method: [a study a seed, as a dict]}}, on as many processes as there are cores.

    told : is told of each study when it is done;  options : of `train`, alike for all
    """
    calls = [(task, method, seed) for task in tasks for method in methods for seed in seeds]
    run = partial(study, trials=trials, **options)
    done = parallel(run, [(tasks[task], methods[method], seed) for task, method, seed in calls])
    result: dict[str, Any] = {task: {method: [] for method in methods} for task in tasks}
    for i, ((task, method, seed), found) in enumerate(zip(calls, done, strict=True), 1):
        result[task][method].append(found._asdict())
        told(f"{i} of {len(calls)}: {task}, {method}, study {seed}, error {final([found._asdict()])[0]:.3f}")
    return result


def refused(result: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> list[str]:
    """The searches whose ranges were too narrow, "task, method, value": over a quarter of the bests at an end."""
    found = []
    for task, methods in result.items():
        for method, done in methods.items():
            for name in sorted({name for each in done for name in each["edges"]}):
                if np.mean([name in each["edges"] for each in done]) > FLAGGED:
                    found.append(f"{task}, {method}, {name}")
    return found


def final(done: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """The error after the last epoch, a study each: the mean of its fresh runs."""
    return np.array([np.mean([run[-1] for run in each["error"]]) for each in done])


def epochs_to(target: float, error: Sequence[float]) -> float:
    """Epochs after which the error stays at most the target, on a straight line between two epochs.

    All of them if it never does. The first time would be luck, where the error jumps about.
    """
    above = [epoch for epoch, now in enumerate(error, 1) if now > target]
    last = above[-1] if above else 0
    if last in (0, len(error)):
        return float(last or 1)
    before, after = error[last - 1], error[last]
    return last + (before - target) / (before - after)
