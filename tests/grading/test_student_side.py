"""What a student meets: check in the notebook, mlsys check for all of it."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from a_course import PS, environment

from mlsys.grading import check, secret
from mlsys.problems import exercises, grader, problem

FIRST = exercises(PS)[0]


@pytest.fixture(autouse=True)
def public_cases(monkeypatch):
    """A student has no course secret."""
    monkeypatch.delenv(secret.VARIABLE, raising=False)


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        return True

    __hash__ = None


def noisy(*arguments, **named):
    import warnings

    print("on stderr", file=sys.stderr)
    warnings.warn("look", stacklevel=1)
    raise ValueError("the student's own message")


ANSWERS = {
    "none": None,
    "number": 3,
    "text": "text",
    "array": np.zeros(3),
    "hostile": Hostile(),
    "a class": Hostile,
    "noisy": noisy,
    "int": int,
    "constant": lambda *arguments, **named: 0,
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", exercises(PS))
def test_check_bears_any_object(name, answer, capfd):
    points = check(name, ANSWERS[answer])
    out, err = capfd.readouterr()
    assert type(points) is float
    assert 0 <= points < problem(name).points
    assert err == ""
    assert name in out


@pytest.mark.parametrize("name", exercises(PS))
def test_check_gives_the_reference_all_points(name, capsys):
    task = problem(name)
    points = check(name, grader(name).reference.build(task.target))
    assert type(points) is float
    assert points == task.points
    assert f"{task.points:g} of {task.points:g} points" in capsys.readouterr().out


def test_an_unknown_exercise_is_named():
    with pytest.raises(ValueError, match=r"no exercise 'adagrad\.runing'\. There are: .*adagrad\.running"):
        check("adagrad.runing", None)


def test_a_check_that_takes_long_says_how_long(monkeypatch, capsys):
    ticks = iter((0.0, 11.4))
    module = sys.modules["mlsys.grading.check"]  # the package has the function under this name
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    check(FIRST, None)
    assert "This took 11 s. A cell that runs for more than 60 s is stopped" in capsys.readouterr().out


def test_help_imports_nothing_heavy(tmp_path):
    code = (
        "import sys, mlsys.cli; print(sorted({'torch', 'numpy', 'nbgrader', 'nbformat'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
