"""Whether a run may be believed: arrivals, schedule, answers, and nothing remembered that should be computed.

After MLPerf Inference's compliance tests: TEST01 (answers of a performance run against those of the accuracy run) and
TEST04 (a repeated sample must not be faster).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import kstest

from mlsys.core.checks import nonnegative, positive, whole
from mlsys.core.seeds import generator
from mlsys.inference.load.generator import run, run_accuracy
from mlsys.inference.load.scenarios import Server, SingleStream
from mlsys.inference.load.system import System
from mlsys.inference.load.trace import Trace


class Finding(NamedTuple):
    """One check: whether it holds, the figure that decided, and in words what was found."""

    check: str
    holds: bool
    figure: float
    text: str


def poisson_arrivals(trace: Trace, alpha: float = 1e-6) -> Finding:
    """Whether the gaps of a server run are independent draws of Exp(rate): Kolmogorov and Smirnov's test.

    Of the schedule; whether the queries were handed over as it says is schedule_kept's to tell.
    alpha : how often an honest run is rejected
    Raises TypeError if the run was not of the server scenario, ValueError if it has no query.
    """
    if not isinstance(trace.scenario, Server):
        raise TypeError(f"only a Server run has Poisson arrivals; this is {type(trace.scenario).__name__}.")
    if len(trace) == 0:
        raise ValueError("a trace without queries has no gaps.")
    gaps = np.diff(trace.scheduled_s, prepend=0.0)
    p = float(kstest(gaps, "expon", args=(0, 1 / trace.scenario.rate_per_s)).pvalue)
    return Finding("poisson arrivals", p >= alpha, p, f"{len(gaps)} gaps, Kolmogorov-Smirnov p = {p:.3g}")


def schedule_kept(trace: Trace, tolerance_s: float = 1e-3, p: float = 0.99) -> Finding:
    """Whether a share p of queries was handed over within tolerance_s of being due."""
    if len(trace) == 0:
        return Finding("schedule kept", True, 0.0, "no query was due")
    late = np.sort(trace.lateness_s)
    at = float(late[min(len(late) - 1, int(len(late) * p))])
    text = f"{100 * p:g} % of queries issued within {1e3 * at:.3g} ms of being due, all within {1e3 * late[-1]:.3g} ms"
    return Finding("schedule kept", at <= nonnegative(tolerance_s=tolerance_s), at, text)


def compare_answers(
    performance: Trace,
    accuracy: Trace | Mapping[int, Any],
    share: float = 1.0,
    seed: int = 0,
    same: Callable[[Any, Any], bool] | None = None,
) -> Finding:
    """Whether the answers given under load are those of the accuracy run; the figure is how many are not.

    accuracy : that run, or a mapping from a sample's index to its right answer
    share : of the answers, drawn by the seed after the run, so that no system can know which are looked at
    same : whether two answers agree; by default numbers within 1e-5 relative or 1e-6, NaN never
    Raises ValueError if a performance answer was kept for a sample that the accuracy run did not answer.
    """
    right = accuracy.by_index() if isinstance(accuracy, Trace) else accuracy
    agree = same or _close
    given = [
        k for k in range(len(performance)) if performance.end[k] == 0 and performance.answers[k] is not None
    ]
    looked = [
        k for k, r in zip(given, generator(seed, "answers").random(len(given)), strict=True) if r < share
    ]
    missing = sorted({int(performance.index[k]) for k in looked} - set(right))
    if missing:
        raise ValueError(
            f"the accuracy run has no answer for samples {missing[:5]}: there is nothing to compare with. "
            "Repeat it until every sample is answered."
        )
    wrong = sum(not agree(performance.answers[k], right[int(performance.index[k])]) for k in looked)
    holds = wrong == 0 and len(looked) > 0
    return Finding("answers", holds, float(wrong), f"{wrong} of {len(looked)} answers wrong")


def _close(a: Any, b: Any) -> bool:
    x, y = (np.asarray(v.detach().cpu() if hasattr(v, "detach") else v) for v in (a, b))
    if x.shape != y.shape:
        return False
    if x.dtype.kind in "biufc" and y.dtype.kind in "biufc":
        return bool(np.allclose(x, y, rtol=1e-5, atol=1e-6))
    return bool(np.array_equal(x, y))


def nothing_cached_by_index(system: System, samples: Sequence[Any], seed: int = 0) -> Finding:
    """Whether the system computes what it is given: the same indices are sent with one another's samples.

    The samples move on by one place; the answers must move with them. A system that answers by the index gives
    the old ones. Exact, without a clock. The figure is how many answers stayed behind.
    Raises ValueError if there are fewer than two samples, or if no two neighbours' answers differ.
    """
    if len(samples) < 2:
        raise ValueError("two samples at least are needed to exchange them; got one or none.")
    scenario, n = SingleStream(), len(samples)
    moved = [samples[(i + 1) % n] for i in range(n)]
    before, after = (run_accuracy(system, s, scenario, seed).by_index() for s in (samples, moved))
    telling = [
        i for i in sorted(before) if (i + 1) % n in before and not _close(before[i], before[(i + 1) % n])
    ]
    if not telling:
        raise ValueError("no two neighbouring samples have different answers: pass samples that differ.")
    stale = sum(i not in after or not _close(after[i], before[(i + 1) % n]) for i in telling)
    return Finding(
        "nothing cached by index",
        stale == 0,
        float(stale),
        f"{stale} of {len(telling)} answers did not follow",
    )


def nothing_cached_by_content(
    system: System,
    samples: Sequence[Any],
    queries: int = 200,
    tolerance: float = 1.1,
    seed: int = 0,
    **more: Any,
) -> Finding:
    """Whether a sample sent again and again is no faster than samples sent once: median over median, a closed loop.

    tolerance : how many times faster the repeated one may be; MLPerf's TEST04 allows 1.1. Both runs take turns
    of an eighth of the queries, so that a slow spell of the machine hits both.
    Raises ValueError if there are fewer samples than queries: each is sent once only.
    """
    queries, tolerance = whole(16, queries=queries), positive(tolerance=tolerance)
    if len(samples) < queries:
        raise ValueError(f"queries must be <= the {len(samples)} samples, each sent once; got {queries}.")
    order = generator(seed, "repeated").permutation(len(samples))[:queries].tolist()
    fresh: list[np.ndarray] = []
    repeated: list[np.ndarray] = []
    for turn in np.array_split(order, 8):
        for times, indices in ((fresh, turn.tolist()), (repeated, [order[0]] * len(turn))):
            times.append(
                run(system, samples, SingleStream(), seed, indices=indices, **more).latencies().latency_s
            )
    ratio = float(np.median(np.concatenate(fresh)) / np.median(np.concatenate(repeated)))
    text = f"a repeated sample is {ratio:.3g} times as fast as fresh ones"
    return Finding("nothing cached by content", ratio <= tolerance, ratio, text)
