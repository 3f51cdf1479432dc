"""What a page or a record depends on: the modules of mlsys that it imports, and theirs, and so on."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def imported(source: str, package: str = "") -> set[str]:
    """The names of mlsys that a source imports, wherever in it; a name may be a module or what is in one."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join(parts[: len(parts) - node.level + 1] + ([base] if base else []))
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == PACKAGE.name}


def _file(name: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


@cache
def _direct(path: Path) -> frozenset[str]:
    parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    package = parts[:-1]  # of a module, and of a package's own __init__, alike
    return frozenset(imported(path.read_text(encoding="utf-8"), ".".join(package)))


def files(names: Iterable[str]) -> list[Path]:
    """The source files that importing these names runs, sorted."""
    seen: set[Path] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            path = _file(".".join(parts[:i]))
            if path is not None and path not in seen:
                seen.add(path)
                todo.extend(_direct(path))
    return sorted(seen)


def digest(names: Iterable[str], extra: Iterable[Path] = ()) -> str:
    """A hash of that code, blind to comments and docstrings, and of extra files as they are."""
    sha = hashlib.sha256()
    for path in files(names):
        sha.update(path.relative_to(PACKAGE.parent).as_posix().encode())
        sha.update(_code(path).encode())
    for path in sorted(extra):
        sha.update(path.name.encode() + path.read_bytes())
    return sha.hexdigest()[:16]


@cache
def _code(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                node.body = body[1:]  # type: ignore[attr-defined]
    return ast.dump(tree)
