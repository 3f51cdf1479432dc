"""Workers that the system ends are replaced, and what they ran is run again."""

import os
import signal
import sys
import threading
import time
from concurrent.futures.process import BrokenProcessPool

import nbformat
import pytest
from a_course import PS
from nbformat.v4 import new_code_cell, new_notebook

from mlsys.grading.engine.pool import RETRIES, Job, pool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


def job(source):
    return Job(nbformat.writes(new_notebook(cells=[new_code_cell(source)])), PS, b"key")


def shown(task):
    executed = task.result()
    return executed.reason, executed.notebook.cells[0].outputs[0].data["text/plain"]


def kill_a_worker(workers):
    """Once there is one, as the system does that has no memory left."""
    while not (running := workers._pool._processes):
        time.sleep(0.01)
    os.kill(min(running), signal.SIGKILL)


def test_what_a_lost_worker_ran_is_run_again_and_what_follows_runs_too():
    with pool(PS, b"key", 2) as workers:
        first = [workers.submit(job(f"import time; time.sleep(0.5); {n}")) for n in range(3)]
        time.sleep(0.2)
        kill_a_worker(workers)
        assert [shown(task) for task in first] == [("", "0"), ("", "1"), ("", "2")]
        assert shown(workers.submit(job("'later'"))) == ("", "'later'")


def test_workers_lost_while_they_wait_are_replaced_at_the_next_job():
    with pool(PS, b"key", 2) as workers:
        assert shown(workers.submit(job("1"))) == ("", "1")
        kill_a_worker(workers)
        time.sleep(0.5)
        assert shown(workers.submit(job("2"))) == ("", "2")


def test_a_notebook_that_costs_too_many_workers_is_given_up():
    lost = []

    def kill_each():
        while len(lost) <= RETRIES:
            if workers._pool not in lost:
                lost.append(workers._pool)
                kill_a_worker(workers)
            time.sleep(0.01)

    with pool(PS, b"key", 1) as workers:
        task = workers.submit(job("import time; time.sleep(30)"))
        killer = threading.Thread(target=kill_each)
        killer.start()
        with pytest.raises(BrokenProcessPool):
            task.result()
        killer.join()
        assert shown(workers.submit(job("'next'"))) == ("", "'next'")
