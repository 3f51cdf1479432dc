"""How the warm-up schedule is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim import schedules
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


class WarmUp:
    def __init__(self, peak, floor, warm, total, shape):
        self.peak, self.floor, self.warm, self.total, self.shape = peak, floor, warm, total, shape

    def rate(self, t):
        if t < self.warm:
            return self.peak * (t + 1) / (self.warm + 1)
        if self.shape == "root":
            return max(self.floor, self.peak * math.sqrt((self.warm + 1) / (t + 1)))
        share = min(1, (t - self.warm) / (self.total - 1 - self.warm))
        return self.floor + (self.peak - self.floor) * (1 + math.cos(math.pi * share)) / 2


class Table:
    def __init__(self, peak, floor, warm, total, shape):
        t = np.arange(max(total, 100_000))
        rising = (t + 1) / (warm + 1)
        if shape == "root":
            self.falling, self.last = peak * ((warm + 1) / (t + 1)) ** 0.5, floor
        else:
            angle = np.linspace(0, np.pi, total - warm)
            cosine = floor + (peak - floor) * np.cos(angle / 2) ** 2
            self.falling, self.last = np.concatenate([np.full(warm, peak), cosine]), floor
        n = len(self.falling)
        self.rates = np.where(t[:n] < warm, peak * rising[:n], np.maximum(self.falling, floor))

    def rate(self, t):
        return self.rates[t] if t < len(self.rates) else self.last


class InTorch:
    def __init__(self, peak, floor, warm, total, shape):
        self.peak, self.floor = torch.tensor(peak), torch.tensor(floor)
        self.warm, self.total, self.cosine = warm, total, shape == "cosine"

    def rate(self, t):
        if t < self.warm:
            return torch.lerp(torch.zeros(()), self.peak, (t + 1) / (self.warm + 1))
        if not self.cosine:
            ratio = torch.tensor((self.warm + 1) / (t + 1))
            return torch.maximum(self.floor, self.peak * ratio.sqrt())
        t = min(t, self.total - 1)
        half = torch.tensor(torch.pi * (t - self.warm) / (self.total - 1 - self.warm)).cos() / 2
        return self.floor * (0.5 - half) + self.peak * (0.5 + half)


class AsAGenerator:
    def __init__(self, peak, floor, warm, total, shape):
        def rates():
            for t in range(warm):
                yield peak / (warm + 1) * (t + 1)
            if shape == "cosine":
                for t in range(total - warm - 1):
                    yield (peak + floor) / 2 + (peak - floor) / 2 * math.cos(math.pi * t / (total - warm - 1))
            else:
                for t in range(warm, 200_000):
                    yield max(floor, peak * (warm + 1) ** 0.5 * (t + 1) ** -0.5)

        self.known, self.rates, self.floor = [], rates(), floor

    def rate(self, t):
        while len(self.known) <= t:
            new = next(self.rates, None)
            if new is None:
                return self.floor
            self.known.append(new)
        return self.known[t]


MADE = "peak, floor, warm, total, shape\n"
RISING, ROOT = "self.peak * (t + 1) / (self.warm + 1)", "self.peak * math.sqrt((self.warm + 1) / (t + 1))"
SHARE = "min(1, (t - self.warm) / (self.total - 1 - self.warm))"
COSINE = "self.floor + (self.peak - self.floor) * (1 + math.cos(math.pi * share)) / 2"
ASKED = "    def rate(self, t):\n"

WRONG = edits(
    WarmUp,
    first_step_at_zero=(
        "The first step, t = 0, would have the rate 0 and move nothing: the line is peak * (t + 1) / (warm + 1).",
        RISING,
        "self.peak * t / self.warm",
    ),
    a_step_behind=(
        "t counts from 0: rate(0) is that of the first step, peak / (warm + 1). This is the rate of the step before.",
        ASKED,
        f"{ASKED}        t = t - 1\n",
    ),
    peak_a_step_early=(
        "The peak is reached at t = warm; here it is reached at the last step before, t = warm - 1.",
        RISING,
        "self.peak * (t + 1) / self.warm",
    ),
    whole_division=(
        "// drops what is behind the point: 3 // 5 is 0. Divide with /.",
        RISING,
        "self.peak * ((t + 1) // (self.warm + 1))",
    ),
    floor_in_the_warm_up=(
        "The floor is for what comes after the warm-up. The warm-up begins near 0, below the floor if need be.",
        RISING,
        f"max(self.floor, {RISING})",
    ),
    rises_from_the_floor=(
        "The line rises from 0, not from the floor.",
        RISING,
        "self.floor + (self.peak - self.floor) * (t + 1) / (self.warm + 1)",
    ),
    root_counted_from_the_peak=(
        "The root counts all steps so far, (warm + 1) / (t + 1), so that a long warm-up is followed by a slow fall; "
        "here it counts from the end of the warm-up.",
        ROOT,
        "self.peak * math.sqrt(1 / (t - self.warm + 1))",
    ),
    no_root=("This falls as 1 / t: the root is missing.", "math.sqrt(", "("),
    root_from_t_zero=(
        "t counts from 0, so t + 1 steps have been made: (warm + 1) / (t + 1) under the root.",
        "(self.warm + 1) / (t + 1)))",
        "max(self.warm, 1) / max(t, 1)))",
    ),
    floor_added_to_the_root=(
        "With a root the floor is a floor, max(floor, ...): it changes nothing as long as the rate is above it.",
        f"max(self.floor, {ROOT})",
        "self.floor + (self.peak - self.floor) * math.sqrt((self.warm + 1) / (t + 1))",
    ),
    no_floor=("The root falls below the floor.", f"max(self.floor, {ROOT})", ROOT),
    cosine_a_step_late=(
        "The cosine should be at the floor at the last step, t = total - 1; here it gets there at t = total.",
        "(self.total - 1 - self.warm)",
        "(self.total - self.warm)",
    ),
    cosine_from_the_start=(
        "The half cosine begins when the warm-up ends, at t = warm; here it begins at t = 0, and the rate jumps.",
        SHARE,
        "min(1, t / (self.total - 1))",
    ),
    cosine_comes_back=(
        "After the last step the cosine climbs again: the rate stays at the floor.",
        SHARE,
        "(t - self.warm) / (self.total - 1 - self.warm)",
    ),
    cosine_cut_at_the_floor=(
        "The cosine goes from the peak to the floor, not to 0 with the floor cut into it.",
        COSINE,
        "max(self.floor, self.peak * (1 + math.cos(math.pi * share)) / 2)",
    ),
    whole_cosine=(
        "This is a whole turn of the cosine, down and up again: half of one, to the angle pi, ends at the floor.",
        "math.pi * share",
        "2 * math.pi * share",
    ),
    counts_its_calls=(
        "It counts how often it was asked and leaves t aside: after a restart, or when a rate is printed, that is "
        "another number. The rate is a function of t.",
        MADE,
        "peak, floor, warm, total, shape\n        self.calls = -1\n",
        ASKED,
        f"{ASKED}        self.calls += 1\n        t = self.calls\n",
    ),
)

PASTE = f"""
import math
from collections import namedtuple

