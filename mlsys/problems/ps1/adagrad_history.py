"""AdaGrad as it is first written: over all gradients so far."""

from __future__ import annotations

from typing import Any

from mlsys.problems.coerce import array, literal
from mlsys.problems.problem import Arrays, Case, Problem
from mlsys.problems.ps1.streams import named, streams


def drive(answer: Any, case: Case) -> Arrays:
    """Ask for the move at every step, with the list of the gradients up to it."""
    given = case.given
    moves: list[list[Any]] = [[] for _ in given["streams"]]
    for t in range(len(given["streams"][0].gradients)):
        for k, stream in enumerate(given["streams"]):
            history = [g.copy() for g in stream.gradients[: t + 1]]
            move = answer(history, given["eta"], given["delta"])
            moves[k].append(array(move, "the move", stream.w.shape))
    return named({"the move": moves})


def replay(case: Case) -> str:
    """The moves, as code."""
    stream, eta, delta = case.given["streams"][0], case.given["eta"], case.given["delta"]
    return (
        f"gradients = {literal(stream.gradients)}\n"
        f"for t in range(len(gradients)):\n"
        f"    print(adagrad_move(list(gradients[: t + 1]), {eta:g}, {delta:g}))"
    )


PROBLEM = Problem("adagrad.history", "adagrad_move", 2.0, streams, drive, replay)
