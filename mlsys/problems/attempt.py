"""Run an answer on a case: seeded, quiet, and with its errors in words."""

from __future__ import annotations

import contextlib
import random
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlsys.problems.coerce import Unfit
from mlsys.problems.problem import Arrays, Case, Problem

UNWRITTEN = "is not written yet."
AGAIN = "As above."  # in place of a message that an earlier case has given
STUB = "your code here"  # what a released notebook raises until the student writes something
PACKAGE = str(Path(__file__).resolve().parents[1])


class Attempt(NamedTuple):
    """What an answer gave on a case; or None, and a sentence that says why not."""

    arrays: Arrays | None
    failure: str = ""


def attempt(problem: Problem, answer: Any, case: Case) -> Attempt:
    """Drive a student's answer on a case. Whatever it raises becomes a failure."""
    import torch  # noqa: F401  so that it is seeded, should the answer be the first to import it

    return driven(problem, answer, case)


def driven(problem: Problem, answer: Any, case: Case) -> Attempt:
    """The same for an answer of our own, for which torch is imported if it needs it."""
    with seeded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is printed on stderr would cost the whole cell in nbgrader
        try:
            return Attempt(problem.drive(answer, case))
        except Unfit as unfit:
            return Attempt(None, str(unfit))
        except NotImplementedError as error:
            if str(error) in ("", STUB):
                return Attempt(None, unwritten(problem.target, error))
            return Attempt(None, raised(problem.target, error))
        except Exception as error:
            return Attempt(None, raised(problem.target, error))


@contextlib.contextmanager
def seeded() -> Iterator[None]:
    """Seed random, numpy.random, and torch where it is imported; put them back afterwards.

    So the same code earns the same.
    """
    legacy = np.random.mtrand._rand  # what np.random.rand and its like draw from
    torchs = sys.modules["torch"].default_generator if "torch" in sys.modules else None
    states = random.getstate(), legacy.get_state(), torchs.get_state() if torchs else None
    random.seed(0)
    legacy.seed(0)
    if torchs:
        torchs.manual_seed(0)
    try:
        yield
    finally:
        random.setstate(states[0])
        legacy.set_state(states[1])
        if torchs:
            torchs.set_state(states[2])


def unwritten(target: str, error: NotImplementedError) -> str:
    """What is not written yet: the answer, or another function or class that it calls."""
    frame, codes = error.__traceback__, []
    while frame:
        codes.append(frame.tb_frame.f_code)
        frame = frame.tb_next
    theirs = [
        code.co_qualname.split("<locals>.")[-1].split(".")[0] for code in codes if _own(code.co_filename)
    ]
    if not theirs or theirs[-1] == theirs[0]:
        return f"{target} {UNWRITTEN}"
    return f"{theirs[-1]}, which {target} calls, {UNWRITTEN}"


def _own(file: str) -> bool:
    """Whether code of this file is the student's, by where it lies."""
    return not file.startswith(PACKAGE) and "site-packages" not in file


def raised(target: str, error: Exception) -> str:
    """The error in one line, with the student's line that raised it, and help with the commonest ones."""
    text = str(error).split("\n")[0].removesuffix(", but expected one of:")
    text = f"{target} raised {type(error).__name__}: {text if len(text) < 160 else text.split('. ')[0]}"
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if _own(frame.filename)]
    if theirs:
        text += f" (line {theirs[-1].lineno} of the cell of {theirs[-1].name}"
        text += f": {theirs[-1].line})" if theirs[-1].line else ")"
    return f"{text if text.endswith(('.', ')')) else text + '.'} {_advice(error)}".rstrip()


ARRAY = "The arrays that you are given are NumPy's: torch.as_tensor(x) makes a tensor of one."
NUMBER = (
    "That is a plain number, and not a tensor: use max and min, or x.clamp(min=number) on a tensor x, or make a "
    "tensor of it with torch.as_tensor."
)
DTYPE = (
    "NumPy's numbers are float64, which torch calls Double; its own default is float32, Float. Give both the same: "
    "torch.as_tensor(x, dtype=torch.float64), or dtype=w.dtype where w is your tensor."
)
BACKWARD = (
    "The gradient is given, so there is nothing to differentiate. "
    "For torch.optim: w.grad = torch.as_tensor(g, dtype=w.dtype)."
)

MATH = "The functions of math take one number: np.sqrt and its like take a whole array or list."
LARGE = "A number has outgrown what a float can hold: is there a wrong sign, or an exponent that grows with the steps?"
PLAIN = "That is a plain number already: nothing need be done to make it one."


def _advice(error: Exception) -> str:
    """What to do about the commonest errors, and those from mixing NumPy and torch; empty for any other."""
    text = str(error)
    if isinstance(error, NameError):
        return "Is it defined in a cell above this one, and has that cell been run?"
    if isinstance(error, TypeError) and re.search(r"takes .* positional arguments? but .* given", text):
        return "Compare the arguments with those asked for; the first one of a method is self."
    if isinstance(error, TypeError) and re.search(
        r"must be real number, not|only (length-1|0-dimensional) arrays can", text
    ):
        return MATH
    if isinstance(error, OverflowError):
        return LARGE
    if isinstance(error, AttributeError):
        found = re.match(r"'(\w+\.)?(\w+)' object has no attribute '(\w+)'", text)
        import torch

        if found and found[2] in ("float", "int") and found[3] in ("item", "tolist", "numpy", "detach"):
            return PLAIN
        if not found or not hasattr(torch.Tensor, found[3]):
            return ""
        if found[3] == "backward":
            return BACKWARD
        return {"ndarray": ARRAY, "float": NUMBER, "int": NUMBER, "float64": NUMBER}.get(found[2], "")
    if isinstance(error, TypeError) and "Tensor" in text:
        if "ndarray" in text:
            return ARRAY
        return NUMBER if re.search(r"(not |\()(numpy\.)?(float|int)", text) else ""
    if isinstance(error, RuntimeError) and re.search(
        r"(?i)\bdouble\b.*\bfloat\b|\bfloat\b.*\bdouble\b", text
    ):
        return DTYPE
    return ""
