"""Distillation: the loss of a student that hears a teacher and some labels, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlsys.problems.coerce import array, literal, number, parts
from mlsys.problems.problem import Arrays, Case, Problem

ARGUMENTS = ("student", "teacher", "labels", "T", "alpha")
ALIKE = "the student is the teacher"


def cases(rng: np.random.Generator) -> list[Case]:
    """Logits of several sizes; some rows without a label."""

    def case(
        title: str,
        b: int = 5,
        c: int = 4,
        T: float = 3.0,
        alpha: float = 0.7,
        size: float = 2.0,
        unlabelled: int = 0,
    ) -> Case:
        student, teacher = size * rng.normal(size=(2, b, c))
        if title == ALIKE:
            student = teacher.copy()
        labels = rng.integers(c, size=b)
        labels[rng.choice(b, size=unlabelled, replace=False)] = -1
        given = {"student": student, "teacher": teacher, "labels": labels, "T": T, "alpha": alpha}
        return Case(title, given)

    return [
        case("five examples, four classes"),
        case("one example, two classes", b=1, c=2),
        case("a high temperature", T=20.0),
        case("T = 1", T=1.0, alpha=0.5),
        case("a temperature below 1", T=0.5),
        case("soft targets alone", alpha=1.0),
        case("labels alone", alpha=0.0),
        case(ALIKE),
        case("logits in the thousands", size=1500.0),
        case("two of six without a label", b=6, unlabelled=2),
        case("no labels at all", unlabelled=5),
        case("ten classes", b=8, c=10, T=4.0, alpha=0.9),
    ]


def drive(answer: Any, case: Case) -> Arrays:
    """The loss, and the gradient row by row."""
    given = case.given
    logits = given["student"]
    arguments = [given[key].copy() for key in ARGUMENTS[:3]]
    loss, gradient = parts(answer(*arguments, given["T"], given["alpha"]), "loss", "gradient")
    return {"loss": number(loss, "loss"), "gradient": array(gradient, "gradient", logits.shape).ravel()}


def replay(case: Case) -> str:
    """The call, as code."""
    given = case.given
    lines = [f"{key} = {literal(given[key])}" for key in ARGUMENTS[:2]]
    lines.append(f"labels = np.array({[int(y) for y in given['labels']]})")
    return "\n".join(
        [*lines, f"print(distil_loss(student, teacher, labels, {given['T']:g}, {given['alpha']:g}))"]
    )


PROBLEM = Problem("distillation.loss", "distil_loss", 3.0, cases, drive, replay)
