"""What no page has the time for: classifiers of text and of digits. `measured` makes the record `classifiers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from mlsys.core import Rule
from mlsys.data import load
from mlsys.experiments.runs import SEEDS, between, last, outcome, stream, tuned
from mlsys.models import MLP, Logistic
from mlsys.optim import adagrad, gradient_rule, rmsprop, sgd

Make = Callable[[float], Rule]
LENGTH = 30  # words of a document, and features of its dense twin
PASS = 300  # batches of 10 in as many draws as there are documents to learn from
GRIDS = {  # where each method's best rate is looked for
    "sparse, 1 pass": {"sgd": between(0.1, 6), "adagrad": between(0.03, 2)},
    "dense, 1 pass": {"sgd": between(0.03, 1), "adagrad": between(0.03, 2)},
    "sparse, 3 passes": {"sgd": between(0.1, 6), "adagrad": between(0.03, 1)},
    "dense, 3 passes": {"sgd": between(0.01, 1), "adagrad": between(0.03, 1)},
    "network": {"adagrad": between(0.03, 0.6), "rmsprop": between(0.001, 0.06)},
    "convex": {"adagrad": between(0.3, 20), "rmsprop": between(0.01, 0.6)},
}
RULES: dict[str, Make] = {"sgd": gradient_rule, "adagrad": adagrad, "rmsprop": rmsprop}


def sparse_text(seed: int) -> tuple[Logistic, Logistic]:
    """(training, held-out) logistic regression on documents of 30 words, of which the rare ones decide."""
    train, test = load("sparse-text", seed).split(seed=seed)
    return Logistic(train.X, train.y), Logistic(test.X, test.y)


def dense_twin(seed: int, n: int = 4000) -> tuple[Logistic, Logistic]:
    """The same with as many features as a document has words, all of them always there, all of one scale."""
    rng = stream(seed, "dense")
    X = rng.standard_normal((n, LENGTH))
    z = X @ rng.choice([-1.0, 1.0], LENGTH) * np.sqrt(0.5)  # about half of a document's words decide
    y = (rng.random(n) < expit(z)).astype(int)
    cut = n // 4
    return Logistic(X[cut:], y[cut:]), Logistic(X[:cut], y[:cut])


def nats(kind: str, make: Make, rate: float, seed: int) -> float:
    """The held-out loss of a classifier of `kind`, from batches of 10."""
    objective, held_out = (sparse_text if kind.startswith("sparse") else dense_twin)(seed)
    steps = PASS * int(kind.split()[1])
    algorithm = sgd(objective, make(rate), batch_size=10)
    return outcome(held_out.value, last(algorithm, np.zeros(objective.d), stream(seed, "batches"), steps))


def digits(kind: str, make: Make, rate: float, seed: int, steps: int = 800) -> tuple[float, float]:
    """(training loss, share of held-out digits misread), batches of 32.

    kind : "network", one hidden layer of 32, or "convex", the same without it: softmax regression
    """
    train, test = load("digits").split(seed=seed)
    model = MLP(train.X, train.y, hidden=(32,) if kind == "network" else ())
    start = model.start(stream(seed, "start"))
    state = last(sgd(model, make(rate), 32), start, stream(seed, "batches"), steps)
    wrong = outcome(lambda w: 1 - model.accuracy(w, test.X, test.y), state, worst=1.0)
    return outcome(model.value, state), wrong


def measured(seeds: Sequence[int] = SEEDS, rates: dict[str, Any] | None = None) -> dict[str, Any]:
    """{kind: {method: {"rate": its best, "runs": a seed each}}}; a run of text is its held-out nats, one of digits
    (training loss, share misread). Rates are chosen on the tuning seeds, for digits by the training loss.

    rates : {kind: {method: rate}} to take in place of a search
    """
    result: dict[str, Any] = {}
    for kind, grids in GRIDS.items():
        run: Callable[..., Any] = digits if kind in ("network", "convex") else nats
        result[kind] = {}
        for method, grid in grids.items():
            make = RULES[method]
            rate = rates[kind][method] if rates else tuned(_loss(run, kind, make), grid)
            runs = [run(kind, make, rate, seed) for seed in seeds]
            result[kind][method] = {"rate": rate, "runs": runs}
    return result


def _loss(run: Callable[..., Any], kind: str, make: Make) -> Callable[[float, int], float]:
    return lambda rate, seed: float(np.ravel(run(kind, make, rate, seed))[0])
