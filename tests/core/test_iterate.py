"""The only loop: lazy, pure, honest about its arguments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from mlsys.core import generator, iterate


class Walk(NamedTuple):
    x: int


class walker:
    """A random walk that counts its calls."""

    calls = 0

    def init(self, x: int) -> Walk:
        return Walk(x)

    def step(self, rng: np.random.Generator, state: Walk) -> tuple[Walk, int]:
        self.calls += 1
        move = int(rng.choice([-1, 1]))
        return Walk(state.x + move), move


def test_it_yields_each_state_with_its_info() -> None:
    run = list(iterate(walker(), 5, generator(1), 20))
    assert len(run) == 20
    x = 5
    for state, move in run:
        x += move
        assert state == Walk(x)
    assert run == list(iterate(walker(), 5, generator(1), 20))
    assert run != list(iterate(walker(), 5, generator(2), 20))


def test_it_is_lazy_and_zero_steps_are_none() -> None:
    algorithm = walker()
    steps = iterate(algorithm, 0, generator(0), 10)
    assert algorithm.calls == 0
    next(steps)
    assert algorithm.calls == 1
    assert list(iterate(algorithm, 0, generator(0), 0)) == []


@pytest.mark.parametrize(("steps", "error"), [(-1, ValueError), (2.0, TypeError), ("9", TypeError)])
def test_bad_steps_are_refused_before_the_first_step(steps, error) -> None:
    algorithm = walker()
    with pytest.raises(error, match="steps must be"):
        iterate(algorithm, 0, generator(0), steps)
    assert algorithm.calls == 0


def test_progress_goes_to_stderr_only_where_it_is_wanted(capsys) -> None:
    list(iterate(walker(), 0, generator(0), 5))
    assert capsys.readouterr() == ("", "")
    assert len(list(iterate(walker(), 0, generator(0), 5, progress=True))) == 5
    assert capsys.readouterr().out == ""


def test_a_step_that_raises_ends_the_loop_and_closes_the_bar() -> None:
    class Failing(walker):
        def step(self, rng, state):
            if state.x >= 2:
                raise RuntimeError("no further")
            return Walk(state.x + 1), None

    seen = []
    with pytest.raises(RuntimeError, match="no further"):
        seen.extend(iterate(Failing(), 0, generator(0), 9, progress=True))
    steps = iterate(walker(), 0, generator(0), 9, progress=True)
    next(steps)
    steps.close()
