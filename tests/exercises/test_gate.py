"""The gate: every known answer to every exercise gets the score that it deserves."""

import numpy as np
import pytest

from mlsys.problems import SETS, exercises, grader, problem
from mlsys.problems.judging import judge, score

NAMES = [name for assignment in SETS for name in exercises(assignment)]
SEEDS = (0, 1, 2)


def points(name, answer, seed):
    task = problem(name)
    return score(judge(task, grader(name), answer, np.random.default_rng(seed)), task.points)


def blank(*args, **kwargs):
    raise NotImplementedError


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_right_answers_score_full(name, seed):
    answers = {"reference": grader(name).reference, **grader(name).right}
    assert len(answers) >= 3, "the reference and at least two other right answers"
    scores = {key: points(name, a.build(problem(name).target), seed) for key, a in answers.items()}
    assert set(scores.values()) == {problem(name).points}, scores


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_answers_score_less(name, seed):
    wrong = grader(name).wrong
    assert len(wrong) >= 5
    assert "paste" in wrong
    scores = {key: points(name, a.build(problem(name).target), seed) for key, a in wrong.items()}
    assert max(scores.values()) < problem(name).points, scores


@pytest.mark.parametrize("name", NAMES)
def test_blank_scores_nothing(name):
    assert points(name, blank, 0) == 0
