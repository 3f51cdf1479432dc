"""Every body lifted to Triton, run by its interpreter on CPU memory: to the bit what NumPy computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_cases import DECAYS, DTYPES, RULES

CASES = [f"{name}-{d}-{real}" for name in RULES for d in DECAYS for real in DTYPES]


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, int]]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:invalid value:RuntimeWarning", "interpreted.py"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        env={**os.environ, "TRITON_INTERPRET": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", [*CASES, "order", "blocks", "nan"])
def test_equals_numpy_and_stays_within_bounds(results, case):
    assert results[case] == {"differing": 0, "outside": 0}


def test_no_case_is_forgotten(results):
    assert set(results) == {*CASES, "order", "blocks", "nan"}
