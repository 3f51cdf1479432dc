"""`kill -9` of a whole grader at 200 random moments."""

import os
import random
import shutil
import signal
import time

import pytest
from a_course import PS
from crashing import Replays, first_time, forked_away, mark_by_hand, restored, run, second_time, sound, state
from processes import alive, family

from mlsys.grading.course import Course
from mlsys.grading.journal import CUT_OFF, DONE, Journal

KILLS = 200
EXITED = os.WEXITED | os.WNOHANG | os.WNOWAIT
pytestmark = pytest.mark.slow


def test_killed_at_random_moments(released, tmp_path):
    """Each with real workers, warm parent and sandboxes; the rerun takes its outputs from a record: that is quicker."""
    shutil.copytree(released, tmp_path / "course")
    course, replays, rng = Course(tmp_path / "course"), Replays(), random.Random(0)
    first_time(course)
    with replays.recording():
        run(course)
        mark_by_hand(course, "cy")
        second_time(course)
        shutil.copytree(course.root, tmp_path / "before")
        began = time.monotonic()
        run(course)
        whole_s = time.monotonic() - began
    after, ends = state(course), {"cut off": 0, "at work": 0, "over": 0}
    for _ in range(int(os.environ.get("MLSYS_KILLS", KILLS))):
        course = restored(tmp_path / "before", tmp_path / "course")
        child = forked_away(lambda: run(course))  # noqa: B023 - it is used in this round
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0, whole_s))
        else:  # while students are saved, which is a short part of the whole
            journal = Journal(course, PS).path
            length = journal.stat().st_size
            while journal.stat().st_size == length and os.waitid(os.P_PID, child, EXITED) is None:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.6))
        os.kill(child, signal.SIGSTOP)
        people = family(child)
        os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        until = time.monotonic() + 20
        while alive(people) and time.monotonic() < until:
            time.sleep(0.02)
        assert alive(people) == []
        assert sound(course.root)
        entries = Journal(course, PS).entries()
        cut = {name for name, entry in entries.items() if entry["state"] != DONE}
        ends["cut off" if cut else "over" if code == 0 else "at work"] += 1
        with replays.replaying():
            results = run(course, resume=rng.random() < 0.5)
        assert {name for name, r in results.items() if r.redone == CUT_OFF} == cut
        assert state(course) == after
    print(ends)
    assert ends["at work"] + ends["cut off"] > ends["over"]
