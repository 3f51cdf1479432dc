"""The broken AdamW that students get is the one that the judge knows, and each of its bugs shows."""

from pathlib import Path

import nbformat
import numpy as np

from mlsys.problems import grader, problem
from mlsys.problems.judging import judge

TASK, GRADER = problem("adamw.repair"), grader("adamw.repair")
PS = "ps2-adam-history"
NOTEBOOK = Path(__file__).resolve().parents[2] / "exercises" / PS / f"{PS}.ipynb"


def broken():
    cells = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    scope = {"np": np}
    exec(cells["adamw-broken"], scope)
    return scope["BrokenAdamW"]


def passed(answer):
    outcomes = judge(TASK, GRADER, answer, np.random.default_rng(0), explain=False)
    return [verdict.score for _, verdict in outcomes]


def test_what_is_given_is_what_the_judge_calls_as_it_came():
    known = GRADER.wrong["as_it_came"].build("AdamW")
    for case in TASK.cases(np.random.default_rng(1)):
        if len({parameter.w.shape for parameter in case.given["parameters"]}) == 1:
            mine, theirs = TASK.drive(broken(), case), TASK.drive(known, case)
            for name, path in theirs.items():
                np.testing.assert_array_equal(mine[name], path)
    assert passed(broken()) == [0] * 8


def test_every_bug_that_is_mended_earns_something_and_none_hides_another():
    def score(name):
        return passed(GRADER.wrong[name].build("AdamW"))

    one = [score(f"{bug}_mended") for bug in ("decay", "root", "state")]
    assert one == [[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0]]
    two = [score(f"{bug}_left") for bug in ("decay", "root", "state")]
    assert two == [[0, 0, 1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1, 0, 0], [1, 1, 1, 1, 0, 0, 1, 0]]


def test_the_messages_name_no_line():
    for wrong in ("as_it_came", "decay_left", "root_left", "state_left"):
        outcomes = judge(TASK, GRADER, GRADER.wrong[wrong].build("AdamW"), np.random.default_rng(0))
        text = "\n".join(verdict.message.split("To look closer")[0] for _, verdict in outcomes)
        for word in ("g + self.lam", "* len", "sqrt", "root"):
            assert word not in text
