"""CSV files of marks: read and written as the platform has them, with no formula in them."""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlsys.grading.errors import CourseError

FORMULA = "=+-@\t\r\n＝＋－＠"  # what a spreadsheet takes for one at the start of a cell, also in full width
HARMLESS = re.compile(r"[+-]?\d+(?:[.,]\d+)*\s*%?|[-+]*")
LONGEST_CELL = 2**24


@dataclass
class Sheet:
    """The rows of a file, the first being its header, and how it is written."""

    rows: list[list[str]]
    delimiter: str = ","
    newline: str = "\r\n"
    mark: bool = False

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return self.rows[0]

    def at(self, *names: str) -> int:
        """The place of the first of these columns that there is; -1 if there is none."""
        plain = [cell.strip().casefold() for cell in self.header]
        return next((plain.index(name.casefold()) for name in names if name.casefold() in plain), -1)

    def write(self, path: Path) -> None:
        """Write it whole or not at all, readable by its owner alone: it holds marks."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator=self.newline)
        writer.writerows([[safe(cell) for cell in row] for row in self.rows])
        try:
            handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(text.getvalue().encode("utf-8-sig" if self.mark else "utf-8"))
            os.replace(partial, path)
        except OSError as error:
            raise CourseError(f"{path} cannot be written: {error.strerror}.") from error


def safe(cell: str) -> str:
    """A cell that no spreadsheet runs: a text that starts like a formula is quoted, a number is not."""
    start = cell.lstrip(" ")[:1]
    return f"'{cell}" if start and start in FORMULA and not HARMLESS.fullmatch(cell.strip()) else cell


def number(points: float) -> str:
    """Points as a file has them: 12.5, 7."""
    return f"{round(points, 4):.10g}"


def parsed(cell: str) -> float | None:
    """The number in a cell, with a point or a comma; None if there is none."""
    text = cell.strip().replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


def read(path: Path) -> Sheet:
    """A platform's exported file. Raises CourseError if it is none."""
    csv.field_size_limit(LONGEST_CELL)  # texts that students typed in may be long
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
        first = text.splitlines()[0] if text.strip() else ""
        delimiter = max(",;\t", key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(
            f"{path} cannot be read: {error}. Give the CSV as the platform exported it."
        ) from None
    rows = [row for row in rows if row]
    if not rows:
        raise CourseError(f"{path} is empty. Give the CSV as the platform exported it.")
    width = max(len(row) for row in rows)
    padded = [row + [""] * (width - len(row)) for row in rows]
    newline = "\r\n" if "\r\n" in text else "\n"
    return Sheet(padded, delimiter, newline, data.startswith(b"\xef\xbb\xbf"))
