"""Little's, Pollaczek and Khinchine's and Amdahl's laws against the model server's own record; a record.

Each run has a server of its own, in a process of its own, under Poisson arrivals over HTTP. What the server says comes
by two ways: /metrics has the integral of the number of requests inside over time, kept as requests come and go; the
record has every request's times, from which everything else is computed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlsys.core.seeds import generator
from mlsys.experiments.runs import FACTOR
from mlsys.experiments.stand_ins import KINDS, rest
from mlsys.inference.load import Http, Server, SingleStream, Trace, run
from mlsys.inference.serve.client import Client, encoded, serving
from mlsys.inference.serve.records import Record, read
from mlsys.report import Claim, Result, measure, record

STARTS = ("mlsys.inference.command",)  # what the server's process runs

MODEL, INPUTS = "wide-mlp:4096", 64
LOADS = (0.3, 0.5, 0.7, 0.85)  # of what the server can do one request at a time
ROUNDS, RUN_S = 10, 10.0
BEYOND, MOST = 2.0, 32  # a load that one at a time cannot bear, for a server that batches; its largest batch
EXAMPLE = 0.7  # the load whose first run is kept request by request
WIDTHS = (4096, 2048, 1024, 512, 128)  # Amdahl's: the model gets faster, the rest of the server does not
REQUESTS = 300
INSIDE = "mlsys_requests_inside_seconds_total"
MODEL_S, BATCHES = "mlsys_model_seconds_sum", "mlsys_model_seconds_count"


class Times(NamedTuple):
    """Arrays of one entry a computed request, in the order of arrival; seconds on the server's clock.

    arrived : before its body was read;  batch : samples of its batch
    """

    arrived: np.ndarray
    queued: np.ndarray
    started: np.ndarray
    finished: np.ndarray
    batch: np.ndarray


def times(records: Sequence[Record]) -> Times:
    """Of the requests that were computed."""
    kept = sorted((r for r in records if r.started_s is not None), key=lambda r: r.arrived_s)
    rows = [(r.arrived_s, r.queued_s, r.started_s, r.finished_s, r.batch_samples) for r in kept]
    return Times(*np.array(rows, dtype=np.float64).reshape(-1, 5).T)


def batches(t: Times) -> np.ndarray:
    """(batches,) how long the worker had each batch: its requests start and finish together."""
    _, first = np.unique(t.started, return_index=True)
    return (t.finished - t.started)[first]


def measured(rounds: int = ROUNDS, run_s: float = RUN_S, requests: int = REQUESTS) -> dict[str, Any]:
    """service_s : of one request at a time, the median;  runs : what `summary` says of each load and round, one at a
    time;  batched : the same at a load beyond, in batches;  example : one run's requests;  amdahl : what `alone` says
    of each width and round;  rest_s : of each stand-in and round, what a request takes beside the model
    """
    runs: dict[str, list[dict[str, float]]] = {f"{load:g}": [] for load in LOADS}
    batched, example = [], {}
    with served(1) as one, served(MOST) as many:
        service_s = warmed(*one)
        for r in range(rounds):
            for load in LOADS:
                said, t = under(*one, load / service_s, run_s, r)
                runs[f"{load:g}"].append(said)
                if r == 0 and load == EXAMPLE:
                    shown = ("queued", "started", "finished")
                    example = {name: _ms(getattr(t, name) - t.queued[0]) for name in shown}
            batched.append(under(*many, BEYOND / service_s, run_s, r)[0])
    return {
        "service_s": service_s,
        "runs": runs,
        "batched": batched,
        "example_ms": example,
        "amdahl": list(amdahl(rounds, requests)),
        "rest_s": list(rest(rounds, requests // 3)),
    }


def warmed(port: int, path: Path) -> float:
    """How long the server has one request's batch, the median of those after the first few."""
    with Client(port) as client:
        for x in samples(70):
            client.predict(x)
    return float(np.median(batches(times(read(path)[20:]))))


def samples(count: int) -> np.ndarray:
    """(count, 1, inputs) numbers to predict from."""
    return generator(0, "serving").standard_normal((count, 1, INPUTS))


@contextmanager
def served(max_batch: int, model: str = MODEL) -> Iterator[tuple[int, Path]]:
    """A server: (its port, the path of its record)."""
    options = f"--max-batch {max_batch} --max-wait-ms 0 --queue 4096 --deadline-ms 60000 --record"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record"
        with serving(model, *options.split(), str(path)) as server:
            yield server.port, path


def under(
    port: int, path: Path, rate_per_s: float, run_s: float, seed: int
) -> tuple[dict[str, float], Times]:
    """What a server under Poisson arrivals of this rate says of itself, and its requests' times."""
    x = list(samples(64)[:, 0])
    with (
        Client(port) as client,
        Http(f"http://127.0.0.1:{port}/predict", connections=512, timeout_s=60) as http,
    ):
        run(http, x, SingleStream(30), keep_answers=False)  # warm
        known, before = len(read(path)), client.metrics()[INSIDE]
        scenario = Server(rate_per_s, min_duration_s=run_s)
        trace = run(http, x, scenario, seed=seed, keep_answers=False, timeout_s=60)
        area = client.metrics()[INSIDE] - before
    t = times(read(path)[known:])
    return summary(t, trace, area), t


