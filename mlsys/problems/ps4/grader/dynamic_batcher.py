"""How the dynamic batcher is judged: by its log, which the line has kept."""

from __future__ import annotations

import heapq
import inspect
import math

import numpy as np

from mlsys.inference.serve import policy
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits


class Batcher:
    def __init__(self, most, wait, room, fixed, each):
        self.most, self.wait, self.room, self.fixed, self.each = most, wait, room, fixed, each
        self.waiting = []

    def event(self, now, arrived, idle):
        refused = []
        for i, deadline in arrived:
            if len(self.waiting) < self.room:
                self.waiting.append((deadline, i, now))
            else:
                refused.append(i)
        if not idle:
            return refused, [], math.inf
        latest = now + self.fixed + self.each
        refused += [i for deadline, i, _ in self.waiting if deadline < latest]
        self.waiting = sorted(one for one in self.waiting if one[0] >= latest)
        if not self.waiting:
            return refused, [], math.inf
        size = min(len(self.waiting), self.most)
        urgent = self.waiting[0][0]
        patience = min(came for _, _, came in self.waiting) + self.wait
        due = min(patience, urgent - self.fixed - self.each * size)
        if len(self.waiting) < self.most and now < due:
            return refused, [], due
        size = max(1, min(size, (urgent - now - self.fixed) // self.each))
        batch, self.waiting = self.waiting[:size], self.waiting[size:]
        return refused, [i for _, i, _ in batch], math.inf


class EveryMillisecond:
    def __init__(self, most, wait, room, fixed, each):
        self.limits, self.queue = (most, wait, room, fixed, each), {}

    def event(self, now, arrived, idle):
        most, wait, room, fixed, each = self.limits
        refused = []
        for i, deadline in arrived:
            if len(self.queue) == room:
                refused += [i]
            else:
                self.queue[i] = (now, deadline)
        batch = []
        if idle:
            for i, (_, deadline) in list(self.queue.items()):
                if now + fixed + each > deadline:
                    refused.append(i)
                    del self.queue[i]
            by_deadline = sorted(self.queue, key=lambda i: self.queue[i][1])
            first = by_deadline[:most]
            if first:
                end = self.queue[first[0]][1]
                hurry = now + fixed + each * len(first) >= end
                if hurry or len(first) == most or any(now >= t + wait for t, _ in self.queue.values()):
                    batch = first
                    while now + fixed + each * len(batch) > end:
                        batch = batch[:-1]
        for i in batch:
            del self.queue[i]
        return refused, batch, now + 1 if self.queue and idle and not batch else math.inf


class Heap:
    def __init__(self, most, wait, room, fixed, each):
        self.most, self.wait, self.room = most, wait, room
        self.cost = lambda b: fixed + each * b
        self.heap, self.came = [], {}

    def event(self, now, arrived, idle):
        refused = [i for i, _ in arrived[max(0, self.room - len(self.heap)) :]]
        for i, deadline in arrived:
            if i not in refused:
                heapq.heappush(self.heap, (deadline, i))
                self.came[i] = now
        if not idle:
            return refused, [], math.inf
        while self.heap and self.heap[0][0] < now + self.cost(1):
            refused.append(heapq.heappop(self.heap)[1])
        if not self.heap:
            return refused, [], math.inf
        n, end = min(self.most, len(self.heap)), self.heap[0][0]
        oldest = min(self.came[i] for _, i in self.heap)
        due = min(oldest + self.wait, end - self.cost(n))
        if n < self.most and due > now:
            return np.array(refused, dtype=int), np.array([], dtype=int), float(due)
        fits = [b for b in range(1, n + 1) if now + self.cost(b) <= end]
        return refused, [heapq.heappop(self.heap)[1] for _ in range(max(fits))], math.inf


HURRY = "urgent - self.fixed - self.each * size"
CUT = "        size = max(1, min(size, (urgent - now - self.fixed) // self.each))\n"
DROP = "refused += [i for deadline, i, _ in self.waiting if deadline < latest]"
STAY = "sorted(one for one in self.waiting if one[0] >= latest)"
HOLD, OLDEST = "if len(self.waiting) < self.most and now < due:", "min(came for _, _, came in self.waiting)"
ROOM = """            if len(self.waiting) < self.room:
                self.waiting.append((deadline, i, now))
            else:
                refused.append(i)
"""

WRONG = edits(
    Batcher,
    never_waits=(
        "A batch starts here as soon as the worker is idle. It should wait for others to join: until `most` wait, the "
        "oldest has waited `wait`, or the most urgent one can wait no longer.",
        HOLD,
        "if False:",
    ),
    waits_until_full=(
        "Only a full batch or the most urgent deadline starts a batch here. It also starts when the oldest request has "
        "waited `wait`.",
        f"min(patience, {HURRY})",
        HURRY,
    ),
    deadlines_ignored=(
        "The batch waits though its most urgent request cannot: start it at that deadline less the cost of the batch.",
        f"min(patience, {HURRY})",
        "patience",
    ),
    cost_of_one=(
        "The last moment is the deadline less the cost of the *whole* batch, and not of one request.",
        HURRY,
        "urgent - self.fixed - self.each",
    ),
    first_come=(
        "Batches are taken in the order of arrival here. Those with the earliest deadlines go first.",
        STAY,
        "sorted((one for one in self.waiting if one[0] >= latest), key=lambda one: one[1])",
    ),
    latest_first=(
        "Of equal deadlines the later arrival goes first here; it is the earlier one.",
        STAY,
        "sorted((one for one in self.waiting if one[0] >= latest), key=lambda one: (one[0], -one[1]))",
    ),
    never_cut=(
        "A batch may be too large for its most urgent request: cut it to the largest size that ends by that deadline.",
        CUT,
        "",
    ),
    hopeless_computed=(
        "Requests that cannot be answered in time any more, even alone, are to be refused: computing them makes others "
        "late for nothing.",
        DROP,
        "pass",
        STAY,
        "sorted(self.waiting)",
    ),
    just_in_time_refused=(
        "An answer at just the deadline is in time: refuse only where now + fixed + each is *after* the deadline.",
        "if deadline < latest]",
        "if deadline <= latest]",
        "if one[0] >= latest",
        "if one[0] > latest",
    ),
    refused_at_the_deadline=(
        "A request is hopeless as soon as now + fixed + each is after its deadline, and not only when the deadline has "
        "passed.",
        "latest = now + self.fixed + self.each",
        "latest = now",
    ),
    patience_of_the_newest=(
        "`wait` counts from the oldest of those that wait; here every newcomer makes the batch wait anew.",
        OLDEST,
        "max(came for _, _, came in self.waiting)",
    ),
    patience_of_the_urgent=(
        "`wait` counts from the oldest of those that wait, and not from the arrival of the most urgent one.",
        OLDEST,
        "self.waiting[0][2]",
    ),
    oldest_pushed_out=(
        "When there is no room the newcomer is refused; here the oldest has to go.",
        ROOM,
        """            self.waiting.append((deadline, i, now))
            if len(self.waiting) > self.room:
                out = min(self.waiting, key=lambda one: one[1])
                self.waiting.remove(out)
                refused.append(out[1])
""",
    ),
    one_more_than_room=(
        "`room` may wait, and not one more.",
        "len(self.waiting) < self.room:",
        "len(self.waiting) <= self.room:",
    ),
    wakes_too_late=(
        "The batch is started a millisecond after it was due: wake is the moment at which it is to start.",
        "return refused, [], due",
        "return refused, [], due + 1",
    ),
    one_short=(
        "A batch is full with `most` requests; here it starts with one less.",
        HOLD,
        "if len(self.waiting) < self.most - 1 and now < due:",
    ),
    no_wake=("", "return refused, [], due", "return refused, [], math.inf"),
    refuses_silently=("", DROP, "pass"),
    all_at_once=("", "min(len(self.waiting), self.most)", "len(self.waiting)"),
    starts_while_busy=("", "if not idle:", "if not idle and not self.waiting:"),
    wakes_now=("", "return refused, [], due", "return refused, [], now"),
    keeps_the_batch=(
        "",
        "batch, self.waiting = self.waiting[:size], self.waiting[size:]",
        "batch = self.waiting[:size]",
    ),
)

# Without its docstring, and what a dataclass needs of the module that it is in, which an answer's has not.
_, BEGIN, REST = inspect.getsource(policy).partition("import math")
POLICY = BEGIN + REST.replace("@dataclass(frozen=True)\nclass Limits:", "class Limits(NamedTuple):")

PASTE = f"""
{POLICY}

class Batcher:
    def __init__(self, most, wait, room, fixed, each):
        self.limits, self.state = Limits(most, wait, max(room, most)), State()

    def event(self, now, arrived, idle):
        events = [Signal.FINISH] if idle and self.state.running else []
        events += [Request(i, now, deadline) for i, deadline in arrived]
        refused, start, wake_s = [], [], math.inf
        for event in events or [Signal.WAKE]:
            self.state, decision = step(self.limits, self.state, now, event)
            refused += [request.id for request, _ in decision.refused]
            start += [request.id for request in decision.start]
            wake_s = decision.wake_s
        return refused, start, wake_s
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The whole log; the counts in words, and the first moment at which it is another."""
    names = ("start", "refused")
    if all((arrays[name] == expected[name]).all() for name in names):
        return Verdict(1.0)
    load = case.given["load"]
    counts = (
        f"{int(of['batches'])} batches, {int(of['late'])} late, {int((of['refused'] >= 0).sum())} refused"
        for of in (expected, arrays)
    )
    text = "Should be {}; yours are {}.".format(*counts)
    off = [(of[name], arrays[name] != expected[name]) for of in (arrays, expected) for name in names]
    at = min(times[differ & (times >= 0)].min(initial=np.inf) for times, differ in off)
    want, got = (_done(of, at) for of in (expected, arrays))
    waiting = np.flatnonzero((load.come <= at) & _open(expected, at))
    if len(waiting) <= 12:
        text += f" At {at:.0f} ms there wait (id, arrival, deadline) " + ", ".join(
            f"({i}, {load.come[i]}, {load.deadline[i]})" for i in waiting
        )
    limits = f"most = {load.most}, wait = {load.wait}, room = {load.room}, fixed = {load.fixed}, each = {load.each}"
    return Verdict(0.0, f"{text}. At {at:.0f} ms {want} ({limits}); yours: {got}.")


def _open(log: Arrays, at: float) -> np.ndarray:
    """Which requests have been neither started nor refused before this moment."""
    return ((log["start"] < 0) | (log["start"] >= at)) & ((log["refused"] < 0) | (log["refused"] >= at))


def _done(log: Arrays, at: float) -> str:
    """What a log has at a moment."""
    start, refused = (np.flatnonzero(log[name] == at).tolist() for name in ("start", "refused"))
    return f"start {start}" + f" and refuse {refused}" * bool(refused)


class Refuses:
    def __init__(self, most, wait, room, fixed, each):
        pass

    def event(self, now, arrived, idle):
        return [i for i, _ in arrived], [], math.inf


GRADER = Grader(
    reference=Answer(Batcher),
    right={
        **answers(EveryMillisecond),
        "Heap": Answer("import heapq\n\n" + inspect.getsource(Heap) + "\nBatcher = Heap\n"),
    },
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(Refuses),
    judge=judge,
)
