"""The corpus of attacks and of honest oddities: a file each, in tests/grading/hostile and tests/grading/honest.

A file's docstring is the case's title. It holds `EXPECT`, what must happen, and `hand_in(mine)`, which does to a right
submission what the student did. The files lie with the tests, not in the package: code that attacks its host should
not be installed wherever the course is.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlsys.grading.demo.record import Known
from mlsys.grading.demo.submission import Submission, roles
from mlsys.grading.errors import CourseError
from mlsys.grading.scores import FLAGGED, GRADED, NOT_GRADED
from mlsys.problems import exercises, problem

HERE, NEXT, SERVED = (
    "here",
    "next",
    "served",
)  # the exercise in the middle, the one after it, one with an oracle
FULL, EARLIER, ANY, NONE = "full", "earlier", "any", "none"
GRADED_ANYHOW = (GRADED, FLAGGED)
ANYHOW = (GRADED, FLAGGED, NOT_GRADED)
TOO_LONG = "too long|not be stopped in time|ran for more than"  # how a flag says it
ENDED = "died|ended Python|was killed"

TESTS = Path(__file__).resolve().parents[3] / "tests" / "grading"


@dataclass(frozen=True)
class Expect:
    """What must happen to a submission.

    status : any of these is right
    flag : a regular expression that a flag or the reason must match, where it can be told what was tried; the word
        HERE in it stands for the exercise's name
    attacked : the exercises that earn nothing, as a blank; they are left blank unless the case answers them
    others : what the rest, answered rightly, earns. FULL: all points. EARLIER: what comes before the attacked exercise
        (or HERE, if none is) all points, what comes after anything between a blank's and all. ANY: anything between.
        NONE: nothing. The exercise that is served an oracle is left blank in any case
    """

    status: tuple[str, ...] = (FLAGGED,)
    flag: str = ""
    attacked: tuple[str, ...] = (HERE,)
    others: str = FULL

    def known(self, assignment: str) -> Known:
        """The same as a record: the least and the most points that each exercise may earn."""
        names, by_role = exercises(assignment), roles(assignment)
        attacked = {by_role[role] for role in self.attacked}
        start = min(names.index(name) for name in attacked or {by_role[HERE]})
        points = {}
        for place, name in enumerate(names):
            full = problem(name).points
            kept = self.others == FULL or (self.others == EARLIER and place < start)
            least = full if kept and name not in attacked and name != by_role[SERVED] else 0.0
            points[name] = [least, 0.0 if name in attacked or self.others == NONE else full]
        flag = re.sub(r"\bHERE\b", re.escape(by_role[HERE]).replace("\\", r"\\"), self.flag)
        return {"status": list(self.status), "flag": flag, "points": points}


HARMLESS = Expect(status=(GRADED,), attacked=())  # an honest oddity costs nothing, and is not flagged


@dataclass(frozen=True)
class Case:
    """One file of the corpus. name : unique;  kind : its folder, such as stalls;  title : its docstring"""

    name: str
    kind: str
    title: str
    expect: Expect
    hand_in: Callable[[Submission], None]

    @property
    def student(self) -> str:
        """Who hands it in, without the demo class's prefix."""
        return f"{self.kind}-{self.name}".replace("_", "-")


def hostile() -> list[Case]:
    """The attacks. Raises CourseError where the tests are not at hand."""
    return load(TESTS / "hostile")


def honest() -> list[Case]:
    """The honest oddities. Raises CourseError where the tests are not at hand."""
    return load(TESTS / "honest")


def load(folder: Path) -> list[Case]:
    """The cases of a folder and of those in it, by kind and name. Raises CourseError if there is none."""
    cases = [_case(path) for path in sorted(folder.rglob("*.py"))]
    if not cases:
        raise CourseError(
            f"the corpus {folder} is not here: it comes with the repository, not with the package. "
            "Run this from a clone that is installed with pip install -e ."
        )
    return cases


def _case(path: Path) -> Case:
    spec = importlib.util.spec_from_file_location(f"corpus_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    title = " ".join((module.__doc__ or "").split())
    return Case(path.stem, path.parent.name, title, module.EXPECT, module.hand_in)
