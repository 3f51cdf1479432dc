"""Adam on the losses of Reddi, Kale & Kumar (2018), and what AMSGrad and other settings make of them.

The losses are linear, f_t(x) = g_t * x on [-1, 1]: rarely a steep one, g = C, and otherwise a gentle one, g = -1. The
steep ones weigh more, so that the best point is -1; but Adam divides them by a root that they have filled themselves,
and the many gentle ones by a root that has forgotten. `measured` makes the record `counter_example`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.signal import lfilter

from mlsys.core import Rule, generator, iterate
from mlsys.experiments.runs import SEEDS
from mlsys.optim import adam, amsgrad, gradient_rule, scheduled
from mlsys.optim.schedules import Schedule
from mlsys.report import Claim, Result, measure, record
from mlsys.report.claim import card

REDDI = "Reddi, Kale & Kumar (2018)"
ANSWER = "The lecture, on the answers to the paper; Zhang et al. (2022)"
MARGIN = 0.05  # of the worst point's regret: less counts as having found the best point
STEEP = 4.0  # C of the example of period 3, for which the paper asks for more than 2
BETA2 = 1 / (1 + STEEP**2)  # the paper's for it, with beta1 = 0
LONG = 101.0  # C of the paper's experiment: period 101, or one loss in a hundred at random


def falling() -> Schedule:
    """factor(t) = 1 / sqrt(t): the rates of the paper's theorems."""
    return Schedule("1 / sqrt(t)", lambda t: 1 / math.sqrt(t))


def periodic(C: float, period: int, steps: int) -> np.ndarray:
    """g_t = C where t mod period = 1, else -1, for t = 1 … steps: (steps,)."""
    return np.where(np.arange(steps) % period == 0, C, -1.0)


def random(C: float, p: float, steps: int, rng: np.random.Generator) -> np.ndarray:
    """g_t = C with probability p, else -1: (steps,)."""
    return np.where(rng.random(steps) < p, C, -1.0)


class OnlineState(NamedTuple):
    """x (runs,) : the points of several runs;  rule : the Rule's state."""

    x: np.ndarray
    rule: Any


class online:
    """Play a sequence of linear losses on [-1, 1]: pay f_t at x_t, step by a rule, come back to the interval.

    rule : Rule;  gradients : (steps, runs) floats, row t - 1 being the gradients of step t
    init(x (runs,)) -> OnlineState;  step(rng, state) -> (OnlineState, the point (runs,) at which f_t was paid)
    """

    def __init__(self, rule: Rule, gradients: np.ndarray) -> None:
        self.rule, self.gradients = rule, gradients

    def init(self, x: np.ndarray) -> OnlineState:
        """The state at x before the first loss."""
        return OnlineState(x, self.rule.init(x))

    def step(self, rng: np.random.Generator, state: OnlineState) -> tuple[OnlineState, np.ndarray]:
        """One loss, one update, one projection."""
        t = state.rule.t + 1
        c = self.rule.coefficients(self.rule.at(t), t)
        x, memory = self.rule.update(state.x, self.gradients[t - 1], state.rule, c)
        return OnlineState(np.minimum(np.maximum(x, -1.0), 1.0), memory), state.x


def points(rule: Rule, gradients: np.ndarray, x0: np.ndarray) -> np.ndarray:
    """x_1 … x_steps, at which the losses were paid: (steps, runs)."""
    play = online(rule, gradients)
    return np.array([x for _, x in iterate(play, x0, generator(0), len(gradients), progress=False)])


def average_regret(gradients: np.ndarray, x: np.ndarray) -> np.ndarray:
    """R_t / t for t = 1 … steps: what was paid beyond the best point in hindsight, -1 or 1, a loss."""
    best = -np.abs(np.cumsum(gradients, axis=0))
    return (np.cumsum(gradients * x, axis=0) - best) / np.arange(1, len(x) + 1).reshape(
        -1, *[1] * (x.ndim - 1)
    )


