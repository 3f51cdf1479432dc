"""Every body compiled for Ampere and Hopper without a GPU, its loads and stores counted in the PTX."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from kernel_cases import DECAYS, DTYPES, RULES, Readable, hostile, slots_of

triton = pytest.importorskip("triton", reason="pip install 'mlsys[gpu]'", exc_type=ImportError)
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402

from mlsys.kernels import cuda, lifting, triton_kernel  # noqa: E402

BLOCK, THREADS = 1024, 128
ARGUMENTS = {"table": "*i64", "work": "*i64", "scalars": "*fp64", "columns": "i32"}


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    with triton.knobs.cache.scope():
        triton.knobs.cache.dir = str(tmp_path_factory.mktemp("triton"))
        yield


def ptx(name: str, decay: bool, dtype: torch.dtype, capability: int) -> str:
    rule = RULES[name]
    constants = cuda.constants(rule.body, len(rule.fill), decay, dtype, BLOCK)
    source = ASTSource(triton_kernel.step, ARGUMENTS, constexprs=constants)
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=cuda.OPTIONS).asm["ptx"]


def counted(text: str) -> Counter[str]:
    """Global loads and stores: ('ld', 'v4.b32') …"""
    return Counter(re.findall(r"\b((?:ld|st)\.global\.\S+)", text))


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("decay", [False, True], ids=DECAYS)
@pytest.mark.parametrize("name", RULES)
def test_traffic_in_float32(name, decay, capability):
    """A thread's share of a block, twice: 16 bytes at a time (aligned) and 4 at a time (any other tensor).
    What the table, the work list and the coefficients cost is apart: 8-byte loads."""
    s = lifting.signature(RULES[name].body, len(RULES[name].fill))
    seen = counted(ptx(name, decay, torch.float32, capability))
    each = BLOCK // THREADS
    assert seen["ld.global.v4.b32"] == s.reads * each // 4
    assert seen["st.global.v4.b32"] == s.writes * each // 4
    assert seen["ld.global.b32"] == s.reads * each
    assert seen["st.global.b32"] == s.writes * each
    bookkeeping = 3 + 1 + len(s.coefficients) + 3 * decay + 2 * s.reads
    assert seen["ld.global.b64"] == bookkeeping
    assert seen.total() == (s.reads + s.writes) * each * 5 // 4 + bookkeeping


@pytest.mark.parametrize("name", RULES)
def test_traffic_in_float64(name):
    s = lifting.signature(RULES[name].body, len(RULES[name].fill))
    seen = counted(ptx(name, True, torch.float64, 90))
    each = BLOCK // THREADS
    assert seen["ld.global.v2.b64"] == s.reads * each // 2
    assert seen["st.global.v2.b64"] == s.writes * each // 2
    assert seen["st.global.b64"] == s.writes * each
    assert seen["ld.global.b64"] == s.reads * each + 3 + 1 + len(s.coefficients) + 3 + 2 * s.reads


def test_every_load_and_store_of_an_element_is_masked():
    """Predicated in the PTX; the bookkeeping, which is always in bounds, need not be."""
    lines = [
        x
        for x in ptx("amsgrad", True, torch.float32, 90).splitlines()
        if re.search(r"(ld|st)\.global\S*b32", x)
    ]
    assert lines
    assert all(re.match(r"\s*@%p\d+ ", line) for line in lines)


def test_products_and_sums_are_not_fused():
    """Each operation rounds, as on the other engines."""
    text = ptx("adam", True, torch.float32, 90)
    assert "fma." not in text
    assert "mul." in text


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@gpu
@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("d", DECAYS.values(), ids=DECAYS)
@pytest.mark.parametrize("name", RULES)
def test_on_a_gpu(name, d, dtype):
    """Triton's float32 quotients and roots are within 2 units in the last place; the bound is that of the CPU
    test against torch, a step, on gradients of one scale."""
    rule, steps = RULES[name], 3
    params = [torch.rand(n, dtype=dtype) + 1 for n in (1, 7, 1024, 40_003)]
    readable = Readable(rule, params, d)
    ours = [w.cuda() for w in params]
    plan = cuda.Plan(rule.body, ours, [slots_of(rule, w) for w in ours], d is not None)
    for t in range(steps):
        grads = [hostile((w.numel(),), dtype, t).clamp(0.1, 10) for w in params]
        plan.step([g.cuda() for g in grads], readable.step(grads), d)
    for (w, *_), mine in zip(readable.arrays, ours, strict=True):
        torch.testing.assert_close(
            mine.cpu(), torch.from_numpy(w), rtol=16 * steps * torch.finfo(dtype).eps, atol=0
        )


@pytest.mark.gpu
@gpu
def test_a_changed_rate_compiles_nothing_on_a_gpu():
    w = torch.ones(9, device="cuda")
    plan = cuda.Plan(RULES["sgd"].body, [w], [()])
    plan.step([w.clone()], (0.1,))
    compiled = len(triton_kernel.step.device_caches[w.device.index][0])
    plan.step([w.clone()], (0.2,))
    assert len(triton_kernel.step.device_caches[w.device.index][0]) == compiled
