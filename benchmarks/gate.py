"""No figure without correctness: the tests of what is raced run first, unless this very code has passed them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.race import Race
from mlsys.report.closure import files

ROOT = Path(__file__).resolve().parents[1]
STAMPS = ROOT / ".stamps"


def key(race: Race) -> str:
    """A hash of the raced modules, of all that they import, and of the tests."""
    tests = (ROOT / test for test in race.tests)
    found = (p for test in tests for p in ([test] if test.is_file() else test.rglob("*.py")))
    sources = {*files(race.modules), *found}
    sha = hashlib.sha256(sys.version.encode())
    for path in sorted(sources):
        sha.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    for path in (ROOT / "constraints.txt", ROOT / "pyproject.toml"):
        sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


def is_green(race: Race) -> bool:
    """Whether the tests of the race pass; a stamp remembers that they did, for exactly this code."""
    stamp = STAMPS / f"green-{race.name}-{key(race)}"
    if stamp.exists():
        return True
    tests = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *race.tests]
    if subprocess.run(tests, cwd=ROOT).returncode:
        return False
    STAMPS.mkdir(exist_ok=True)
    for old in STAMPS.glob(f"green-{race.name}-*"):
        old.unlink()
    stamp.touch()
    return True
