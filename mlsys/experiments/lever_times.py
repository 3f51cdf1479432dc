"""How long a pass takes with each lever, in a runtime that has fast kernels for int8. Makes the record `lever_times`.

Weights are random: no kernel here looks at their values. Two nets, since what a lever saves depends on what there is
to save: the small one of the record `compression`, and two layers of the size of BERT-base's feed-forward part.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mlsys.inference.compress import pruning, structured
from mlsys.inference.compress.quantised import MODES, quantise_model
from mlsys.inference.compress.runtime import Runner
from mlsys.inference.compress.study import digits_chain
from mlsys.inference.metrics.timing import compare
from mlsys.report import record

BLOCKS, ROUNDS = 10, 30  # of a block the median counts; between blocks the machine may drift
ROWS = (1, 128)
SPARSITY, CHANNELS = 0.9, 0.5

Call = Callable[[Tensor], Any]


class Net(NamedTuple):
    """make() -> the chain;  width : of a row of its input"""

    make: Callable[[], nn.Sequential]
    width: int


def feed_forward() -> nn.Sequential:
    """768 -> 3072 -> 768, as in BERT-base: 4.7 million weights, 18 MiB in float32."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(768, 3072), nn.ReLU(), nn.Linear(3072, 768))


NETS = {"digits": Net(lambda: digits_chain(0), 64), "feed-forward": Net(feed_forward, 768)}


def levers(net: nn.Sequential, x: Tensor) -> dict[str, nn.Sequential]:
    """The net under each lever, all for one runtime."""
    gone, two_four = pruning.magnitude_masks(net, SPARSITY), pruning.two_four_masks(net)
    quantised = {
        f"int8 {mode}": quantise_model(net, mode, [x] if mode == "static" else None) for mode in MODES
    }
    kept = structured.kept_channels(net, CHANNELS)
    found: dict[str, Any] = {
        "float32": net,
        "90% zeros": pruning.masked(net, gone),
        "2:4": pruning.masked(net, two_four),
        "half the channels": structured.remove_channels(net, kept),
        **quantised,
    }
    return found


def sparse(net: nn.Sequential) -> Call:
    """The linear chain pruned to 90 % zeros, its weights as compressed sparse rows, by torch's own product."""
    pruned: Any = pruning.masked(net, pruning.magnitude_masks(net, SPARSITY))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch calls its sparse rows a beta
        parts = [
            (p.weight.detach().to_sparse_csr(), p.bias.detach()[:, None])
            for p in pruned
            if hasattr(p, "weight")
        ]

    def call(x: Tensor) -> Tensor:
        h = x.T
        for i, (weight, bias) in enumerate(parts):
            h = weight @ (h.relu() if i else h) + bias
        return h.T

    return call


def candidates(net: nn.Sequential, rows: int, width: int) -> dict[str, Callable[[], Any]]:
    """What is timed: each a call without arguments, of one thread."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(1)
        x = torch.rand(rows, width)
    calls: dict[str, Call] = {name: Runner(each, x[:1]) for name, each in levers(net, x).items()}
    calls["torch, float32"] = net.eval()
    if all(isinstance(part, nn.Linear | nn.ReLU) for part in net):
        calls["90% zeros, sparse rows"] = sparse(net)
    return {name: _bound(call, x) for name, call in calls.items()}


def _bound(call: Call, x: Tensor) -> Callable[[], Any]:
    def bound() -> Any:
        with torch.inference_mode():
            return call(x)

    return bound


def measured(blocks: int = BLOCKS, rounds: int = ROUNDS) -> dict[str, Any]:
    """{net: {"1" or "128" rows: {lever: medians of a pass in seconds, a block each}}}."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        result: dict[str, Any] = {}
        for name, net in NETS.items():
            result[name] = {}
            for rows in ROWS:
                calls = candidates(net.make(), rows, net.width)
                times = [compare(calls, rounds) for _ in range(blocks)]
                result[name][str(rows)] = {
                    call: [float(f"{block[call].median_s:.4g}") for block in times] for call in calls
                }
        return result
    finally:
        torch.set_num_threads(threads)


def recorded() -> dict[str, Any]:
    """What the record `lever_times` has."""
    return record.load("lever_times")["result"]
