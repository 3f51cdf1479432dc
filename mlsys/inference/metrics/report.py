"""A model's metrics in one place: as data, as JSON, as a table, as a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
)

from mlsys.inference.metrics.energy import Energy
from mlsys.inference.metrics.latency import NAMES, PERCENTILES, Latencies
from mlsys.inference.metrics.size import Peak, Size
from mlsys.report.style import COLOURS, DASHES, MARKS
from mlsys.report.table import Table, table


@dataclass(frozen=True, eq=False)
class Report:
    """The four metrics of one model: latency and throughput, size, energy. What was not measured is None."""

    name: str
    latencies: Latencies
    size: Size | None = None
    peak: Peak | None = None
    energy: Energy | None = None

    def data(self) -> dict[str, Any]:
        """For JSON; None where there is no number or nothing was measured."""
        return {
            "name": self.name,
            "latency": self.latencies.data(),
            "size": None if self.size is None else self.size.data(),
            "peak": None
            if self.peak is None
            else {**self.peak._asdict(), "added_bytes": self.peak.added_bytes},
            "energy": None if self.energy is None else _finite(self.energy.data()),
        }

    def json(self) -> str:
        """Strict JSON: no NaN, no Infinity."""
        return json.dumps(self.data(), indent=1, allow_nan=False)


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in data.items()}


def table_of(*reports: Report) -> Table:
    """A row a metric, a column a report. A percentile that n is too small for is followed by a question mark."""
    if not reports:
        raise ValueError("a table needs at least one report; got none.")
    names = ("sent", "answered", "refused", "failed", "unaccounted", "wrong", "not_finite")
    rows = [[name.replace("_", " "), *(getattr(r.latencies, name) for r in reports)] for name in names]
    rows.append(["answered per s", *(_digits(r.latencies.throughput) for r in reports)])
    rows += [[f"{NAMES[p]} (ms)", *(_milliseconds(r.latencies, p) for r in reports)] for p in PERCENTILES]
    if any(r.size for r in reports):
        rows.append(
            [
                "parameters",
                *(
                    "–" if not r.size or r.size.parameters is None else f"{r.size.parameters:,}"
                    for r in reports
                ),
            ]
        )
        rows.append(["file (MiB)", *(_digits(r.size.file_bytes / 2**20) if r.size else "–" for r in reports)])
    if any(r.peak for r in reports):
        rows.append(
            ["peak memory (MiB)", *(_digits(r.peak.peak_bytes / 2**20) if r.peak else "–" for r in reports)]
        )
    for kind in (
        "measured",
        "estimated",
    ):  # a row each: they are never compared without seeing which is which
        of_kind = [r.energy if r.energy and r.energy.kind == kind else None for r in reports]
        if any(of_kind):
            rows.append(
                [
                    f"energy, {kind} (mJ)",
                    *(_digits(1e3 * e.joules_per_prediction) if e else "–" for e in of_kind),
                ]
            )
    return table(["", *(r.name for r in reports)], rows)


def _digits(value: float) -> str:
    return f"{value:,.3g}" if math.isfinite(value) and abs(value) < 1e3 else f"{value:,.0f}"


def _milliseconds(latencies: Latencies, p: float) -> str:
    return _digits(1e3 * latencies.percentile(p)) + ("" if latencies.enough(p) else " ?")


def plot(ax: Any, records: Mapping[str, Latencies]) -> None:
    """The share of answers that took at least so long, a curve a record, both axes logarithmic.

    So a tail has as much room as the bulk: p90, p99 and p99.9 lie at equal steps down the axis, and where a curve
    crosses their lines is the percentile, by the record's own convention; marked where n is large enough for it.
    Latencies of zero, or that are no time, cannot lie on a log axis: they count in the share, and are not drawn.
    Raises ValueError for a record without a positive latency.
    """
    for i, (name, latencies) in enumerate(records.items()):
        drawn = np.isfinite(latencies.ranked) & (latencies.ranked > 0)
        if not drawn.any():
            raise ValueError(f"{name} has no positive latency to draw; notes: {latencies.notes()}.")
        n, look = latencies.answered, {"color": COLOURS[i % 7]}
        slower = (n - np.arange(n)) / n
        ax.step(
            1e3 * latencies.ranked[drawn],
            slower[drawn],
            where="pre",
            linestyle=DASHES[i % 7],
            label=name,
            **look,
        )
        marked = [p for p in PERCENTILES if latencies.enough(p) and 0 < latencies.percentile(p) < math.inf]
        at = [1e3 * latencies.percentile(p) for p in marked]
        ax.plot(at, [1 - p for p in marked], marker=MARKS[i % 7], markersize=6, linestyle="none", **look)
    ax.set(xscale="log", yscale="log", xlabel="latency (ms)", ylabel="share of answers at least as slow")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(FixedLocator([1, *(1 - p for p in PERCENTILES)]))
    ax.yaxis.set_major_formatter(
        FixedFormatter(["all", *(f"{100 * (1 - p):.3g} % ({NAMES[p]})" for p in PERCENTILES)])
    )
    ax.yaxis.set_minor_locator(NullLocator())
    ax.legend(loc="upper right")
