"""What moments in fewer bits cost in accuracy. `measured` makes the record `low_precision`; CLAIMS reads it.

What rounding to the nearest does to the loss depends on the rate, so that there are two: float32's best, and a tenth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mlsys.experiments.parallel import parallel
from mlsys.experiments.runs import FACTOR, SHARE, TUNING_SEEDS, log_ratio
from mlsys.experiments.tasks import TASKS
from mlsys.experiments.training import train
from mlsys.optim import AdamW, LowBitAdamW, adamw, lowbit
from mlsys.optim.lowbit import LowBitState
from mlsys.report import Claim, Result, measure, record

SEEDS = tuple(range(1, 13))
EPOCHS = 80  # 2,000 steps: v's memory is 1,000
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
FORMS = {
    f"{moments}-{rounding}": (moments, rounding)
    for moments in ("bfloat16", "8bit")
    for rounding in ("nearest", "stochastic")
}
LOWER = 0.1  # of float32's best rate: the second rate
RATE_WORDS = {"best": "float32's best rate", "lower": "a tenth of float32's best rate"}
TASK = "a hidden layer of 32 on digits, 2,000 steps of 32, AdamW at"


class Exact:
    """The average of squares that an optimizer's v stands for, of the same gradients, in float32."""

    def __init__(self, optimizer: torch.optim.Optimizer, beta2: float = 0.999) -> None:
        self.v: dict[Tensor, Tensor] = {}
        self.beta2 = beta2
        optimizer.register_step_post_hook(self._follow)

    def _follow(self, optimizer: torch.optim.Optimizer, *call: Any) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                v = self.v.setdefault(p, torch.zeros_like(p, requires_grad=False))
                v.mul_(self.beta2).addcmul_(p.grad, p.grad, value=1 - self.beta2)


def kept(optimizer: torch.optim.Optimizer, p: Tensor) -> Tensor:
    """v of a parameter, as the optimizer would use it."""
    own = optimizer.state[p]
    if "exp_avg_sq" in own:
        return own["exp_avg_sq"].float()
    state = LowBitState(
        0, *(own[f"exp_avg{name}"] for name in ("_codes", "_sq_codes", "_offsets", "_sq_offsets"))
    )
    return lowbit(adamw(), "8bit").values(state)[1]


