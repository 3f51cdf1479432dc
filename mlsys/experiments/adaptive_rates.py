"""The lecture's claims about AdaGrad and what came after it; CLAIMS lists all of the chapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from mlsys.core import Rule
from mlsys.data import load
from mlsys.experiments import step_length
from mlsys.experiments.runs import RATES, SEEDS, last, log_ratio, outcome, stream, tuned
from mlsys.models import MLP, LeastSquares, Logistic, Plateau
from mlsys.optim import adagrad, gradient_descent, gradient_rule, rmsprop, sgd
from mlsys.optim.ray import Ray
from mlsys.report import Claim, Result, measure

LECTURE = step_length.LECTURE
Make = Callable[[float], Rule]


class RootDecay:
    """One rate for all coordinates, falling as AdaGrad's would under gradients of a steady size.

        alpha_t = rate / sqrt(t)

    rate : float > 0, in units of w**2 / f
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def init(self) -> int:
        """No step taken."""
        return 0

    def length(self, ray: Ray, memory: int) -> tuple[float, int]:
        """(alpha, steps taken)."""
        return self.rate / np.sqrt(memory + 1), memory + 1


def words(make: Make, rate: float, seed: int, steps: int = 1000) -> float:
    """Held-out loss of a classifier of sparse text, from row-sparse gradients of batches of 10."""
    train, test = load("sparse-text", seed).split(seed=seed)
    objective, held_out = Logistic(train.X, train.y), Logistic(test.X, test.y)
    algorithm = sgd(objective, make(rate), batch_size=10)
    return outcome(held_out.value, last(algorithm, np.zeros(objective.d), stream(seed, "batches"), steps))


def adagrad_sparse(seeds: Sequence[int] = SEEDS) -> Result:
    """AdaGrad against SGD where rare words decide, each with its best rate."""
    claim = Claim(
        "adagrad-sparse",
        "AdaGrad is at its best in the convex and sparse case.",
        f"{LECTURE}; Duchi, Hazan & Singer (2011)",
        "held-out loss of SGD minus that of AdaGrad (in nats), logistic regression on sparse text, best rate each",
        "positive",
        0.005,
    )
    slow = tuned(lambda r, seed: words(gradient_rule, r, seed), RATES[4:7])
    fast = tuned(lambda r, seed: words(adagrad, r, seed), RATES[3:6])
    return measure(claim, [words(gradient_rule, slow, s) - words(adagrad, fast, s) for s in seeds])


def cliff(make: Make, rate: float, seed: int, steps: int = 1000) -> float:
    """The value reached from the top of a cliff, with a plateau and a well below; scales drawn by the seed."""
    plateau = Plateau(list(10.0 ** stream(seed, "scales").uniform(-0.5, 0.5, size=2)))
    return outcome(plateau.value, last(sgd(plateau, make(rate)), plateau.start, stream(seed, "none"), steps))


def forgetful(rate: float) -> Rule:
    """RMSProp with the short memory of its first description."""
    return rmsprop(rate, rho=0.9)


def adagrad_plateau(seeds: Sequence[int] = SEEDS) -> Result:
    """AdaGrad against RMSProp on a landscape built to hurt it, each with its best rate."""
    claim = Claim(
        "adagrad-plateau",
        "AdaGrad's step only shrinks, which is trouble on a non-convex objective; RMSProp's recovers.",
        LECTURE,
        "value AdaGrad ends at minus that of RMSProp, two wells of depth 1 below a cliff, best rate each",
        "positive",
        0.05,
    )
    slow = tuned(lambda r, seed: cliff(adagrad, r, seed))
    fast = tuned(lambda r, seed: cliff(forgetful, r, seed), RATES[2:8])
    return measure(claim, [cliff(adagrad, slow, s) - cliff(forgetful, fast, s) for s in seeds])


def digits(make: Make, rate: float, seed: int, steps: int = 800) -> tuple[float, float]:
    """(training loss, share of held-out digits misread) of a small network, batches of 32."""
    train, test = load("digits").split(seed=seed)
    network = MLP(train.X, train.y, hidden=(32,))
    state = last(
        sgd(network, make(rate), 32), network.start(stream(seed, "start")), stream(seed, "batches"), steps
    )
    wrong = outcome(lambda w: 1 - network.accuracy(w, test.X, test.y), state, worst=1.0)
    return outcome(network.value, state), wrong


