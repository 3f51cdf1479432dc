"""How a box is interrupted and ended, what it tells, and that nothing outlives it."""

import os
import signal
import time

import pytest
from a_box import Running, inside, with_marker

WAITING = """
import time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_how_the_body_ends_is_told(mode):
    assert inside("", mode).told == {"event": "exit", "code": 0}
    assert inside("raise SystemExit(7)", mode).told == {"event": "exit", "code": 7}
    assert inside("1 / 0", mode).told == {"event": "exit", "code": 1}
    assert inside("import os; os._exit(3)", mode).told == {"event": "exit", "code": 3}
    assert inside("import os; os.kill(os.getpid(), 9)", mode).told == {"event": "signal", "signal": 9}
    assert inside("import os; os.abort()", mode).told == {"event": "signal", "signal": 6}


def test_an_interrupt_is_a_keyboard_interrupt(mode):
    box = Running(WAITING, mode)
    box.read("ready")
    box.control.send(b"i")
    ran = box.finish()
    assert ran.out == "ready\ninterrupted\n"
    assert ran.told == {"event": "exit", "code": 0}


DEAF = """
import os, signal, subprocess, sys, time
for number in signal.valid_signals() - {9, 19}:
    signal.signal(number, signal.SIG_IGN)
if not os.fork():
    os.setsid()
    if not os.fork():
        print("ready", flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep(60)
"""


def end_by_command(box):
    box.control.send(b"k")


def end_by_silence(box):
    box.control.close()


def end_with_the_parent(box):
    box.parent.send_signal(signal.SIGKILL)


def end_with_the_outer(box):
    """The process between parent and init: the parent's only child."""
    pid = box.parent.pid
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        os.kill(int(file.read()), signal.SIGKILL)


@pytest.mark.parametrize("end", [end_by_command, end_by_silence, end_with_the_parent, end_with_the_outer])
def test_every_way_to_end_a_box_ends_all_of_it(mode, end):
    box = Running(DEAF, mode)
    box.read("ready")
    assert len(box.alive()) >= 4  # outer, init, body, its orphan
    end(box)
    deadline = time.monotonic() + 2
    while box.alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert box.alive() == []
    box.stop()


def test_an_orphan_does_not_outlive_the_body(mode):
    program = DEAF.rpartition("time.sleep(60)")[0] + "import time; time.sleep(0.2)"
    box = Running(program, mode)
    ran = box.finish()
    assert ran.told == {"event": "exit", "code": 0}
    assert with_marker(box.marker) == []


def test_control_is_not_the_body_s(mode):
    """Whatever descriptor it writes to, no line of its own arrives."""
    program = """
import os
for number in range(3, 300):
    try:
        os.write(number, b'{"event": "exit", "code": 99}\\n')
    except OSError:
        pass
raise SystemExit(4)
"""
    assert inside(program, mode).told == {"event": "exit", "code": 4}


def test_a_box_that_cannot_be_made_is_refused_and_nothing_runs(mode):
    ran = inside("print('ran')", mode, home="/usr/not-there")
    assert ran.out == ""
    assert ran.told["event"] == "refused"
    assert "Read-only" in ran.told["reason"]
