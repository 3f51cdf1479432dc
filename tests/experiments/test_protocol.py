"""The fair protocol: equal budgets, a test part that no search sees, and the same numbers at every run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mlsys.experiments import protocol, studies, training
from mlsys.experiments.tasks import TASKS, Part, Parts
from mlsys.experiments.training import LOSS_CAP, train
from mlsys.models import torch_mlp
from mlsys.optim import SGD, Adam
from mlsys.optim.schedules import cosine, one_cycle
from mlsys.optim.search import Range


def blobs(seed):
    """Three round clouds, easily told apart."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=240)
    X = np.stack([np.cos(y * 2.1), np.sin(y * 2.1)], 1) + 0.3 * rng.standard_normal((240, 2))
    parts = [
        Part(torch.tensor(X[rows], dtype=torch.float32), torch.tensor(y[rows]))
        for rows in np.split(np.arange(240), 3)
    ]
    return Parts(*parts)


def network(seed):
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return torch_mlp((2, 8, 3))


TASK = training.Task("blobs", blobs, network, batch=16, epochs=3)
METHOD = protocol.Method(
    studies.sgd, {"lr": Range(0.01, 1), "gap": studies.GAP, "decay": Range(1e-5, 1e-2, ends="high")}
)


def spoilt(part):
    """The task with a part that is noise alone."""

    def parts(seed):
        there = blobs(seed)
        bad = getattr(there, part)
        return there._replace(**{part: Part(torch.full_like(bad.X, torch.nan), bad.y)})

    return replace(TASK, parts=parts)


def test_a_study_is_the_same_at_every_run_and_another_for_another_seed():
    one, again, other = (protocol.study(TASK, METHOD, seed, trials=3) for seed in (1, 1, 2))
    assert one == again
    assert one.best != other.best
    assert one.error != other.error


def test_no_search_sees_the_test_part():
    found = protocol.search(TASK, METHOD, 1, trials=4)
    assert protocol.search(spoilt("test"), METHOD, 1, trials=4) == found
    assert protocol.search(spoilt("valid"), METHOD, 1, trials=4) != found


def test_what_is_judged_does_not_see_the_valid_part():
    make = METHOD.at({"lr": 0.1, "gap": 0.1, "decay": 0.0})
    one, other = (train(task, 1, make, "test") for task in (TASK, spoilt("valid")))
    np.testing.assert_array_equal(one.error, other.error)


def test_tuning_and_judging_share_no_seed():
    fresh = {seed for study in protocol.STUDIES for seed in protocol.fresh_seeds(study)}
    assert len(fresh) == protocol.FRESH * len(protocol.STUDIES)
    assert not fresh & {protocol.tuning_seed(study) for study in protocol.STUDIES}
    assert len(protocol.STUDIES) >= 10


def test_every_method_is_given_the_same_trials(monkeypatch):
    calls = []

    def counted(task, seed, make, part, **options):
        calls.append(part)
        return train(task, seed, make, part, **options)

    monkeypatch.setattr(protocol, "train", counted)
    for method in (METHOD, studies.METHODS["adamw"], studies.METHODS["amsgrad"]):
        calls.clear()
        study = protocol.study(TASK, method, 1, trials=3)
        assert calls == ["valid"] * 3 + ["test"] * protocol.FRESH
        assert study.trials == len(study.scores) == 3
    calls.clear()
    assert protocol.study(TASK, protocol.Method(Adam), 1).trials == 0
    assert calls == ["test"] * protocol.FRESH


def test_methods_of_one_space_try_the_same_points():
    tried = []
    for name in ("adamw", "amsgrad"):
        method = studies.METHODS[name]
        found = protocol.search(TASK, method, 3, trials=3)
        tried.append([trial.at for trial in found.trials])
    assert tried[0] == tried[1]


def test_the_ranges_of_all_methods_are_as_wide_for_each():
    widths = {
        name: {key: np.log10(r.high / r.low) for key, r in method.space.items()}
        for name, method in studies.METHODS.items()
        if method.space
    }
    assert set(widths) == {"sgd", "adamw", "amsgrad"}
    for each in widths.values():
        assert each == pytest.approx(widths["sgd"])


