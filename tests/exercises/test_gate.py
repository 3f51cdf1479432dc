"""The gate: every known answer to every exercise gets the score that it deserves."""

import inspect
import random

import numpy as np
import pytest
import torch

from mlsys.problems import SETS, exercises, grader, problem
from mlsys.problems.attempt import seeded
from mlsys.problems.gate import earned, rows, table
from mlsys.problems.judging import Outcome, judge, score
from mlsys.problems.problem import Verdict, edits

GLOBAL = np.random.mtrand._rand
NAMES = [name for assignment in SETS for name in exercises(assignment)]


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_gets_what_it_deserves(name):
    found = rows(name, seeds=(0, 1) if problem(name).practice else (0, 1, 2))
    assert [row for row in found if not row.passes] == []


@pytest.mark.parametrize("name", NAMES)
def test_there_are_enough_answers(name):
    known = grader(name)
    assert len(known.right) >= 2
    assert len(known.wrong) >= 5
    assert "paste" in known.wrong
    assert known.idle


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_gives_other_numbers_of_the_same_kind(name):
    def described(seed):
        return [(case.title, sorted(case.given)) for case in problem(name).cases(np.random.default_rng(seed))]

    def numbers(seed):
        return str([case.given for case in problem(name).cases(np.random.default_rng(seed))])

    assert described(0) == described(1)
    assert numbers(0) == numbers(0)
    assert numbers(0) != numbers(1)


@pytest.mark.parametrize("name", NAMES)
def test_the_cases_survive_an_answer(name):
    """Answers get copies: judging twice gives the same."""
    task, theirs = problem(name), grader(name)
    cases = task.cases(np.random.default_rng(0))
    before = str([case.given for case in cases])
    for key in list(theirs.right)[:2]:
        for case in cases[:2]:
            task.drive(theirs.right[key].build(task.target), theirs.serve(case))
    assert str([case.given for case in cases]) == before


@pytest.mark.parametrize("name", NAMES)
def test_the_public_half_knows_nothing_of_the_graders(name):
    module = inspect.getmodule(problem(name).drive)
    imports = [line for line in inspect.getsource(module).splitlines() if line.startswith(("import", "from"))]
    assert [line for line in imports if "grader" in line or "judging" in line or "optim" in line] == []


def test_a_set_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="no problem set 'ps9'"):
        table("ps9")


def test_the_judge_keeps_the_other_cases_when_one_raises():
    task, theirs = problem("polyak.step"), grader("polyak.step")
    reference = theirs.reference.build(task.target)

    def fails_at_zero(w, g, value, target, cap):
        if not g.any():
            raise ZeroDivisionError("no gradient")
        return reference(w, g, value, target, cap)

    outcomes = judge(task, theirs, fails_at_zero, np.random.default_rng(0))
    assert [verdict.score for _, verdict in outcomes] == [1, 1, 1, 1, 1, 1, 1, 0, 0]
    assert "raised ZeroDivisionError: no gradient (line " in outcomes[-2].verdict.message
    assert 'the cell of fails_at_zero: raise ZeroDivisionError("no gradient")' in outcomes[-2].verdict.message
    assert outcomes[-1].verdict.message == "As above."


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_earned_with_none(name):
    def silent(*args, **kwargs):
        return None

    assert earned(name, silent, 0) == 0


def test_polyaks_step_without_a_return_earns_nothing_where_the_gradient_is_zero():
    def forgets_to_return(w, g, value, target, cap):
        if g @ g == 0:
            return 0.0, w

    assert earned("polyak.step", forgets_to_return, 0) == 0


def test_points_come_in_tenths_and_only_a_perfect_answer_is_full():
    task, theirs = problem("rmsprop.class"), grader("rmsprop.class")
    wrong = theirs.wrong["first_while_zero"].build(task.target)
    assert earned(task.name, wrong, 0) == 2.7
    cases = task.cases(np.random.default_rng(0))[:2]
    nearly = [Outcome(cases[0], Verdict(1.0)), Outcome(cases[1]._replace(weight=1e-9), Verdict(0.0))]
    assert score(nearly, 3.0) == 2.9


def test_an_edit_that_does_not_fit_is_refused():
    def f(x):
        return x + x

    assert edits(f, minus=("a hint", "+", "-"))["minus"].build("f")(3) == 0
    with pytest.raises(ValueError, match=r"minus: 'x' should be in the source once; it is 3 times"):
        edits(f, minus=("a hint", "x", "y"))


def test_the_same_code_earns_the_same_and_the_students_generators_are_left_alone():
    def draws():
        return random.random(), GLOBAL.rand(), float(torch.rand(()))

    def restart():
        random.seed(5)
        GLOBAL.seed(5)
        torch.manual_seed(5)

    with seeded():
        first = draws()
    with seeded():
        assert draws() == first
    restart()
    want = draws()
    restart()
    with seeded():
        draws()
    assert draws() == want
