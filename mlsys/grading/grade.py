"""Grade a class: submissions run side by side in sandboxes, and are saved one after another.

The student's files are copied and mended (intake, mend), run through the engine, settled by the checker's ledger, and
converted by nbgrader's Autograde from the copy, so that `submitted/` is never written to.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import nbformat

from mlsys.grading import crash, secret
from mlsys.grading.course import Course
from mlsys.grading.engine.cluster import Cluster, cluster
from mlsys.grading.engine.executor import Executed, Times
from mlsys.grading.engine.pool import Job, Pool, pool
from mlsys.grading.errors import CourseError
from mlsys.grading.journal import CUT_OFF, DONE, Journal
from mlsys.grading.recovery import clear_up
from mlsys.grading.sandbox import features
from mlsys.grading.sandbox.box import Limits
from mlsys.grading.scores import FAILED, Result
from mlsys.grading.stop import Stop
from mlsys.grading.submission import Submission
from mlsys.grading.tuned import tuned
from mlsys.grading.version import of_code

Workers = Pool | Cluster


class Running(Protocol):
    """A notebook that was handed to workers."""

    def result(self) -> Executed:
        """Wait for its end."""
        ...


@dataclass(frozen=True)
class How:
    """How to grade.

    jobs : notebooks that run at once;  times : if None, the course's Execute.timeout for a cell
    resume : whether what is done already is left alone
    unsafe : whether students' code runs without a sandbox, with all of the instructor's rights
    scheduler : a Dask scheduler's address, whose workers then run the notebooks, in place of this machine
    """

    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    times: Times | None = None
    limits: Limits = field(default_factory=Limits)
    resume: bool = False
    unsafe: bool = False
    scheduler: str = ""


def chosen(course: Course, assignment: str, students: Sequence[str] = ()) -> list[str]:
    """The students to grade: those named, else all who submitted.

    Raises CourseError if the set is not released, nobody has submitted, or somebody named has not.
    """
    course.notebooks(assignment)
    submitted = course.students(assignment)
    unknown = sorted(set(students) - set(submitted))
    if unknown or not submitted:
        where = course.folder("submitted", unknown[0] if unknown else "STUDENT", assignment)
        raise CourseError(
            f"no submission of {assignment}{' by ' if unknown else ''}{', '.join(unknown)}. "
            f"Put the notebook into {where}{'' if unknown else f', or try: mlsys demo {assignment}'}."
        )
    return sorted(set(students)) if students else submitted


def misplaced(course: Course, assignment: str) -> list[str]:
    """What lies under submitted/ where no grader looks for it: who, where, and where it belongs."""
    submitted, found = course.folder("submitted"), []
    for path in sorted(submitted.iterdir()) if submitted.is_dir() else ():
        if path.name.startswith("."):
            continue
        here = [path] if path.suffix == ".ipynb" else sorted(path.glob("*.ipynb"))
        student = "STUDENT" if path.suffix == ".ipynb" else path.name
        where = course.folder("submitted", student, assignment).relative_to(course.root)
        found += [f"{p.relative_to(course.root)} was not looked at: put it into {where}" for p in here]
        if path.is_dir() and not any(path.iterdir()):
            found.append(f"{path.relative_to(course.root)} is empty: nothing was handed in")
    return found


def grade(
    course: Course, assignment: str, students: Sequence[str], how: How | None = None
) -> Iterator[Result]:
    """Grade each student, whatever an earlier run left; yield what became of each as it is known.

    Raises CourseError if another run is at work in this course, if the sandbox or the gradebook cannot be used, or, as
    Stopped, after SIGINT or SIGTERM: what was yielded before is done, and stays so.
    """
    how = how or How()
    journal = Journal(course, assignment, how.unsafe)
    with _alone(course), Stop() as stop:
        key = secret.ensure(course.root).read_text().strip().encode()
        clear_up(course)
        known, waiting = journal.entries(), {}
        with tuned():
            for student in students:
                before = known.get(student)
                seen = journal.look(student, before) if how.resume else _cut_off(before)
                if isinstance(seen, Result):
                    yield seen
                else:
                    waiting[student] = seen
        if waiting:
            with ExitStack() as stack:
                with stop.here():
                    workers = stack.enter_context(_workers(assignment, key, how))
                stack.enter_context(tuned())
                run = _Run(course, assignment, how, key, workers, journal, stop)
                for result in run.all(list(waiting)):
                    yield replace(result, redone=waiting[result.student])


def _workers(assignment: str, key: bytes, how: How) -> AbstractContextManager[Workers]:
    if how.scheduler:
        return cluster(how.scheduler, of_code(assignment))
    return pool(assignment, key, how.jobs)


def _cut_off(entry: dict[str, Any] | None) -> str:
    return CUT_OFF if entry and entry.get("state") != DONE else ""


@dataclass
class _Run:
    """A class on its way through the pool."""

    course: Course
    assignment: str
    how: How
    key: bytes
    workers: Workers
    journal: Journal
    stop: Stop
    under_way: deque[_Way] = field(default_factory=deque)

    def all(self, students: Sequence[str]) -> Iterator[Result]:
        """Keep the workers busy, and save what is done meanwhile."""
        left = deque(students)
        try:
            while left or self.under_way:
                while left and len(self.under_way) < 2 * self.workers.size + 1:
                    failed = self._start(left.popleft())
                    if failed:
                        yield failed
                if self.under_way:
                    yield self._end(self.under_way.popleft())
        finally:
            for way in self.under_way:
                way.submission.close()

    def _start(self, student: str) -> Result | None:
        submission = Submission(self.course, self.assignment, student)
        try:
            digest = self.journal.digest(student)  # before the copy: of two versions the older one's is kept
            self.under_way.append(_Way(submission, digest, self._begin(submission)))
            crash.point("prepared")
        except Exception as error:  # a fault of ours: the others are still graded, and the run fails
            submission.close()
            if isinstance(error, CourseError):
                raise
            return _failed(student, error)
        return None

    def _begin(self, submission: Submission) -> dict[str, Running]:
        submission.prepare()
        return {
            name: self.workers.submit(self._job(submission, n)) for name, n in submission.notebooks.items()
        }

    def _job(self, submission: Submission, notebook: object) -> Job:
        text = nbformat.writes(notebook)
        files, how = str(submission.staged), self.how
        times = how.times or Times(self.course.api.config.Execute.get("timeout") or Times().cell_s)
        return Job(text, self.assignment, self.key, files, times, how.limits, how.unsafe)

    def _end(self, way: _Way) -> Result:
        submission = way.submission
        try:
            with self.stop.here():
                executed = {name: future.result() for name, future in way.futures.items()}
            crash.point("executed")
            refused = next((e.reason for e in executed.values() if e.reason.startswith("the sandbox")), "")
            if refused:
                features.require()  # which says what is missing, and the remedy
                raise CourseError(refused)
            result = submission.finish(executed, lambda: self.journal.begin(submission.student, way.digest))
            self.journal.write(result, way.digest)
            crash.point("journalled")
            return result
        except CourseError:
            raise
        except Exception as error:
            return _failed(submission.student, error)
        finally:
            submission.close()
            crash.point("closed")


class _Way(NamedTuple):
    """A submission on its way. digest : of what was handed in;  futures : of its notebooks, by name"""

    submission: Submission
    digest: str
    futures: dict[str, Running]


def _failed(student: str, error: Exception) -> Result:
    return Result(student, FAILED, {}, (), f"{type(error).__name__}: {error}")


@contextmanager
def _alone(course: Course) -> Iterator[None]:
    """One run at a time in a course. Raises CourseError if there is another."""
    path: Path = course.root / ".mlsys" / "grading.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CourseError(
                f"another `mlsys grade` is at work in this course (process {lock.read().strip()}). "
                "Wait for it, or end it, and grade again with --resume."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
