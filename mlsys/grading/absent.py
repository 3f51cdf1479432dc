"""Whether an answer, here at home, leans on what is absent while it is graded: then it earns nothing there."""

from __future__ import annotations

import inspect
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
    for function in _functions(answer):
        for code in _codes(function.__code__):
            for word, following in zip(code.co_names, (*code.co_names[1:], ""), strict=True):
                for used in (*_named(function.__globals__.get(word)), word, f"{word}.{following}"):
                    found = [m for m in modules if used == m or used.startswith(f"{m}.")]
                    if found:
                        return found[0]
    return ""


def _functions(answer: Any) -> Iterator[Any]:
    """The answer if it is a function, the methods if it is a class, and what of the notebook's they call."""
    todo = [inspect.unwrap(part) for part in (vars(answer).values() if inspect.isclass(answer) else [answer])]
    seen: set[int] = set()
    while todo:
        function = todo.pop()
        if inspect.isfunction(function) and id(function) not in seen:
            seen.add(id(function))
            yield function
            helpers = [function.__globals__.get(word) for word in function.__code__.co_names]
            todo += [h for h in helpers if getattr(h, "__module__", "") == function.__module__]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named(value: Any) -> Iterator[str]:
    """The module that a value is, or was defined in."""
    if isinstance(value, ModuleType):
        yield value.__name__
    elif value is not None:
        yield str(getattr(value, "__module__", ""))
