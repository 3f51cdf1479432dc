"""Energy: RAPL's arithmetic on a tree of files made here, the declared model by its formula, and no mixing."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from mlsys.inference.metrics import Declared, Energy, Nvml, Rapl, energy_of, measured_backends

RANGE = 262_143_328_850


@pytest.fixture
def powercap(tmp_path):
    """Two packages, the first one's cores and memory, and the platform, as Linux shows them."""

    def domain(folder, name, microjoules):
        path = tmp_path / folder
        path.mkdir()
        for file, value in (("name", name), ("energy_uj", microjoules), ("max_energy_range_uj", RANGE)):
            (path / file).write_text(f"{value}\n")

    domain("intel-rapl:0", "package-0", 1_000_000)
    domain("intel-rapl:0:0", "core", 500_000)
    domain("intel-rapl:0:1", "dram", 0)
    domain("intel-rapl:1", "package-1", RANGE - 2_000_000)
    domain("intel-rapl:2", "psys", 9_000_000)
    return tmp_path


def spend(root, folder, microjoules):
    path = root / folder / "energy_uj"
    path.write_text(f"{(int(path.read_text()) + microjoules) % RANGE}\n")


def test_rapl_adds_up_packages_and_memory_across_a_turn_of_the_counter(powercap):
    rapl = Rapl(powercap)

    def run():
        spend(powercap, "intel-rapl:0", 3_000_000)
        spend(powercap, "intel-rapl:0:0", 2_000_000)
        spend(powercap, "intel-rapl:0:1", 250_000)
        spend(powercap, "intel-rapl:1", 5_000_000)  # past its range
        spend(powercap, "intel-rapl:2", 50_000_000)
        return "done"

    result, energy = energy_of(run, predictions=4, backend=rapl, idle_s=0)
    assert result == "done"
    assert energy.joules == pytest.approx(8.25, abs=1e-9)
    assert energy.joules_per_prediction == pytest.approx(8.25 / 4, abs=1e-9)
    assert (energy.kind, energy.backend) == ("measured", "RAPL")
    assert math.isnan(energy.idle_watts)


def test_the_idle_baseline_is_measured_first(powercap, monkeypatch):
    def idle(seconds):
        spend(powercap, "intel-rapl:0", 7_000_000)

    moments = iter([0.0, 2.0, 10.0, 11.0])  # 2 s idle at 3.5 W, then a run of 1 s
    clock = SimpleNamespace(sleep=idle, perf_counter=lambda: next(moments))
    monkeypatch.setattr("mlsys.inference.metrics.energy.time", clock)
    _, energy = energy_of(lambda: spend(powercap, "intel-rapl:1", 9_500_000), 1, Rapl(powercap), idle_s=2.0)
    assert energy.idle_watts == pytest.approx(3.5)
    assert energy.above_idle_joules == pytest.approx(9.5 - 3.5)


def test_a_machine_without_counters_says_so(tmp_path):
    with pytest.raises(OSError, match="Use Declared"):
        Rapl(tmp_path)


def test_the_declared_model():
    clock, processor = iter([10.0, 14.0]), iter([1.0, 7.0])
    model = Declared(20, 5, clock=lambda: next(clock), processor=lambda: next(processor))
    _, energy = energy_of(lambda: None, predictions=10, backend=model)
    assert energy.joules == 20 * 4 + 5 * 6
    assert energy.idle_watts == 20
    assert energy.kind == "estimated"
    assert energy.backend == "declared, 20 W idle + 5 W a busy core"


WORK_AND_SLEEP = """
import time
from mlsys.inference.metrics import Declared, energy_of

def work():
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass

for run in (work, lambda: time.sleep(0.05)):
    print(energy_of(run, 1, Declared(0, 10))[1].joules)
"""


def test_the_declared_model_sees_work_but_not_sleep():
    """In a process of its own: the model counts every thread's time, those too that other tests have left."""
    told = subprocess.run([sys.executable, "-c", WORK_AND_SLEEP], capture_output=True, text=True, check=True)
    busy, asleep = map(float, told.stdout.split())
    assert busy >= 0.5
    assert asleep < busy / 5


def test_measured_and_estimated_have_no_sum():
    measured = Energy(1.0, 1.0, 1, 0.0, "measured", "RAPL")
    gpu = Energy(1.0, 1.0, 1, 0.0, "measured", "NVML")
    estimated = Energy(1.0, 1.0, 1, 0.0, "estimated", "declared, 1 W idle + 1 W a busy core")
    for other in (estimated, gpu):
        with pytest.raises(TypeError, match="side by side"):
            measured + other
    with pytest.raises(TypeError):
        sum([estimated])  # which begins with the number 0


def test_runs_of_one_backend_add_up():
    a = Energy(10.0, 2.0, 5, 1.0, "measured", "RAPL")
    both = a + Energy(30.0, 6.0, 15, 3.0, "measured", "RAPL")
    assert (both.joules, both.seconds, both.predictions) == (40.0, 8.0, 20)
    assert both.idle_watts == (1 * 2 + 3 * 6) / 8
    assert both.above_idle_joules == 40 - 20
    assert json.loads(json.dumps(both.data()))["joules_per_prediction"] == 2


def test_what_is_refused():
    with pytest.raises(ValueError, match="predictions must be >= 1"):
        energy_of(lambda: None, 0, Declared(1, 1))
    with pytest.raises(ValueError, match="busy_watts must be >= 0"):
        Declared(1, -1)


def test_every_counter_found_here_counts():
    for backend in measured_backends():
        assert backend.kind == "measured"
        assert backend.joules(backend.read(), backend.read()) >= 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_at_work_takes_more_than_idle():
    x = torch.randn(4096, 4096, device="cuda")

    def run():
        for _ in range(400):
            x @ x
        torch.cuda.synchronize()

    run()
    _, energy = energy_of(run, predictions=400, backend=Nvml(), idle_s=1.0)
    assert energy.kind == "measured"
    assert energy.above_idle_joules > 0
