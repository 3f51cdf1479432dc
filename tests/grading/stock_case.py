"""One case of the corpus, between two honest students, graded by stock nbgrader; called in a box that is thrown away.

See hostile_matrix.py.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from a_course import PS
from world import VARIABLE, World

from mlsys.grading.course import Course
from mlsys.grading.demo import compose, corpus
from mlsys.grading.demo.submission import Limits, roles
from mlsys.grading.scores import marks

CELL_S, RUN_S = 6, 150
LIMITS = Limits(CELL_S, 4 * CELL_S, 600 << 20, 100 << 20, 64)
NEIGHBOURS = ("ada", "zoe")  # graded before and after the case
TOO_LONG = {roles(PS)["served"]: compose.BLANK}  # an exercise whose answer takes longer than all others


def run(name, descriptor):
    """Write what happened to a descriptor, as JSON."""
    try:
        found = graded(name)
    except Exception as error:  # what is left of the course cannot be looked at
        found = {"fault": f"{type(error).__name__}: {error}"}
    os.write(descriptor, json.dumps(found).encode())


def graded(name):
    course, outside = Course(Path.home()), Path("/tmp/outside")
    outside.mkdir()
    case = next(c for c in [*corpus.hostile(), *corpus.honest()] if c.student == name)
    world = World(course, outside)
    os.environ[VARIABLE] = world.secret
    ada, zoe = (compose.Member(n, compose.picks(PS, compose.REFERENCE) | TOO_LONG) for n in NEIGHBOURS)
    members = [ada, compose.Member(name, {}, case=case), zoe]
    known = compose.hand_in(course, PS, members, world.outside, LIMITS)
    world.begin()
    began = time.monotonic()
    ended = nbgrader(course, "autograde", f"--Execute.timeout={CELL_S}")
    found = {"ended": ended, "seconds": time.monotonic() - began, "harm": world.harm()}
    if "markup" in name:
        nbgrader(course, "generate_feedback")
    student = f"demo-{name}"
    found |= {"saw": world.seen(student), "pages": len(world.active(student))}
    return found | {"students": {who: became(course, who, known[who]["points"]) for who in known}}


def nbgrader(course, *arguments):
    """Its exit status, or None if it had to be stopped."""
    command = [sys.executable, "-m", "nbgrader", arguments[0], PS, *arguments[1:]]
    try:
        return subprocess.run(command, cwd=course.root, capture_output=True, timeout=RUN_S).returncode
    except subprocess.TimeoutExpired:
        return None


def became(course, student, points):
    """Whether a submission was graded, and the points beyond what it may earn, and short of that."""
    if not any(course.folder("autograded", student, PS).glob("*.ipynb")):
        return None
    over = short = 0.0
    found = marks(course, PS, student)
    for name, bounds in points.items():
        least, most = bounds if isinstance(bounds, list) else (bounds, bounds)
        got = found[name].score if name in found else None
        over += max(0.0, (got or 0.0) - most)
        short += max(0.0, least - (got or 0.0))
    return {"over": round(over, 6), "short": round(short, 6)}
