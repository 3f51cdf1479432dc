"""HTTP as a system, against a small server of the standard library: every status, and every way to break."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from mlsys.inference.load import Http, Offline, Server, SingleStream, run, run_accuracy


class Handler(BaseHTTPRequestHandler):
    """Doubles its inputs; a first number below zero asks for trouble."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    opened: list[socket.socket]

    def setup(self):
        super().setup()
        self.opened.append(self.connection)

    def do_POST(self):
        inputs = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
        wish = inputs[0][0]
        if wish in (-429, -503, -500, -404):
            return self.reply(int(-wish), b'{"error": "no"}')
        if wish == -1:
            return self.connection.shutdown(socket.SHUT_RDWR)
        if wish == -6:
            return self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        if wish == -7:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf")
            return self.connection.shutdown(socket.SHUT_RDWR)
        if wish == -2:
            return self.reply(200, b"not json")
        if wish == -3:
            return self.reply(200, b'{"outputs": [1, 2, 3]}')
        if wish == -4:
            return self.reply(200, b'{"outputs": [[NaN]]}')
        if wish == -5:
            self.close_connection = True
            return time.sleep(0.3)
        return self.reply(200, json.dumps({"outputs": [[2 * v for v in row] for row in inputs]}).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving(port=0):
    """A server in a thread; at the end its connections break, as those of a killed process do."""
    handler = type("Counted", (Handler,), {"opened": []})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/predict", handler
        finally:
            server.shutdown()
            thread.join()
            for connection in handler.opened:
                with contextlib.suppress(OSError):  # closed already
                    connection.shutdown(socket.SHUT_RDWR)


def ends(samples, **more):
    """Each sample sent once, one after the other."""
    with serving() as (url, _), Http(url, connections=1, **more) as system:
        return run(system, samples, SingleStream(), indices=range(len(samples)))


def test_right_answers_over_kept_connections():
    samples = [np.array([i, i + 0.5]) for i in range(20)]
    with serving() as (url, handler), Http(url, connections=3) as system:
        for scenario in (Server(2000.0), Offline()):
            trace = run_accuracy(system, samples, scenario)
            assert trace.by_index() == {i: [2.0 * i, 2.0 * i + 1] for i in range(20)}
        assert 1 <= len(handler.opened) <= 3


def test_several_samples_in_one_request():
    samples = [[float(i)] for i in range(10)]
    with serving() as (url, _), Http(url, connections=2, per_request=4) as system:
        trace = run_accuracy(system, samples, Offline())
    assert trace.by_index() == {i: [2.0 * i] for i in range(10)}


@pytest.mark.parametrize(
    ("wish", "count", "reason"),
    [
        (-429, "refused", "refused: status 429"),
        (-503, "refused", "refused: status 503"),
        (-500, "failed", 'failed: status 500: {"error": "no"}'),
        (-404, "failed", 'failed: status 404: {"error": "no"}'),
        (-1, "failed", "failed: the connection broke"),
        (-2, "failed", "failed: no JSON with outputs"),
        (-3, "failed", "failed: 3 outputs for 1 inputs"),
        (-7, "failed", "failed: the connection broke"),
        (-6, "failed", "failed: a reply without status or Content-Length"),
    ],
)
def test_what_is_not_an_answer_is_seen(wish, count, reason):
    trace = ends([[1.0], [wish], [3.0]])
    assert trace.counts == {"answered": 2, "refused": 0, "failed": 0, "unaccounted": 0, count: 1}
    assert next(iter(trace.reasons())).startswith(reason)
    assert trace.by_index() == {0: [2.0], 2: [6.0]}


def test_nan_from_the_server_is_an_answer_that_is_not_finite():
    record = ends([[1.0], [-4]]).latencies()
    assert (record.answered, record.not_finite) == (2, 1)


def test_a_server_that_hangs_fails_that_request():
    trace = ends([[1.0], [-5], [3.0]], timeout_s=0.1)
    assert trace.counts == {"answered": 2, "refused": 0, "failed": 1, "unaccounted": 0}
    assert list(trace.reasons()) == ["failed: timed out"]


def test_a_sample_without_a_json_form_fails():
    trace = ends([[1.0], [{1, 2}], [3.0]])
    assert trace.counts == {"answered": 2, "refused": 0, "failed": 1, "unaccounted": 0}
    assert next(iter(trace.reasons())).startswith("failed: not sent")


def test_no_server_and_then_one_again():
    """Killed between two runs and started again: the same system goes on, on new connections."""
    with serving() as (url, _):
        system = Http(url, connections=2)
        assert run(system, [[1.0]], Offline(4)).counts["answered"] == 4
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    with system:
        gone = run(system, [[1.0]], Offline(4))
        assert gone.counts["failed"] == 4
        assert all(reason.startswith("failed: ") for reason in gone.reasons())
        with serving(port):
            assert run(system, [[1.0]], Offline(4)).counts["answered"] == 4


def test_a_connection_that_the_server_closes_when_idle_is_opened_anew():
    with serving() as (url, handler), Http(url, connections=1) as system:
        for k in range(3):
            assert run(system, [[1.0]], SingleStream(2)).counts["answered"] == 2
            handler.opened[k].shutdown(socket.SHUT_RDWR)
            while system.connections:
                time.sleep(0.001)  # until word of it has come
        assert len(handler.opened) == 3


@pytest.mark.parametrize("url", ["localhost:80/predict", "https://host/x", "http:///predict"])
def test_what_is_no_url(url):
    with pytest.raises(ValueError, match="url must be http"):
        Http(url)
