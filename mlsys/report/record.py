"""Records: results that take too long for a page, committed as JSON with what they were computed by."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlsys.report.closure import PACKAGE, digest

FOLDER = PACKAGE.parent / "benchmarks" / "records"
_READ: ContextVar[list[str] | None] = ContextVar("read", default=None)


def machine() -> dict[str, Any]:
    """The processor, its cores, the memory and the versions that a figure depends on; no host name, no path."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    versions = {"python": platform.python_version()}
    for name in ("numpy", "torch", "numba", "triton"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions,
    }


def computed_by(imports: Iterable[str]) -> str:
    """The hash of what computes a record. How results are shown does not count: a new slider makes none stale."""
    return digest(imports, without="report")


def save(name: str, result: Any, imports: Iterable[str], folder: Path = FOLDER) -> Path:
    """Write a record: the result (JSON data), the hash of what computed it, the machine, the date."""
    imports = sorted(imports)
    record = {
        "name": name,
        "date": datetime.date.today().isoformat(),
        "imports": imports,
        "closure": computed_by(imports),
        "machine": machine(),
        "result": result,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
    return path


def load(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """A record as saved. Raises FileNotFoundError that says how it is made."""
    path = folder / f"{name}.json"
    names = _READ.get()
    if names is not None and name not in names:
        names.append(name)
    if not path.exists():
        raise FileNotFoundError(f"no record {name}.json in {folder}. `make bench` writes them.")
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def reading() -> Iterator[list[str]]:
    """The names of the records that are loaded within."""
    names: list[str] = []
    token = _READ.set(names)
    try:
        yield names
    finally:
        _READ.reset(token)


def stale(record: dict[str, Any]) -> bool:
    """Whether the code that computed the record has changed since."""
    return computed_by(record["imports"]) != record["closure"]
