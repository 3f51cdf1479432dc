"""Update rules, and the algorithms that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlsys.optim import schedules
from mlsys.optim.descent import gradient_descent, sgd
from mlsys.optim.history import adagrad_history
from mlsys.optim.line_search import Backtracking, ExactLineSearch
from mlsys.optim.lookahead import lookahead, ranger
from mlsys.optim.lowbit import lowbit
from mlsys.optim.polyak import Fixed, Polyak, PolyakBound, PolyakEstimate
from mlsys.optim.ray import LineSearchError, Ray, StepLength
from mlsys.optim.rules.adadelta import adadelta
from mlsys.optim.rules.adagrad import adagrad
from mlsys.optim.rules.adam import adam, adamw
from mlsys.optim.rules.amsgrad import amsgrad
from mlsys.optim.rules.changes import decayed, scheduled
from mlsys.optim.rules.nadam import nadam
from mlsys.optim.rules.radam import radam
from mlsys.optim.rules.rmsprop import rmsprop
from mlsys.optim.rules.sgd import gradient_rule, momentum

if TYPE_CHECKING:
    from mlsys.optim.front import (
        SGD,
        Adadelta,
        Adagrad,
        Adam,
        AdamW,
        Lookahead,
        LowBitAdamW,
        NAdam,
        RAdam,
        Ranger,
        RMSprop,
        Scheduler,
    )

_FRONT = {
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lookahead",
    "LowBitAdamW",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Ranger",
    "Scheduler",
}

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Backtracking",
    "ExactLineSearch",
    "Fixed",
    "LineSearchError",
    "Lookahead",
    "LowBitAdamW",
    "NAdam",
    "Polyak",
    "PolyakBound",
    "PolyakEstimate",
    "RAdam",
    "RMSprop",
    "Ranger",
    "Ray",
    "Scheduler",
    "StepLength",
    "adadelta",
    "adagrad",
    "adagrad_history",
    "adam",
    "adamw",
    "amsgrad",
    "decayed",
    "gradient_descent",
    "gradient_rule",
    "lookahead",
    "lowbit",
    "momentum",
    "nadam",
    "radam",
    "ranger",
    "rmsprop",
    "scheduled",
    "schedules",
    "sgd",
]


def __getattr__(name: str) -> Any:
    """The torch-compatible classes, at their first use: importing torch takes a second, the rules do without."""
    if name in _FRONT:
        from mlsys.optim import front

        return getattr(front, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