def run(
    form: str, rate: float, seed: int, epochs: int = EPOCHS, part: Literal["valid", "test"] = "test"
) -> tuple[float, float, float]:
    """(training loss of the last epoch in nats, share of held-out digits misread, log10 of v over what it stands for).

    form : one of FORMS, or "float32";  part : the digits held out;  v's ratio is of sums over all parameters
    """
    made: list[tuple[torch.optim.Optimizer, Exact]] = []

    def make(parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer
        if form == "float32":
            optimizer = AdamW(parameters, lr=rate)
        else:
            moments, rounding = FORMS[form]
            optimizer = LowBitAdamW(parameters, lr=rate, moments=moments, rounding=rounding, seed=seed)
        made.append((optimizer, Exact(optimizer)))
        return optimizer

    curve = train(TASKS["digits-mlp"], seed, make, part, epochs=epochs)
    ((optimizer, exact),) = made
    total = [
        sum(float(v.double().sum()) for v in part) for part in (_all(optimizer, exact), exact.v.values())
    ]
    return float(curve.loss[-1]), float(curve.error[-1]), log_ratio(*total)


def _all(optimizer: torch.optim.Optimizer, exact: Exact) -> list[Tensor]:
    return [kept(optimizer, p) for p in exact.v]


def best_rate(rates: Sequence[float] = RATES, epochs: int = EPOCHS) -> float:
    """Of these, the rate that misreads fewest digits of the valid part in float32, in the mean of the tuning seeds.

    Raises ValueError if it is the first or the last.
    """
    calls = [("float32", rate, seed) for rate in rates for seed in TUNING_SEEDS]
    runs = parallel(partial(run, epochs=epochs, part="valid"), calls)
    errors = np.array([error for _, error, _ in runs]).reshape(len(rates), -1).mean(1)
    best = int(errors.argmin())
    if best in (0, len(rates) - 1):
        raise ValueError(f"rates must reach beyond the best one; got {rates[best]:g} of {tuple(rates)}.")
    return rates[best]


def measured(seeds: Sequence[int] = SEEDS, rate: float | None = None, epochs: int = EPOCHS) -> dict[str, Any]:
    """{"rates": {"best": …, "lower": …}, "runs": {rate: {form: [(loss, error, log10 of v's ratio) a seed each]}}}.

    rate : to take as the best in place of a search
    """
    best = best_rate(epochs=epochs) if rate is None else rate
    rates = {"best": best, "lower": LOWER * best}
    forms = ("float32", *FORMS)
    calls = [(form, each, seed) for each in rates.values() for form in forms for seed in seeds]
    rows = iter(parallel(partial(run, epochs=epochs), calls))
    runs = {at: {form: [next(rows) for _ in seeds] for form in forms} for at in rates}
    return {"rates": rates, "runs": runs}


def recorded(form: str, at: str = "best") -> np.ndarray:
    """(seeds, 3) : the record's runs of a form, at the "best" rate or a "lower" one."""
    return np.array(record.load("low_precision")["result"]["runs"][at][form])


def _loss(form: str, kind: Any, statement: str, source: str, reported: str = "", at: str = "best") -> Result:
    what = f"log10 of the training loss with moments in {_words(form)} over that with float32"
    name = f"{form}-loss" if at == "best" else f"{form}-loss-{at}"
    claim = Claim(
        name, statement, source, f"{what}, {TASK} {RATE_WORDS[at]}", kind, FACTOR, reported=reported
    )
    pairs = zip(recorded(form, at)[:, 0], recorded("float32", at)[:, 0], strict=True)
    return measure(claim, [log_ratio(low, full) for low, full in pairs])


def _error(form: str, statement: str, source: str) -> Result:
    effect = (
        f"share of held-out digits misread with moments in {_words(form)} minus that with float32, {TASK} "
        f"{RATE_WORDS['best']}"
    )
    claim = Claim(f"{form}-error", statement, source, effect, "none", SHARE, (-1.0, 1.0))
    return measure(claim, list(recorded(form)[:, 1] - recorded("float32")[:, 1]))


def _average(form: str, kind: Any, statement: str, source: str) -> Result:
    effect = (
        f"log10 of v, kept in {_words(form)}, over the average of squares that it stands for, up or down, {TASK} "
        f"{RATE_WORDS['best']}"
    )
    claim = Claim(f"{form}-average", statement, source, effect, kind, FACTOR, (0.0, np.inf))
    return measure(claim, list(np.abs(recorded(form)[:, 2])))


def _words(form: str) -> str:
    moments, rounding = FORMS[form]
    how = "rounded at random" if rounding == "stochastic" else "rounded to nearest"
    return f"{'8 bits' if moments == '8bit' else moments} {how}"


_GUPTA = "Gupta et al. (2015), of weights in 16 bits"
_DETTMERS = "Our format; Dettmers et al. (2022), of theirs"
_LOWER = "Our question: does it depend on the rate?"
CLAIMS: dict[str, Callable[[], Result]] = {
    "bfloat16-nearest-average": partial(
        _average,
        "bfloat16-nearest",
        "positive",
        "In bfloat16, rounded to nearest, v stops following the squares that it averages.",
        f"Our question, to {_GUPTA}",
    ),
    "bfloat16-stochastic-average": partial(
        _average,
        "bfloat16-stochastic",
        "none",
        "In bfloat16, rounded at random, v follows the squares that it averages.",
        f"Our question, to {_GUPTA}",
    ),
    "bfloat16-nearest-loss": partial(
        _loss,
        "bfloat16-nearest",
        "positive",
        "Rounding the moments to nearest bfloat16 costs training loss.",
        f"Our question, to {_GUPTA}",
    ),
    "bfloat16-stochastic-loss": partial(
        _loss,
        "bfloat16-stochastic",
        "none",
        "Rounding the moments to bfloat16 at random costs no training loss.",
        _GUPTA,
        "a convolutional net trained in 16 bits as in float32 with stochastic rounding, and not with nearest",
    ),
    "8bit-nearest-average": partial(
        _average,
        "8bit-nearest",
        "positive",
        "In 8 bits, rounded to nearest, v stops following the squares that it averages.",
        "Our question",
    ),
    "8bit-stochastic-average": partial(
        _average,
        "8bit-stochastic",
        "none",
        "In 8 bits, rounded at random, v follows the squares that it averages.",
        "Our question",
    ),
    "8bit-nearest-loss": partial(
        _loss,
        "8bit-nearest",
        "positive",
        "Rounding the moments to nearest in 8 bits costs training loss.",
        "Our question, of our format",
    ),
    "8bit-stochastic-loss": partial(
        _loss,
        "8bit-stochastic",
        "none",
        "Rounding the moments to 8 bits at random costs no training loss.",
        _DETTMERS,
        "8-bit Adam and momentum at the performance of 32 bits on language, vision and translation, rounded to "
        "nearest, with another code",
    ),
    "bfloat16-stochastic-error": partial(
        _error,
        "bfloat16-stochastic",
        "Moments in bfloat16 rounded at random cost no held-out accuracy.",
        _GUPTA,
    ),
    "8bit-stochastic-error": partial(
        _error, "8bit-stochastic", "Moments in 8 bits rounded at random cost no held-out accuracy.", _DETTMERS
    ),
    **{
        f"{form}-loss-lower": partial(
            _loss,
            form,
            "positive" if rounding == "nearest" else "none",
            f"At a tenth of that rate, too, moments in {'8 bits' if moments == '8bit' else moments} "
            + (
                "rounded to nearest cost training loss."
                if rounding == "nearest"
                else "rounded at random cost none."
            ),
            _LOWER,
            at="lower",
        )
        for form, (moments, rounding) in FORMS.items()
    },
}
