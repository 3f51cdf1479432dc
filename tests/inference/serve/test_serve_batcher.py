"""The asyncio runner: each caller gets its own answer, once, whatever the model does."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest
from loops import finish

from mlsys.inference.serve import Limits, Outcome
from mlsys.inference.serve.batcher import Batcher, Reply
from mlsys.inference.serve.records import Record
from mlsys.inference.serve.served import Served


class Log:
    """An observer that keeps everything."""

    def __init__(self) -> None:
        self.records, self.batches = list[Record](), list[int]()

    def ended(self, record: Record) -> None:
        self.records.append(record)

    def computed(self, samples: int, model_s: float) -> None:
        self.batches.append(samples)


def sums(x: np.ndarray) -> np.ndarray:
    return np.stack([x.sum(1), x[:, 0]], 1)


def run(
    work: Callable[[Batcher], Coroutine[Any, Any, Any]],
    predict: Callable[[np.ndarray], Any] = sums,
    limits: Limits = Limits(4, 0.001, 64),  # noqa: B008 (immutable)
    **options: Any,
) -> Any:
    async def all_of_it() -> Any:
        async with Batcher(Served("test", 3, 2, predict), limits, **options) as batcher:
            return await work(batcher)

    return finish(all_of_it())


def inputs(n: int) -> list[np.ndarray]:
    """Of one to four rows, in no regular order: neighbours in a batch differ in their sizes."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 100, (rng.integers(1, 5), 3)).astype(np.float32) for _ in range(n)]


def all_at_once(asked: list[np.ndarray]) -> Callable[[Batcher], Coroutine[Any, Any, list[Reply]]]:
    async def work(batcher: Batcher) -> list[Reply]:
        return await asyncio.gather(*(batcher.submit(x) for x in asked))

    return work


def test_each_caller_gets_the_answer_to_its_own_question() -> None:
    log, asked = Log(), inputs(25)
    replies = run(all_at_once(asked), observers=[log], limits=Limits(8, 0.001, 100))
    for x, reply in zip(asked, replies, strict=True):
        assert reply.outcome is Outcome.ANSWERED
        assert np.array_equal(reply.outputs, sums(x))
    assert 4 < max(log.batches) <= 8
    assert sum(log.batches) == sum(map(len, asked))


def test_a_model_that_uses_its_buffer_again_spoils_no_answer() -> None:
    buffer = np.zeros((4, 2), np.float32)

    def predict(x: np.ndarray) -> np.ndarray:
        buffer[: len(x)] = sums(x)
        return buffer[: len(x)]

    asked = inputs(40)
    replies = run(all_at_once(asked), predict, limits=Limits(4, 0, 200))
    assert all(np.array_equal(r.outputs, sums(x)) for x, r in zip(asked, replies, strict=True))


def leave(x: np.ndarray) -> Any:
    raise SystemExit("from the model")


def stop(x: np.ndarray) -> Any:
    raise StopIteration


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x: 1 / 0, "raised ZeroDivisionError"),
        (leave, "raised SystemExit: from the model"),
        (stop, "raised StopIteration"),
        (lambda x: sums(x)[1:], r"returned shape \(1, 2\), not \(2, 2\)"),
        (lambda x: sums(x)[:, :1], r"returned shape \(2, 1\), not \(2, 2\)"),
        (lambda x: None, "returned object, not numbers"),
        (lambda x: sums(x) * 1j, "returned complex"),
        (lambda x: [[1, 2], [3]], "raised ValueError"),
        (lambda x: sums(x) * np.nan, "returned NaN or inf for this request"),
    ],
)
def test_a_faulty_batch_fails_by_name_and_the_next_is_answered(wrong: Any, said: str) -> None:
    def predict(x: np.ndarray) -> Any:
        return wrong(x) if (x == -1).any() else sums(x)

    async def work(batcher: Batcher) -> tuple[Reply, Reply]:
        bad = await batcher.submit(np.full((2, 3), -1.0))
        return bad, await batcher.submit(np.ones((2, 3)))

    bad, good = run(work, predict)
    assert bad.outcome is Outcome.FAILED
    assert bad.outputs is None
    assert re.search(said, bad.detail)
    assert good.outcome is Outcome.ANSWERED


def test_nan_fails_its_own_request_only() -> None:
    log = Log()
    asked = [np.full((1, 3), value) for value in (1.0, 0.0, 4.0)]

    def predict(x: np.ndarray) -> np.ndarray:
        return np.where(x[:, :2] == 0, np.inf, x[:, :2])

    replies = run(all_at_once(asked), predict, Limits(3, 10, 64), observers=[log])
    assert log.batches == [3]
    assert [r.outcome for r in replies] == [Outcome.ANSWERED, Outcome.FAILED, Outcome.ANSWERED]
    assert np.array_equal(replies[2].outputs, [[4, 4]])