@cache
def _network(seeds: tuple[int, ...]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """AdaGrad's and RMSProp's (loss, errors) for each seed, at the rates of the best training loss."""
    slow = tuned(lambda r, seed: digits(adagrad, r, seed)[0], RATES[4:7])
    fast = tuned(lambda r, seed: digits(rmsprop, r, seed)[0], RATES[1:4])
    return [(digits(adagrad, slow, s), digits(rmsprop, fast, s)) for s in seeds]


def adagrad_network(seeds: Sequence[int] = SEEDS) -> Result:
    """The same on a real non-convex objective: the training loss of a small network."""
    claim = Claim(
        "adagrad-network",
        "AdaGrad is trouble on a non-convex objective: the training loss of a small network.",
        LECTURE,
        "log10 of AdaGrad's training loss over RMSProp's, digits, one hidden layer, best rate each",
        "positive",
        0.05,
    )
    return measure(claim, [log_ratio(a[0], b[0]) for a, b in _network(tuple(seeds))])


def adagrad_network_errors(seeds: Sequence[int] = SEEDS) -> Result:
    """And on what one trains a network for: held-out errors."""
    claim = Claim(
        "adagrad-network-errors",
        "AdaGrad is trouble on a non-convex objective: the same network's errors on held-out digits.",
        LECTURE,
        "share of digits misread after AdaGrad minus that after RMSProp, the runs of the card above",
        "positive",
        0.01,
    )
    return measure(claim, [a[1] - b[1] for a, b in _network(tuple(seeds))])


def regression(make: Any, rate: float, seed: int, ratio: float = 1.0, steps: int = 600) -> float:
    """The gap left on a noisy linear regression whose features differ in scale by `ratio`, batches of 4."""
    data = load("scaled-regression", seed, ratio=ratio, noise=1.0)
    objective = LeastSquares(data.X, data.y)
    made = make(rate)
    descent = sgd if isinstance(made, Rule) else gradient_descent
    algorithm = descent(objective, made, batch_size=4)
    state = last(algorithm, np.zeros(objective.d), stream(seed, "batches"), steps)
    return outcome(lambda w: objective.value(w) - objective.f_star, state)


def _against_adagrad(make: Any, seeds: Sequence[int], ratio: float) -> list[float]:
    rates = RATES[1:9]
    other = tuned(lambda r, seed: regression(make, r, seed, ratio), rates)
    best = tuned(lambda r, seed: regression(adagrad, r, seed, ratio), rates)
    return [log_ratio(regression(make, other, s, ratio), regression(adagrad, best, s, ratio)) for s in seeds]


_EQUAL = "noisy regression, features of equal scale, batches of 4, best rate each"


def different_scales(seeds: Sequence[int] = SEEDS) -> Result:
    """AdaGrad against SGD where features differ in scale 100 times."""
    claim = Claim(
        "different-scales",
        "Adaptive rates help where the scales of the parameters differ.",
        LECTURE,
        "log10 of SGD's gap over AdaGrad's, noisy regression, scales 1 to 1/100, batches of 4, best rate each",
        "positive",
        0.1,
    )
    return measure(claim, _against_adagrad(gradient_rule, seeds, 100.0))


def equal_scales(seeds: Sequence[int] = SEEDS) -> Result:
    """AdaGrad against SGD at a fixed rate where all scales are alike."""
    claim = Claim(
        "equal-scales",
        "Adaptivity helps even where scales do not differ.",
        LECTURE,
        f"log10 of the gap left by SGD at a fixed rate over AdaGrad's, {_EQUAL}",
        "positive",
        0.1,
    )
    return measure(claim, _against_adagrad(gradient_rule, seeds, 1.0))


def equal_scales_decay(seeds: Sequence[int] = SEEDS) -> Result:
    """The control: one rate for all coordinates that falls as AdaGrad's does."""
    claim = Claim(
        "equal-scales-decay",
        "What helps there is that the rate falls with time: one falling rate for all coordinates does no worse.",
        "Our explanation of the claim above",
        f"log10 of the gap left by AdaGrad over that left by SGD at the rate eta / sqrt(t), {_EQUAL}",
        "positive",
        0.05,
    )
    return measure(claim, [-effect for effect in _against_adagrad(RootDecay, seeds, 1.0)])


def rmsprop_first_step(seeds: Sequence[int] = SEEDS, rho: float = 0.99) -> Result:
    """The first step of RMSProp from r = 0, in units of its rate, for gradients of any size."""
    claim = Claim(
        "rmsprop-first-step",
        "RMSProp's first estimate is the root of the first squared gradient, so that its first step is the rate.",
        "Lecture on warm-up",
        f"length of the first step in a coordinate over the rate, minus 1, at rho = {rho}",
        "none",
        0.05,
    )
    effects = []
    for seed in seeds:
        g = stream(seed, "gradient").normal(size=5) * 10.0 ** stream(seed, "size").uniform(-3, 3)
        rule = rmsprop(eta=0.1, rho=rho)
        w, _ = rule.step(np.zeros(5), g, rule.init(np.zeros(5)))
        effects.append(float(np.mean(abs(w))) / 0.1 - 1)
    return measure(claim, effects)


CLAIMS: dict[str, Callable[..., Result]] = {
    "polyak-estimate": step_length.polyak_estimate,
    "polyak-wrong-estimate": step_length.polyak_wrong_estimate,
    "line-search-descent": step_length.line_search_descent,
    "line-search-tuned": step_length.line_search_tuned,
    "line-search-work": step_length.line_search_work,
    "line-search-batch": step_length.line_search_batch,
    "sgd-direction": step_length.sgd_direction,
    "adagrad-sparse": adagrad_sparse,
    "adagrad-plateau": adagrad_plateau,
    "adagrad-network": adagrad_network,
    "adagrad-network-errors": adagrad_network_errors,
    "different-scales": different_scales,
    "equal-scales": equal_scales,
    "equal-scales-decay": equal_scales_decay,
    "rmsprop-first-step": rmsprop_first_step,
}
