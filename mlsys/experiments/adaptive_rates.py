"""The lecture's claims about AdaGrad and what came after it; CLAIMS lists all of the chapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from mlsys.core import Rule
from mlsys.experiments import batches, step_length
from mlsys.experiments.equal_scales import best_rate, regression
from mlsys.experiments.runs import FACTOR, SEEDS, SHARE, between, last, log_ratio, outcome, stream, tuned
from mlsys.models import Plateau
from mlsys.optim import adagrad, gradient_rule, rmsprop, sgd
from mlsys.report import Claim, Result, measure, record

LECTURE = step_length.LECTURE
Make = Callable[[float], Rule]


def recorded(kind: str, method: str, column: int = 0) -> np.ndarray:
    """What the record `classifiers` has of a method: for text held-out nats, for digits loss (0) or errors (1)."""
    runs = np.array(record.load("classifiers")["result"][kind][method]["runs"])
    return runs if runs.ndim == 1 else runs[:, column]


def _sparse(name: str, statement: str, source: str, passes: str) -> Result:
    claim = Claim(
        name,
        statement,
        source,
        "fall of the held-out loss (in nats) from SGD to AdaGrad on sparse text, minus the same on a dense twin of "
        f"it, logistic regression, {passes}, best rate each",
        "positive",
        SHARE,
    )
    gain = {
        kind: recorded(f"{kind}, {passes}", "sgd") - recorded(f"{kind}, {passes}", "adagrad")
        for kind in KINDS
    }
    return measure(claim, list(gain["sparse"] - gain["dense"]))


KINDS = ("sparse", "dense")


def adagrad_sparse() -> Result:
    """What AdaGrad gains on SGD where rare words decide, beyond what it gains on dense features, in one pass."""
    return _sparse(
        "adagrad-sparse",
        "AdaGrad is at its best in the sparse case: it gains more there than on dense features.",
        f"{LECTURE}; Duchi, Hazan & Singer (2011)",
        "1 pass",
    )


def adagrad_sparse_later() -> Result:
    """The same after three passes."""
    return _sparse(
        "adagrad-sparse-later",
        "AdaGrad gains more on sparse text than on dense features even after three passes over the data.",
        "Our question",
        "3 passes",
    )


def cliff(make: Make, rate: float, seed: int, steps: int = 1000) -> float:
    """The value reached from the top of a cliff, with a plateau and a well below; scales drawn by the seed."""
    plateau = Plateau(list(10.0 ** stream(seed, "scales").uniform(-0.5, 0.5, size=2)))
    return outcome(plateau.value, last(sgd(plateau, make(rate)), plateau.start, stream(seed, "none"), steps))


def forgetful(rate: float) -> Rule:
    """RMSProp with the short memory of its first description."""
    return rmsprop(rate, rho=0.9)


@cache
def cliff_rate(make: Make, low: float, high: float) -> float:
    """The best rate between low and high, two a decade: no rate helps AdaGrad."""
    return tuned(lambda r, seed: cliff(make, r, seed), between(low, high)[::2])


def adagrad_plateau(seeds: Sequence[int] = SEEDS) -> Result:
    """AdaGrad against RMSProp on a landscape built to hurt it, each with its best rate."""
    claim = Claim(
        "adagrad-plateau",
        "AdaGrad's step only shrinks, which is trouble on a non-convex objective; RMSProp's recovers.",
        LECTURE,
        "value AdaGrad ends at minus that of RMSProp, two wells of depth 1 below a cliff, best rate each",
        "positive",
        10 * SHARE,
        bounds=(-2.0, 2.0),
    )
    slow = cliff_rate(adagrad, 0.001, 100)
    fast = cliff_rate(forgetful, 0.01, 1)
    return measure(claim, [cliff(adagrad, slow, s) - cliff(forgetful, fast, s) for s in seeds])


def adagrad_network() -> Result:
    """The training loss of a small network."""
    claim = Claim(
        "adagrad-network",
        "AdaGrad is trouble on a non-convex objective: the training loss of a small network.",
        LECTURE,
        "log10 of AdaGrad's training loss over RMSProp's, digits, one hidden layer, best rate each",
        "positive",
        FACTOR,
    )
    return measure(claim, _losses("network"))


def _losses(kind: str) -> list[float]:
    pairs = zip(recorded(kind, "adagrad"), recorded(kind, "rmsprop"), strict=True)
    return [log_ratio(slow, fast) for slow, fast in pairs]


def adagrad_convexity() -> Result:
    """Whether it is because the network is not convex: softmax regression on the same digits is."""
    claim = Claim(
        "adagrad-convexity",
        "AdaGrad's trouble with the network is that it is not convex: softmax regression on the same digits, which is, "
        "shows less.",
        "Our control of the claim above",
        "the effect above minus the same effect without the hidden layer, best rate each",
        "positive",
        FACTOR,
    )
    effects = np.array(_losses("network")) - np.array(_losses("convex"))
    return measure(claim, list(effects))


def adagrad_network_errors() -> Result:
    """And on what one trains a network for: held-out errors."""
    claim = Claim(
        "adagrad-network-errors",
        "AdaGrad is trouble on a non-convex objective: the same network's errors on held-out digits.",
        LECTURE,
        "share of digits misread after AdaGrad minus that after RMSProp, the network's runs above",
        "positive",
        SHARE,
    )
    effects = recorded("network", "adagrad", 1) - recorded("network", "rmsprop", 1)
    return measure(claim, list(effects))


def different_scales(seeds: Sequence[int] = SEEDS) -> Result:
    """AdaGrad against SGD where features differ in scale 100 times."""
    claim = Claim(
        "different-scales",
        "Adaptive rates help where the scales of the parameters differ.",
        LECTURE,
        "log10 of SGD's gap over AdaGrad's, noisy regression, scales 1 to 1/100, batches of 4, best rate each",
        "positive",
        FACTOR,
    )
    fixed, rate = best_rate(gradient_rule, 100.0, 0.3, 3), best_rate(adagrad, 100.0, 1.7, 20)
    gaps = ((regression(gradient_rule, fixed, s, 100.0), regression(adagrad, rate, s, 100.0)) for s in seeds)
    return measure(claim, [log_ratio(*pair) for pair in gaps])


_EQUAL = "noisy regression, features of equal scale, batches of 4, best rate each"


def _log_ratios(above: str, below: str) -> list[float]:
    """log10 of the gap that one method of the record `equal_scales` leaves over that of another, a seed each."""
    kept = record.load("equal_scales")["result"]
    pairs = zip(kept[above]["gaps"], kept[below]["gaps"], strict=True)
    return [log_ratio(*pair) for pair in pairs]


def _equal(method: str) -> Result:
    claim = Claim(
        f"equal-scales-{method.lower()}",
        f"Adaptivity helps even where scales do not differ: {method}.",
        LECTURE,
        f"log10 of the gap left by SGD at a fixed rate over {method}'s, {_EQUAL}",
        "positive",
        FACTOR,
    )
    return measure(claim, _log_ratios("SGD", method))


def equal_scales_adagrad() -> Result:
    """AdaGrad against SGD at a fixed rate where all scales are alike."""
    return _equal("AdaGrad")


def equal_scales_rmsprop() -> Result:
    """RMSProp against SGD at a fixed rate where all scales are alike."""
    return _equal("RMSProp")


def equal_scales_adam() -> Result:
    """Adam against SGD at a fixed rate where all scales are alike."""
    return _equal("Adam")


def equal_scales_decay() -> Result:
    """The control: one rate for all coordinates that falls as AdaGrad's does."""
    claim = Claim(
        "equal-scales-decay",
        "What helps there is only that the rate falls: one falling rate for all coordinates does as well as AdaGrad.",
        "Our explanation",
        f"log10 of the gap left by SGD at the rate eta / sqrt(t) over AdaGrad's, {_EQUAL}",
        "none",
        FACTOR,
    )
    return measure(claim, _log_ratios("falling rate", "AdaGrad"))


