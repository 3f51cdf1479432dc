"""Every kind of model on one small table: judged, timed by the hook alone, its size that of its pickle."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch

from mlsys.core import generator
from mlsys.data import load
from mlsys.inference.features import fastfood
from mlsys.inference.features.last_resort import BATCHES, KernelClassifier, NetClassifier, last_resort


def test_each_kind_is_judged_and_timed_by_the_hook() -> None:
    lengths: list[int] = []

    def timed(call: Callable[[], np.ndarray]) -> float:
        lengths.append(len(call()))
        return float(len(lengths))

    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    data = load("wine")
    kinds = last_resort(timed, seed=1, dataset=data, number=128)
    assert [kind.name for kind in kinds] == ["linear", "kernel features", "tree", "boosting", "net"]
    assert lengths == [1, 256] * 5
    assert [kind.latency_s[b] for kind in kinds for b in BATCHES] == list(range(1, 11))
    assert all(kind.accuracy > 0.75 for kind in kinds), kinds  # a guess at the largest class: 0.4
    assert torch.equal(state, torch.random.get_rng_state())
    assert threads == torch.get_num_threads()
    again = last_resort(lambda call: 0.0, seed=1, dataset=data, number=128)
    assert [k.accuracy for k in again] == [k.accuracy for k in kinds]
    # torch writes the addresses of its storages, whose digits vary
    assert all(abs(a.size_bytes - b.size_bytes) <= 32 for a, b in zip(again, kinds, strict=True))


def test_a_pickled_model_predicts_the_same() -> None:
    train = load("wine").split().standardised().train
    X, y = train.X, train.y
    for model in (
        KernelClassifier(fastfood(13, 64, 0.02, generator(0)), X, y),
        NetClassifier(X, y, 3, 0, epochs=2),
    ):
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_targets_that_are_no_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dataset must have the labels 0 … k - 1"):
        last_resort(lambda call: 0.0, dataset=load("diabetes"))
