"""Run by test_lowbit_triton.py in a process of its own: TRITON_INTERPRET=1 counts only before the first import.

Prints a JSON object: for each case the numbers and codes that differ from NumPy's, after two steps.
"""

from __future__ import annotations

import json
import sys

import torch
from lowbit_cases import CASES, FORMATS, Twins, gradients

from mlsys.kernels import lowbit_cuda


def differing(name: str, form: str, spoiled: bool = False) -> int:
    twins = Twins(name, form, shapes=[(), (0,), (257,), (33, 31), (lowbit_cuda._INTERPRETED_BLOCK + 5,)])
    plan = twins.plan(lowbit_cuda.Plan)
    for t in range(2):
        grads = gradients(twins, t)
        if spoiled:
            grads[3][3, :5] = torch.tensor([float("nan"), float("inf"), -float("inf"), 1e30, 1e-40])
        twins.step(plan, grads)
    return twins.differing()


if __name__ == "__main__":
    results = {f"{name}-{form}": differing(name, form) for name, form in CASES}
    results |= {f"spoiled-{form}": differing("adamw", form, spoiled=True) for form in FORMATS}
    json.dump(results, sys.stdout)
