"""How the report on a trace is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.inference.metrics import latency
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off
from mlsys.problems.ps4.latency_trace import FIRST

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def trace_report(due, sent, done, percents, bound):
    n, answered = len(due), ~np.isnan(done)
    took = np.sort(np.where(answered, done - due, np.inf))
    latency = [took[math.ceil(n * p / 100) - 1] for p in percents]
    span = done[answered].max() - due.min()
    return latency, answered.sum() / span, (took <= bound).mean()


def loops(due, sent, done, percents, bound):
    took = sorted(math.inf if math.isnan(b) else b - a for a, b in zip(due, done, strict=True))
    n, latency = len(took), []
    for p in percents:
        for rank in range(1, n + 1):
            if 100 * rank >= p * n:
                latency.append(took[rank - 1])
                break
    ends = [b for b in done if b == b]
    throughput = len(ends) / (max(ends) - min(due))
    return latency, throughput, sum(x <= bound for x in took) / n


def ready_made(due, sent, done, percents, bound):
    took = np.nan_to_num(done - due, nan=np.inf)
    latency = np.percentile(took, percents, method="inverted_cdf")
    rate = np.count_nonzero(np.isfinite(took)) / (np.nanmax(done) - due.min())
    return latency, rate, np.count_nonzero(took <= bound) / len(took)


def in_torch(due, sent, done, percents, bound):
    due, done = torch.as_tensor(due), torch.as_tensor(done)
    took = (done - due).nan_to_num(nan=math.inf).sort().values
    ranks = -(-torch.tensor(percents) * len(due) // 100) - 1
    ends = done[~done.isnan()]
    return took[ranks], len(ends) / (ends.max() - due.min()), (took <= bound).double().mean()


TOOK, RANK = "np.where(answered, done - due, np.inf)", "math.ceil(n * p / 100) - 1"
SPAN, RATE = "done[answered].max() - due.min()", "answered.sum() / span"

WRONG = edits(
    trace_report,
    since_sent=(
        "Latency is counted here from when a request was sent. Whoever waits until the sender is free is waiting too: "
        "count from `due`. (Leaving that out is called coordinated omission.)",
        "done - due, np.inf",
        "done - sent, np.inf",
    ),
    until_sent=(
        "This is how late the requests were sent, and not when they were answered.",
        "done - due, np.inf",
        "sent - due, np.inf",
    ),
    answered_alone=(
        "Requests that were never answered are left out of the percentiles. They count among the n, as slower than all "
        "others: else a server looks the better the more it drops.",
        "n, answered = len(due), ~np.isnan(done)",
        "answered = ~np.isnan(done)\n    n = answered.sum()",
    ),
    lost_are_fast=(
        "A request that was never answered counts as the fastest here; its latency is infinite.",
        TOOK,
        "np.where(answered, done - due, 0.0)",
    ),
    lost_are_nan=(
        "A request without an answer has an infinite latency here, and not nan.",
        TOOK,
        "done - due",
    ),
    a_rank_further=(
        "This takes the sorted latencies at floor(n * p / 100), counted from 0, as MLPerf's LoadGen does. Here it is "
        "the smallest latency that p percent of the requests have at most: the one of rank ceil(n * p / 100), counted "
        "from 1.",
        RANK,
        "min(n * p // 100, n - 1)",
    ),
    a_rank_short=(
        "The rank is rounded down here, so that fewer than p percent of the requests have this latency or less.",
        RANK,
        "max(n * p // 100, 1) - 1",
    ),
    rank_rounded=(
        "The rank is rounded to the nearest here; it is rounded up, so that p percent have this latency or less.",
        RANK,
        "max(round(n * p / 100), 1) - 1",
    ),
    interpolated=(
        "This interpolates between two latencies, as np.percentile does unless it is told otherwise. Here a percentile "
        "is a latency that occurred.",
        "[took[math.ceil(n * p / 100) - 1] for p in percents]",
        "np.percentile(took, percents)",
    ),
    all_counted=(
        "Throughput counts answers: requests that were never answered are counted too.",
        RATE,
        "n / span",
    ),
    span_from_zero=(
        "The clock does not start at 0: the run lasts from the first `due` to the last answer.",
        SPAN,
        "done[answered].max()",
    ),
    span_of_the_arrivals=(
        "The run ends with the last answer, and not when the last request is due.",
        SPAN,
        "max(due.max() - due.min(), 1e-9)",
    ),
    last_line=(
        "The last line of the log need not be the last answer, nor the first line the first that was due: take the "
        "maximum and the minimum.",
        SPAN,
        "done[answered][-1] - due[0]",
    ),
    one_at_a_time=(
        "This divides by the sum of the latencies. They overlap where several requests are under way.",
        SPAN,
        "(done - due)[answered].sum()",
    ),
    within_the_answered=(
        "The share within the bound is of all requests: who got no answer did not get it in time.",
        "(took <= bound).mean()",
        "(took <= bound).sum() / answered.sum()",
    ),
    strictly_within=("A latency of just the bound is within it.", "took <= bound", "took < bound"),
)

PASTE = f"""
import math
from fractions import Fraction

def real(**named):
    return float(*named.values())

{inspect.getsource(latency._decimal)}

class Latencies:
    def __init__(self, latency_s, wall_s):
        self.ranked, self.answered, self.sent, self.wall_s = np.sort(latency_s), len(latency_s), len(latency_s), wall_s

{inspect.getsource(latency.Latencies.percentile)}
    def within(self, bound_s):
        return float(np.sum(self.ranked <= bound_s)) / self.sent if self.sent else math.nan

def trace_report(due, sent, done, percents, bound):
    ended = ~np.isnan(done)
    run = Latencies((done - due)[ended], np.nanmax(done) - due.min())
    return [run.percentile(p / 100) for p in percents], run.answered / run.wall_s, run.within(bound)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """All numbers, to rounding; how many requests a percentile is of."""
    given, n = case.given, len(case.given["due"])

    def told(name: str, i: int) -> str:
        if name == "throughput":
            return f"throughput, {int((~np.isnan(given['done'])).sum())} answers over the length of the run,"
        if name == "within":
            return (
                f"within, the share of all {n} requests answered {given['bound']:.4g} s after they were due,"
            )
        p = given["percents"][i]
        return f"the latency that {p} % of the {n} requests have at most"

    verdict = first_off(arrays, expected, told)
    if verdict.score == 1 or case.title != FIRST:
        return verdict
    waited = int((given["sent"] - given["due"] > 0.0005).sum())
    return Verdict(
        0.0, f"{verdict.message} While one answer took 2 s, {waited} requests were due and waited."
    )


def nothing(due, sent, done, percents, bound):
    return [0.0] * len(percents), 0.0, 0.0


def the_mean(due, sent, done, percents, bound):
    return [np.nanmean(done - due)] * len(percents), len(due), 1.0


GRADER = Grader(
    reference=Answer(trace_report),
    right=answers(loops, ready_made, in_torch),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(nothing, the_mean),
    judge=judge,
)