def test_bests_at_an_end_are_refused():
    inside = {"edges": (), "error": [[0.1]]}
    at_end = {"edges": ("lr",), "error": [[0.1]]}
    assert protocol.refused({"t": {"m": [inside, inside, inside, at_end]}}) == []
    assert protocol.refused({"t": {"m": [inside, at_end]}}) == ["t, m, lr"]


def test_studies_come_back_in_order_and_are_told_of(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # in this process
    told = []
    found = protocol.studies({"blobs": TASK}, {"adam": protocol.Method(Adam)}, (1, 2), 2, told.append)
    assert [each["error"] for each in found["blobs"]["adam"]] == [
        protocol.study(TASK, protocol.Method(Adam), seed).error for seed in (1, 2)
    ]
    assert [words.split(":")[0] for words in told] == ["1 of 2", "2 of 2"]


@pytest.mark.parametrize(
    ("error", "epochs"),
    [
        ([0.5, 0.3, 0.1], 2.5),
        ([0.5, 0.2, 0.1], 2.0),
        ([0.1, 0.1, 0.1], 1.0),
        ([0.5, 0.1, 0.5, 0.1], 3.75),  # the last time it comes down
        ([0.5, 0.1, 0.3], 3.0),  # it does not stay
        ([0.5, 0.4, 0.3], 3.0),
    ],
)
def test_epochs_to_a_target(error, epochs):
    assert protocol.epochs_to(0.2, error) == pytest.approx(epochs)


def test_a_run_that_diverges_gets_the_worst_and_no_more():
    curve = train(TASK, 1, lambda ps: SGD(ps, lr=1e30))
    assert curve.error[-1] == TASK.worst
    assert curve.loss[-1] == LOSS_CAP
    nats = replace(TASK, metric="nats", worst=2.0)
    assert train(nats, 1, lambda ps: SGD(ps, lr=30.0)).error.max() <= 2.0


def test_training_learns_and_a_schedule_reaches_the_optimizer():
    assert train(TASK, 1, lambda ps: Adam(ps, lr=0.03), epochs=8).error[-1] < 0.1
    made = []

    def make(ps):
        made.append(SGD(ps, lr=0.5, momentum=0.9))
        return made[-1]

    train(TASK, 1, make, schedule=lambda steps: one_cycle(steps, final=0.0))
    assert made[0].param_groups[0]["lr"] == pytest.approx(0.0)
    train(TASK, 1, make, schedule=cosine)
    assert 0 <= made[1].param_groups[0]["lr"] < 0.01


def test_threads_and_global_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected, threads = torch.rand(1), torch.get_num_threads()
    torch.manual_seed(5)
    train(TASK, 1, lambda ps: SGD(ps, lr=0.1))
    assert torch.rand(1) == expected
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", TASKS)
def test_tasks_are_drawn_by_the_seed_and_their_parts_share_nothing(name):
    task = TASKS[name]
    parts, again, other = task.parts(1), task.parts(1), task.parts(2)
    for part, same, different in zip(parts, again, other, strict=True):
        assert torch.equal(part.X, same.X)
        assert len(part.X) == len(part.y) == len(different.y)
    assert not torch.equal(parts.train.X, other.train.X)
    rows = [{tuple(row.flatten().tolist()) for row in part.X} for part in parts]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]


def test_digits_to_judge_by_are_in_no_search():
    """Whatever the seed: other sets are drawn anew for each, but of digits there is one."""
    test = {tuple(row.tolist()) for row in TASKS["digits-mlp"].parts(1).test.X}
    for seed in (2, 1001, 1002):
        parts = TASKS["digits-mlp"].parts(seed)
        assert {tuple(row.tolist()) for row in parts.test.X} == test
        assert not test & {tuple(row.tolist()) for part in parts[:2] for row in part.X}


def test_text_is_judged_above_what_its_source_would_score():
    parts = TASKS["text-lstm"].parts(1)
    assert 1 < parts.test.floor < np.log(57)
    assert parts.test.floor != parts.valid.floor
