"""The house style of figures: readable at half width, safe for colour-blind eyes, no title inside."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from cycler import cycler

# Okabe & Ito (2008), in an order in which neighbours differ in lightness too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), "-")
MARKS = ("o", "s", "^", "D", "v", "P", "X")


def use() -> None:
    """Set matplotlib's defaults; in a notebook, draw as SVG."""
    mpl.rcParams.update(
        {
            "axes.grid": True,
            "axes.prop_cycle": cycler(color=COLOURS, linestyle=DASHES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.figsize": (6.4, 3.6),
            "font.size": 12,
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "svg.fonttype": "path",
            "svg.hashsalt": "mlsys",
        }
    )
    try:
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    set_matplotlib_formats("svg", metadata={"Date": None})


def glue(name: str, value: Any, form: str = "") -> None:
    """Give the book's text a number, or a table with its own HTML, under a name; outside the book, nothing."""
    try:
        from myst_nb import glue as myst_glue
    except ImportError:
        return
    shown = value if hasattr(value, "_repr_html_") else _Text(format(value, form) if form else str(value))
    myst_glue(name, shown, display=False)


class _Text:
    """A piece of text that shows without the quotation marks of a string's repr."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text
