"""The architecture as a test: who may import whom, how long files and functions are, what is not committed."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FOUNDATION = {"core"}
ROOMS = {
    "core": set(),
    "report": set(),
    **dict.fromkeys(("kernels", "data", "models", "optim", "sampling", "quant"), FOUNDATION),
    "inference": {"core", "report", "data", "models", "quant", "optim", "kernels"},
    "hardware": {"core", "report", "data", "models", "quant", "optim", "kernels", "inference"},
    "scale": {"core", "data", "models", "optim"},
    "trust": {"core", "models"},
    "grading": {"problems", "core", "report"},
}
TAUGHT = {*ROOMS} - {"grading"}
ROOMS["experiments"] = TAUGHT
ROOMS["problems"] = TAUGHT
ROOMS["cli"] = {*ROOMS}
MAX_FILE, MAX_FUNCTION = 300, 50


def committed() -> list[Path]:
    """The files of the repository: what git tracks or would; without git, what lies in no generated folder."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        return [path for name in listed if (path := ROOT / name).is_file()]
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f[0] not in "._" or f in (".ci", "_static")]
        found += [Path(folder) / file for file in files]
    return found


FILES = committed()
SOURCES = [path for path in FILES if path.suffix == ".py"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str | None:
    """The room of mlsys that a file belongs to; None for mlsys/__init__.py and what is outside."""
    parts = path.relative_to(ROOT).parts
    if parts[0] != "mlsys" or parts == ("mlsys", "__init__.py"):
        return None
    return parts[1].removesuffix(".py")


def imported(source: str, package: tuple[str, ...] = ()) -> set[str]:
    """The full dotted names that a module imports, anywhere in it; relative ones resolved from its package."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def rooms_entered(path: Path) -> set[str]:
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    names = [n.split(".") for n in imported(path.read_text(), package)]
    return {parts[1] for parts in names if parts[0] == "mlsys" and len(parts) > 1} - {room(path)}


def test_the_import_reader_sees_every_form() -> None:
    source = "import mlsys.data\ndef f():\n    from mlsys import optim\n    from ..core import x\n    from . import y"
    seen = imported(source, ("mlsys", "models"))
    assert seen == {"mlsys.data", "mlsys.optim", "mlsys.core.x", "mlsys.models.y"}


def test_every_room_is_in_the_table() -> None:
    there = {room(path) for path in SOURCES} - {None, "__main__"}
    assert there
    assert there <= set(ROOMS), f"rooms without a row in the import table: {sorted(there - set(ROOMS))}"


@pytest.mark.parametrize("of", sorted(ROOMS))
def test_rooms_import_only_what_the_table_allows(of: str) -> None:
    wrong = {
        name(path): sorted(extra)
        for path in SOURCES
        if room(path) == of and (extra := rooms_entered(path) - ROOMS[of])
    }
    assert not wrong, f"{of} may import {sorted(ROOMS[of]) or 'nothing of mlsys'}; found {wrong}"


def test_importing_optim_brings_in_no_engine_and_no_model() -> None:
    """The fast paths are loaded at their first use: a machine without Numba or Triton never asks for them."""
    code = "import mlsys.optim, sys; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "mlsys.optim.descent" in modules
    assert not {"numba", "triton", "sklearn", "matplotlib", "mlsys.models", "mlsys.problems"} & set(modules)


def test_files_are_short() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert not {file: n for file, n in lengths.items() if n > MAX_FILE}, f"files over {MAX_FILE} lines"


def test_functions_are_short() -> None:
    long = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION:
                    long[f"{name(path)}:{node.name}"] = lines
    assert not long, f"functions over {MAX_FUNCTION} lines"


NOTEBOOKS = [path for path in FILES if path.suffix == ".ipynb"]


def test_sources_hold_no_outputs() -> None:
    """Outputs belong to the build and to graded copies, never to what is edited."""
    with_outputs = [
        name(path)
        for path in NOTEBOOKS
        if path.relative_to(ROOT).parts[0] in ("book", "solutions", "exercises")
        for cell in json.loads(path.read_text())["cells"]
        if cell["cell_type"] == "code" and (cell["outputs"] or cell["execution_count"])
    ]
    assert not with_outputs


# Written in pieces, so that this file does not match itself.
FOLDERS = "|".join(["wo" + "rk", "ho" + "me", "ro" + "ot", "Us" + "ers"])
MACHINE = re.compile(rf"(?<![\w.:/-])/(?:{FOLDERS})/[\w.~-]+")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".yml",
    ".yaml",
    ".json",
    ".ipynb",
    ".css",
    ".js",
    ".html",
    ".cfg",
    ".sh",
    "",
}


def test_machine_paths_are_recognised() -> None:
    assert MACHINE.search('open("/' + 'home/me/x")')
    assert MACHINE.search("see /" + "work/main")
    assert not MACHINE.search("https://example.org/" + "home/page")
    assert not MACHINE.search("~/.cache/mlsys and a/" + "work/b")


def test_nothing_names_a_machine_s_folders() -> None:
    wrong = [
        f"{name(path)}: {found.group()}"
        for path in FILES
        if path.suffix in TEXT and path.stat().st_size < 2_000_000
        if (found := MACHINE.search(path.read_text(errors="ignore")))
    ]
    assert not wrong


def test_every_pin_installs_on_the_oldest_python_we_promise() -> None:
    """Debian 12 has 3.11.2: a pin that asks for a later 3.11 would end `make course` there."""
    promised = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert promised
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.M)
    installed = {canonicalize_name(d.name): d for d in distributions()}
    present = {pin: installed[key].metadata for pin in pins if (key := canonicalize_name(pin)) in installed}
    assert len(present) > 100
    oldest, asks = f"{promised[1]}.0", "Requires-Python"
    assert [
        pin for pin, said in present.items() if asks in said and oldest not in SpecifierSet(said[asks])
    ] == []
