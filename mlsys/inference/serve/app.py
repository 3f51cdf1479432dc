"""The server's HTTP side, an ASGI application.

POST /predict {"inputs": [[...], ...], "deadline_ms": number or none} -> {"outputs": [[...], ...], "late": bool}
GET /health, GET /metrics
Whatever is not answered gets {"error": "what was wrong", "outcome": "..."}, and one of the statuses of STATUS.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from mlsys.inference.serve import body
from mlsys.inference.serve.batcher import Batcher
from mlsys.inference.serve.meters import Meters
from mlsys.inference.serve.policy import Outcome
from mlsys.inference.serve.records import Record

STATUS = {
    Outcome.ANSWERED: 200,
    Outcome.LATE: 200,
    Outcome.FULL: 429,
    Outcome.DRAINING: 503,
    Outcome.EXPIRED: 504,
    Outcome.TOO_LARGE: 413,
    Outcome.FAILED: 500,
}
RETRY = {429, 503}  # with Retry-After: the same request may be answered later, or elsewhere
MOST_BYTES = 4 * 2**20


class Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False).encode()


class Service:
    """The routes around one batcher.

    deadline_ms : of a request that names none;  most_bytes : the largest body
    """

    def __init__(self, batcher: Batcher, deadline_ms: float, most_bytes: int = MOST_BYTES) -> None:
        self.batcher, self.deadline_ms, self.most_bytes = batcher, deadline_ms, most_bytes
        self.meters = Meters(batcher)
        batcher.observers.append(self.meters)

    def app(self) -> Starlette:
        """The ASGI application; its shutdown drains the batcher."""

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with self.batcher:
                yield

        routes = [
            Route("/predict", self.predict, methods=["POST"]),
            Route("/health", self.health, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]
        return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _no_route})

    async def predict(self, request: Request) -> Response:
        arrived_s = self.batcher.clock()
        model, limits = self.batcher.model, self.batcher.limits
        try:
            asked = body.parse(await body.read(request, self.most_bytes), model.inputs, limits.max_batch)
        except body.BadInput as error:
            self._bad_input(arrived_s, str(error))
            return _error(error.status, Outcome.BAD_INPUT, str(error))
        except ClientDisconnect:
            self._bad_input(arrived_s, "the client went away before its body had come")
            return Response(status_code=400)  # which nobody reads
        deadline_ms = self.deadline_ms if asked.deadline_ms is None else asked.deadline_ms
        reply = await self.batcher.submit(asked.inputs, arrived_s + deadline_ms / 1e3, arrived_s)
        if reply.outputs is None:
            return _error(STATUS[reply.outcome], reply.outcome, reply.detail)
        return Json({"outputs": reply.outputs.tolist(), "late": reply.outcome is Outcome.LATE})

    def _bad_input(self, arrived_s: float, detail: str) -> None:
        times = arrived_s, None, None, self.batcher.clock()
        record = Record(None, None, *times, None, Outcome.BAD_INPUT, detail)
        for observer in self.batcher.observers:
            observer.ended(record)

    async def health(self, request: Request) -> Response:
        batcher, ready = self.batcher, not self.batcher.draining
        about = {
            "live": True,
            "ready": ready,
            "model": batcher.model.name,
            "inputs": batcher.model.inputs,
            "outputs": batcher.model.outputs,
            "max_batch": batcher.limits.max_batch,
            "deadline_ms": self.deadline_ms,
        }
        return Json(about, 200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        return Response(self.meters.text(), headers={"content-type": CONTENT_TYPE_LATEST})


def _error(status: int, outcome: Outcome, message: str) -> Response:
    headers = {"Retry-After": "1"} if status in RETRY else None
    return Json({"error": message, "outcome": outcome.value}, status, headers)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = f"{request.method} {request.url.path}: {error.detail}. There are POST /predict, GET /health, GET /metrics."
    return Json({"error": said}, error.status_code, error.headers)
