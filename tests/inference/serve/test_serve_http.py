"""The real server in a process of its own, over loopback: every request is accounted for, and no answer is wrong."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from mlsys.inference.serve import Outcome
from mlsys.inference.serve.client import Client, Reply, Serving
from mlsys.inference.serve.records import read
from mlsys.inference.serve.server import listening

Start = Callable[..., AbstractContextManager[Serving]]
Burst = Callable[..., list[tuple[np.ndarray, Reply]]]
Pairs = list[tuple[np.ndarray, Reply]]


def wrong(pairs: Pairs) -> int:
    """Answers that are not the model's."""
    return sum(
        reply.status == 200 and not np.array_equal(reply.outputs, np.stack([x.sum(1), 2 * x[:, 0]], 1))
        for x, reply in pairs
    )


def until(true: Callable[[], bool], within_s: float = 10) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)


def in_thread(work: Callable[[], Pairs]) -> tuple[threading.Thread, Pairs]:
    """The work begun, and where its pairs will be once it is joined."""
    pairs: Pairs = []
    thread = threading.Thread(target=lambda: pairs.extend(work()))
    thread.start()
    return thread, pairs


def outcomes(client: Client) -> dict[str, int]:
    """The server's own counts, without those at zero."""
    prefix = 'mlsys_requests_total{outcome="'
    found = {k.removeprefix(prefix)[:-2]: int(v) for k, v in client.metrics().items() if k.startswith(prefix)}
    return {k: v for k, v in found.items() if v}


@pytest.fixture(scope="module")
def server(faulty: Start) -> Iterator[Serving]:
    with faulty(0.0) as running:
        yield running


@pytest.fixture
def client(server: Serving) -> Iterator[Client]:
    with Client(server.port) as one:
        yield one


def test_answers_and_health(client: Client) -> None:
    reply = client.predict([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert reply.status == 200
    assert reply.outputs.tolist() == [[10, 2], [26, 10]]
    assert not reply.late
    assert client.ask("GET", "/health")[0] == 200
    assert client.health() == {
        "live": True,
        "ready": True,
        "model": "faulty",
        "inputs": 4,
        "outputs": 2,
        "max_batch": 4,
        "deadline_ms": 20_000,
    }


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"no json", 400, "not JSON"),
        (b'{"inputs": [[1, 2, 3]]}', 400, "inputs[0] must have 4 numbers; got 3"),
        (b'{"inputs": [[1, 2, 3, NaN]]}', 400, "NaN is no number of JSON"),
        (b'{"inputs": [' + b"[1, 2, 3, 4], " * 4 + b"[1, 2, 3, 4]]}", 413, "inputs has 5 rows"),
        (b" " * (5 * 2**20), 413, "the body has 5242880 bytes; at most 4194304 are read"),
        (b'{"inputs": [[-1, 0, 0, 0]]}', 500, "the model raised ArithmeticError: told to"),
        (b'{"inputs": [[-2, 0, 0, 0]]}', 500, "the model returned NaN or inf for this request"),
        (b'{"inputs": [[-3, 0, 0, 0]]}', 500, "the model returned shape (0, 2), not (1, 2)"),
        (b'{"inputs": [[1, 2, 3, 4]], "deadline_ms": 0.000001}', 504, "the deadline passed"),
    ],
    ids=str,
)
def test_what_is_not_answered_says_why_and_the_server_goes_on(
    client: Client, body: bytes, status: int, said: str
) -> None:
    reply = client.send(body)
    assert (reply.status, reply.outputs) == (status, None)
    assert said in reply.error
    assert client.predict([[1, 2, 3, 4]]).status == 200


def test_other_paths_and_methods_are_named(client: Client) -> None:
    status, text, _ = client.ask("GET", "/nothing")
    assert status == 404
    assert b"GET /nothing: Not Found. There are POST /predict" in text
    status, _, headers = client.ask("GET", "/predict")
    assert status == 405
    assert headers["allow"] == "POST"


def test_a_client_that_goes_away_within_its_body_is_counted(server: Serving, client: Client) -> None:
    before = outcomes(client).get("bad input", 0)
    with socket.create_connection(("127.0.0.1", server.port)) as gone:
        gone.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.05)  # so that the head is read before the end comes
    until(lambda: outcomes(client).get("bad input", 0) == before + 1)


