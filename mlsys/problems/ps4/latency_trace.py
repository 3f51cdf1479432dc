"""Percentiles, throughput and kept promises, from the trace of a load test."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, number, parts
from mlsys.problems.problem import Arrays, Case, Problem

Times = tuple[np.ndarray, np.ndarray, np.ndarray]

FIRST = "one sender, and an answer that takes two seconds"
LONG = 50  # requests, above which a trace is too long to print


def cases(rng: np.random.Generator) -> list[Case]:
    """Traces in whole milliseconds; no latency is at the bound by a hair."""
    start = float(rng.integers(5, 40))

    def case(title: str, due: Any, sent: Any, done: Any, *percents: int, bound: float | None = None) -> Case:
        due, sent, done = (np.round(np.asarray(times, dtype=float) + start, 3) for times in (due, sent, done))
        if bound is None:
            bound = between(np.sort((done - due)[~np.isnan(done)]))
        return Case(title, {"due": due, "sent": sent, "done": done, "percents": percents, "bound": bound})

    closed, opened, few = one_sender(rng, 40, 2.0), arrivals(rng, 200), arrivals(rng, 7)
    lost, shuffled, slow = arrivals(rng, 30), np.stack(arrivals(rng, 25)), np.stack(arrivals(rng, 12))
    lost[2][rng.choice(30, size=3, replace=False)] = np.nan
    shuffled = shuffled[:, rng.permutation(25)]
    slow[2, 0] = slow[2].max() + 1  # the first that is due is answered last
    took = np.array([0.5, 0.25, 0.75, 0.5, 1.0, 0.25, 0.5, 2.0])
    even = np.arange(8.0)
    return [
        case(FIRST, *closed, 50, 90, 99),
        case("200 requests that do not wait for one another", *opened, 50, 90, 95, 99),
        case("seven requests", *few, 10, 50, 90, 100),
        case("three in thirty are never answered", *lost, 50, 90, 95),
        case("in the order in which they were answered", *shuffled, 50, 75, 99),
        case("the first request is answered last", *slow, 50, 90),
        case("latencies of just the bound", even, even, even + took, 50, 75, bound=0.5),
        case("a single request", *arrivals(rng, 1), 50, 99),
        case("one in eight is answered", even, even, np.where(even == 3, 3.5, np.nan), 10, 50, 99, bound=1.0),
    ]


def between(took: np.ndarray) -> float:
    """The middle of the widest gap in the middle half of sorted latencies."""
    half = took[len(took) // 4 : 3 * len(took) // 4 + 2]
    if len(half) < 2:
        return 1.0
    k = int(np.diff(half).argmax())
    return float(half[k] + half[k + 1]) / 2


def one_sender(rng: np.random.Generator, n: int, stall: float) -> Times:
    """due, sent, done of a load that waits for each answer before it sends the next request; one answer takes long."""
    due, took = 0.1 * np.arange(n), rng.uniform(0.02, 0.06, size=n)
    took[n // 4] = stall
    sent, done = due.copy(), due + took
    for i in range(1, n):
        sent[i] = max(due[i], done[i - 1])
        done[i] = sent[i] + took[i]
    return due, sent, done


def arrivals(rng: np.random.Generator, n: int) -> Times:
    """due, sent, done of a load that waits for nobody; it sends a little late at times."""
    due = np.cumsum(rng.exponential(0.1, size=n))
    sent = due + rng.choice([0.0, 0.004, 0.02], size=n)
    return due, sent, sent + rng.lognormal(-2.5, 0.8, size=n)


def drive(answer: Any, case: Case) -> Arrays:
    """A latency for each percentage, and two numbers."""
    given = case.given
    times = (given[key].copy() for key in ("due", "sent", "done"))
    result = answer(*times, list(given["percents"]), given["bound"])
    latency, throughput, within = parts(result, "latency", "throughput", "within")
    return {
        "latency": array(latency, "latency", (len(given["percents"]),)),
        "throughput": number(throughput, "throughput"),
        "within": number(within, "within"),
    }


def replay(case: Case) -> str:
    """The trace, as code; one of the same kind where it is long."""
    given = case.given
    lines = [f"{key} = {literal(given[key])}".replace("nan", "np.nan") for key in ("due", "sent", "done")]
    if len(given["due"]) > LONG:
        lines = [
            "# a trace of the same kind, not that of the case",
            f"due = np.arange({len(given['due'])}) / 10",
            "sent = due + 0.004",
            "done = sent + np.random.default_rng(0).lognormal(-2.5, 0.8, size=len(due))",
        ]
    call = f"trace_report(due, sent, done, {list(given['percents'])}, {given['bound']:.6g})"
    return "\n".join([*lines, f"print({call})"])


PROBLEM = Problem("latency.trace", "trace_report", 3.0, cases, drive, replay)