def whole(least, steps):
    return steps

def fraction(final):
    return final

Schedule = namedtuple("Schedule", "name factor momentum", defaults=(None,))

{inspect.getsource(schedules.linear_warmup)}

{inspect.getsource(schedules.cosine)}

{inspect.getsource(schedules.product)}

{inspect.getsource(schedules._between)}

class WarmUp:
    def __init__(self, peak, floor, warm, total, shape):
        self.peak = peak
        falling = cosine(total - warm, floor / peak)
        if shape == "root":
            falling = Schedule("root", lambda t: max(floor / peak, t ** -0.5))
        late = Schedule("late", lambda t: falling.factor(max(t - warm, 1)))
        self.schedule = product(linear_warmup(max(warm, 1)), late)

    def rate(self, t):
        return self.peak * self.schedule.factor(t + 1)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Every rate, to rounding."""

    def told(name: str, i: int) -> str:
        t, k = case.given["t"][i], int(name.rpartition(" ")[2]) - 1 if " " in name else 0
        peak, floor, warm, total, shape = case.given["schedules"][k]
        made = f"WarmUp(peak={peak:.4g}, floor={floor:.4g}, warm={warm}, total={total}, shape={shape!r})"
        return f"rate({t}) of {made}"

    return first_off(arrays, expected, told)


class Idle:
    def __init__(self, peak, floor, warm, total, shape):
        self.peak = peak

    def rate(self, t):
        return self.peak


GRADER = Grader(
    reference=Answer(WarmUp),
    right=answers(Table, InTorch, AsAGenerator),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(Idle),
    judge=judge,
)
