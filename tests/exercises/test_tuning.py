"""The tuning study counts, keeps its data and trains as torch does; its judge holds the log against its figures."""

import numpy as np
import pytest
import torch

from mlsys.grading import practice
from mlsys.problems import grader, problem
from mlsys.problems.ps2 import tuning_runs as runs
from mlsys.problems.ps2.grader.tuning_study import EACH, TARGET

TASK, GRADER = problem("tuning.study"), grader("tuning.study")
CASE = TASK.cases(np.random.default_rng(7))[0]
SEED, D = CASE.given["seed"], CASE.given["d"]


def study():
    return GRADER.serve(CASE).given["study"]


def test_each_trial_costs_one_and_the_budget_holds():
    served = study()
    for k in range(runs.BUDGET):
        assert served.left == runs.BUDGET - k
        (served.adamw, served.sgd)[k % 2](0.01, 0.1)
    with pytest.raises(runs.BudgetSpent, match="All 60 trials have been made"):
        served.sgd(0.01, 0.1)
    assert served.left == 0


@pytest.mark.parametrize(
    ("rate", "decay", "words"),
    [
        (0, 0.1, "rate must be a number above 0; got 0"),
        (-1.0, 0.1, "rate must be a number above 0; got -1.0"),
        (np.nan, 0.1, "rate must be"),
        ([0.1, 0.2], 0.1, "rate must be"),
        ("0.1", 0.1, "rate must be"),
        (0.1, -0.1, "decay must be a number 0 or more; got -0.1"),
        (0.1, np.inf, "decay must be"),
    ],
)
def test_unfit_questions_are_refused_and_free(rate, decay, words):
    served = study()
    with pytest.raises(ValueError, match=words):
        served.adamw(rate, decay)
    assert served.left == runs.BUDGET


def test_names_are_refused_at_home_as_they_are_when_graded():
    with pytest.raises(TypeError):
        study().adamw(rate=0.1, decay=0.1)


def test_tensors_arrays_and_numbers_ask_the_same():
    for rate in (0.1, np.float64(0.1), np.array([0.1]), torch.tensor(0.1, dtype=torch.float64)):
        np.testing.assert_array_equal(study().sgd(rate, 1), study().sgd(0.1, 1.0))


def test_what_is_served_shows_neither_seed_nor_rows_and_the_budget_cannot_be_set():
    served = GRADER.serve(CASE)
    assert set(served.given) == {"study"}
    asked = served.given["study"]
    assert [name for name in dir(asked) if name[0] != "_"] == ["adamw", "left", "sgd"]
    assert not hasattr(asked, "__dict__")
    for name in ("left", "adamw", "mine"):
        with pytest.raises(AttributeError):
            setattr(asked, name, 10**9)


@pytest.mark.parametrize("optimizer", runs.OPTIMIZERS)
def test_trainings_are_those_of_torch(optimizer):
    rows, rate, decay = runs.data(SEED, D), 0.03, 0.3
    w = torch.tensor(rows.start, requires_grad=True)
    if optimizer == "adamw":
        made = torch.optim.AdamW([w], lr=rate, betas=(0.9, 0.99), eps=1e-8, weight_decay=decay)
    else:
        made = torch.optim.SGD([w], lr=rate, momentum=0.9, weight_decay=decay)
    for H, b in zip(rows.H, rows.b, strict=True):
        w.grad = torch.as_tensor(H @ w.detach().numpy() - b)
        made.step()
    np.testing.assert_allclose(runs.trained(rows, optimizer, rate, decay), w.detach().numpy(), rtol=1e-9)


def test_losses_are_shares_of_those_at_zero_and_a_training_that_diverged_is_infinite():
    rows = runs.data(SEED, D)
    assert np.isinf(runs.losses(SEED, D, "sgd", 1.0, 10.0)).all()
    assert runs.losses(SEED, D, "sgd", 0.01, 100.0)[2] == pytest.approx(1, abs=0.1)  # nothing is left of w
    w = runs.trained(rows, "adamw", 0.01, 1.0)
    part = slice(runs.TRAIN, runs.TRAIN + runs.VALID)
    want = np.mean((rows.X[part] @ w - rows.y[part]) ** 2) / np.mean(rows.y[part] ** 2)
    assert runs.losses(SEED, D, "adamw", 0.01, 1.0)[1] == pytest.approx(want)


def test_without_decay_no_rate_reaches_the_target_and_the_training_loss_does_not_tell():
    for seed in range(5):
        for optimizer in runs.OPTIMIZERS:
            tried = [runs.losses(seed, 60, optimizer, rate, 0.0) for rate in np.logspace(-3, 0, 10)]
            assert min(test for *_, test in tried) > TARGET
            assert min(train for train, *_ in tried) < TARGET / 4


def test_the_least_training_loss_wants_some_decay_and_its_choice_is_the_worse_one():
    """What exercise 7's answer says of it, on made-up data."""
    decays, test = [], []
    for seed in range(6):
        for optimizer in runs.OPTIMIZERS:
            tried = [
                (decay, *runs.losses(seed, 60, optimizer, rate, decay))
                for rate in np.logspace(-2.5, 0, 11)
                for decay in [0, *np.logspace(-2, 0.5, 16)]
            ]
            by_training, by_validation = (min(tried, key=lambda trial, k=k: trial[k]) for k in (1, 2))
            decays.append((by_training[0], by_validation[0]))
            test.append(by_training[3] / by_validation[3])
    training, validation = np.transpose(decays)
    assert training.min() > 0
    assert np.mean(training < validation) > 0.5
    assert np.median(test) > 1.4
    assert 4 < max(test) < 6


