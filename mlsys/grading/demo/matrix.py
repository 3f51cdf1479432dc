"""The hostile matrix in words: what became of each case of the corpus under `mlsys grade` and under stock nbgrader."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from mlsys.grading.scores import NOT_GRADED

Row = dict[str, Any]  # of the record `hostile`, which tests/grading/hostile_matrix.py writes
SAME, LOST = "as it should be", "not graded"


def by_mlsys(row: Row) -> str:
    """The status, and the first of what was flagged."""
    ours = row["mlsys"]
    return textwrap.shorten(": ".join([ours["status"], *ours["said"][:1]]), 150, placeholder=" …")


def by_stock(row: Row) -> str:
    """Everything that went wrong."""
    return "; ".join(_faults(row["stock"], f"demo-{row['case']}")) or SAME


def harmed(row: Row) -> bool:
    """Whether something went wrong with stock nbgrader that need not."""
    found = set(_faults(row["stock"], f"demo-{row['case']}"))
    return bool(found - ({LOST} if row["mlsys"]["status"] == NOT_GRADED else set()))


def spread(row: Row) -> bool:
    """Whether students suffered who had done nothing: the run was lost, or their marks changed or never came."""
    stock = row["stock"]
    others = [found for who, found in stock.get("students", {}).items() if who != f"demo-{row['case']}"]
    changed = (other is None or other["over"] + other["short"] > 0 for other in others)
    return "students" not in stock or any(changed)


def gained(row: Row) -> float:
    """The points that stock nbgrader gave beyond what was earned."""
    mine = row["stock"].get("students", {}).get(f"demo-{row['case']}")
    return float(mine["over"]) if mine else 0.0


def _faults(stock: Row, case: str) -> Iterator[str]:
    if "fault" in stock:
        yield f"the course could no longer be read ({textwrap.shorten(stock['fault'], 80)})"
        return
    if "students" not in stock:
        yield "the grader itself was killed" if stock["lost"] else "the run did not end"
        return
    if stock["ended"] is None:
        yield "the run did not end"
    students = stock["students"]
    mine, others = students[case], [students[who] for who in sorted(students) if who != case]
    if mine and mine["over"]:
        yield f"{mine['over']:g} points too many"
    if any(other and other["over"] + other["short"] for other in others):
        yield "others' marks changed"
    if None in others:
        yield "others were not graded"
    if mine is None:
        yield LOST
    elif mine["short"]:
        yield f"loses {mine['short']:g} points that it had earned"
    if stock["saw"]:
        yield "saw what is not its own"
    kinds = {"reached": "reached the network", "changed": "changed files", "written": "left files behind"}
    kinds |= {"the bystander": "ended another process", "left running": "left a process running"}
    for start, words in kinds.items():
        if any(line.startswith(start) for line in stock["harm"]):
            yield words
    if stock["pages"]:
        yield "its scripts run in the browser of who reads the feedback"
