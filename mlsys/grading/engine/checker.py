"""The trusted checker: it draws the cases, sends them one at a time, judges what comes back, and keeps the ledger.

It runs outside the sandbox and holds what never goes in: the reference, the secret seed, the expected values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mlsys.grading.check import report
from mlsys.grading.engine import wire
from mlsys.grading.engine.link import Link
from mlsys.problems import exercises, problem
from mlsys.problems.attempt import Attempt
from mlsys.problems.hints import Exam
from mlsys.problems.judging import judge_tries, score
from mlsys.problems.problem import Case

MOST_CALLS = 100_000  # of a served object, in one check
MOST_FLAGS = 50
ABSENT = re.compile(r"No module named '(mlsys\.[\w.]*)'")


class Unanswered(Exception):
    """The check was given up: by an interrupt, an error outside the answer, or on purpose."""


@dataclass(frozen=True)
class Entry:
    """What an exercise has earned. text : what is shown of it to the student"""

    points: float
    text: str


@dataclass
class Checker:
    """One submission's checker. exams(name, hidden) : the cases that count, or those that students have at home

    ledger : by exercise, what decides;  flags : what no honest notebook sends
    """

    assignment: str
    exams: Callable[[str, bool], Exam]
    ledger: dict[str, Entry] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)

    def flag(self, text: str) -> None:
        """Note what is odd, once, and not without end."""
        if text not in self.flags and len(self.flags) < MOST_FLAGS:
            self.flags.append(text)

    def serve(self, link: Link, name: Any, tested: str, following: Callable[[], dict[str, Any]]) -> None:
        """Judge one call of `check`.

        tested : the exercise whose test cell is running, or "": elsewhere the cases are the public ones, which the
            student has at home, and nothing is recorded
        following() : the next frame from `check`;  raises Unanswered where there is none
        """
        if name not in exercises(self.assignment):
            link.reply({"t": "points", "points": 0.0})
            self.flag(f"check was called with the name {wire.text(str(name))[:60]!r}")
            return
        counts = name == tested and name not in self.ledger
        task = problem(name)
        try:
            outcomes = judge_tries(_Asked(link, following), self.exams(name, counts))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # The arrays fit no form that `drive` makes.
            raise wire.Malformed(f"an answer that cannot be judged ({type(error).__name__})") from error
        points = float(score(outcomes, task.points))
        borrowed = {found[1] for _, verdict in outcomes if (found := ABSENT.search(verdict.message))}
        for module in sorted(borrowed):
            self.flag(f"{name}: the answer asks for {module}, which is absent here")
        if counts:
            self.ledger[name] = Entry(points, report(name, outcomes, points, task.points))
        elif name == tested:
            self.flag(f"{name}: check was called more than once in its test cell; the first call counts")
        link.reply({"t": "points", "points": points})


class _Served(NamedTuple):
    """An object whose methods the notebook may call."""

    methods: list[Any]
    names: list[str]
    real: Any

    @property
    def attributes(self) -> dict[str, float]:
        return {name: getattr(self.real, name) for name in self.names}


class _Asked:
    """A try on a case by the notebook at the other end."""

    def __init__(self, link: Link, following: Callable[[], dict[str, Any]]) -> None:
        self._link, self._following = link, following
        self._served: list[_Served] = []

    def __call__(self, case: Case) -> Attempt:
        self._served.clear()
        self._link.reply({"t": "case", "case": wire.pack(case, self._describe)})
        for _ in range(MOST_CALLS):
            frame = self._following()
            if frame["t"] == "numbers":
                self._link.reply(self._call(*wire.unpack_numbers(frame["data"])))
            elif frame["t"] == "result":
                if frame.get("arrays") is None:
                    return Attempt(None, wire.text(frame.get("failure")))
                return Attempt(wire.unpack_arrays(frame["arrays"]))
            else:
                raise wire.Malformed("a frame out of turn")
        raise wire.Malformed(f"more than {MOST_CALLS:,} calls in a check")

    def _describe(self, real: Any) -> dict[str, Any]:
        """What the stand-in has: methods, and numbers as attributes, which only a call may change."""
        public = [name for name in dir(type(real)) if not name.startswith("_")]
        methods = [name for name in public if callable(getattr(real, name))]
        names = [name for name in public if name not in methods]
        self._served.append(_Served([getattr(real, name) for name in methods], names, real))
        return {
            "object": len(self._served) - 1,
            "name": type(real).__name__,
            "methods": methods,
            "attributes": self._served[-1].attributes,
        }

    def _call(self, number: int, method: int, arguments: list[np.ndarray]) -> dict[str, Any] | bytes:
        if number >= len(self._served) or method >= len(self._served[number].methods):
            raise wire.Malformed("a call of what is not served")
        served = self._served[number]
        try:
            with np.errstate(all="ignore"):  # the student's numbers
                result = np.asarray(served.methods[method](*arguments))
        except Exception as error:
            told = [type(error).__module__, type(error).__name__, str(error)]
            return {"t": "raised", "attributes": served.attributes, "error": told}
        state = np.array(list(served.attributes.values()), dtype=float)
        return wire.pack_numbers(number, method, state, result)
