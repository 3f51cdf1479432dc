"""A model server behind HTTP as a system under test.

One thread with asyncio's transports and the few lines of HTTP/1.1 that a POST needs: on the machine that also runs the
server, what the client takes is the server's loss. (Measured, 8 connections and 16 numbers a sample: about 0.045 ms of
processor time a request; http.client in threads 0.09, h11 over asyncio's streams 0.12.)
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from mlsys.core.checks import positive, whole
from mlsys.inference.load.system import Done, Failed, Query, Refused

REFUSALS = (429, 503)
_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*\r\n", re.IGNORECASE)


class Http:
    """POSTs {"inputs": [sample, ...]} to a URL, and takes {"outputs": [answer, ...]}, over kept connections.

    connections : at most so many requests are under way; what is issued beyond them waits here, and its latency
        counts. To see a server refuse, let there be more than it queues.
    per_request : at most so many samples of one arrival in one request
    timeout_s : without its whole answer after that long, a request has failed
    A connection that the server has closed meanwhile, idle or killed, is opened anew.
    A status of 2xx with as many outputs as inputs is answered; 429 and 503 refused; all else, and a connection that
    breaks under way, has failed, and says why. Nothing is sent twice. Close it, or use it in a `with`.
    Raises ValueError if the URL is not http://host….
    Limit: a reply must give its Content-Length, as servers of JSON do; a chunked one has failed.
    """

    def __init__(
        self, url: str, connections: int = 16, per_request: int = 1, timeout_s: float = 10.0
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"url must be http://host[:port]/path; got {url!r}.")
        self.address = parts.hostname, parts.port or 80
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._free = whole(1, connections=connections)
        self._per_request = whole(1, per_request=per_request)
        self.timeout_s = positive(timeout_s=timeout_s)
        self._waiting: deque[tuple[Sequence[Query], Done]] = deque()
        self._woken = False
        self._idle: list[_Connection] = []
        self.connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def issue(self, queries: Sequence[Query], done: Done) -> None:
        for first in range(0, len(queries), self._per_request):
            self._waiting.append((queries[first : first + self._per_request], done))
        if not self._woken:  # waking a thread costs more than all the rest of this
            self._woken = True
            self._loop.call_soon_threadsafe(self.dispatch)

    def close(self) -> None:
        """Finish what is waiting, then close the connections."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # All below runs in the loop's thread.

    def dispatch(self) -> None:
        """Give what is waiting to idle connections, then to new ones."""
        self._woken = False
        self._idle = [connection for connection in self._idle if not connection.transport.is_closing()]
        while self._waiting and (self._idle or self._free):
            queries, done = self._waiting.popleft()
            try:
                body = json.dumps({"inputs": [_plain(query.sample) for query in queries]}).encode()
            except (TypeError, ValueError) as error:  # a sample that JSON has no form for
                _all(queries, done, Failed(f"not sent: {error}"))
                continue
            request = self._head + b"%d\r\n\r\n" % len(body) + body
            if self._idle:
                self._idle.pop().send(request, queries, done)
            else:
                self._free -= 1
                task = self._loop.create_task(self._connect(request, queries, done))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _connect(self, request: bytes, queries: Sequence[Query], done: Done) -> None:
        try:
            async with asyncio.timeout(self.timeout_s):
                _, connection = await self._loop.create_connection(lambda: _Connection(self), *self.address)
        except (OSError, UnicodeError) as error:  # the latter of a host's name
            self._free += 1
            _all(queries, done, Failed(_named(error)))
            self.dispatch()
            return
        if connection.transport.is_closing():
            _all(queries, done, Failed("the connection broke"))
        else:
            connection.send(request, queries, done)

    def idle(self, connection: _Connection) -> None:
        """A connection has had its answer."""
        self._idle.append(connection)
        self.dispatch()

    def lost(self, connection: _Connection) -> None:
        """A connection is no more."""
        if connection in self._idle:
            self._idle.remove(connection)
        self.connections.discard(connection)
        self._free += 1
        self.dispatch()

    async def _finish(self) -> None:
        while self._waiting or self._tasks or len(self._idle) < len(self.connections):
            await asyncio.sleep(0.001)
        while self.connections:
            for connection in self.connections:
                connection.transport.close()
            await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """One request at a time."""

    transport: asyncio.Transport

    def __init__(self, http: Http) -> None:
        self.http = http
        self.task: tuple[Sequence[Query], Done] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.http.connections.add(self)

    def send(self, request: bytes, queries: Sequence[Query], done: Done) -> None:
        self.task, self.reply, self.missing = (queries, done), b"", -1
        self.timer = self.http._loop.call_later(self.http.timeout_s, self._end, _LATE, True)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self.task is None:  # nobody asked: what is out of step cannot be trusted with a next request
            self.transport.abort()
            return
        self.reply += data
        if self.missing < 0:
            self._read_head()
        if self.task is not None and 0 <= self.missing <= len(self.reply):
            out_of_step = len(self.reply) > self.missing
            self._end(
                _answer(self.status, self.reply[: self.missing], len(self.task[0])),
                self.closes or out_of_step,
            )

    def _read_head(self) -> None:
        """Status and length, once they are in: from then on, reply is the body so far."""
        end = self.reply.find(b"\r\n\r\n")
        if end < 0:
            return
        head, self.reply = self.reply[: end + 2], self.reply[end + 4 :]
        status, length = _HEAD.match(head), _LENGTH.search(head)
        if status is None or length is None:
            self._end(Failed("a reply without status or Content-Length"), True)
            return
        self.status, self.missing, self.closes = (
            int(status[1]),
            int(length[1]),
            _CLOSE.search(head) is not None,
        )

    def connection_lost(self, error: Exception | None) -> None:
        if self.task is not None:
            self._end(Failed("the connection broke" + (f": {_named(error)}" if error else "")), False)
        self.http.lost(self)

    def _end(self, answer: Any, close: bool) -> None:
        """The one request's end."""
        assert self.task is not None
        (queries, done), self.task = self.task, None
        self.timer.cancel()
        if isinstance(answer, Failed | Refused):
            _all(queries, done, answer)
        else:
            for query, output in zip(queries, answer, strict=True):
                done(query.id, output)
        if close:
            self.transport.abort()
        elif not self.transport.is_closing():
            self.http.idle(self)


_LATE = Failed("timed out")


def _all(queries: Sequence[Query], done: Done, answer: Any) -> None:
    for query in queries:
        done(query.id, answer)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _plain(sample: Any) -> Any:
    return sample.tolist() if hasattr(sample, "tolist") else sample


def _answer(status: int, body: bytes, expected: int) -> Any:
    """The outputs, one for each input, or what is wrong."""
    if status in REFUSALS:
        return Refused(f"status {status}")
    if not 200 <= status < 300:
        return Failed(f"status {status}: {body[:200].decode(errors='replace')}")
    try:
        outputs = json.loads(body)["outputs"]
        if len(outputs) == expected:
            return outputs
        return Failed(f"{len(outputs)} outputs for {expected} inputs")
    except (ValueError, KeyError, TypeError) as error:
        return Failed(f"no JSON with outputs: {error!r}")
