"""The first step of a process: with nothing compiled yet, and with the compiled code on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.race import Contention, Row, compare

# Imports aside, what a user waits for: the optimiser made, its first step taken. torch imports its compiler with the
# first optimiser of any kind, ours or its own. Numba is imported at the first compilation: that counts as cold.
FIRST = """
import time, torch, torch._dynamo
import mlsys.kernels.cpu, mlsys.optim.front
model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
model(torch.randn(8, 784)).square().mean().backward()
began = time.perf_counter()
mlsys.optim.{name}(model.parameters()).step()
print(time.perf_counter() - began)
"""
BOUNDS = {"cold": 2.0, "code cached": 0.3}


def first_step(name: str, folder: str) -> float:
    """Seconds of a first step in a fresh process that keeps compiled code in this folder."""
    env = {**os.environ, "MLSYS_CACHE_DIR": folder}
    command = [sys.executable, "-c", FIRST.format(name=name)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    return float(done.stdout)


def run(quick: bool) -> Iterator[Row]:
    """Against bounds, as ratios: 1 is just met."""
    for name in ("Adam",) if quick else ("Adam", "Adadelta"):
        seen: dict[str, list[float]] = {"cold": [], "code cached": []}
        with Contention() as others:
            for _ in range(1 if quick else 5):
                with tempfile.TemporaryDirectory() as folder:
                    for times in seen.values():  # cold first, which leaves the code for the other
                        times.append(first_step(name, folder))
        for state, times in seen.items():
            bound = f"{BOUNDS[state]} s"
            table = {"mlsys": np.array(times), bound: np.full(len(times), BOUNDS[state])}
            about: dict[str, Any] = {
                "race": "first step",
                "metric": "first_step_s",
                "contention": others.share,
            }
            yield compare(table, "mlsys", bound, case=f"{name}, {state}", goal=1.0, **about)
