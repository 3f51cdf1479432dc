"""What the server remembers of each request and batch: one JSON line a request, and areas under two gauges."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple, Protocol

from mlsys.inference.serve.policy import Outcome


class Record(NamedTuple):
    """One request; times in seconds on the server's monotonic clock.

    arrived_s : its head had been read;  queued_s : the queue took it in, None if it never did
    started_s : its batch started;  finished_s : its batch ended, or it was refused
    Ids and the clock begin anew with each process.
    batch_samples : of its whole batch, None if it was not computed;  detail : why, where it was not answered
    """

    id: int | None
    samples: int | None
    arrived_s: float
    queued_s: float | None
    started_s: float | None
    finished_s: float
    batch_samples: int | None
    outcome: Outcome
    detail: str = ""


class Observer(Protocol):
    """What wants to know: of every request when it has ended, of every batch when it was computed."""

    def ended(self, record: Record) -> None: ...

    def computed(self, samples: int, model_s: float) -> None: ...


class Area:
    """The integral of a count over time, from its first moment on: of L(t) requests, in request-seconds.

    Over a window in which it starts and ends at zero this is the sum of the times that each was counted, exactly:
    Little's law, L = lambda W, before anything is divided by the window's length.
    """

    def __init__(self, now_s: float) -> None:
        self.count = 0
        self._until, self._at = 0.0, now_s

    def change(self, by: int, now_s: float) -> None:
        """So many more, or fewer, from now on."""
        self._until, self._at = self.until(now_s), now_s
        self.count += by

    def until(self, now_s: float) -> float:
        """The integral up to now."""
        return self._until + self.count * (now_s - self._at)


class RecordFile:
    """Appends each record to a file as a line of JSON, at once: what is killed loses no line that was written.

    A file that cannot be written any more, on a full disk, is said once on stderr and counted; requests are
    answered all the same.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self.path, self.lost = path, 0

    def ended(self, record: Record) -> None:
        try:
            self._file.write(json.dumps(record._asdict()) + "\n")
        except OSError as error:
            if not self.lost:
                print(f"The record {self.path} has gaps from here on: {error}", file=sys.stderr)
            self.lost += 1

    def close(self) -> None:
        self._file.close()

    def computed(self, samples: int, model_s: float) -> None:
        """Batches are in their requests' lines."""


def read(path: Path) -> list[Record]:
    """The records of a file, in the order in which requests ended. Raises ValueError, naming a line that is none."""
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            fields = json.loads(line)
            records.append(Record(**{**fields, "outcome": Outcome(fields["outcome"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"line {number} of {path} is no record: {error}. Was the server killed?"
            ) from error
    return records
