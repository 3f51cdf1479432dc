"""The first steps of adaptive rules: how long they are, where they point, and how sure their rate is.

psi_t = 1 / sqrt(v_t / (1 - beta2**t)) is what Adam multiplies its rate by. For Gaussian gradients its variance is
computed exactly here, beside RAdam's formula (Liu et al., 2020); `measured` draws gradients, Gaussian ones and those of
a network at its start, and makes the record `first_steps`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln

from mlsys.core import Rule, generator
from mlsys.data import load
from mlsys.experiments.runs import FACTOR, SEEDS
from mlsys.models import MLP
from mlsys.optim import adam, gradient_rule, rmsprop
from mlsys.report import Claim, Result, measure, record

LIU = "Liu et al. (2020)"
LECTURE = "The lecture on warm-up"
BETA2 = 0.999
TIMES = (3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 30, 50, 100, 200, 500, 1000, 2000)
EARLY = (5, 10)  # the first steps that the formula covers
LATE = (20, 2000)  # those where it is to hold
BATCH = 32


def degrees(t: int | np.ndarray, beta2: float = BETA2) -> Any:
    """RAdam's rho_t = rho_inf - 2 * t * beta2**t / (1 - beta2**t), rho_inf = 2 / (1 - beta2) - 1."""
    t = np.asarray(t, float)
    return 2 / (1 - beta2) - 1 - 2 * t * beta2**t / -np.expm1(t * np.log(beta2))


def approximation(rho: Any) -> Any:
    """RAdam's variance of psi, in units of 1 / E[g**2]: rho / (2 * (rho - 2) * (rho - 4)), infinite for rho <= 4."""
    rho = np.asarray(rho, float)
    with np.errstate(divide="ignore"):
        return np.where(rho > 4, rho / np.abs(2 * (rho - 2) * (rho - 4)), np.inf)


def of_chi_square(rho: Any) -> Any:
    """The variance of psi if psi**2 is scaled inverse chi-square with rho degrees of freedom: finite for rho > 2.

    rho / (rho - 2) - rho / 2 * (gamma((rho - 1) / 2) / gamma(rho / 2))**2
    """
    rho = np.asarray(rho, float)
    root = np.sqrt(rho / 2) * np.exp(gammaln((rho - 1) / 2) - gammaln(rho / 2))
    return np.where(rho > 2, rho / np.maximum(rho - 2, 1e-300) - root**2, np.inf)


def exact(t: int, beta2: float = BETA2) -> tuple[float, float]:
    """(mean, variance) of psi_t for gradients from N(0, 1); the mean is infinite for t = 1, the variance for t < 3.

    E[Q**-s] = integral over z > 0 of z**(s - 1) * prod(1 + 2 * z * w_i)**-0.5 dz / gamma(s),  s = 1/2 and 1
    Q = sum of w_i * g_i**2,  w_i = (1 - beta2) * beta2**(t - i) / (1 - beta2**t)
    """
    w = beta2 ** np.arange(t)
    w /= w.sum()
    u = np.arange(-80.0, 160.0, 0.05)  # z = exp(u): the integrand falls off exponentially at both ends
    log_prod = -0.5 * np.array([np.logaddexp(0, np.log(2 * w) + x).sum() for x in u])
    root, square = (0.05 * float(np.exp(s * u + log_prod).sum() / np.exp(gammaln(s))) for s in (0.5, 1.0))
    mean = root if t > 1 else np.inf
    return mean, square - root**2 if t > 2 else np.inf


def rates(squares: Callable[[], np.ndarray], steps: Sequence[int], beta2: float = BETA2) -> list[np.ndarray]:
    """psi at these steps, from Adam's own average of the squared gradients that `squares` draws a step."""
    v, found = np.zeros(()), []
    for t in range(1, max(steps) + 1):
        v = beta2 * v + (1 - beta2) * squares()
        if t in steps:
            found.append(1 / np.sqrt(v / (1 - beta2**t)))
    return found


def gaussian(seed: int, steps: Sequence[int] = TIMES, runs: int = 20_000) -> list[float]:
    """The variance of psi at these steps, over so many sequences of Gaussian gradients."""
    rng = stream(seed, "gaussian")
    return [float(psi.var()) for psi in rates(lambda: rng.standard_normal(runs) ** 2, steps)]