def drift(gradients: np.ndarray, beta1: float, beta2: float) -> float:
    """Where Adam goes in the long run on a sequence that repeats: its mean step, in units of the rate.

        drift = -mean of m_k / sqrt(v_k), k = 1 … n, with m and v the averages that repeat with the period
        m_k = (1 - beta1) / (1 - beta1**n) * sum over j = 0 … n - 1 of beta1**j * g_(k - j), and v_k alike of g**2

    gradients : (n,), one period, n steps. Without the interval's ends, and for a rate that hardly changes in a period.
    """
    m, v = (_average(series, beta) for series, beta in ((gradients, beta1), (gradients**2, beta2)))
    return -float(np.mean(m / np.sqrt(v)))


def _average(series: np.ndarray, beta: float) -> np.ndarray:
    """The moving average that repeats with the series: one period from zero, and what an earlier one leaves."""
    once = lfilter([1 - beta], [1.0, -beta], series)
    left = once[-1] / -math.expm1(len(series) * math.log(beta)) if beta else 0.0
    return once + left * beta ** np.arange(1, len(series) + 1)


def critical(C: float, period: int, beta1: float) -> float:
    """1 - beta2 below which Adam goes the right way on the periodic losses: the zero of its drift.

    For C = period and beta1 = 0 it is 4 / period**2 in the limit of long periods: within one, v falls from 1 + a to
    1 - a times its mean, a = (1 - beta2) * period / 2, so that the steep loss counts for period * (1 - a / 2) and
    the gentle ones for period - 1.
    Raises ValueError if the drift has one sign from 1 - beta2 = 1e-10 to 1 - 1e-6.
    """
    losses = periodic(C, period, period)
    exponent = brentq(lambda e: drift(losses, beta1, 1 - 10**e), -10, math.log10(1 - 1e-6), xtol=1e-6)
    return 10.0 ** float(exponent)


class Setting(NamedTuple):
    """A sequence of losses and how it is played.

    losses(seed) -> gradients (steps,);  betas : with which Adam and AMSGrad fail or do not;  wide : a beta2 nearer 1
    rate : of both at t = 1;  sgd_rate : of SGD. All rates fall as 1 / sqrt(t)
    """

    losses: Callable[[int], np.ndarray]
    betas: tuple[float, float]
    wide: float
    rate: float
    sgd_rate: float

    def rules(self) -> dict[str, Rule]:
        """The rules that play it; AMSGrad without corrections, as in the paper."""
        beta1, rate = self.betas[0], self.rate
        rules = {
            "adam": adam(rate, *self.betas),
            "smaller rate": adam(rate / 10, *self.betas),
            "defaults": adam(rate),
            "beta2": adam(rate, beta1, self.wide),
            "amsgrad": amsgrad(rate, *self.betas, order="none"),
            "sgd": gradient_rule(self.sgd_rate),
        }
        return {name: scheduled(rule, falling()) for name, rule in rules.items()}


SETTINGS = {
    "period 3": Setting(lambda seed: periodic(STEEP, 3, 20_000), (0.0, BETA2), 0.99, 0.1, 0.1),
    "period 101": Setting(lambda seed: periodic(LONG, 101, 400_000), (0.9, 0.99), 0.9999, 3.0, 0.1),
    "random": Setting(
        lambda seed: random(10.0, 0.1, 100_000, stream(seed, "losses")), (0.9, 0.9), 0.99, 0.3, 0.05
    ),
}


def stream(seed: int, what: str) -> np.random.Generator:
    """The random numbers of this experiment."""
    return generator(seed, "counter-example", what)


def played(name: str, rule: Rule, seeds: Sequence[int], steps: int | None = None) -> np.ndarray:
    """The points of a rule on the losses of a setting, from a start drawn in [-1, 1]: (steps, seeds)."""
    gradients = np.stack([SETTINGS[name].losses(seed)[:steps] for seed in seeds], axis=1)
    return points(rule, gradients, np.array([stream(seed, "start").uniform(-1, 1) for seed in seeds]))