CLAIMS: dict[str, Callable[..., Result]] = {
    "polyak-tuned": step_length.polyak_tuned,
    "polyak-estimate": step_length.polyak_estimate,
    "polyak-estimate-tuned": step_length.polyak_estimate_tuned,
    "polyak-too-high": step_length.polyak_too_high,
    "polyak-too-low": step_length.polyak_too_low,
    "polyak-batch": batches.polyak_batch,
    "polyak-batch-capped": batches.polyak_batch_capped,
    "line-search-descent": step_length.line_search_descent,
    "line-search-tuned": step_length.line_search_tuned,
    "line-search-grid": step_length.line_search_grid,
    "line-search-work": batches.line_search_work,
    "line-search-batch": batches.line_search_batch,
    "line-search-batch-tuned": batches.line_search_batch_tuned,
    "sgd-direction": batches.sgd_direction,
    "adagrad-sparse": adagrad_sparse,
    "adagrad-sparse-later": adagrad_sparse_later,
    "adagrad-plateau": adagrad_plateau,
    "adagrad-network": adagrad_network,
    "adagrad-convexity": adagrad_convexity,
    "adagrad-network-errors": adagrad_network_errors,
    "different-scales": different_scales,
    "equal-scales-adagrad": equal_scales_adagrad,
    "equal-scales-rmsprop": equal_scales_rmsprop,
    "equal-scales-adam": equal_scales_adam,
    "equal-scales-decay": equal_scales_decay,
}
