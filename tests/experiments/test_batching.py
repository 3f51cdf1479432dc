"""Batches: the counts of a pass by formula and by hooks, the deterministic clock's laws, the records."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mlsys.experiments import batching, forward_memory, forward_pass
from mlsys.experiments.runs import SEEDS
from mlsys.inference.serve import Request
from mlsys.models import torch_mlp
from mlsys.report import record
from mlsys.report.claim import CONTRADICTED, EQUIVALENT, HOLDS

ON_THE_CLOCK = {
    "batch-latency-idle": EQUIVALENT,
    "batch-latency-busy": CONTRADICTED,
    "batch-wait-median": HOLDS,
    "batch-wait-tail": EQUIVALENT,
    "batch-wait-throughput": EQUIVALENT,
}


@pytest.mark.parametrize("name", batching.CLAIMS)
def test_every_claim_has_ten_effects_and_its_own_name(name):
    result = batching.CLAIMS[name]()
    assert result.claim.name == name
    assert len(result.effects) == len(SEEDS) == forward_pass.BLOCKS
    if name in ON_THE_CLOCK:
        assert result.verdict == ON_THE_CLOCK[name]
        assert batching.CLAIMS[name](seeds=(1, 2, 3)).effects == result.effects[:3]


def test_alone_and_far_apart_a_request_takes_its_pass():
    run = batching.served(16, 0.0, batching.arrivals(1.0, 1, 50))
    np.testing.assert_allclose(run.latencies.ranked[:25], batching.service_s(1), rtol=1e-9)
    assert run.mean_batch < 1.1


def test_batches_of_one_wait_as_pollaczek_and_khinchine_say():
    """M/D/1: the mean wait is rho s / (2 (1 - rho)); over 40,000 requests to 10 %, some five standard errors."""
    rho, s = 0.5, batching.service_s(1)
    run = batching.served(1, 0.0, batching.arrivals(rho / s, 1, 40_000))
    assert run.waited_s == pytest.approx(rho * s / (2 * (1 - rho)), rel=0.1)


def test_what_is_all_there_is_computed_in_full_batches():
    run = batching.served(16, 0.01, [Request(i, 0.0) for i in range(160)])
    assert (run.batches, run.mean_batch) == (10, 16)
    assert run.latencies.throughput == pytest.approx(batching.capacity(16))


def test_a_full_queue_refuses_and_counts():
    run = batching.served(1, 0.0, batching.arrivals(1e4, 1, 100), queue=5)
    assert run.latencies.sent == 100
    assert run.latencies.refused > 80


def test_counted_work_is_the_formula():
    n = 32
    counted = forward_pass.work(torch_mlp((n, n)), torch.zeros(1, n))
    assert counted == (2 * n * n, 4 * (n * n + n), 8 * n)
    conv = forward_pass.work(nn.Conv2d(3, 5, 3, padding=1), torch.zeros(1, 3, 8, 8))
    assert conv == (2 * 64 * 5 * 27, 4 * (5 * 27 + 5), 4 * 64 * 8)
    assert conv.moved_bytes(7) == conv.weight_bytes + 7 * conv.activation_bytes
    assert conv.bound_s(2, 1e3, 1e30) == conv.moved_bytes(2) / 1e3
    assert conv.bound_s(2, 1e30, 1e3) == 2 * conv.operations / 1e3
    assert set(forward_pass.works()) == set(forward_pass.LARGEST)


def test_the_record_of_passes_has_every_batch_in_blocks():
    kept = record.load("forward_pass")["result"]
    assert kept["bandwidth_bytes_s"] > 0
    assert kept["peak_ops_s"] > 0
    for name in forward_pass.LARGEST:
        assert list(map(int, kept["pass_s"][name])) == forward_pass.batches(name)
        assert {len(times) for times in kept["pass_s"][name].values()} == {forward_pass.BLOCKS}

    for times in kept["layer_s"].values():
        assert list(map(int, times)) == forward_pass.batches_to(forward_pass.LAYER_LARGEST)


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_a_packed_layer_is_the_layer(batch):
    """To float32's rounding of sums of 48 terms."""
    layer, x = nn.Linear(48, 32), torch.randn(batch, 48, generator=torch.Generator().manual_seed(batch))
    with torch.inference_mode():
        packed = forward_pass.packed_linear(layer.weight, layer.bias, batch)(x)
        torch.testing.assert_close(packed, layer(x), rtol=1e-5, atol=1e-5)


def test_one_thread_is_given_back():
    before = torch.get_num_threads()
    with forward_pass.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("batch", [1, 7])
def test_what_is_kept_for_the_gradient_is_the_input_of_each_layer(batch):
    net = torch_mlp((12, 8, 8, 5))
    assert forward_memory.kept_bytes(net, torch.ones(batch, 12)) == 4 * batch * (12 + 8 + 8)
    with torch.inference_mode():
        assert forward_memory.kept_bytes(net, torch.ones(batch, 12)) == 0


def test_record_of_memory_is_what_the_code_computes():
    """To 1 MiB and a hundredth: pages, and what the libraries keep."""
    kept = record.load("forward_memory")["result"]
    again = forward_memory.measured(batches=(64,), nets=("conv net",))["conv net"]
    for mode, found in again.items():
        assert found["64"] == pytest.approx(kept["conv net"][mode]["64"], rel=0.01, abs=2**20)
    for modes in kept.values():
        sizes = [modes[mode]["256"] for mode in forward_memory.MODES]
        assert sizes[0] < sizes[1] <= sizes[2] * 1.01