def test_no_answer_waits_for_an_acknowledgement() -> None:
    """asyncio switches Nagle's algorithm off where the protocol is TCP by name: else each answer takes 40 ms."""
    with listening("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_overload_is_refused_and_everything_is_accounted_for(
    faulty: Start, burst: Burst, tmp_path: Path
) -> None:
    """A burst of 40 on a queue of 8 samples; the client's counts, the metrics and the record agree."""
    file = tmp_path / "record.jsonl"
    with faulty(0.02, "--record", str(file)) as running:
        pairs = burst(running.port, 40, each=2)
        with Client(running.port) as client:
            counted, metrics = outcomes(client), client.metrics()
            full = client.ask("GET", "/health")[0]
    statuses = Counter(reply.status for _, reply in pairs)
    assert full == 200
    assert sum(statuses.values()) == 80
    assert set(statuses) == {200, 429}
    assert wrong(pairs) == 0
    assert counted == {"answered": statuses[200], "full": statuses[429]}
    assert {reply.error for _, reply in pairs if reply.status == 429} == {"the queue is full"}
    records = read(file)
    assert Counter(str(r.outcome) for r in records) == counted
    computed = sum(len(x) for x, reply in pairs if reply.status == 200)
    assert metrics["mlsys_batch_samples_sum"] == computed
    assert metrics['mlsys_batch_samples_bucket{le="4.0"}'] == metrics["mlsys_batch_samples_count"]
    assert metrics["mlsys_latency_seconds_count"] == metrics["mlsys_queue_seconds_count"] == statuses[200]
    assert metrics["mlsys_queue_depth"] == 0
    taken = [r for r in records if r.queued_s is not None]
    assert metrics["mlsys_requests_inside_seconds_total"] == pytest.approx(
        sum(r.finished_s - r.queued_s for r in taken), abs=1e-6
    )  # Little's law over the whole window, against the server's own gauge
    assert metrics["mlsys_requests_waiting_seconds_total"] == pytest.approx(
        sum(r.started_s - r.queued_s for r in taken), abs=1e-6
    )


def test_refusals_say_when_to_come_again_and_deadlines_are_kept(faulty: Start, burst: Burst) -> None:
    """The model takes longer than the deadline: what it computes is late, what waits meanwhile is refused."""
    with faulty(1.0) as running, Client(running.port) as client:
        thread, first = in_thread(lambda: burst(running.port, 1, deadline_ms=500))
        until(lambda: client.metrics()["mlsys_requests_inside"] == 1)
        filling, waiting = in_thread(
            lambda: burst(running.port, 5, deadline_ms=800)
        )  # 7 samples of a queue of 8
        until(lambda: client.metrics()["mlsys_queue_depth"] == 7)
        body = b'{"inputs": [[1, 2, 3, 4], [1, 2, 3, 4]]}'
        status, _, headers = client.ask("POST", "/predict", body)
        assert (status, headers["retry-after"]) == (429, "1")
        thread.join()
        filling.join()
        assert [(r.status, r.late) for _, r in first] == [(200, True)]
        assert {r.status for _, r in waiting} == {504}
        assert wrong(first) == 0
        assert outcomes(client) == {"late": 1, "expired": 5, "full": 1}


def test_sigterm_finishes_what_is_in_flight_and_refuses_what_is_new(faulty: Start, burst: Burst) -> None:
    with faulty(0.5) as running, Client(running.port) as client:
        thread, pairs = in_thread(lambda: burst(running.port, 6))
        until(lambda: client.metrics()["mlsys_requests_inside"] + outcomes(client).get("answered", 0) == 6)
        running.process.send_signal(signal.SIGTERM)
        until(lambda: client.ask("GET", "/health")[0] == 503)
        assert not client.health()["ready"]
        status, text, headers = client.ask("POST", "/predict", b'{"inputs": [[1, 2, 3, 4]]}')
        assert (status, headers["retry-after"]) == (503, "1")
        assert b"about to stop" in text
        thread.join()
        assert running.process.wait(10) == 0
        assert [r.status for _, r in pairs] == [200] * 6
        assert wrong(pairs) == 0
        assert client.predict([[1, 2, 3, 4]]).status == 0  # nobody is there any more, and the client says so


def test_a_model_that_hangs_cannot_hold_up_the_end(faulty: Start) -> None:
    with faulty(0.0, "--drain-s", "0.2") as running, Client(running.port) as client:
        hung: list[Reply] = []

        def ask() -> None:
            with Client(running.port) as one:
                hung.append(one.send(b'{"inputs": [[-4, 0, 0, 0]]}'))

        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: client.metrics()["mlsys_requests_inside"] == 1)
        running.process.send_signal(signal.SIGTERM)
        thread.join()
        assert (hung[0].status, hung[0].outputs) == (500, None)
        assert "the server stopped 0.2 s after it was told to" in hung[0].error
        assert running.process.wait(10) == 1


def test_kill_and_restart(faulty: Start, burst: Burst, tmp_path: Path) -> None:
    """Whoever was in flight fails visibly; the record keeps what was written, and goes on after the restart."""
    file = tmp_path / "record.jsonl"
    with faulty(0.05, "--queue", "64", "--record", str(file)) as running:
        thread, pairs = in_thread(lambda: burst(running.port, 16, each=4))
        until(lambda: file.read_text().count("\n") >= 8)
        running.process.kill()
        thread.join()
        running.process.wait(10)
    statuses = Counter(reply.status for _, reply in pairs)
    assert sum(statuses.values()) == 64
    assert set(statuses) == {200, 0}
    assert wrong(pairs) == 0
    assert all(reply.error for _, reply in pairs if not reply.status)
    answered = len(read(file))
    assert answered >= statuses[200]  # an answer may have been computed and not sent
    with faulty(0.0, "--record", str(file)) as again:
        pairs = burst(again.port, 4)
    assert [r.status for _, r in pairs] == [200] * 4
    assert [r.outcome for r in read(file)][answered:] == [Outcome.ANSWERED] * 4
