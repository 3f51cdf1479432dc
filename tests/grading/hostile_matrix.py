"""The hostile matrix: every case of the corpus as `mlsys grade` and as stock nbgrader take it.

`python tests/grading/hostile_matrix.py` writes benchmarks/records/hostile.json, which the instructors' guide shows.
What stock nbgrader made of a case is kept from the record if neither case nor nbgrader has changed; all of it takes
half an hour. Stock nbgrader gets each case alone between two honest students, in one of our own boxes: for what it lets
happen is then thrown away with it. The box has no filter of system calls, which would protect it.
"""

import hashlib
import inspect
import json
import multiprocessing
import os
import select
import socket
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import stock_case
from a_course import PS, REPOSITORY, new_course
from hostile_class import CASES, attacked_class

from mlsys.grading.course import Course
from mlsys.grading.release import release
from mlsys.grading.sandbox import seccomp
from mlsys.grading.sandbox.box import GIB, MIB, Box, Limits, run, system
from mlsys.report import record

HERE = Path(__file__).parent
WALL_S = 240
LIMITS = Limits(
    memory_bytes=GIB, processes=256, cpu_s=300, file_bytes=600 * MIB, files=20_000, open_files=512
)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        course = new_course(Path(scratch) / "released")
        release(Course(course), PS)
        stock = kept()
        todo = [(case.student, str(course)) for case in CASES if case.student not in stock]
        with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
            stock |= dict(pool.imap_unordered(by_stock, todo))
        ours = by_mlsys(course, Path(scratch))
    rows = [
        {
            "case": case.student,
            "kind": case.kind,
            "title": case.title,
            "hash": of_case(case),
            "mlsys": ours[case.student],
            "stock": stock[case.student],
        }
        for case in CASES
    ]
    record.save("hostile", {"corpus": of_corpus(), "nbgrader": version("nbgrader"), "rows": rows}, ())


def kept():
    """{case: what stock nbgrader made of it} of the record, where that was of the same case and the same nbgrader."""
    try:
        old = record.load("hostile")["result"]
    except FileNotFoundError:
        return {}
    hashes = {case.student: of_case(case) for case in CASES}
    same = [row for row in old["rows"] if row["hash"] == hashes.get(row["case"])]
    return {row["case"]: row["stock"] for row in same} if old["nbgrader"] == version("nbgrader") else {}


def of_case(case):
    """A hash of one case, and of how it is tried on stock nbgrader."""
    files = (Path(inspect.getfile(case.hand_in)), HERE / "stock_case.py")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def of_corpus():
    """A hash of the cases, and of how they are tried on stock nbgrader."""
    sha = hashlib.sha256()
    paths = [p for kind in ("hostile", "honest") for p in sorted((HERE / kind).rglob("*.py"))]
    for path in [*paths, HERE / "stock_case.py"]:
        sha.update(path.relative_to(HERE).as_posix().encode() + path.read_bytes())
    return sha.hexdigest()[:16]


def by_mlsys(released, scratch):
    """What became of each case in the class that the tests grade too."""
    folder = scratch / "ours"
    folder.mkdir()
    with attacked_class(released, folder) as (course, known, results, world):
        harm = world.harm()
        assert harm == [], harm
        found = {}
        for case in CASES:
            student = f"demo-{case.student}"
            result = results[student]
            found[case.student] = {
                "status": result.status,
                "said": [*result.flags, result.reason] if result.reason else list(result.flags),
                "saw": world.seen(student),
                "points": stock_case.became(course, student, known[student]["points"]),
            }
    return found


def by_stock(given):
    """One case in a box, by name: what stock_case.py said of it; None if nothing was left to say it, or no time."""
    name, course = given
    ours, theirs = socket.socketpair()
    told, telling = os.pipe()
    child = os.fork()
    if not child:
        ours.close()
        os.close(told)
        with mock.patch.object(seccomp, "install"):
            run(_box(course), lambda: stock_case.run(name, telling), [telling], theirs.fileno())
    theirs.close()
    os.close(telling)
    text, until = b"", time.monotonic() + WALL_S
    while (left := until - time.monotonic()) > 0 and select.select([told], [], [], left)[0]:
        data = os.read(told, 1 << 16)
        text += data
        if not data:
            break
    ours.close()  # which ends the box
    os.close(told)
    os.waitpid(child, 0)
    outcome = json.loads(text) if text else {"ended": None, "lost": left > 0}
    print(f"{time.strftime('%H:%M:%S')} {name}: {outcome}", flush=True)
    return name, outcome


def _box(course):
    readable = {*system(), sys.prefix, sys.base_prefix, str(REPOSITORY)}
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": "/notebook",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(HERE)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    slot = 60_001 + os.getpid() % 4000
    return Box(tuple(sorted(readable)), (), "/notebook", course, environment, LIMITS, slot)


if __name__ == "__main__":
    main()
