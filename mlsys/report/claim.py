"""A claim of the lecture, what was measured here, and the verdict that follows from the two."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import stats

from mlsys.report.style import typeset
from mlsys.report.table import Html, Table, table

HOLDS = "holds"
CONTRADICTED = "contradicted"
EQUIVALENT = "equivalent within the margin"
UNDECIDED = "undecided at this scale"


@dataclass(frozen=True)
class Claim:
    """What a source says, in a form that a measurement can decide.

    effect : what is measured, a seed a number, such as "log10 of SGD's final loss over AdaGrad's"
    kind : "positive": the claim says that the effect is above 0;  "none": that it is within ±margin;  "at least": that
    it is not below -margin, as where one method reaches what another does, or more
    margin : in the effect's unit, what would still count as no effect
    bounds : the values that the effect cannot leave, such as 0 and 1 for a share
    reported : what the source itself measured, where it did
    bootstrap : the interval comes from resampled effects and not from Student's t: for effects that are skewed, since
    runs are cut off where they diverge or do not arrive
    """

    name: str
    statement: str
    source: str
    effect: str
    kind: Literal["positive", "none", "at least"]
    margin: float
    bounds: tuple[float, float] = (-math.inf, math.inf)
    reported: str = ""
    bootstrap: bool = False


@dataclass(frozen=True)
class Result:
    """A claim with the effects measured, a seed each, and what follows from them."""

    claim: Claim
    effects: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean effect."""
        return float(np.mean(self.effects))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean, Student's t over the seeds or their bootstrap, cut to what is possible."""
        if self.claim.bootstrap:
            low, high = resampled(self.effects)
        else:
            half = stats.t.ppf(0.975, len(self.effects) - 1) * self._error
            low, high = self.mean - half, self.mean + half
        lowest, highest = self.claim.bounds
        return max(lowest, low), min(highest, high)

    @property
    def smallest(self) -> float:
        """The smallest effect that these seeds would have shown four times out of five, at 5 %."""
        df = len(self.effects) - 1
        return float((stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * self._error)

    @property
    def _error(self) -> float:
        return float(np.std(self.effects, ddof=1) / np.sqrt(len(self.effects)))

    @property
    def verdict(self) -> str:
        """Where the whole interval lies: above the margin, below it, within it; else nothing is decided."""
        low, high = self.interval
        margin = self.claim.margin
        if -margin <= low and high <= margin:
            return EQUIVALENT
        if low > margin:
            return CONTRADICTED if self.claim.kind == "none" else HOLDS
        if low > -margin and self.claim.kind == "at least":
            return HOLDS
        if high < -margin:
            return CONTRADICTED
        return UNDECIDED

    @property
    def supports(self) -> bool:
        """Whether the verdict is the one that the claim predicts."""
        predicted = {"positive": (HOLDS,), "none": (EQUIVALENT,), "at least": (HOLDS, EQUIVALENT)}
        return self.verdict in predicted[self.claim.kind]

    def _repr_html_(self) -> str:
        return card(self)


def measure(claim: Claim, effects: Sequence[float]) -> Result:
    """The result of a claim. Raises ValueError for fewer than three seeds or an effect that is not finite."""
    values = tuple(float(e) for e in effects)
    if len(values) < 3:
        raise ValueError(f"effects must come from at least 3 seeds, to have an interval; got {len(values)}.")
    if not np.isfinite(values).all():
        raise ValueError(f"effects must be finite; got {values}. Let the experiment bound what diverges.")
    return Result(claim, values)


@lru_cache(256)
def resampled(effects: tuple[float, ...], times: int = 10_000) -> tuple[float, float]:
    """The 95 % interval of the mean of so many resamplings of the effects, the same at every call.

    Percentiles moved outward, since n seeds resampled spread less than n new ones would: those of
    sqrt(n / (n - 1)) * t in place of 1.96. Source: Hesterberg (2015), "expanded percentile" interval.
    """
    n, values = len(effects), np.array(effects)
    rng = np.random.default_rng(0)
    means = values[rng.integers(n, size=(times, n))].mean(axis=1)
    tail = float(stats.norm.cdf(-math.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1)))
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def card(result: Result) -> str:
    """The claim card: source and measurement side by side, as HTML that reads without styles too."""
    claim, (low, high) = result.claim, result.interval
    rows = {"Source": claim.source, **({"Reported": claim.reported} if claim.reported else {})}
    rows |= {
        "Measured": f"{claim.effect}: {number(result.mean)} (95 % interval {number(low)} to {number(high)}, "
        f"{len(result.effects)} seeds)",
        "Smallest detectable effect": f"{number(result.smallest)}; within ±{claim.margin:g} counts as no effect",
    }
    body = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in rows.items())
    return (
        f'<div class="mlsys-claim mlsys-{_mark(result)}" id="claim-{claim.name}"><p class="mlsys-statement">'
        f'{html.escape(claim.statement)}</p><p class="mlsys-verdict">Verdict: <strong>{result.verdict}</strong></p>'
        f"<dl>{body}</dl></div>"
    )


def number(value: float) -> str:
    """Two digits, as a reader writes them."""
    return typeset(f"{value:.2g}")


def _mark(result: Result) -> str:
    """The verdict in a word."""
    return {HOLDS: "holds", CONTRADICTED: "contradicted", EQUIVALENT: "equivalent"}.get(
        result.verdict, "undecided"
    )


def ledger(results: Iterable[Result], page: str) -> Table:
    """All claims of a chapter in a table, a row each, that leads to their cards on `page`."""
    rows = []
    for r in results:
        low, high = r.interval
        link = f'<a href="{page}#claim-{r.claim.name}">{html.escape(r.claim.statement)}</a>'
        verdict = Html(f'<strong class="mlsys-{_mark(r)}">{r.verdict}</strong>')
        rows.append(
            (Html(link), verdict, f"{number(r.mean)} ({number(low)} to {number(high)})", len(r.effects))
        )
    return table(("Claim", "Verdict", "Effect (95 % interval)", "Seeds"), rows)
