"""Sizes against counts made by hand, and the peak of resident memory against what was allocated."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from mlsys.inference.metrics import peak_memory, size_of


def test_a_module_counted_by_hand():
    model = torch.nn.Sequential(torch.nn.Linear(10, 4), torch.nn.BatchNorm1d(4))
    size = size_of(model)
    assert size.parameters == 10 * 4 + 4 + 4 + 4
    assert size.parameter_bytes == 4 * size.parameters
    assert size.buffer_bytes == 4 * 4 + 4 * 4 + 8  # running mean and variance, and an int64 count
    assert size.file_bytes > size.parameter_bytes + size.buffer_bytes


def test_shared_weights_count_once_and_halves_are_halves():
    layer = torch.nn.Linear(64, 64, bias=False)
    assert size_of(torch.nn.Sequential(layer, layer)).parameters == 64 * 64
    assert size_of(layer.half()).parameter_bytes == 2 * 64 * 64


def test_the_file_grows_by_the_weights():
    small, large = (size_of(torch.nn.Linear(n, 100, bias=False)).file_bytes for n in (1000, 2000))
    assert abs(large - small - 4 * 100 * 1000) < 256


def test_other_models_by_their_file():
    model = LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])
    size = size_of(model)
    assert size.parameters is None
    assert 200 < size.file_bytes < 5000
    with pytest.raises(TypeError, match="cannot be pickled"):
        size_of(lambda x: x)


RUNS = """
import json
import numpy as np
from mlsys.inference.metrics import peak_memory
def run(mebibytes):
    return int(np.ones(mebibytes * 2**17).sum()) // 2**17
answer, large = peak_memory(lambda: run(96))
_, small = peak_memory(lambda: run(32))
print(json.dumps([answer, large.of_run, small.of_run, large.added_bytes, small.added_bytes]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is of the process's whole life")
def test_the_peak_is_the_runs_own():
    """In a process that has freed nothing yet: a large one serves 32 MiB from what it has freed, and adds nothing."""
    said = subprocess.run([sys.executable, "-c", RUNS], check=True, capture_output=True, text=True).stdout
    answer, large, small, large_bytes, small_bytes = json.loads(said)
    assert (answer, large, small) == (96, True, True)
    assert 95 <= large_bytes / 2**20 < 112  # the system adds up its threads' pages now and then only
    assert 31 <= small_bytes / 2**20 < 48  # though the process once held more


def test_without_a_reset_the_peak_is_of_the_process_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("mlsys.inference.metrics.size._CLEAR", tmp_path / "absent" / "clear_refs")
    _, peak = peak_memory(lambda: None)
    assert not peak.of_run
    assert peak.peak_bytes >= peak.before_bytes > 2**20


def test_without_proc_the_peak_is_resources(monkeypatch, tmp_path):
    linux = peak_memory(lambda: None)[1]
    for name in ("_CLEAR", "_STATUS"):
        monkeypatch.setattr(f"mlsys.inference.metrics.size.{name}", tmp_path / "absent" / name)
    _, peak = peak_memory(lambda: None)
    assert not peak.of_run
    assert peak.added_bytes == 0
    assert peak.peak_bytes >= linux.before_bytes - 2**20
