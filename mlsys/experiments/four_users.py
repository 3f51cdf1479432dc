"""One model, four users: a camera, a web service, an archive, a device on a battery; the record `four_users`.

The model has two hidden layers of 4,096 units and 68 MB of weights, more than the caches hold. It is not trained: what
it costs does not depend on what it has learnt.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from mlsys.core.seeds import generator
from mlsys.inference.load import Http, Inline, Paced, Server, SingleStream, keeps_bound, run
from mlsys.inference.metrics import Declared, Energy, compare, energy_of, measured_backends
from mlsys.inference.serve.client import serving
from mlsys.report import record

STARTS = ("mlsys.inference.command",)  # what the server's process runs

MODEL, SIZES = "wide-mlp:4096", (64, 4096, 4096, 10)
IDLE_WATTS, BUSY_WATTS = 2.0, 4.0  # declared, of a small board: its data sheet's word, not a measurement
FRAMES_PER_S = 10.0  # of the device on a battery
BOUND_S = 0.1  # what the web service promises for its p99
RATES = (50.0, 100.0, 200.0, 400.0, 800.0)
BATCHES = (1, 4, 16, 64, 256)


def measured(
    calls: int = 1000, run_s: float = 10.0, rounds: int = 20, rates: tuple[float, ...] = RATES
) -> dict[str, Any]:
    """camera : latencies of one frame after another;  web : of each rate, what became of the queries, and the verdict
    on the p99;  archive : seconds a batch of each size;  battery : energy of each way to use it, by each backend, and
    which counters this machine let us read;  memory : resident bytes of a fresh process, before it has the model
    and at most, by batch size
    """
    predict, x = model(), inputs(max(BATCHES))
    frames = list(x[:64, None])
    return {
        "camera": camera(predict, frames, calls),
        "web": [web(rate, run_s) for rate in rates],
        "archive": {
            name: timing.data()
            for name, timing in compare({str(b): _of(predict, x[:b]) for b in BATCHES}, rounds).items()
        },
        "battery": battery(predict, x, run_s),
        "memory": {str(b): in_fresh_process(peak, b) for b in (1, max(BATCHES))},
    }


def model() -> Callable[[np.ndarray], np.ndarray]:
    """The model, on one thread."""
    import torch

    from mlsys.inference.serve import models

    torch.set_num_threads(1)
    return models.model(MODEL).predict


def inputs(count: int) -> np.ndarray:
    """(count, 64) float32 numbers."""
    return generator(0, "four-users").standard_normal((count, SIZES[0])).astype(np.float32)


def _of(predict: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: predict(x)


def camera(predict: Callable[[np.ndarray], np.ndarray], frames: list[np.ndarray], calls: int) -> list[float]:
    """Milliseconds of each frame, the next when the last is done."""
    run(Inline(predict), frames, SingleStream(50), keep_answers=False)
    trace = run(Inline(predict), frames, SingleStream(calls), keep_answers=False)
    return [float(f"{1e3 * each:.4g}") for each in trace.latencies().latency_s]


def web(rate_per_s: float, run_s: float) -> dict[str, Any]:
    """The real server under Poisson arrivals of this rate."""
    options = ["--max-batch", "32", "--max-wait-ms", "2", "--queue", "256", "--deadline-ms", "60000"]
    samples = list(inputs(64))
    with serving(MODEL, *options) as server:
        url = f"http://127.0.0.1:{server.port}/predict"
        with Http(url, connections=512, timeout_s=60) as system:
            run(system, samples, SingleStream(50), keep_answers=False)
            scenario = Server(rate_per_s, min_queries=1000, min_duration_s=run_s)
            trace = run(system, samples, scenario, keep_answers=False, timeout_s=60)
    found = trace.latencies()
    return {
        "rate_per_s": rate_per_s,
        **found.data(),
        "within": found.within(BOUND_S),
        "passed": keeps_bound(found, BOUND_S).passed,
        "lateness_p99_s": trace.data()["lateness_s"]["p99"],
    }


def battery(predict: Callable[[np.ndarray], np.ndarray], x: np.ndarray, run_s: float) -> dict[str, Any]:
    """Joules of three ways: frames at a rate, waiting in between; one after another; in the largest batch."""
    frames = list(x[:64, None])

    def paced() -> Any:
        return run(Inline(predict), frames, Paced(FRAMES_PER_S, count), keep_answers=False)

    def alone() -> Any:
        return run(Inline(predict), frames, SingleStream(count), keep_answers=False)

    def batched() -> None:
        for _ in range(4):
            predict(x)

    count = int(FRAMES_PER_S * run_s)
    ways = {"paced": (paced, count), "one after another": (alone, count), "in batches": (batched, 4 * len(x))}
    backends = [Declared(IDLE_WATTS, BUSY_WATTS), *measured_backends()]
    predict(x)
    return {
        "counters": [backend.name for backend in backends[1:]],
        "ways": {
            way: [_data(energy_of(work, n, backend)[1]) for backend in backends]
            for way, (work, n) in ways.items()
        },
    }


def _data(energy: Energy) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in energy.data().items()}


def in_fresh_process(call: Callable[[int], Any], argument: int) -> Any:
    """call(argument), in a Python that has done nothing before."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, argument).result()


def peak(batch: int) -> dict[str, int]:
    """Resident bytes of this process before it has the model, and at most while it loads it and predicts a batch."""
    import torch  # noqa: F401  before the run: the library's own memory is not the model's

    from mlsys.inference.metrics import peak_memory
    from mlsys.inference.serve import models  # noqa: F401

    found = peak_memory(lambda: model()(inputs(batch)))[1]
    return {"before_bytes": found.before_bytes, "peak_bytes": found.peak_bytes}


def recorded() -> dict[str, Any]:
    """What the record `four_users` has."""
    return record.load("four_users")["result"]


def energy(data: dict[str, Any]) -> Energy:
    """A recorded energy, as it was."""
    names = ("joules", "seconds", "predictions", "idle_watts", "kind", "backend")
    return Energy(**{name: data[name] for name in names})
