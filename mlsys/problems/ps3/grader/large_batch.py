"""How the rate of large-batch SGD is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim import schedules
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def large_batch_rate(update, micro, accumulate, n, base_rate, warm_epochs, milestones):
    batch = micro * accumulate
    epoch = n // batch
    peak = base_rate * batch / 256
    warm = warm_epochs * epoch if peak > base_rate else 0
    rising = base_rate + (peak - base_rate) * update / max(warm, 1)
    passed = sum((update // epoch >= m).astype(int) for m in [*milestones, np.inf])
    return np.where(update < warm, rising, peak) * 0.1**passed


def loops(update, micro, accumulate, n, base_rate, warm_epochs, milestones):
    k = micro * accumulate / 256
    epoch = n // (micro * accumulate)

    def one(t):
        if k > 1 and t < warm_epochs * epoch:
            return base_rate * (1 + (k - 1) * t / (warm_epochs * epoch))
        rate = base_rate * k
        for milestone in milestones:
            if t >= milestone * epoch:
                rate /= 10
        return rate

    return [one(t) if np.ndim(t) == 0 else [one(x) for x in t] for t in update.tolist()]


def in_torch(update, micro, accumulate, n, base_rate, warm_epochs, milestones):
    t = torch.as_tensor(update)
    batch = micro * accumulate
    epoch = torch.tensor(n).div(batch, rounding_mode="floor")
    warm = warm_epochs * epoch if batch > 256 else 0 * epoch
    share = (t / warm.clamp(min=1)).clamp(max=1) if warm > 0 else torch.ones_like(t, dtype=torch.float32)
    passed = torch.bucketize(t // epoch, torch.tensor([-1, *milestones]), right=True) - 1
    return base_rate * (1 + share * (batch / 256 - 1)) * torch.pow(0.1, passed)


BATCH, EPOCH, PEAK = "batch = micro * accumulate", "epoch = n // batch", "peak = base_rate * batch / 256"
WARM, RISING = (
    "warm_epochs * epoch if peak > base_rate else 0",
    "base_rate + (peak - base_rate) * update / max(warm, 1)",
)
PASSED = "update // epoch >= m"

WRONG = edits(
    large_batch_rate,
    from_zero=(
        "The warm-up rises from the base rate, which suits a batch of 256, and not from 0.",
        RISING,
        "peak * update / max(warm, 1)",
    ),
    a_step_early=(
        "Update 0 has the base rate, and the first update after the warm-up the peak: here the line is a step ahead.",
        RISING,
        "base_rate + (peak - base_rate) * (update + 1) / max(warm, 1)",
    ),
    a_stair_an_epoch=(
        "The rate rises at every update; here it rises once an epoch.",
        RISING,
        "base_rate + (peak - base_rate) * (update // epoch) * epoch / max(warm, 1)",
    ),
    not_scaled=(
        "The peak is the base rate times batch / 256: linear scaling is missing.",
        PEAK,
        "peak = base_rate",
    ),
    root_scaling=(
        "This scales with the root of the batch, a rule that others use. Here the scaling is linear.",
        PEAK,
        "peak = base_rate * (batch / 256) ** 0.5",
    ),
    micro_batch_scaled=(
        "What counts is the batch of an update, micro * accumulate; the micro-batch decides only what fits into "
        "memory.",
        BATCH,
        "batch = micro",
    ),
    epoch_of_micro_batches=(
        "An epoch has n // (micro * accumulate) updates; here micro-batches are counted.",
        EPOCH,
        "epoch = n // micro",
    ),
    epoch_rounded_up=(
        "The last batch of an epoch, which is not full, is dropped: n // batch.",
        EPOCH,
        "epoch = -(-n // batch)",
    ),
    epoch_not_whole=("An epoch has a whole number of updates, n // batch.", EPOCH, "epoch = n / batch"),
    warmed_up_when_small=(
        "A batch of 256 or less needs no warm-up: the scaled rate, which is not above the base rate, holds from "
        "the start.",
        WARM,
        "warm_epochs * epoch",
    ),
    never_below_the_base=(
        "A batch below 256 has a rate below the base rate: linear scaling goes both ways.",
        PEAK,
        "peak = base_rate * max(batch, 256) / 256",
    ),
    milestone_an_epoch_late=(
        "The rate falls as the epoch of the milestone begins, at update milestone * epoch; here an epoch later.",
        PASSED,
        "update // epoch > m",
    ),
    milestone_an_update_late=(
        "The rate falls as the epoch of the milestone begins, at update milestone * epoch; here one update later.",
        PASSED,
        "update > m * epoch",
    ),
    falls_once=(
        "Every milestone passed divides the rate by ten again.",
        "0.1**passed",
        "np.where(passed > 0, 0.1, 1)",
    ),
    halves=("A milestone divides the rate by ten.", "0.1**passed", "0.5**passed"),
    milestones_after_the_warm_up=(
        "Milestones count from the first epoch of training, not from the end of the warm-up.",
        PASSED,
        "(update - warm) // epoch >= m",
    ),
    milestones_in_updates=(
        "Milestones are epochs: compare update // epoch with them.",
        PASSED,
        "update >= m",
    ),
)

PASTE = f"""
from collections import namedtuple

def whole(least, steps=1, every=1):
    return steps * every

def fraction(gamma):
    return gamma

Schedule = namedtuple("Schedule", "name factor momentum", defaults=(None,))

{inspect.getsource(schedules.linear_warmup)}

{inspect.getsource(schedules.step_decay)}

def large_batch_rate(update, micro, accumulate, n, base_rate, warm_epochs, milestones):
    epoch = n // (micro * accumulate)
    rising = linear_warmup(max(warm_epochs * epoch, 1))
    falling = step_decay(epoch * (milestones[0] if milestones else 10**6))
    peak = base_rate * micro * accumulate / 256
    return np.vectorize(lambda t: peak * rising.factor(t + 1) * falling.factor(t + 1), otypes=[float])(update)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Every rate, to rounding."""
    updates = case.given["updates"].ravel()
    epoch = case.given["n"] // (case.given["micro"] * case.given["accumulate"])

    def told(name: str, i: int) -> str:
        t = updates[i]
        return (
            f"The {name} of update {t:,}, which is update {t % epoch:,} of {epoch:,} in epoch {t // epoch:,},"
        )

    return first_off(arrays, expected, told, atol=0.0)


def idle(update, micro, accumulate, n, base_rate, warm_epochs, milestones):
    return np.full(update.shape, base_rate)


GRADER = Grader(
    reference=Answer(large_batch_rate),
    right=answers(loops, in_torch),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
)