def summary(t: Times, trace: Trace, area: float) -> dict[str, float]:
    """One run.

    window_s : from the first arrival to the last end;  area : of requests inside over time, by the gauge
    inside_s, waited_s, service_s, service2_s2 : means over the requests: inside, in the queue, with the worker, and
    the square of that;  busy_s : the worker's;  batch : mean of the requests' batches
    user_s : mean latency, by the load generator, from the schedule
    """
    service = t.finished - t.started
    return {
        "window_s": float(t.finished.max() - t.queued.min()),
        "answered": len(service),
        "sent": len(trace),
        "area": area,
        "inside_s": float((t.finished - t.queued).mean()),
        "waited_s": float((t.started - t.queued).mean()),
        "service_s": float(service.mean()),
        "service2_s2": float((service**2).mean()),
        "busy_s": float(batches(t).sum()),
        "batch": float(t.batch.mean()),
        "user_s": float(trace.latencies().latency_s.mean()),
    }


def amdahl(rounds: int, requests: int) -> Iterator[dict[str, Any]]:
    """{width: what `alone` says} of each round; the servers take turns."""
    body = encoded(samples(1)[0])
    with ExitStack() as stack:
        clients = {}
        for width in WIDTHS:
            port, _ = stack.enter_context(served(1, f"wide-mlp:{width}"))
            clients[width] = stack.enter_context(Client(port))
        for _ in range(rounds):
            yield {str(width): alone(client, body, requests) for width, client in clients.items()}


def alone(client: Client, body: bytes, requests: int) -> list[float]:
    """[mean latency, mean seconds in the model] of one client's requests, each sent when the last is answered.

    Means, since they add up: the server tells the sum of its model's seconds only.
    """
    for _ in range(20):
        client.send(body)
    before = client.metrics()
    took = [client.send(body).latency_s for _ in range(requests)]
    after = client.metrics()
    model_s = (after[MODEL_S] - before[MODEL_S]) / (after[BATCHES] - before[BATCHES])
    return [float(np.mean(took)), float(model_s)]


def speedup(p: float, k: float) -> float:
    """Amdahl's law: how many times faster the whole is if a share p of its time is made k times faster."""
    return 1 / ((1 - p) + p / k)


def pollaczek_khinchine(rate_per_s: float, service_s: float, service2_s2: float) -> float:
    """The mean wait in an M/G/1 queue: lambda E[S**2] / (2 (1 - rho)), rho = lambda E[S]; inf from rho = 1 on."""
    rho = rate_per_s * service_s
    return rate_per_s * service2_s2 / (2 * (1 - rho)) if rho < 1 else float("inf")


def predicted_wait(said: dict[str, float]) -> float:
    """What Pollaczek and Khinchine's formula makes of a run's own arrivals and service times."""
    rate = said["answered"] / said["window_s"]
    return pollaczek_khinchine(rate, said["service_s"], said["service2_s2"])


def _ms(seconds: np.ndarray) -> list[float]:
    return [round(float(1e3 * each), 3) for each in seconds]


def recorded() -> dict[str, Any]:
    """What the record `serving_laws` has."""
    return record.load("serving_laws")["result"]


def little(batched: bool) -> Result:
    """The gauge's mean number inside against arrivals times time inside."""
    how = "in batches, beyond what one at a time can bear" if batched else "one request at a time"
    kept = recorded()
    runs = kept["batched"] if batched else kept["runs"][f"{LOADS[-1]:g}"]
    claim = Claim(
        f"little{'-batched' * batched}",
        f"Little's law holds for the server: {how}.",
        "Little (1961)",
        "log10 of the mean number inside, by the server's gauge, over arrival rate times mean time inside, by its "
        "record",
        "none",
        FACTOR / 10,
    )
    return measure(
        claim, [float(np.log10(each["area"] / (each["answered"] * each["inside_s"]))) for each in runs]
    )


def waiting(load: float) -> Result:
    """The mean wait in the server's queue against the formula."""
    claim = Claim(
        f"queue-wait-{round(100 * load)}",
        f"Requests wait as the formula for a queue with Poisson arrivals says: load {load:g}, one at a time.",
        "Pollaczek (1930), Khinchine (1932)",
        "log10 of the mean wait in the server's record over the formula's, for the run's own rate and service times",
        "none",
        FACTOR,
    )
    runs = recorded()["runs"][f"{load:g}"]
    return measure(claim, [float(np.log10(each["waited_s"] / predicted_wait(each))) for each in runs])


def faster() -> Result:
    """What is left of a model made faster, against Amdahl's law."""
    widest, narrowest = str(WIDTHS[0]), str(WIDTHS[-1])
    claim = Claim(
        "amdahl-serving",
        f"Amdahl's law says how much faster an answer gets: a layer of {narrowest} in place of one of {widest}.",
        "Amdahl (1967)",
        "log10 of the speed-up that one client sees over the one that the law makes of the model's share and speed-up",
        "none",
        FACTOR,
    )
    effects = []
    for each in recorded()["amdahl"]:
        (whole, part), (less, faster_part) = each[widest], each[narrowest]
        law = speedup(part / whole, part / faster_part)
        effects.append(float(np.log10(whole / less / law)))
    return measure(claim, effects)


def unchanged(kind: str) -> Result:
    """Whether the rest of the server takes as long beside a model that spends its time this way as beside none."""
    claim = Claim(
        f"amdahl-rest-{kind}",
        f"What is not the model takes as long beside a model of 4 ms as beside one that takes no time: {kind}.",
        "What Amdahl's law assumes",
        "log10 of the rest of a request's time, beside such a model over beside one that does nothing",
        "none",
        FACTOR,
    )
    return measure(claim, [float(np.log10(each[kind] / each["nothing"])) for each in recorded()["rest_s"]])


CLAIMS: dict[str, Callable[[], Result]] = {
    "little": partial(little, False),
    "little-batched": partial(little, True),
    **{f"queue-wait-{round(100 * load)}": partial(waiting, load) for load in LOADS},
    "amdahl-serving": faster,
    **{f"amdahl-rest-{kind}": partial(unchanged, kind) for kind in KINDS if kind != "nothing"},
}