def share(x: np.ndarray) -> np.ndarray:
    """Regret over the last tenth of the steps as a share of the worst point's: 0 at -1, 1 at 1. (runs,)

    That of losses of a steady mean slope: what is paid at x is the slope times x.
    """
    return (1 + x[-len(x) // 10 :].mean(axis=0)) / 2


def measured(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """{setting: {rule: {"share": a seed each, "path": seeds of points at the steps of CHECKPOINTS}}}."""
    result: dict[str, Any] = {}
    for name, setting in SETTINGS.items():
        result[name] = {}
        for rule_name, rule in setting.rules().items():
            x = played(name, rule, seeds)
            kept = x[[t - 1 for t in CHECKPOINTS if t <= len(x)]]
            result[name][rule_name] = {"share": share(x).tolist(), "path": kept.T.round(4).tolist()}
    return result


CHECKPOINTS = tuple(sorted({round(10 ** (k / 10)) for k in range(57)}))  # ten a decade, up to 400,000


class Alike(Result):
    """Runs of a game in which nothing is random: they differ in where they start, and show no interval."""

    def _repr_html_(self) -> str:
        """The card, without an interval and without what it could have seen."""
        starts = f"({len(self.effects)} starting points, which end alike: nothing in it is random)"
        text = re.sub(r"\(95 % interval [^)]*\)", starts, card(self))
        return re.sub(r"Smallest detectable effect</dt><dd>.*?; within", "Margin</dt><dd>within", text)


def _result(name: str, statement: str, source: str, setting: str, rule: str, kind: str) -> Result:
    effect = "regret in the last tenth of the steps, as a share of what the worst point pays"
    claim = Claim(name, statement, source, f"{effect}: {WORDS[setting]}", kind, MARGIN, bounds=(0.0, 1.0))  # type: ignore[arg-type]
    result = measure(claim, record.load("counter_example")["result"][setting][rule]["share"])
    return Alike(claim, result.effects) if setting == "period 101" else result


WORDS = {
    "period 101": "1010 x once in 101 losses, otherwise -10 x, rate 3 / sqrt(t), 400,000 steps",
    "random": "10 x with probability 0.1, otherwise -x, rate 0.3 / sqrt(t), 100,000 steps",
}


def adam_worst() -> Result:
    """Adam, with the settings of the paper's experiment."""
    return _result(
        "adam-worst",
        "Adam can converge to the worst point: beta1 = 0.9, beta2 = 0.99.",
        REDDI,
        "period 101",
        "adam",
        "positive",
    )


def adam_worst_random() -> Result:
    """Adam, where chance and not a period says which loss comes."""
    statement = "It can where losses come at random: beta1 = 0.9, beta2 = 0.9."
    return _result("adam-worst-random", statement, REDDI, "random", "adam", "positive")


def adam_worst_defaults() -> Result:
    """Adam with its default betas; the rate is the paper's."""
    statement = "It needs no odd betas: Adam with its defaults, beta1 = 0.9 and beta2 = 0.999, does as well."
    return _result("adam-worst-defaults", statement, "Our question", "period 101", "defaults", "positive")


def amsgrad_repairs() -> Result:
    """AMSGrad on the paper's losses."""
    return _result(
        "amsgrad-repairs", "AMSGrad finds the best point there.", REDDI, "period 101", "amsgrad", "none"
    )


def amsgrad_repairs_random() -> Result:
    """AMSGrad on random losses."""
    statement = "AMSGrad finds it where losses come at random, too."
    return _result("amsgrad-repairs-random", statement, REDDI, "random", "amsgrad", "none")


def beta2_repairs() -> Result:
    """Adam with a longer memory, on the paper's losses."""
    statement = (
        "A badly chosen beta2 is to blame for the counter-example: with 0.9999 Adam finds the best point."
    )
    return _result("beta2-repairs", statement, ANSWER, "period 101", "beta2", "none")


def beta2_repairs_random() -> Result:
    """Adam with a longer memory, on random losses."""
    statement = "It is to blame where losses come at random, too: with 0.99 Adam finds the best point."
    return _result("beta2-repairs-random", statement, ANSWER, "random", "beta2", "none")


def rate_repairs() -> Result:
    """Adam with a tenth of the rate."""
    statement = "A badly chosen rate is to blame: with a tenth of it Adam finds the best point."
    return _result("rate-repairs", statement, "Our question", "period 101", "smaller rate", "none")


CLAIMS: dict[str, Callable[..., Result]] = {
    "adam-worst": adam_worst,
    "adam-worst-random": adam_worst_random,
    "adam-worst-defaults": adam_worst_defaults,
    "amsgrad-repairs": amsgrad_repairs,
    "amsgrad-repairs-random": amsgrad_repairs_random,
    "beta2-repairs": beta2_repairs,
    "beta2-repairs-random": beta2_repairs_random,
    "rate-repairs": rate_repairs,
}
