"""Low-bit moments on Triton: interpreted, to the bit what NumPy computes; compiled, its traffic counted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from lowbit_cases import CASES, FORMATS, RULES, Twins, gradients

triton = pytest.importorskip("triton", reason="pip install 'mlsys[gpu]'", exc_type=ImportError)
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

from mlsys.core import lowbit as codes  # noqa: E402
from mlsys.kernels import cuda, lifting, lowbit_cpu, lowbit_cuda, lowbit_triton  # noqa: E402

NAMES = [f"{name}-{form}" for name, form in (*CASES, *(("spoiled", form) for form in FORMATS))]
BLOCK, THREADS = 1024, 128
ARGUMENTS = {"table": "*i64", "work": "*i64", "scalars": "*fp64", "columns": "i32"}


@pytest.fixture(scope="module")
def interpreted() -> dict[str, int]:
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-W", "ignore:invalid value:RuntimeWarning"),
            *("-W", "ignore:overflow:RuntimeWarning", "lowbit_interpreted.py"),
        ],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        env={**os.environ, "TRITON_INTERPRET": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", NAMES)
def test_equals_numpy(interpreted, case):
    assert interpreted[case] == 0


def test_no_case_is_forgotten(interpreted):
    assert set(interpreted) == {*NAMES}


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    with triton.knobs.cache.scope():
        triton.knobs.cache.dir = str(tmp_path_factory.mktemp("triton"))
        yield


def ptx(form: str, decay: bool, capability: int) -> str:
    constants = lowbit_cuda.constants(RULES["adamw"].body, *FORMATS[form], decay, BLOCK)
    source = ASTSource(lowbit_triton.step, ARGUMENTS, constexprs=constants)
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=cuda.OPTIONS).asm["ptx"]


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("form", FORMATS)
def test_traffic(form, capability):
    """A thread's 8 elements of a block, twice: in words of 16 bytes (aligned; 8 bytes of codes in 8 bits), and one
    by one (any other tensor). Table, work list and coefficients are apart: 8-byte loads. The offsets of a block's
    four rows: a load and a store each, in both."""
    text = ptx(form, True, capability)
    seen = Counter(re.findall(r"\b((?:ld|st)\.global\.\S+)", text))
    each, bytewise = BLOCK // THREADS, form.startswith("8bit")
    code, word = ("b8", "v2.b32") if bytewise else ("b16", "v4.b32")
    expected = Counter()
    for direction, floats in (("ld", 2), ("st", 1)):
        expected[f"{direction}.global.v4.b32"] += floats * each // 4
        expected[f"{direction}.global.{word}"] += 2
        expected[f"{direction}.global.b32"] += floats * each + 4 * bytewise
        expected[f"{direction}.global.{code}"] += 2 * each
    scalars = len(lifting.signature(RULES["adamw"].body, 2).coefficients) + 3
    random = 3 * form.endswith("stochastic")  # the step's key, and twice the place where the tensor begins
    expected["ld.global.b64"] = 3 + 1 + scalars + 2 * (6 if bytewise else 4) + random
    assert seen == expected
    assert "fma.rn.f32" not in text  # each operation rounds, as on the other engines


@pytest.mark.parametrize("form", FORMATS)
def test_every_load_and_store_of_an_element_is_masked(form):
    lines = [x for x in ptx(form, False, 90).splitlines() if re.search(r"(ld|st)\.global\S*b(8|16|32)", x)]
    assert lines
    assert all(re.match(r"\s*@%p\d+ ", line) for line in lines)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("form", FORMATS)
def test_on_a_gpu(form):
    """Triton's float32 quotients and roots are within 2 units in the last place, and touch w alone: the codes are
    those of NumPy, m and v being sums of products that round alike."""
    twins, there = Twins("adamw", form), Twins("adamw", form)
    there.params = [w.cuda() for w in there.params]
    there.memory = [moved(own, "cuda") for own in there.memory]
    plan, twins_plan = there.plan(lowbit_cuda.Plan), twins.plan(lowbit_cpu.Plan)
    for t in range(1, 4):
        grads = gradients(twins, t)
        twins.step(twins_plan, grads)
        c, d = twins.rule.coefficients(twins.rule.hyper, t), twins.rule.decay(twins.rule.hyper)
        plan.step([g.cuda() for g in grads], c, d, codes.key(twins.seed, t))
    for w, expected in zip(there.params, twins.params, strict=True):
        torch.testing.assert_close(w.cpu(), expected, rtol=1e-5, atol=1e-6)
    for own, expected in zip(there.memory, twins.memory, strict=True):
        for mine, theirs in zip(moved(own, "cpu").tensors, expected.tensors, strict=True):
            assert torch.equal(mine, theirs)


def moved(own: codes.Memory, device: str) -> codes.Memory:
    """The memory on another device."""
    return own._replace(
        m=own.m.to(device), v=own.v.to(device), offsets=tuple(x.to(device) for x in own.offsets)
    )