class Held:
    """A model that waits to be released, on a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s, self.begun, self.go = 0.0, threading.Event(), threading.Event()

    def predict(self, x: np.ndarray) -> np.ndarray:
        self.begun.set()
        self.go.wait()
        return sums(x)

    def clock(self) -> float:
        return self.now_s


def test_deadlines_that_pass_before_and_during_the_computation() -> None:
    held, log = Held(), Log()

    async def work(batcher: Batcher) -> list[Reply]:
        first = asyncio.ensure_future(batcher.submit(np.ones((4, 3)), deadline_s=5))
        await asyncio.to_thread(held.begun.wait)
        second = asyncio.ensure_future(batcher.submit(np.ones((1, 3)), deadline_s=6))
        third = asyncio.ensure_future(batcher.submit(np.ones((1, 3)), deadline_s=99))
        await asyncio.sleep(0)
        held.now_s = 6
        held.go.set()
        return await asyncio.gather(first, second, third)

    replies = run(work, held.predict, observers=[log], clock=held.clock)
    assert [r.outcome for r in replies] == [Outcome.LATE, Outcome.EXPIRED, Outcome.ANSWERED]
    assert np.array_equal(replies[0].outputs, [[3, 1]] * 4)
    assert log.batches == [4, 1]


def test_overload_drain_and_a_caller_that_went_away() -> None:
    held, log = Held(), Log()

    async def work(batcher: Batcher) -> list[Reply]:
        asked = [asyncio.ensure_future(batcher.submit(np.ones((1, 3)))) for _ in range(6)]
        await asyncio.to_thread(held.begun.wait)
        asked += [asyncio.ensure_future(batcher.submit(np.ones((1, 3)))) for _ in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        batcher.drain()
        asked.append(asyncio.ensure_future(batcher.submit(np.ones((1, 3)))))
        held.go.set()
        return await asyncio.gather(*asked[:1], *asked[2:])

    replies = run(work, held.predict, Limits(2, 0, 4), observers=[log])
    ends = [r.outcome for r in replies]
    assert ends.count(Outcome.FULL) + ends.count(Outcome.ANSWERED) == 8
    assert ends.count(Outcome.FULL) >= 3  # one or two are computed and four wait, of nine
    assert ends[-1] is Outcome.DRAINING
    assert len(log.records) == 10  # whoever went away is on record too


def test_a_model_that_never_returns_fails_its_callers_when_the_drain_is_over() -> None:
    held = Held()

    async def work(batcher: Batcher) -> tuple[bool, list[Reply]]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))
        asked = [asyncio.ensure_future(batcher.submit(np.ones((4, 3)))) for _ in range(3)]
        await asyncio.to_thread(held.begun.wait)
        batcher.drain()
        in_time = await batcher.drained(0.01)
        assert batcher.inside.count == batcher.waiting.count == batcher.queued_samples == 0
        held.go.set()  # what comes now is nobody's answer
        replies = await asyncio.gather(*asked)
        await asyncio.sleep(0.02)
        return in_time, replies

    said: list[Any] = []
    in_time, replies = run(work, held.predict)
    assert not in_time
    assert not said
    assert [r.outcome for r in replies] == [Outcome.FAILED] * 3
    assert "0.01 s" in replies[0].detail


def test_the_gauges_obey_little_s_law_exactly() -> None:
    """Over a window that starts and ends empty, the area under L(t) is the sum of the times inside."""
    log = Log()

    async def work(batcher: Batcher) -> tuple[float, float]:
        await asyncio.gather(*(batcher.submit(x, batcher.clock() + 0.003) for x in inputs(60)))
        assert batcher.inside.count == batcher.waiting.count == 0
        now = batcher.clock()
        return batcher.inside.until(now), batcher.waiting.until(now)

    inside, waiting = run(work, limits=Limits(4, 0.002, 90), observers=[log])
    taken = [r for r in log.records if r.queued_s is not None]
    assert len(log.records) == 60
    assert inside == pytest.approx(sum(r.finished_s - r.queued_s for r in taken), abs=1e-9)
    left = [r.finished_s if r.started_s is None else r.started_s for r in taken]
    assert waiting == pytest.approx(sum(t - r.queued_s for t, r in zip(left, taken, strict=True)), abs=1e-9)


def test_an_observer_s_bug_costs_nobody_an_answer() -> None:
    class Broken(Log):
        def ended(self, record: Record) -> None:
            raise KeyError("observer")

    said = []

    async def work(batcher: Batcher) -> list[Reply]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))
        return await all_at_once(inputs(5))(batcher)

    replies = run(work, observers=[Broken()])
    assert {r.outcome for r in replies} == {Outcome.ANSWERED}
    assert len(said) == 5


@pytest.mark.parametrize(
    "x", [np.ones((2, 4)), np.ones(3), np.ones((0, 3)), np.array([[1, np.nan, 2]]), np.full((1, 3), 1e39)]
)
def test_what_would_spoil_a_batch_is_refused_in_the_caller(x: np.ndarray) -> None:
    async def work(batcher: Batcher) -> None:
        await batcher.submit(x)

    with pytest.raises(ValueError, match=r"x must be \(n, 3\) numbers that are finite"):
        run(work)
