"""`mlsys grade` from start to end: what may run, a bar while it does, the table, the report, the exit status."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mlsys.grading.course import Course
from mlsys.grading.demo import PREFIX, disagreements
from mlsys.grading.errors import CourseError
from mlsys.grading.grade import How, chosen, grade, misplaced
from mlsys.grading.roster import strangers
from mlsys.grading.scores import FAILED, Result
from mlsys.grading.show import show_class
from mlsys.grading.stop import Stopped

UNSAFE = (
    "NO SANDBOX: every student's code now runs with your rights. It can read other students' work, change the "
    "gradebook, and reach the network."
)


def grade_class(
    course: Course, assignment: str, students: Sequence[str], how: How, report: Path | None, console: Console
) -> int:
    """Grade, show, write the report; 0 if every submission has a final status and the demo class its known scores."""
    if how.unsafe:
        console.print(UNSAFE, style="bold white on red", soft_wrap=True)
    elif sys.platform != "linux":
        raise CourseError(_in_a_container(course, assignment))
    if report:
        report.parent.mkdir(parents=True, exist_ok=True)  # before the work rather than after it
    began, results = time.monotonic(), list[Result]()
    wanted = chosen(course, assignment, students)
    interrupted = False
    try:
        _with_bar(course, assignment, wanted, how, console, results)
    except (KeyboardInterrupt, Stopped):
        interrupted = True
    results.sort(key=lambda result: result.student)
    show_class(console, assignment, results)
    unknown = strangers(course, assignment, [result.student for result in results])
    on_no_list = [f"{name} is on no list of students: is the folder's name right?" for name in unknown]
    for line in misplaced(course, assignment) + on_no_list:
        console.print(line, style="yellow", soft_wrap=True, highlight=False)
    wrong = _demo(course, assignment, results, console)
    if report:
        report.write_text(
            json.dumps(_report(assignment, how, results, time.monotonic() - began), indent=1) + "\n"
        )
    if interrupted:
        left = len(wanted) - len(results)
        console.print(
            f"Interrupted: {left} not reached. Go on with: mlsys grade {assignment} --resume", style="red"
        )
        return 130
    return int(wrong or any(result.status == FAILED for result in results))


def _with_bar(
    course: Course, assignment: str, students: list[str], how: How, console: Console, results: list[Result]
) -> None:
    """Grade behind a progress bar; `results` grows meanwhile, so that an interrupt loses none."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task(f"Grading {assignment}", total=len(students))
        for result in grade(course, assignment, students, how):
            results.append(result)
            bar.update(task, advance=1, description=f"Graded {result.student}")


def _in_a_container(course: Course, assignment: str) -> str:
    """What to type where there is no sandbox."""
    from mlsys.grading.sandbox import docker

    build = shlex.join(docker.build_command(Path(".")))
    command = shlex.join(docker.command(course.root, ["grade", assignment]))
    return (
        "the sandbox needs Linux. Here, grade in a container, whose image is made once in the course's repository:\n"
        f"  {build}\n  {command}"
    )


def _demo(course: Course, assignment: str, results: list[Result], console: Console) -> bool:
    """Whether some of the demo class was not graded as was known beforehand; says so, or that all is well."""
    wrong = disagreements(course, assignment, results)
    if not wrong and any(result.student.startswith(PREFIX) for result in results):
        console.print("The demo class is graded as it should be.", highlight=False)
    for line in wrong:
        console.print(f"The demo class is not graded as expected: {line}.", style="red", soft_wrap=True)
    if wrong:
        console.print(f"If the problems have changed since it was made: mlsys demo {assignment}", style="red")
    return bool(wrong)


def _report(assignment: str, how: How, results: list[Result], seconds: float) -> dict[str, Any]:
    """The same for a machine to read."""
    return {
        "assignment": assignment,
        "sandbox": not how.unsafe,
        "jobs": how.jobs,
        "seconds": round(seconds, 2),
        "students": [result.row() for result in results],
    }
