"""The same class on a Dask cluster: scheduler and workers as processes of their own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from unittest import mock

import nbformat
import pytest
from a_course import PS, environment
from crashing import FIRST, SECOND, hand_in, run, state

from mlsys.grading.course import Course
from mlsys.grading.errors import CourseError
from mlsys.grading.scores import FAILED, FLAGGED, GRADED

pytest.importorskip("distributed", reason="pip install 'mlsys[cluster]'")
SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


class Machines:
    """A scheduler on a port of its own, and workers to begin and to kill."""

    def __init__(self, folder):
        self._folder, self._processes = folder, []
        self._begin("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", folder / "scheduler")
        for _ in range(1200):
            if (folder / "scheduler").exists():
                break
            time.sleep(0.05)
        self.address = json.loads((folder / "scheduler").read_text())["address"]

    def workers(self, number):
        """See that so many live, each with no nanny to begin it again."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", self._folder)
        for _ in range(number - self.living()):
            self._begin("worker", self.address, *options)

    def living(self):
        """How many workers there are."""
        return sum(process.poll() is None for process in self._processes[1:])

    def _begin(self, kind, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, options)]
        with (self._folder / f"{kind}-{len(self._processes)}.log").open("w") as log:
            self._processes.append(
                subprocess.Popen(
                    command, cwd=self._folder, env=environment() | SETTINGS, stdout=log, stderr=log
                )
            )

    def close(self):
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    made = Machines(tmp_path_factory.mktemp("cluster"))
    try:
        yield made
    finally:
        made.close()


def add_cell(course, student, code, *right):
    path = hand_in(course, student, *right)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(1, nbformat.v4.new_code_cell(code))
    nbformat.write(notebook, path)
    return path


def the_class(course):
    """A full answer, half an answer, a file beside the notebook, and one that kills its kernel."""
    hand_in(course, "ann", FIRST, SECOND)
    hand_in(course, "bob", SECOND)
    path = add_cell(course, "cy", "print(open('data/mine.csv').read())", FIRST)
    (path.parent / "data").mkdir()
    (path.parent / "data" / "mine.csv").write_text("a file of mine")
    add_cell(course, "dan", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", FIRST)


def test_the_same_marks_and_a_kernel_that_is_killed_is_no_lost_worker(course, machines, tmp_path):
    machines.workers(2)
    the_class(course)
    shutil.copytree(course.root, tmp_path / "here")
    here = Course(tmp_path / "here")
    local, there = run(here), run(course, scheduler=machines.address)
    assert there == local
    assert state(course) == state(here)
    assert (there["ann"].status, there["dan"].status) == (GRADED, FLAGGED)
    assert "a file of mine" in (course.folder("autograded", "cy", PS) / f"{PS}.ipynb").read_text()


def test_a_lost_worker_s_task_is_done_by_another(course, machines):
    machines.workers(2)
    add_cell(course, "ann", "import time\ntime.sleep(4)", FIRST)
    hand_in(course, "bob", FIRST)
    with losing(machines, 1):
        results = run(course, scheduler=machines.address)
    assert {r.status for r in results.values()} == {GRADED}
    assert machines.living() == 1


@pytest.mark.slow
def test_what_costs_worker_after_worker_is_given_up_by_name(course, machines):
    add_cell(course, "ann", "import time\ntime.sleep(30)", FIRST)
    machines.workers(3)
    with losing(machines, 2):
        (ann,) = run(course, scheduler=machines.address).values()
    assert machines.living() == 1
    assert ann.status == FAILED
    assert "KilledWorker" in ann.reason


@contextlib.contextmanager
def losing(machines, times):
    """Meanwhile the worker that runs a notebook is killed, so many times."""
    killing = threading.Thread(target=_kill_when_busy, args=(machines.address, times))
    killing.start()
    yield
    killing.join()


def _kill_when_busy(address, times):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        for _ in range(times):
            pid = None
            while pid is None:
                time.sleep(0.2)
                busy = [worker for worker, tasks in client.processing().items() if tasks]
                pids = client.run(os.getpid, workers=busy[:1]) if busy else {}
                pid = next(iter(pids.values()), None)
            time.sleep(1)
            os.kill(pid, signal.SIGKILL)
            time.sleep(1)


def test_nobody_there(course):
    hand_in(course, "ann", FIRST)
    with (
        mock.patch("mlsys.grading.engine.cluster.ANSWER_S", 1),
        pytest.raises(CourseError, match=r"no cluster to grade on at tcp://127\.0\.0\.1:9"),
    ):
        run(course, scheduler="tcp://127.0.0.1:9")


def test_without_dask(course):
    hand_in(course, "ann", FIRST)
    with (
        mock.patch.dict(sys.modules, {"distributed": None}),
        pytest.raises(CourseError, match=r"mlsys\[cluster\]"),
    ):
        run(course, scheduler="tcp://127.0.0.1:9")


@pytest.mark.slow
def test_a_worker_with_another_version_is_refused(course, machines):
    machines.workers(1)
    hand_in(course, "ann", FIRST)
    with (
        mock.patch("mlsys.grading.grade.of_code", return_value="another"),
        pytest.raises(CourseError, match="another version of mlsys"),
    ):
        run(course, scheduler=machines.address)
