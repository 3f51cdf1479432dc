"""What is known beforehand of the demo class, and where the grades differ from it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlsys.grading.course import Course
from mlsys.grading.scores import Result

PREFIX = "demo-"

# status : the right one, or several that are;  flag : a regular expression for a flag or the reason, or empty
# points : by exercise, a number, or [least, most] where the grader may choose
Known = dict[str, Any]


def path(course: Course, assignment: str) -> Path:
    """Where it is kept."""
    return course.root / ".mlsys" / f"demo-{assignment}.json"


def disagreements(course: Course, assignment: str, results: Sequence[Result]) -> list[str]:
    """Where the demo class was not graded as was known beforehand; empty if all is well, or there is none."""
    kept = path(course, assignment)
    record = json.loads(kept.read_text()) if kept.exists() else {}
    return [line for r in results if r.student in record for line in differences(record[r.student], r)]


def differences(known: Known, result: Result) -> list[str]:
    """Where one submission was not graded as was known beforehand."""
    right = [known["status"]] if isinstance(known["status"], str) else known["status"]
    wrong = []
    if result.status not in right:
        wrong.append(f"{result.student} is {result.status}, and should be {' or '.join(right)}")
    flag, said = known.get("flag", ""), [*result.flags, result.reason]
    if flag and not any(re.search(flag, line) for line in said):
        wrong.append(f"{result.student} has no flag that says {flag!r}: {said}")
    for name, points in known["points"].items():
        mark = result.marks.get(name)
        got = None if mark is None else mark.score
        least, most = points if isinstance(points, list) else (points, points)
        if got is None or not least - 1e-9 <= got <= most + 1e-9:
            has = "no points" if got is None else f"{got} points"
            should = f"{least:g}" if least == most else f"{least:g} to {most:g}"
            wrong.append(f"{result.student} has {has} for {name}, and should have {should}")
    return wrong
