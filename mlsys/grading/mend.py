"""A student's notebook set right against the released one, with every change named.

nbgrader restores what was edited, but gives up on much else: settings of another version, an answer cell deleted with
its test, a copied cell. Here every cell of the problem set gets the settings that it was released with.
"""

from __future__ import annotations

import json
import re
import uuid
import warnings
from collections import Counter
from typing import Any

import nbformat

from mlsys.grading.cells import grade_id, settings

MOST_CELLS, MOST_TAGS = 2000, 100  # an honest notebook has a tenth
BORROWED = re.compile(
    r"\bmlsys\.(?:problems|optim|inference|quant)\b|\bfrom mlsys import (?:problems|optim|inference|quant)\b"
    r"|\bMLSYS_SECRET_FILE\b"
)


class Unreadable(Exception):
    """The text is not a notebook; the message says where it breaks."""


class TooMuch(Unreadable):
    """The notebook is longer than any that is read."""


def parse(data: bytes) -> Any:
    """The notebook in a file's bytes, in the current format.

    Raises Unreadable for what is not text, not JSON, or not a notebook, and TooMuch for too many cells.
    """
    try:
        raw = json.loads(data.decode("utf-8-sig"))
        cells = raw.get("cells") if isinstance(raw, dict) else None
        if isinstance(cells, list) and len(cells) > MOST_CELLS:
            raise TooMuch(f"it has {len(cells):,} cells, more than the {MOST_CELLS:,} that are read")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ids that nbformat then supplies
            notebook = nbformat.convert(nbformat.reader.reads(json.dumps(raw)), 4)
            _lighten(notebook)
            nbformat.validate(notebook)
    except Unreadable:
        raise
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not text (byte {error.start} is not UTF-8)") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON from line {error.lineno} on: {error.msg}") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Unreadable(f"it is JSON, but no notebook: {first[:120]}") from None
    return notebook


def _lighten(notebook: Any) -> None:
    """Take out what is not looked at, and refuse what nbformat would look at for hours.

    What cells showed is shown anew; and tags are compared with each other, one by one.
    """
    for place, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        tags = cell.metadata.get("tags", [])
        if not isinstance(tags, list) or len(tags) > MOST_TAGS or not all(isinstance(t, str) for t in tags):
            raise Unreadable(f"the tags of cell {place} are no list of words")


def mend(notebook: Any, released: Any) -> list[str]:
    """Set the notebook right in place; what was odd, in words. Empty means that all was as it should be."""
    known = {grade_id(cell): cell for cell in released.cells if grade_id(cell)}
    return [
        *_once_each(notebook, known),
        *_as_released(notebook, known),
        *_nothing_missing(notebook, released),
        *_borrowed(notebook, known),
    ]


def _once_each(notebook: Any, known: dict[str, Any]) -> list[str]:
    """Only the last cell of a name keeps it, as in nbgrader; a name of no released cell is taken away."""
    flags = []
    counts = Counter(grade_id(cell) for cell in notebook.cells)
    left = Counter(counts)
    for cell in notebook.cells:
        name = grade_id(cell)
        left[name] -= 1
        if name not in known or left[name]:
            cell.metadata.pop("nbgrader", None)
    for name, count in counts.items():
        if name and name not in known:
            flags.append(f"cell {name} is not of this problem set")
        elif name and count > 1:
            flags.append(f"cell {name} is there {count} times: the last one counts")
    return flags


def _as_released(notebook: Any, known: dict[str, Any]) -> list[str]:
    """Settings and kind of every known cell, and the text of the locked ones."""
    flags = []
    for place, cell in enumerate(notebook.cells):
        name = grade_id(cell)
        if not name:
            continue
        original = known[name]
        locked = settings(original).get("locked", False)
        if _rules(cell) != _rules(original):
            cell.metadata["nbgrader"] = nbformat.from_dict(dict(settings(original)))
            flags.append(f"settings of cell {name} were changed: restored")
        if cell.cell_type != original.cell_type:
            make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
            notebook.cells[place] = make[original.cell_type](cell.source, id=cell.id, metadata=cell.metadata)
            flags.append(f"cell {name} was made a {cell.cell_type} cell: restored")
        if locked and _text(notebook.cells[place]) != _text(original):
            notebook.cells[place].source = original.source
            if original.cell_type == "code":
                flags.append(f"{_kind(original)} {name} was edited: restored")
    return flags


def _nothing_missing(notebook: Any, released: Any) -> list[str]:
    """Put back deleted cells that carry points or that the others need, before the next cell that is still there.

    A deleted answer stays away: its stub would undo an answer that was typed elsewhere.
    """
    flags = []
    following: str | None = None
    for original in reversed(released.cells):
        name, rules = grade_id(original), settings(original)
        present = {grade_id(cell): place for place, cell in enumerate(notebook.cells)}
        if name and name not in present and (rules.get("grade") or _kind(original) == "locked cell"):
            place = present[following] if following is not None else len(notebook.cells)
            again = nbformat.from_dict(original)
            again.id = uuid.uuid4().hex[:8]  # a copy without settings may still have the old one
            notebook.cells.insert(place, again)
            flags.append(f"{_kind(original)} {name} was deleted: put back")
            following = name
        elif name in present:
            following = name
    return flags[::-1]


def _borrowed(notebook: Any, known: dict[str, Any]) -> list[str]:
    """Cells that name what holds the answers: until grading runs without it, a person has to look."""
    flags = []
    for place, cell in enumerate(notebook.cells, 1):
        name = grade_id(cell)
        found = BORROWED.search(cell.source) if cell.cell_type == "code" else None
        if found and not settings(known.get(name, cell)).get("locked"):
            flags.append(f"cell {name or place} uses {found[0]}: is the answer the student's own?")
    return flags


def _rules(cell: Any) -> dict[str, Any]:
    """The settings without the checksum, which changes when the text of a released cell is corrected."""
    return {key: value for key, value in settings(cell).items() if key != "checksum"}


def _kind(cell: Any) -> str:
    """What a person calls it."""
    rules = settings(cell)
    if rules.get("grade"):
        return "written answer" if rules.get("solution") else "test cell"
    return "locked cell" if rules.get("locked") and cell.cell_type == "code" else "cell"


def _text(cell: Any) -> list[str]:
    """The lines without the trailing space that editors add or remove."""
    return [line.rstrip() for line in cell.source.rstrip().splitlines()]
