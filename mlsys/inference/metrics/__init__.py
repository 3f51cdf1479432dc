"""The four metrics of inference: latency, throughput, size, energy."""

from mlsys.inference.metrics.energy import Declared, Energy, Nvml, Rapl, energy_of, measured_backends
from mlsys.inference.metrics.latency import PERCENTILES, Latencies
from mlsys.inference.metrics.report import Report, plot, table_of
from mlsys.inference.metrics.size import Peak, Size, peak_memory, size_of
from mlsys.inference.metrics.timing import Timing, WarmUp, compare

__all__ = [
    "PERCENTILES",
    "Declared",
    "Energy",
    "Latencies",
    "Nvml",
    "Peak",
    "Rapl",
    "Report",
    "Size",
    "Timing",
    "WarmUp",
    "compare",
    "energy_of",
    "measured_backends",
    "peak_memory",
    "plot",
    "size_of",
    "table_of",
]
