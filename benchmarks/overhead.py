"""What the load generator itself takes of a query: a system that answers at once, and does nothing else.

Seconds of the issuing thread's processor time, so that neighbours do not count. Ours is the whole of run(), its books
included; MLCommons' LoadGen is counted from its first call of the system to its last, without what it does before and
after, and without its second thread, which writes the log.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.race import Contention, Race, Row, compare
from mlsys.inference.load import MultiStream, Offline, Query, Server, SingleStream, run
from mlsys.inference.load.scenarios import Scenario

BOUND_S = 6e-6
BOUND, LOADGEN = "bound, 6 us", "LoadGen"
SAMPLES = list(range(1024))
LOT = 8
MISSING = "no rows against MLCommons' LoadGen: `pip install --no-deps mlcommons-loadgen` brings it"


class Null:
    """Answers at once."""

    def issue(self, queries: Sequence[Query], done: Callable[[int, Any], None]) -> None:
        for query in queries:
            done(query.id, None)


def scenarios(samples: int) -> dict[str, Scenario]:
    """The four, each of so many samples; the server's arrivals are all due at once."""
    return {
        "single-stream": SingleStream(samples),
        "multi-stream": MultiStream(samples // LOT, samples_per_query=LOT),
        "server": Server(1e9, samples),
        "offline": Offline(samples),
    }


def ours(scenario: Scenario) -> float:
    """Seconds a sample."""
    began = time.thread_time()
    trace = run(Null(), SAMPLES, scenario)
    return (time.thread_time() - began) / len(trace)


def loadgen(library: Any, scenario: str, samples: int) -> float:
    """Seconds a sample of LoadGen, with a system in Python that does what ours does."""
    lot = LOT if scenario == "MultiStream" else 1
    calls, last = 0, samples // lot
    moments: list[float] = []

    def issue(queries: Any) -> None:
        nonlocal calls
        calls += 1
        if calls in (1, last):
            moments.append(time.thread_time())
        answers = [library.QuerySampleResponse(query.id, 0, 0) for query in queries]
        library.QuerySamplesComplete(answers)

    settings = library.TestSettings()
    settings.scenario = getattr(library.TestScenario, scenario)
    settings.mode = library.TestMode.PerformanceOnly
    settings.min_duration_ms = 0
    settings.min_query_count = settings.max_query_count = last
    settings.multi_stream_samples_per_query = lot
    settings.server_target_qps = 1e9
    system = library.ConstructSUT(issue, lambda: None)
    data = library.ConstructQSL(len(SAMPLES), len(SAMPLES), lambda _: None, lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        output, logs = library.LogOutputSettings(), library.LogSettings()
        output.outdir, output.copy_summary_to_stdout = folder, False
        logs.log_output, logs.enable_trace = output, False
        library.StartTestWithLogSettings(system, data, settings, logs)
    library.DestroyQSL(data)
    library.DestroySUT(system)
    return (moments[1] - moments[0]) / (last - 1) / lot


def imported() -> Any:
    """LoadGen's module, or None and a line that says how to get it."""
    try:
        import mlperf_loadgen
    except ImportError:
        print(MISSING, file=sys.stderr)
        return None
    return mlperf_loadgen


def rows(samples: int, rounds: int) -> Iterator[Row]:
    """A row a scenario against the bound, and against LoadGen where it has calls to count between."""
    library = imported()
    names = {"single-stream": "SingleStream", "multi-stream": "MultiStream", "server": "Server"}
    for name, scenario in scenarios(samples).items():
        rival = library is not None and name in names
        times = {who: np.empty(rounds) for who in ("mlsys", LOADGEN)[: 1 + rival]}
        with Contention() as others:
            for r in range(-1, rounds):  # the first round is to warm up, and not kept
                for who in times if r % 2 else reversed(times):
                    took = ours(scenario) if who == "mlsys" else loadgen(library, names[name], samples)
                    times[who][max(r, 0)] = took
        times[BOUND] = np.full(rounds, BOUND_S)
        about = {"race": "overhead", "case": f"{name}, null system", "metric": "query_s"}
        yield compare(times, "mlsys", BOUND, goal=1.0, contention=others.share, **about)
        if rival:
            yield compare(times, "mlsys", LOADGEN, goal=None, contention=others.share, **about)


def run_rows(quick: bool) -> Iterator[Row]:
    """All rows, of as many samples and rounds as figures to quote need."""
    yield from rows(*((5_000, 5) if quick else (50_000, 15)))


RACE = Race(
    name="overhead",
    tests=(
        "tests/inference/test_load_generator.py",
        "tests/inference/test_load_scenarios.py",
        "tests/inference/test_inference_race.py",
    ),
    modules=("mlsys.inference.load",),
    run=run_rows,
)
