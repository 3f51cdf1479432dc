"""A load generator: queries that arrive as in production, every one of them accounted for."""

from mlsys.inference.load.clock import Clock, RealClock, VirtualClock
from mlsys.inference.load.compliance import (
    Finding,
    compare_answers,
    nothing_cached_by_content,
    nothing_cached_by_index,
    poisson_arrivals,
    schedule_kept,
)
from mlsys.inference.load.early_stopping import keeps_bound, percentile_estimate, queries_needed
from mlsys.inference.load.generator import run, run_accuracy
from mlsys.inference.load.http import Http
from mlsys.inference.load.scenarios import MultiStream, Offline, Paced, Server, SingleStream
from mlsys.inference.load.system import Failed, Inline, Query, Refused, System, Threaded
from mlsys.inference.load.trace import Trace

__all__ = [
    "Clock",
    "Failed",
    "Finding",
    "Http",
    "Inline",
    "MultiStream",
    "Offline",
    "Paced",
    "Query",
    "RealClock",
    "Refused",
    "Server",
    "SingleStream",
    "System",
    "Threaded",
    "Trace",
    "VirtualClock",
    "compare_answers",
    "keeps_bound",
    "nothing_cached_by_content",
    "nothing_cached_by_index",
    "percentile_estimate",
    "poisson_arrivals",
    "queries_needed",
    "run",
    "run_accuracy",
    "schedule_kept",
]
