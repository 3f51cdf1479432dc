"""The house style of figures: readable at half width, safe for colour-blind eyes, no title inside."""

from __future__ import annotations

import re
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
    own = hasattr(value, "_repr_html_")
    myst_glue(name, value if own else typeset(format(value, form) if form else str(value)), display=False)


def typeset(text: str) -> str:
    """A number as a reader writes it: 3.7e-15 as 3.7·10⁻¹⁵, and a minus that is one."""
    number = re.fullmatch(r"([+-]?[0-9.]+)(?:e([+-]?[0-9]+))?", text)
    if number is None:
        return text
    digits, power = number.groups()
    if power is not None:
        ten = "10" + str(int(power)).translate(_RAISED)
        digits = ten if digits == "1" else f"{digits}·{ten}"
    return digits.replace("-", "−")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
