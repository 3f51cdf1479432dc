"""A table in the book: HTML that scrolls by itself where a page is narrow."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """heads : a name a column;  rows : a cell a column; a cell that has its own HTML keeps it

    Columns whose cells are all numbers (or look like them) are aligned to the right.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def _repr_html_(self) -> str:
        right = [all(_numeric(row[i]) for row in self.rows) for i in range(len(self.heads))]
        head = "".join(
            _cell("th", name, r, ' scope="col"') for name, r in zip(self.heads, right, strict=True)
        )
        body = "".join(
            "<tr>" + "".join(_cell("td", value, r) for value, r in zip(row, right, strict=True)) + "</tr>"
            for row in self.rows
        )
        return (
            '<div class="mlsys-table" tabindex="0" role="region" aria-label="Table"><table class="table">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


@dataclass(frozen=True)
class Html:
    """A cell's own HTML."""

    text: str


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table of these heads and rows. Raises ValueError for a row of another length."""
    kept = tuple(tuple(row) for row in rows)
    wrong = next((row for row in kept if len(row) != len(heads)), None)
    if wrong is not None:
        raise ValueError(f"every row needs {len(heads)} cells, one a head; got {wrong}.")
    return Table(tuple(heads), kept)


def _numeric(value: Any) -> bool:
    return not isinstance(value, Html) and re.fullmatch(r"[–+−-]?[0-9.,]*", str(value)) is not None


def _cell(tag: str, value: Any, right: bool, more: str = "") -> str:
    text = value.text if isinstance(value, Html) else html.escape(str(value))
    return f"<{tag}{more}{' class=mlsys-right' * right}>{text}</{tag}>"
