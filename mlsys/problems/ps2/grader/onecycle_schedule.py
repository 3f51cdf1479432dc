"""How the one-cycle schedule is judged."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.optim import schedules
from mlsys.problems.coerce import short
from mlsys.problems.compare import close, differs
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def one_cycle(t, legs, rates, momenta):
    up, down, tail = legs
    base, peak, last = rates
    low, high = momenta
    knots = [0, up, up + down, up + down + tail]
    rate = np.interp(t, knots, [base, peak, base, last])
    momentum = np.interp(t, knots, [high, low, high, high])
    return rate, momentum


def by_legs(t, legs, rates, momenta):
    (up, down, tail), (base, peak, last), (low, high) = legs, rates, momenta
    if t <= up:
        share = t / up
        return base + share * (peak - base), high + share * (low - high)
    t -= up
    if t <= down:
        share = t / down
        return peak + share * (base - peak), low + share * (high - low)
    share = min((t - down) / tail, 1)
    return base + share * (last - base), high


def by_steps(t, legs, rates, momenta):
    (up, down, tail), (base, peak, last), (low, high) = legs, rates, momenta
    rate, momentum = base, high
    for s in range(1, t + 1):
        if s <= up:
            rate, momentum = rate + (peak - base) / up, momentum - (high - low) / up
        elif s <= up + down:
            rate, momentum = rate - (peak - base) / down, momentum + (high - low) / down
        elif s <= up + down + tail:
            rate = rate + (last - base) / tail
    return [rate, momentum]


def in_torch(t, legs, rates, momenta):
    up, down, tail = legs
    base, peak, last = rates
    low, high = momenta
    t = torch.tensor(float(t), dtype=torch.float64)
    height = torch.clamp(torch.minimum(t / up, (up + down - t) / down), min=0)
    fall = torch.clamp((t - up - down) / tail, 0, 1)
    return torch.stack([base + height * (peak - base) + fall * (last - base), high - height * (high - low)])


RATE, MOMENTUM = "[base, peak, base, last]", "[high, low, high, high]"
KNOTS, CLAMPED = "[0, up, up + down, up + down + tail]", "rate = np.interp(t,"

WRONG = edits(
    one_cycle,
    from_zero=(
        "Steps are counted from 1, and the peak is at t = up: this is the value of the step before.",
        "knots = [0,",
        "t = t - 1\n    knots = [0,",
    ),
    starts_at_base=(
        "",
        "[0, up,",
        "[1, max(up, 1 + 1e-9),",
    ),
    no_tail=(
        "After the two legs the rate goes on falling, from base to last, in the tail.",
        RATE,
        "[base, peak, base, base]",
    ),
    one_leg_down=(
        "The way down has two legs: from the peak to base in `down` steps, then from base to last in `tail` steps.",
        KNOTS,
        "[0, up, up + down + tail, up + down + tail + 1]",
        RATE,
        "[base, peak, last, last]",
        MOMENTUM,
        "[high, low, high, high]",
    ),
    down_to_last=(
        "The second leg ends at base, where it began; only the tail ends at last.",
        RATE,
        "[base, peak, last, last]",
    ),
    momentum_with_the_rate=(
        "The momentum moves the other way: low where the rate is high.",
        MOMENTUM,
        "[low, high, low, low]",
    ),
    momentum_low_in_the_tail=("In the tail the momentum stays high.", MOMENTUM, "[high, low, high, low]"),
    momentum_constant=(
        "The momentum changes too: from high to low and back.",
        MOMENTUM,
        "[high, high, high, high]",
    ),
    falls_on=(
        "After the last step the rate stays at last; this goes on falling.",
        CLAMPED,
        "if t > sum(legs):\n        "
        "return base + (t - up - down) / tail * (last - base), high\n    rate = np.interp(t,",
    ),
    begins_again=(
        "There is one cycle: after the last step everything stays as it is.",
        CLAMPED,
        "t = (t - 1) % sum(legs) + 1\n    rate = np.interp(t,",
    ),
    zero_after_the_end=(
        "After the last step the rate stays at last.",
        CLAMPED,
        "if t > sum(legs):\n        return 0.0, high\n    rate = np.interp(t,",
    ),
    cosine=(
        "These are halves of a cosine, as in torch. The legs here are straight lines.",
        CLAMPED,
        "at = np.searchsorted(knots, min(t, knots[-1]), side='left') - 1\n    "
        "share = (min(t, knots[-1]) - knots[at]) / (knots[at + 1] - knots[at])\n    "
        "t = knots[at] + (1 - math.cos(math.pi * share)) / 2 * (knots[at + 1] - knots[at])\n    rate = np.interp(t,",
    ),
    geometric=(
        "The rate moves in equal steps, not in equal factors.",
        "np.interp(t, knots, [base, peak, base, last])",
        "np.exp(np.interp(t, knots, np.log([base, peak, base, last])))",
    ),
    equal_legs=(
        "Going up takes `up` steps and going down takes `down` steps; here both take the same.",
        "[0, up, up",
        "[0, (up + down) / 2, up",
    ),
    momentum_first=("The order is (rate, momentum).", "return rate, momentum", "return momentum, rate"),
)

PASTE = f"""
import math
from types import SimpleNamespace

whole = lambda least, **given: next(iter(given.values()))
fraction = positive = lambda **given: next(iter(given.values()))
Schedule = lambda name, factor, momentum=None: SimpleNamespace(name=name, factor=factor, momentum=momentum)

{inspect.getsource(schedules._between)}

{inspect.getsource(schedules.one_cycle).replace(" -> Schedule", "").replace("def one_cycle", "def schedule")}

def one_cycle(t, legs, rates, momenta):
    base, peak, last = rates
    steps = sum(legs)
    rising = max(legs[0], 1.5) / steps
    made = schedule(steps, rising, start=base / peak, final=last / peak, momentum=tuple(momenta))
    return peak * made.factor(t), made.momentum(t)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Both at every step, to rounding; the first step that differs with its place in the cycle."""
    up, down, tail = case.given["legs"]
    for name, want in expected.items():
        got = arrays.get(name)
        if got is None or got.shape != want.shape:
            return close(arrays, expected)
        off = differs(got, want)
        if off.any():
            t = int(np.argmax(off)) + 1
            legs = ((up, "on the way up"), (up + down, "on the way down"), (up + down + tail, "in the tail"))
            place = next((text for end, text in legs if t <= end), "after the last step")
            place = "at the peak" if t == up else place
            text = (
                f"At t = {t}, {place}, the {name} should be {short(want[t - 1])}; it is {short(got[t - 1])}."
            )
            start = case.given["rates"][0] if name == "rate" else case.given["momenta"][1]
            early = t == 1 < up and float(got[0]) == start
            return Verdict(0.0, text + " The line starts there at t = 0: step 1 is a step further." * early)
    return Verdict(1.0)


def idle(t, legs, rates, momenta):
    return rates[0], momenta[1]


GRADER = Grader(
    reference=Answer(one_cycle),
    right=answers(by_legs, by_steps, in_torch),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(idle),
    judge=judge,
)
