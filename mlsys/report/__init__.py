"""House figure style, claim cards, records, and the figure with a slider.

What claims need is imported when it is first asked for: grading needs a hash from here, and no statistics.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mlsys.report.slider import PathSlider
from mlsys.report.style import glue
from mlsys.report.table import table
from mlsys.report.timeline import Timeline

if TYPE_CHECKING:
    from mlsys.report.claim import Claim, Result, card, ledger, measure

_CLAIMS = ("Claim", "Result", "card", "ledger", "measure")


def __getattr__(name: str) -> Any:
    if name not in _CLAIMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("mlsys.report.claim"), name)


__all__ = ["Claim", "PathSlider", "Result", "Timeline", "card", "glue", "ledger", "measure", "table"]
