"""Lifting, its cache on disk, and the threads: what makes the first step short and the others safe."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import platform
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from kernel_cases import DECAYS, DTYPES, RULES, Readable, hostile, slots_of

from mlsys.core import decay
from mlsys.kernels import engine, gather, lifting, objects, team
from mlsys.kernels.cpu import Plan
from mlsys.kernels.layout import Gradients
from mlsys.optim.rules import adam

X86 = platform.machine() in {"x86_64", "AMD64"}


@pytest.mark.parametrize("name", RULES)
def test_the_bodies_own_text_is_compiled(name):
    rule = RULES[name]
    text = lifting.source(rule.body, len(rule.fill), decay=True)
    assert inspect.getsource(rule.body) in text
    assert inspect.getsource(decay.body).partition("\n")[2] in text
    assert lifting.signature(rule.body, len(rule.fill)).slots == rule.State._fields[1:]


@pytest.mark.skipif(not X86, reason="reads x86 assembly")
@pytest.mark.parametrize("real", DTYPES)
@pytest.mark.parametrize("d", DECAYS.values(), ids=DECAYS)
@pytest.mark.parametrize("name", RULES)
def test_the_loop_is_vectorised(name, d, real):
    """Packed loads, products and stores; roots and quotients packed too; one memory instruction a stream."""
    rule = RULES[name]
    text = lifting.source(rule.body, len(rule.fill), d is not None)
    module = engine.parse(objects.intermediate(text, real), "mlsys_kernel")
    assembly, suffix = engine.assembly(module), {"float32": "ps", "float64": "pd"}[real]
    source = inspect.getsource(rule.body)
    wanted = ["mul", "sub"] + ["div"] * ("/" in source) + ["sqrt"] * ("sqrt" in source)
    for instruction in wanted:
        assert re.search(rf"\bv?{instruction}{suffix}\b", assembly), instruction
    outside = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    assert outside <= {"sqrt", "sqrtf"}, "the kernel needs nothing of Python or Numba"


FIRST_STEP = """
import sys, time, torch
from mlsys.kernels.cpu import Plan
from mlsys.optim.rules import adam
w = torch.ones(5)
began = time.perf_counter()
Plan(adam.body, [w], [(torch.zeros(5), torch.zeros(5))]).step([w.clone()], (1e-3, .9, .1, .999, .001, 1e-8))
print(time.perf_counter() - began, "numba" in sys.modules, w[0].item())
"""


def fresh(folder: Path, **env: str) -> tuple[float, bool, float]:
    """(seconds, whether Numba was needed, a result) of a first step in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FIRST_STEP],
        capture_output=True,
        text=True,
        env={**os.environ, "MLSYS_CACHE_DIR": str(folder), **env},
    )
    assert done.returncode == 0, done.stderr
    seconds, numba, w = done.stdout.split()
    return float(seconds), numba == "True", float(w)


def test_compiled_code_is_kept(tmp_path):
    _, compiled, w = fresh(tmp_path)
    assert compiled
    (path,) = (tmp_path / "kernels").glob("*")  # one file, no temporary one left
    assert stat.S_IMODE((tmp_path / "kernels").stat().st_mode) == 0o700
    written = path.stat().st_mtime_ns
    _, compiled, again = fresh(tmp_path)
    assert not compiled
    assert again == w
    assert path.stat().st_mtime_ns == written


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and modes are POSIX")
def test_code_that_others_could_write_is_not_run(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels").chmod(0o777)
    _, compiled, _ = fresh(tmp_path)
    assert compiled
    assert not list((tmp_path / "kernels").iterdir())
    (tmp_path / "file").write_text("")
    _, compiled, _ = fresh(tmp_path / "file")  # no folder can be made there
    assert compiled


def test_half_a_file_is_never_read(tmp_path):
    objects._write(tmp_path / "x.o", b"code")
    assert [p.name for p in tmp_path.iterdir()] == ["x.o"]
    assert (tmp_path / "x.o").read_bytes() == b"code"


def test_another_source_has_another_key():
    rule = RULES["adam"]
    texts = {
        lifting.source(RULES[n].body, len(RULES[n].fill), d is not None)
        for n in RULES
        for d in DECAYS.values()
    }
    assert len(texts) == 2 * len(RULES)
    assert lifting.digest("a", "b") != lifting.digest("ab", "")
    assert lifting.source(rule.body, 2, False) == lifting.source(rule.body, 2, False)


class Race:
    """A step of Adam on a tensor large enough for several threads, prepared and not yet taken."""

    def __init__(self) -> None:
        rule, shape = RULES["adam"], (200_003,)
        self.params, self.grads = [hostile(shape, torch.float32, 0)], [hostile(shape, torch.float32, 1)]
        self.readable, self.slots = Readable(rule, self.params, None), [slots_of(rule, self.params[0])]
        self.plan = Plan(rule.body, self.params, self.slots)

    def differing(self) -> int:
        self.plan.step(self.grads, self.readable.step(self.grads))
        return self.readable.differing(self.params, self.slots)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_may_step():
    """OpenMP's threads do not survive a fork; a child that waited for them would hang (as torch's own loops do,
    so all that the child needs of torch is prepared before)."""
    race = Race()
    assert race.differing() == 0
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put(race.differing()))
    child.start()
    child.join(30)
    alive = child.is_alive()
    child.kill()
    assert not alive
    assert queue.get() == 0


def test_without_openmp_python_threads_serve(monkeypatch):
    monkeypatch.setattr(team, "_openmp", lambda: None)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert Race().differing() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="torch brings its own OpenMP library on Linux")
def test_torchs_own_threads_are_used():
    assert team._openmp() is not None


def test_addresses():
    tensors = [torch.zeros(i) for i in range(50)]
    expected = [t.data_ptr() for t in tensors]
    assert gather._native() is not None, "torch no longer offers its compiled programs an address function"
    assert gather.addresses(tensors).tolist() == expected
    assert gather.addresses(tuple(tensors)).tolist() == expected
    assert gather.addresses([]).tolist() == []


def test_addresses_without_torchs_function(monkeypatch):
    monkeypatch.setattr(gather, "_native", lambda: None)
    tensors = [torch.zeros(i) for i in range(5)]
    assert gather.addresses(tensors).tolist() == [t.data_ptr() for t in tensors]


def test_gradients_as_usual_take_the_short_way():
    params = [torch.nn.Parameter(torch.zeros(3, 4)), torch.nn.Parameter(torch.zeros(5))]
    sum((p * p).sum() for p in params).backward()
    grads = [p.grad for p in params]
    assert Gradients(params).matched(grads) is grads


def test_numba_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(NotImplementedError, match="needs Numba"):
        objects.intermediate(lifting.source(adam.body, 2, False), "float32")
