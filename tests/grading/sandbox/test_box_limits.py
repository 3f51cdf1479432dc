"""What a box may use, and that it takes no more: memory, processes, processor time."""

import pytest
from a_box import Running, inside

MIB = 1 << 20


LIMIT = {"memory_bytes": 300 * MIB}


def test_more_memory_than_there_may_be_is_a_memory_error(mode):
    ran = inside("try:\n    bytearray(400 << 20)\nexcept MemoryError:\n    print('no')", mode, limits=LIMIT)
    assert ran.out == "no\n"


TOGETHER = """
import os, time
for _ in range(4):
    if not os.fork():
        mine = bytearray(b"x") * (100 << 20)
        time.sleep(60)
time.sleep(60)
"""
SHARING = """
import os, time
mine = bytearray(b"x") * (150 << 20)
for _ in range(4):
    if not os.fork():
        time.sleep(1)
        os._exit(0)
time.sleep(0.5)
print("fine")
"""
HIDDEN = """
import ctypes, os, threading, time
taken, take = os.pipe()
def hog(second):
    global mine
    if second:  # what the first one took has been said by then
        os.read(taken, 1)
    mine = bytearray(b"x") * (160 << 20)
    print("took it", flush=True)
    os.write(take, b"x")
    time.sleep(60)
for second in range(2):
    if not os.fork():
        threading.Thread(target=hog, args=(second,)).start()
        ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)  # exit, of this thread alone
time.sleep(60)
"""
SOCKETS = """
import os, socket, time
for _ in range(8):
    if not os.fork():
        held = [socket.socketpair() for _ in range(110)]
        for pair in held:
            for end in pair:
                end.setblocking(False)
                try:
                    while True:
                        end.send(bytes(4096))
                except BlockingIOError:
                    pass
        time.sleep(60)
time.sleep(60)
"""
TABLES = """
import mmap
region = mmap.mmap(-1, 400 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
for offset in range(0, 400 << 30, 2 << 20):
    region[offset]
print("done")
"""


def test_processes_are_counted_together(mode):
    ran = inside(TOGETHER, mode, limits=LIMIT)
    assert ran.told["event"] == "memory"
    assert 300 * MIB < ran.told["bytes"] < 700 * MIB
    assert ran.s < 10


def test_memory_that_processes_share_counts_once(mode):
    assert inside(SHARING, mode, limits=LIMIT).out == "fine\n"


def test_memory_is_found_where_the_first_thread_has_ended(mode):
    ran = inside(HIDDEN, mode, limits=LIMIT)
    assert "took it" in ran.out
    assert ran.told["event"] == "memory"


def test_what_sockets_hold_counts(mode):
    assert inside(SOCKETS, mode, limits=LIMIT).told["event"] == "memory"


def test_page_tables_count(mode):
    """Reading an empty mapping takes no pages, but 4 KiB of tables for each 2 MiB looked at."""
    assert inside(TABLES, mode, limits=LIMIT).told["event"] == "memory"


BOMB = """
import os, time
print("started", flush=True)
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
COUNT = """
import os, time
made = 0
try:
    while made < 100:
        if not os.fork():
            time.sleep(60)
        made += 1
except BlockingIOError:
    pass
print(made)
"""


def test_a_fork_bomb_starves_neither_a_neighbour_nor_the_next_in_its_place(mode):
    limits = {"processes": 24, "cpu_s": 60}
    bomb = Running(BOMB, mode, slot=5, limits=limits)
    bomb.read("started")
    neighbour = inside(COUNT, mode, slot=6, limits=limits)
    bomb.control.send(b"k")
    ended = bomb.finish()
    following = inside(COUNT, mode, slot=5, limits=limits)
    assert ended.told == {}
    assert bomb.alive() == []
    made = {int(neighbour.out), int(following.out)}
    assert len(made) == 1, "both as many as the limit lets them"
    assert 20 <= made.pop() < 24


BUSY = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
CHILDREN = """
import os, time
while True:
    child = os.fork()
    if not child:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitpid(child, 0)
"""


ORPHANS = """
import os, time
while True:
    reading, writing = os.pipe()
    if not os.fork():
        if not os.fork():
            os.close(reading)
            end = time.process_time() + 0.2
            while time.process_time() < end:
                pass
        os._exit(0)
    os.wait()
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
"""


@pytest.mark.parametrize("program", [BUSY, CHILDREN, ORPHANS], ids=["one", "children", "orphans"])
def test_processor_time_is_limited_over_all_processes(mode, program):
    ran = inside(program, mode, limits={"cpu_s": 0.5})
    assert ran.told == {"event": "cpu"}
    assert ran.s < 10


def test_descriptors_and_large_files_are_limited(mode):
    program = """
import os
opened = []
try:
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(len(opened) < 64, error.strerror)
for descriptor in opened:
    os.close(descriptor)
try:
    os.truncate(os.open("sparse", os.O_CREAT | os.O_RDWR), 1 << 40)
except OSError as error:
    print(error.strerror)
"""
    ran = inside(program, mode, limits={"open_files": 64})
    assert ran.lines == ["True Too many open files", "File too large"]
