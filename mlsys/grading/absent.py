"""Whether an answer, here at home, leans on what is absent while it is graded: then it earns nothing there."""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any

from mlsys.grading.engine.view import taught
from mlsys.problems.registry import set_of


def absent(name: str, answer: Any) -> str:
    """The module that an answer to an exercise uses and that is absent where it is graded; empty if there is none.

    Looked for is what the answer's own code names, in a cell of its own or inside it.
    """
    modules = taught(set_of(name))
    for used in _named(answer):
        if found := [m for m in modules if f"{used}.".startswith(f"{m}.")]:
            return found[0]
    for function in _functions(answer):
        for code in _codes(function.__code__):
            for word, following in itertools.pairwise((*code.co_names, "")):
                for used in (*_named(function.__globals__.get(word)), word, f"{word}.{following}"):
                    found = [m for m in modules if used == m or used.startswith(f"{m}.")]
                    if found:
                        return found[0]
    return ""


def imported(source: str, assignment: str) -> str:
    """The absent module that a cell imports as it runs, and not only in a function of its; empty if there is none."""
    try:
        todo: list[ast.AST] = [ast.parse(source)]
    except (SyntaxError, ValueError):
        return ""
    while todo:
        node = todo.pop(0)
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        for module in taught(assignment):
            if any(f"{name}.".startswith(f"{module}.") for name in names):
                return module
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Try):
            todo += ast.iter_child_nodes(node)
    return ""


def _functions(answer: Any) -> Iterator[Any]:
    """The answer if it is a function, its methods if it is a class, and what of the notebook's these call."""
    todo, seen = [answer], set[int]()
    while todo:
        part = todo.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if inspect.isclass(part):
            todo += vars(part).values()
        elif inspect.isfunction(part):
            yield part
            named = (part.__globals__.get(word) for word in part.__code__.co_names)
            todo += [
                one
                for one in named
                if (inspect.isfunction(one) or inspect.isclass(one)) and one.__module__ == part.__module__
            ]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named(value: Any, nested: bool = False) -> Iterator[str]:
    """The module that a value is, or was defined in; those of what is in it too."""
    if isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, dict | list | tuple) and not nested:
        for part in itertools.islice(value.values() if isinstance(value, dict) else value, 100):
            yield from _named(part, nested=True)
    elif value is not None:
        module = str(getattr(value, "__module__", ""))
        yield module
        if module.startswith("mlsys."):  # a rule is core's, and its body is what is taught
            for part in getattr(value, "__dict__", {}).values():
                yield str(getattr(part, "__module__", ""))
