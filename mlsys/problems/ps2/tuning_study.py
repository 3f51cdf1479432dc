"""The project: tune two optimisers on one budget, keep a log, choose on validation, and be judged on test rows.

The study comes with the case, from the grader's side, which draws the data and counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import Unfit, array, number, parts
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps2.tuning_runs import OPTIMIZERS, practice

ROW = "('adamw' or 'sgd', rate, decay, validation loss)"


def cases(rng: np.random.Generator) -> list[Case]:
    """Three problems of the same kind; the grader draws the data from the seed."""
    seeds = [int(s) for s in rng.integers(2**62, size=3)]
    return [Case(f"{d} weights", {"seed": s, "d": d}) for d, s in zip((56, 60, 64), seeds, strict=True)]


def drive(answer: Any, case: Case) -> Arrays:
    """Let the answer use the study up; the settings that it chose, and its log as numbers."""
    study = case.given["study"]
    chosen_adamw, chosen_sgd, log = parts(answer(study), "adamw", "sgd", "log")
    if not isinstance(log, list | tuple) or not len(log):
        raise Unfit(f"log should be a list with a row for each trial, {ROW}; it is {_shown(log)}")
    return {
        "adamw": array(chosen_adamw, "adamw, the first of the three, (rate, decay),", (2,)),
        "sgd": array(chosen_sgd, "sgd, the second of the three, (rate, decay),", (2,)),
        "log": np.stack([_row(k, row) for k, row in enumerate(log, 1)]),
        "left": np.asarray(float(study.left)),
    }


def _row(k: int, row: Any) -> np.ndarray:
    """A row of the log as four numbers, its optimiser as its place in OPTIMIZERS."""
    if not isinstance(row, list | tuple) or len(row) != 4 or str(row[0]) not in OPTIMIZERS:
        raise Unfit(f"Row {k} of the log should be {ROW}; it is {_shown(row)}")
    numbers = [
        number(x, f"the {name} in row {k} of the log") for x, name in zip(row[1:], ROW_NUMBERS, strict=True)
    ]
    return np.array([OPTIMIZERS.index(str(row[0])), *map(float, numbers)])


ROW_NUMBERS = ("rate", "decay", "validation loss")


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'}."


def replay(case: Case) -> str:
    """The answer on rows of the same kind that are made up for practice."""
    return (
        "# made-up rows of the same kind, not those of the case: they stay with the check\n"
        'study, test = practice("tuning.study", seed=0)\n'
        "adamw, sgd, log = tune(study)\n"
        'print("test losses:", test("adamw", *adamw), test("sgd", *sgd), " trials left:", study.left)'
    )


PROBLEM = Problem("tuning.study", "tune", 5.0, cases, drive, replay, practice)
