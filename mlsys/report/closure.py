"""What a page or a record depends on: the modules of mlsys that it imports, and theirs, and so on."""

from __future__ import annotations

import ast
import hashlib
import io
import itertools
import tokenize
from collections.abc import Iterable, Iterator
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


def digest(names: Iterable[str], extra: Iterable[Path] = (), without: str | None = None) -> str:
    """A hash of that code, blind to comments and docstrings, and of extra files as they are.

    without : a folder of the package whose files do not count
    """
    sha = hashlib.sha256()
    for path in files(names):
        if without is not None and path.is_relative_to(PACKAGE / without):
            continue
        sha.update(path.relative_to(PACKAGE.parent).as_posix().encode())
        sha.update(_code(path).encode())
    for path in sorted(extra):
        sha.update(path.name.encode() + path.read_bytes())
    return sha.hexdigest()[:16]


@cache
def _code(path: Path) -> str:
    """The lines of code alone; by text, since Python's own dump of a program differs between its versions."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for first, last in _prose(text):
        for row in range(first[0], last[0] + 1):
            start = first[1] if row == first[0] else 0
            stop = last[1] if row == last[0] else len(lines[row - 1])
            lines[row - 1] = lines[row - 1][:start] + " " * (stop - start) + lines[row - 1][stop:]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _prose(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where comments, and strings that are statements, start and end: (line, column), lines counted from 1."""
    fresh = True  # whether a statement begins here
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    for token, following in itertools.pairwise(tokens):
        alone = fresh and following.type in (tokenize.NEWLINE, tokenize.COMMENT)
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and alone):
            yield token.start, token.end
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            fresh = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
