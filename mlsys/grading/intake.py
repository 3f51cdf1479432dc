"""Before grading: a copy of what a student handed in, mended where it can be, with every oddity named."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mlsys.grading.course import Course


@dataclass(frozen=True)
class Intake:
    """flags : what was odd and was mended;  reason : why it cannot be graded, or empty."""

    flags: tuple[str, ...] = ()
    reason: str = ""


def take_in(course: Course, assignment: str, student: str, staging: Path) -> Intake:
    """Copy a submission to `staging`, ready for nbgrader; the student's own files are never written to."""
    shutil.copytree(course.folder("submitted", student, assignment), staging)
    wanted = course.notebooks(assignment)
    missing = [name for name in wanted if not (staging / name).exists()]
    if missing == wanted:
        return Intake(reason=f"no notebook: {', '.join(missing)} is missing.")
    return Intake()
