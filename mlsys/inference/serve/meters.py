"""The server's metrics, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mlsys.inference.serve.batcher import Batcher
from mlsys.inference.serve.policy import Outcome
from mlsys.inference.serve.records import Record

# From .1 ms to 13 s, each twice the last: a percentile read from them is right within a factor of two.
SECONDS = [1e-4 * 2**k for k in range(18)]


class Meters:
    """Counts what a batcher does, in a registry of its own; an Observer."""

    def __init__(self, batcher: Batcher) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlsys_requests", "Requests that have ended, by outcome.", ["outcome"], registry=self.registry
        )
        for outcome in Outcome:
            self.requests.labels(outcome.value)  # so that each is there, at zero
        sizes = [2**k for k in range(batcher.limits.max_batch.bit_length())]
        self.batch_samples = Histogram(
            "mlsys_batch_samples", "Samples of each batch.", buckets=sizes, registry=self.registry
        )
        self.latency = self._seconds("latency", "From arrival to the end, of requests that were computed.")
        self.queued = self._seconds("queue", "From arrival in the queue to the start, of those computed.")
        self.model = self._seconds("model", "Of the model alone, each batch.")
        self.registry.register(_Now(batcher))

    def _seconds(self, name: str, about: str) -> Histogram:
        return Histogram(f"mlsys_{name}_seconds", about, buckets=SECONDS, registry=self.registry)

    def ended(self, record: Record) -> None:
        self.requests.labels(record.outcome.value).inc()
        if record.started_s is not None and record.queued_s is not None:
            self.latency.observe(record.finished_s - record.arrived_s)
            self.queued.observe(record.started_s - record.queued_s)

    def computed(self, samples: int, model_s: float) -> None:
        self.batch_samples.observe(samples)
        self.model.observe(model_s)

    def text(self) -> bytes:
        """The exposition format, text/plain."""
        return generate_latest(self.registry)


class _Now(Collector):
    """What is read when it is asked for: the queue, and the areas under it, all of one instant."""

    def __init__(self, batcher: Batcher) -> None:
        self.batcher = batcher

    def collect(self) -> Iterator[Metric]:
        batcher, now_s = self.batcher, self.batcher.clock()
        yield GaugeMetricFamily(
            "mlsys_queue_depth", "Samples that wait in the queue.", batcher.queued_samples
        )
        for name, area in (("waiting", batcher.waiting), ("inside", batcher.inside)):
            where = "in the queue" if name == "waiting" else "in the queue or being computed"
            yield GaugeMetricFamily(f"mlsys_requests_{name}", f"Requests {where}.", area.count)
            about = f"Integral of mlsys_requests_{name} over time, in request-seconds."
            yield CounterMetricFamily(f"mlsys_requests_{name}_seconds", about, area.until(now_s))
