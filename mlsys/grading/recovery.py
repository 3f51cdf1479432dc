"""After a crash: what a dead run left in its scratch folders is put back or taken away."""

from __future__ import annotations

import shutil
from functools import cache
from typing import Any

from mlsys.grading.course import Course
from mlsys.grading.disk import make_folder, sync
from mlsys.grading.journal import DONE, Journal
from mlsys.grading.submission import ASIDE, PREFIX


def clear_up(course: Course) -> None:
    """Put back what was moved aside for work that was not saved to its end, and take the rest away.

    Nobody else may be grading in this course.
    """

    @cache
    def entries(assignment: str) -> dict[str, dict[str, Any]]:
        return Journal(course, assignment).entries()

    for scratch in sorted((course.root / ".mlsys").glob(f"{PREFIX}*")):
        for old in sorted(scratch.glob(f"{ASIDE}/*/*/*")):
            kind, student, assignment = old.relative_to(scratch / ASIDE).parts
            there = course.folder(kind, student, assignment)
            if entries(assignment).get(student, {}).get("state") == DONE:
                continue  # it was to go
            if there.exists():
                there.rename(scratch / f"{kind} instead")
            make_folder(there.parent)
            old.rename(there)
            sync(there.parent)
        shutil.rmtree(scratch, ignore_errors=True)
