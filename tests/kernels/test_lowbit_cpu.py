"""Low-bit moments on the CPU kernel: to the bit what NumPy computes, whatever the shapes, threads and gradients."""

from __future__ import annotations

import platform
import re

import numpy as np
import pytest
import torch
from kernel_cases import hostile
from lowbit_cases import CASES, FORMATS, RULES, Twins, gradients, memory

from mlsys.core.dispatch import lowbit_path
from mlsys.kernels import engine, objects
from mlsys.kernels.lowbit_cpu import Plan
from mlsys.kernels.lowbit_source import source

every_format = pytest.mark.parametrize("form", FORMATS)


def test_the_registry_finds_it():
    assert lowbit_path("torch.cpu") is Plan


@pytest.mark.parametrize(("name", "form"), CASES)
def test_rounds_as_numpy_does(name, form):
    twins = Twins(name, form)
    plan = twins.plan(Plan)
    for t in range(4):
        twins.step(plan, gradients(twins, t))
    assert twins.differing() == 0


@every_format
@pytest.mark.parametrize(
    "number", [float("nan"), -float("nan"), float("inf"), -float("inf"), 1e-45, 3e38, 0.0]
)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")  # NumPy announces what is tested here
def test_extreme_gradients(form, number):
    twins = Twins("adamw", form, shapes=[(700,), (3,)])
    plan = twins.plan(Plan)
    for t in range(3):
        grads = gradients(twins, t)
        grads[0][5:20] = number
        twins.step(plan, grads)
    assert twins.differing() == 0


@every_format
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads(form, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        twins = Twins("adamw", form, shapes=[(300_001,), *((i % 40 * 20,) for i in range(300))])
        twins.step(twins.plan(Plan), gradients(twins, 0))
        assert twins.differing() == 0
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="reads x86 assembly")
@every_format
def test_the_loop_is_vectorised_in_32_bits(form):
    """Roots and quotients packed; products of integers of 32 bits, not 64; nothing of Python or Numba called."""
    text = source(RULES["adamw"].body, *FORMATS[form], decay=True)
    module = engine.parse(objects.intermediate(text, "float32"), "mlsys_kernel")
    assembly = engine.assembly(module)
    assert re.search(r"\bv?sqrtps\b", assembly)
    assert re.search(r"\bv?divps\b", assembly)
    if form.endswith("stochastic"):
        assert re.search(r"\bv?pmul(ld|udq)\b", assembly)
    assert not re.search(r"\bvpmullq\b", assembly)
    outside = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    assert outside <= {"sqrt", "sqrtf"}


def test_a_changed_rate_or_step_compiles_nothing():
    twins = Twins("adamw", "8bit-stochastic", shapes=[(300,)])
    plan = twins.plan(Plan)
    before = objects._load.cache_info().misses
    for t in range(3):
        plan.step(gradients(twins, t), (0.1 / (t + 1), 0.9, 0.1, 0.999, 0.001, 1e-8), (1.0, 0.0, 0.9), t)
    twins.plan(Plan)
    assert objects._load.cache_info().misses == before


def refused(match: str, w: torch.Tensor, own, moments: str) -> None:
    with pytest.raises(NotImplementedError, match=match):
        Plan(RULES["adam"].body, [w], [own], moments, "nearest")


def test_what_it_cannot_take_is_refused_by_name():
    w = torch.zeros(4, 300)
    bf, by = memory(w, "bfloat16", 0), memory(w, "8bit", 0)
    refused("float64", w.double(), bf, "bfloat16")
    refused(r"memory\[0\]\.m must be torch.uint8", w, bf, "8bit")
    refused(
        r"memory\[0\]\.v .*memory order",
        w,
        bf._replace(v=torch.zeros(300, 4, dtype=torch.bfloat16).t()),
        "bfloat16",
    )
    refused(r"two float32 tensors of shape \(5,\)", w, by._replace(offsets=()), "8bit")
    refused(r"two float32 tensors", w, by._replace(offsets=(torch.zeros(4), torch.zeros(5))), "8bit")
    refused("share memory", w, by._replace(v=by.m), "8bit")
    with pytest.raises(NotImplementedError, match="one record a parameter"):
        Plan(RULES["adam"].body, [w], [], "8bit", "nearest")


def test_a_refused_step_writes_nothing():
    twins = Twins("adam", "8bit-stochastic", shapes=[(300,)])
    plan = twins.plan(Plan)
    before = twins.params[0].clone()
    with pytest.raises(TypeError, match="float64"):
        plan.step([torch.zeros(300).double()], (0.0,) * 6, None, 0)
    with pytest.raises(ValueError, match="6 numbers"):
        plan.step([torch.zeros(300)], (0.0,) * 5, None, 0)
    assert torch.equal(before, twins.params[0])
    assert not twins.memory[0].m.any()


def test_parameters_that_moved_are_followed():
    twins = Twins("adam", "8bit-nearest", shapes=[(300,)])
    plan = twins.plan(Plan)
    twins.params[0].data = twins.params[0].data.clone()
    twins.step(plan, [hostile((300,), torch.float32, 0)])
    assert twins.differing() == 0
    assert np.isfinite(twins.arrays[0]).all()