def judged(log, adamw, sgd, left=0):
    arrays = {
        "log": np.array(log, float),
        "adamw": np.array(adamw),
        "sgd": np.array(sgd),
        "left": np.array(left),
    }
    return GRADER.judge(CASE, arrays, {})


def honest():
    arrays = TASK.drive(GRADER.reference.build("tune"), GRADER.serve(CASE))
    return arrays["log"], arrays["adamw"], arrays["sgd"]


def test_the_protocol_and_each_result_earn_their_shares():
    log, adamw, sgd = honest()
    passed = judged(log, adamw, sgd)
    assert passed.score == 1
    assert "On test rows AdamW's choice has a loss of 0." in passed.message
    bare = [[k, rate, 0.0, runs.losses(SEED, D, runs.OPTIMIZERS[k], rate, 0.0)[1]] for k in (0, 1)
            for rate in np.logspace(-3, -1, EACH)]  # fmt: skip
    best = [min((row for row in bare if row[0] == k), key=lambda row: row[3])[1:3] for k in (0, 1)]
    assert judged(bare, *best).score == 0.5
    mixed = [*log[log[:, 0] == 0].tolist(), *bare[EACH:]]
    half = judged(mixed, adamw, best[1])
    assert half.score == 0.75
    assert "SGD's choice has a loss of" in half.message
    assert "no decay above 0 was tried" in half.message


def test_a_log_that_is_not_true_earns_nothing():
    log, adamw, sgd = honest()
    left_out = judged(log[1:], adamw, sgd)
    assert left_out.score == 0
    assert left_out.message.endswith("The results count only once the protocol is right.")
    for k, change in ((3, 1.01), (40, 0.99)):
        forged = log.copy()
        forged[k, 3] *= change
        assert f"Row {k + 1} of the log says" in judged(forged, adamw, sgd).message
    for rate, decay in ((-1.0, 0.1), (np.nan, 0.1), (0.1, -1.0)):
        forged = log.copy()
        forged[0, 1:3] = rate, decay
        assert "such a trial cannot be made" in judged(forged, adamw, sgd).message
    assert judged(np.vstack([log, log]), adamw, sgd).score == 0


def test_a_choice_among_trials_close_together_is_not_faulted_for_their_likeness():
    log, adamw, sgd = honest()
    rate = adamw[0] * (1 + 1e-6)
    worst = int(np.flatnonzero((log[:, 0] == 0) & (log[:, 3] > 1))[0])
    log[worst] = [0, rate, adamw[1], runs.losses(SEED, D, "adamw", rate, adamw[1])[1]]
    for chosen in (adamw, (rate, adamw[1]), np.float32(adamw)):
        assert judged(log, chosen, sgd).score == 1


def test_the_worst_choice_that_the_log_allows_is_named():
    log, adamw, _ = honest()
    text = judged(log, adamw, (0.5, 0.5)).message
    assert "sgd = (0.5, 0.5) is in no row of SGD's in the log." in text
    only_adamws = log[(log[:, 0] == 0) & (log[:, 3] < 1)][0]
    mine = log[~((log[:, 0] == 1) & (log[:, 1] == only_adamws[1]) & (log[:, 2] == only_adamws[2]))]
    extra = [1.0, 0.0123, 0.0456, runs.losses(SEED, D, "sgd", 0.0123, 0.0456)[1]]
    assert "They are AdamW's: each has its own." in judged([*mine, extra], adamw, only_adamws[1:3]).message


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (((0.1, 0.1), (0.1, 0.1), []), "log should be a list with a row for each trial"),
        (((0.1, 0.1), (0.1, 0.1), [("Adam", 0.1, 0.1, 0.5)]), "Row 1 of the log should be ('adamw' or 'sgd', rate"),
        (((0.1, 0.1), (0.1, 0.1), [("sgd", 0.1, 0.1)]), "Row 1 of the log should be"),
        (((0.1, 0.1), (0.1, 0.1), [("sgd", 0.1, 0.1, (0.5, 0.5))]), "the validation loss in row 1 of the log"),
        (((0.1, 0.1), (0.1,), [("sgd", 0.1, 0.1, 0.5)]), "sgd, the second of the three, (rate, decay), should have"),
        (((0.1, 0.1), (0.1, 0.1)), "return (adamw, sgd, log): got 2 values instead of 3."),
    ],
)  # fmt: skip
def test_a_result_of_the_wrong_form_is_told_what_to_return(result, words):
    def tune(study):
        return result

    from mlsys.problems.judging import judge

    first, *_ = judge(TASK, GRADER, tune, np.random.default_rng(0))
    assert words in first.verdict.message


def test_practice_is_of_the_same_kind():
    asked, test = practice("tuning.study", seed=3)
    adamw, sgd, log = GRADER.reference.build("tune")(asked)
    assert asked.left == 0
    assert len(log) == runs.BUDGET
    assert test("adamw", *adamw) < TARGET
    assert test("sgd", *sgd) < TARGET