def network(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(gradients of 2,000 batches at the start (2000, d), the whole gradient (d,), E[g**2] of a batch (d,))."""
    train, _ = load("digits").split(seed=seed)
    model = MLP(train.X, train.y)
    start, rng = model.start(stream(seed, "start")), stream(seed, "batches")
    g = np.array([model.gradient(start, rng.integers(model.n, size=BATCH)) for _ in range(2000)])
    alive = (g != 0).all(axis=0)  # pixels that are always blank have no gradient, and no rate
    return g[:, alive], model.gradient(start)[alive], (g[:, alive] ** 2).mean(axis=0)


def of_network(
    seed: int, steps: Sequence[int] = TIMES, runs: int = 400, coordinates: int = 100
) -> dict[str, list[float]]:
    """The variance of psi in units of 1 / E[g**2], batches drawn anew, weights kept: its quartiles over coordinates.

    Returns {"low", "median", "high": a number a step}, of coordinates drawn by the seed, and "centred": the median for
    the same gradients with their means taken out, the part that all batches share.
    """
    g, _, _ = network(seed)
    rng = stream(seed, "rates")
    chosen = g[:, rng.choice(g.shape[1], coordinates, replace=False)]
    low, median, high = _spread(chosen, rng, steps, runs)
    _, centred, _ = _spread(chosen - chosen.mean(axis=0), rng, steps, runs)
    return {"low": low, "median": median, "high": high, "centred": centred}


def _spread(g: np.ndarray, rng: np.random.Generator, steps: Sequence[int], runs: int) -> list[list[float]]:
    """The quartiles over weights of the variance of psi, in units of 1 / E[g**2], rows of g drawn at random."""
    squares = g**2
    found = rates(lambda: squares[rng.integers(len(squares), size=runs)], steps)
    variances = np.array([psi.var(axis=0) * squares.mean(axis=0) for psi in found])
    return [row.tolist() for row in np.quantile(variances, (0.25, 0.5, 0.75), axis=1)]


def lengths(rule: Rule, gradients: np.ndarray) -> np.ndarray:
    """How far each step of a rule goes, as a multiple of its rate: (steps,) from the gradients of one weight."""
    w, state, found = np.zeros(1), None, []
    state = rule.init(w)
    for g in gradients:
        new, state = rule.step(w, np.array([g]), state)
        found.append(float((new - w)[0]) / rule.hyper.eta)
        w = new
    return np.array(found)


def directions(seed: int, steps: int = 100, repeats: int = 20) -> dict[str, list[float]]:
    """Cosine to the downhill direction of the t-th step, t = 1 … steps, weights kept at the start; means of repeats.

    Returns {"sgd", "rmsprop", "adam", "sure": (steps,)}: SGD's step is g, RMSProp's g / sqrt(v_t), Adam's
    m_t / sqrt(v_t);  "sure" is g / sqrt(E[g**2]), RMSProp's step if its statistics were perfect. And "turn": the cosine
    of RMSProp's step not to downhill but to "sure".
    """
    g, whole, second = network(seed)
    rng = stream(seed, "directions")
    rules = {"sgd": gradient_rule(1.0), "rmsprop": rmsprop(1.0, rho=BETA2), "adam": adam(1.0)}
    found = {name: np.zeros(steps) for name in (*rules, "sure", "turn")}
    zero = np.zeros_like(whole)
    for _ in range(repeats):
        states = {name: rule.init(zero) for name, rule in rules.items()}
        for t, row in enumerate(rng.integers(len(g), size=steps)):
            moves = {"sure": -g[row] / np.sqrt(second)}
            for name, rule in rules.items():
                moves[name], states[name] = rule.step(zero, g[row], states[name])
            for name, move in moves.items():
                found[name][t] += _cosine(move, -whole) / repeats
            found["turn"][t] += _cosine(moves["rmsprop"], moves["sure"]) / repeats
    return {name: values.round(5).tolist() for name, values in found.items()}


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def stream(seed: int, what: str) -> np.random.Generator:
    """The random numbers of this experiment."""
    return generator(seed, "first-steps", what)


def measured(seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """{"steps": TIMES, "gaussian", "network", "directions": a seed each}."""
    return {
        "steps": list(TIMES),
        "gaussian": [gaussian(seed) for seed in seeds],
        "network": [of_network(seed) for seed in seeds],
        "directions": [directions(seed) for seed in seeds],
    }


def recorded(kind: str) -> list[Any]:
    """What the record `first_steps` has, a seed each."""
    return record.load("first_steps")["result"][kind]


def rmsprop_first_step(seeds: Sequence[int] = SEEDS) -> Result:
    """RMSProp's first step against its rate."""
    claim = Claim(
        "rmsprop-first-step",
        "RMSProp's first estimate is the root of the first squared gradient, so that its first step is the rate.",
        LECTURE,
        "log10 of RMSProp's first step over its rate, rho = 0.99, one Gaussian gradient of a random scale",
        "none",
        FACTOR,
    )
    return measure(claim, [_first(rmsprop(0.01), seed) for seed in seeds])


def adam_first_step(seeds: Sequence[int] = SEEDS) -> Result:
    """The same of Adam, whose correction is made for it."""
    claim = Claim(
        "adam-first-step",
        "With Adam's bias correction the first step is the rate, whatever the gradient.",
        "Kingma & Ba (2015)",
        "log10 of Adam's first step over its rate, one Gaussian gradient of a random scale",
        "none",
        FACTOR,
    )
    return measure(claim, [_first(adam(0.01), seed) for seed in seeds])


def _first(rule: Rule, seed: int) -> float:
    rng = stream(seed, "gradient")
    g = rng.standard_normal(1) * 10 ** rng.uniform(-3, 3)
    return float(np.log10(abs(lengths(rule, g)[0])))


def _formula(name: str, statement: str, span: tuple[int, int], kind: str, of: str) -> Result:
    claim = Claim(
        name,
        statement,
        LIU,
        f"log10 of the variance that RAdam's formula gives over the one measured, mean of steps {span[0]} to "
        f"{span[1]}, beta2 = {BETA2}, {of}",
        "none",
        FACTOR,
    )
    chosen = [i for i, t in enumerate(TIMES) if span[0] <= t <= span[1]]
    formula = approximation(degrees(np.array(TIMES)))
    seen = [row["median"] if kind == "network" else row for row in recorded(kind)]
    return measure(claim, [float(np.mean([np.log10(formula[i] / row[i]) for i in chosen])) for row in seen])


def radam_variance() -> Result:
    """RAdam's formula where the average has seen some gradients."""
    statement = "RAdam's formula gives the variance of the adaptive rate."
    return _formula("radam-variance", statement, LATE, "gaussian", "Gaussian gradients")


def radam_variance_early() -> Result:
    """RAdam's formula at the first steps it speaks of, for which it was made."""
    statement = "It gives it from the first steps on."
    return _formula("radam-variance-early", statement, EARLY, "gaussian", "Gaussian gradients")


def radam_variance_network() -> Result:
    """RAdam's formula for what a network's gradients are like."""
    statement = "It gives it for the gradients of a network, too."
    words = f"batches of {BATCH} of a small network at its start on digits, median over its weights"
    return _formula("radam-variance-network", statement, LATE, "network", words)


def first_direction() -> Result:
    """Whether poor statistics make the first steps point further from downhill."""
    claim = Claim(
        "first-direction",
        "The first adaptive steps can point wrongly, since the second moment is estimated from one batch.",
        LECTURE,
        "cosine between downhill and the step, RMSProp's with perfect statistics minus its own, mean of the first ten "
        f"steps, batches of {BATCH} of a small network at its start on digits",
        "positive",
        COSINE,
    )
    return measure(
        claim, [float(np.mean(np.subtract(d["sure"], d["rmsprop"])[:10])) for d in recorded("directions")]
    )


COSINE = 0.02  # the margin of a cosine: about a thirtieth of what one batch's gradient has itself

CLAIMS: dict[str, Callable[..., Result]] = {
    "rmsprop-first-step": rmsprop_first_step,
    "adam-first-step": adam_first_step,
    "radam-variance": radam_variance,
    "radam-variance-early": radam_variance_early,
    "radam-variance-network": radam_variance_network,
    "first-direction": first_direction,
}
