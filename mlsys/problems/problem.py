"""An exercise in two halves: Problem is public, Grader is not."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


class Case(NamedTuple):
    """One thing that an answer is tried on.

    title : what it shows, as the student reads it;  given : the inputs;  weight : its share of the points
    """

    title: str
    given: dict[str, Any]
    weight: float = 1.0


class Verdict(NamedTuple):
    """score : in [0, 1];  message : what was expected, what came, what to look at.

    At full score the message may say by how much; it is mostly empty.
    """

    score: float
    message: str = ""


@dataclass(frozen=True)
class Problem:
    """What is asked, and how an answer is tried; it holds nothing that gives the answer away.

    target : the name that the student defines in the notebook
    cases(rng) : the cases, drawn from rng, so that another seed gives other numbers of the same kind
    drive(answer, case) : runs the answer on one case and returns plain float arrays by name, steps along the
        first axis; gives the answer copies, and raises Unfit where its result has the wrong form
    replay(case) : code that does the same by itself, for a student whose answer fails on the case
    practice(seed) : what an interactive exercise gives to try things on, outside the answer
    """

    name: str
    target: str
    points: float
    cases: Callable[[np.random.Generator], list[Case]]
    drive: Callable[[Any, Case], Arrays]
    replay: Callable[[Case], str]
    practice: Callable[[int], Any] | None = None


@dataclass(frozen=True)
class Answer:
    """An answer known to be right, or wrong in a known way, as source that a student could have typed.

    code : a function or class whose only globals are np, torch and math, or a string of source
    hint : for a wrong answer, what to tell a student whose results are the same as this answer's; none is needed
        where the case's own message says it
    """

    code: Any
    hint: str = ""

    def source(self, target: str) -> str:
        """The source, ending in a definition of `target`."""
        if isinstance(self.code, str):
            return textwrap.dedent(self.code).strip() + "\n"
        text = textwrap.dedent(inspect.getsource(self.code))
        return text if self.code.__name__ == target else f"{text}\n\n{target} = {self.code.__name__}\n"

    def build(self, target: str) -> Any:
        """What `target` is after the source has run where the notebook's imports have."""
        import math

        source = self.source(target)
        scope: dict[str, Any] = {"np": np, "math": math, "__name__": "answer"}
        if "torch" in source:  # whose import takes a second, and most answers do without
            import torch

            scope["torch"] = torch
        exec(compile(source, f"<{target}>", "exec"), scope)
        return scope[target]


def as_given(case: Case) -> Case:
    """What most exercises serve: the case itself."""
    return case


@dataclass(frozen=True)
class Grader:
    """What is not public of an exercise.

    reference : the right answer, from mlsys itself or by hand, to compare with
    right : other right answers (loops, other dtypes, torch in place of numpy …), by name
    wrong : the classic mistakes, by name; `paste` is the package's own source
    idle : answers of the right form that do nothing; they may earn a quarter of the points at most
    judge(case, arrays, expected) : compares what the answer gave with what the reference gave
    serve(case) : the case as the answer's side gets it; an interactive exercise puts an oracle in it, which
        holds and counts what the answer may only ask for
    """

    reference: Answer
    right: dict[str, Answer]
    wrong: dict[str, Answer]
    idle: dict[str, Answer]
    judge: Callable[[Case, Arrays, Arrays], Verdict]
    serve: Callable[[Case], Case] = as_given


def answers(*functions: Any, **sources: str) -> dict[str, Answer]:
    """Answers by name: functions and classes, whose docstring is the hint, and strings of source."""
    named = {f.__name__: Answer(f, " ".join((f.__doc__ or "").split())) for f in functions}
    return named | {name: Answer(text) for name, text in sources.items()}


def edits(right: Any, **changes: tuple[str, ...]) -> dict[str, Answer]:
    """Wrong answers by name, each a right one with a few words changed: (hint, old, new, old, new …).

    right : a function or class that has the name asked for.  Raises ValueError unless each `old` is there once.
    """
    made = {}
    for name, (hint, *words) in changes.items():
        code = textwrap.dedent(inspect.getsource(right))
        for old, new in zip(words[::2], words[1::2], strict=True):
            if code.count(old) != 1:
                raise ValueError(
                    f"{name}: {old!r} should be in the source once; it is {code.count(old)} times."
                )
            code = code.replace(old, new)
        made[name] = Answer(code, hint)
    return made
