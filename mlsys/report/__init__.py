"""House figure style, claim cards, records, and the figure with a slider."""

from mlsys.report.claim import Claim, Result, card, ledger, measure
from mlsys.report.slider import PathSlider
from mlsys.report.style import glue
from mlsys.report.table import table

__all__ = ["Claim", "PathSlider", "Result", "card", "glue", "ledger", "measure", "table"]
