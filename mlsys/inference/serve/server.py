"""The process that serves: a socket on loopback, uvicorn around the application, a drain on SIGTERM."""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from mlsys.core.checks import positive, whole
from mlsys.inference.serve.app import Service
from mlsys.inference.serve.batcher import Batcher
from mlsys.inference.serve.policy import Limits
from mlsys.inference.serve.records import RecordFile
from mlsys.inference.serve.served import Served


@dataclass(frozen=True)
class Settings:
    """How to serve.

    port : 0 for any that is free;  deadline_ms : of a request that names none
    drain_s : how long requests in flight are waited for after SIGTERM or Ctrl-C
    record : a file that gets one JSON line a request
    Raises TypeError or ValueError if one does not fit.
    """

    limits: Limits = field(default_factory=Limits)
    host: str = "127.0.0.1"
    port: int = 8000
    deadline_ms: float = 1000.0
    drain_s: float = 30.0
    record: Path | None = None

    def __post_init__(self) -> None:
        positive(deadline_ms=self.deadline_ms)
        positive(drain_s=self.drain_s)
        if whole(port=self.port) > 65535:
            raise ValueError(f"port must be at most 65535; got {self.port}. Pass 0 for any that is free.")


class Server(uvicorn.Server):
    """uvicorn, which at SIGTERM or Ctrl-C first finishes what is in flight, while it refuses what is new with 503.

    drained : whether everything was finished in time; a second signal ends it at once
    """

    def __init__(self, config: uvicorn.Config, batcher: Batcher, drain_s: float, announce: str) -> None:
        super().__init__(config)
        self._batcher, self._drain_s, self._announce = batcher, drain_s, announce
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None
        self.drained = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        print(self._announce, flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is None or self._draining is not None:
            super().handle_exit(sig, frame)
            self.force_exit = self.force_exit or self._draining is not None
        else:
            self._loop.call_soon_threadsafe(self._start_drain)

    def _start_drain(self) -> None:
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        self.drained = await self._batcher.drained(self._drain_s)
        self.should_exit = True


def listening(host: str, port: int) -> socket.socket:
    """A bound socket, not yet listening. Raises OSError that names host and port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its name: asyncio switches Nagle's algorithm off only where the protocol says TCP. Left on, it holds an
    # answer's body back until its head is acknowledged, 40 ms later.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(
            f"cannot listen on {host}:{port}: {error.strerror}. --port 0 picks a free one."
        ) from error
    return bound


def serve(model: Served, settings: Settings, **options: Any) -> int:
    """Serve until a signal ends it; the exit status: 0 if everything in flight was finished, 1 if not.

    Says on stdout where it listens, once it does. options : of uvicorn.Config. Raises OSError if it cannot listen
    or cannot write the record.
    """
    with listening(settings.host, settings.port) as bound:
        record = None if settings.record is None else RecordFile(settings.record)
        batcher = Batcher(model, settings.limits, [] if record is None else [record])
        app = Service(batcher, settings.deadline_ms).app()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        announce = f"Serving {model.name} on http://{host}:{bound.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=5,
            timeout_keep_alive=75,  # a client that asks once a minute must not find its connection closed
            **options,
        )
        server = Server(config, batcher, settings.drain_s, announce)
        server.run(sockets=[bound])
        if record is not None:
            record.close()
    if not server.drained:
        print(f"Requests in flight were failed after {settings.drain_s:g} s of draining.", file=sys.stderr)
    return 0 if server.drained else 1
