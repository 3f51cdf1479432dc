"""`python -m mlsys.problems [SET …]` prints the gate's table, and fails if an answer gets what it should not."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from mlsys.problems.gate import table
from mlsys.problems.registry import SETS


def main(assignments: list[str]) -> int:
    """0 if every answer of these problem sets (of all, if none is named) gets what it deserves."""
    rows = [row for assignment in assignments or SETS for row in table(assignment)]
    shown = Table("exercise", "answer", "kind", "score", "of", "")
    for row in rows:
        shown.add_row(
            *map(str, row[:3]), f"{row.score:g}", f"{row.points:g}", "ok" if row.passes else "WRONG"
        )
    Console(width=100).print(shown)
    return 0 if all(row.passes for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
