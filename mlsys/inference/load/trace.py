"""What a run under load leaves behind: every sample, when it was due, sent and over, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mlsys.inference.load.scenarios import MultiStream, Scenario
from mlsys.inference.load.system import Failed, Refused
from mlsys.inference.metrics.latency import Latencies

ENDS = ("answered", "refused", "failed", "unaccounted")


@dataclass(frozen=True, eq=False)
class Trace:
    """Arrays of one entry a sample, in the order of issue; times in seconds from the start.

    query : which arrival it belonged to;  index : which of the data set's samples it was
    scheduled_s, issued_s : due, and handed over;  ended_s : `done` was called; NaN if never
    answers : what came back, None where answers were not kept or nothing came
    end : index into ENDS: every sample has exactly one
    strays : calls of `done` that belong to no open sample: a second answer, an unknown id
    stopped : why the run ended early, if it did;  wall_s : from the start to the last end or issue
    """

    scenario: Scenario
    seed: int
    query: np.ndarray
    index: np.ndarray
    scheduled_s: np.ndarray
    issued_s: np.ndarray
    ended_s: np.ndarray
    end: np.ndarray
    answers: tuple[Any, ...]
    strays: int
    stopped: str | None
    wall_s: float

    def __len__(self) -> int:
        return len(self.query)

    @property
    def counts(self) -> dict[str, int]:
        """How many samples ended in which way; the sum is len(trace)."""
        return {name: int(np.sum(self.end == code)) for code, name in enumerate(ENDS)}

    @property
    def lateness_s(self) -> np.ndarray:
        """How long after it was due each sample was handed over: the load generator's own delay, or a closed loop's."""
        return self.issued_s - self.scheduled_s

    @cached_property
    def not_finite(self) -> np.ndarray:
        """(n,) bool: an answer that holds a NaN or an infinity. Only answers that were kept can be seen to."""
        return np.array([_not_finite(answer) for answer in self.answers], dtype=bool)

    def reasons(self) -> dict[str, int]:
        """Why samples were refused or failed, and how many for each reason."""
        found: dict[str, int] = {}
        for answer in self.answers:
            if isinstance(answer, Refused | Failed):
                key = f"{type(answer).__name__.lower()}: {answer.reason}"
                found[key] = found.get(key, 0) + 1
        return found

    def latencies(self, since: str = "scheduled", wrong: int = 0) -> Latencies:
        """The record of this run, a query a sample; of a multi-stream run a query is the lot, over with its last.

        since : "scheduled", when the user came, or "issued", when the generator got round to sending: the second
        leaves out what a query waited for its turn, and is here to show by how much.
        wrong : how many answers were found to be wrong (mlsys.inference.load.compare_answers)
        A lot ends as the worst of its samples does.
        """
        if since not in ("scheduled", "issued"):
            raise ValueError(f"since must be 'scheduled' or 'issued'; got {since!r}.")
        starts = self.scheduled_s if since == "scheduled" else self.issued_s
        end, took, nan = self.end, self.ended_s - starts, self.not_finite
        if isinstance(self.scenario, MultiStream) and len(self):
            lots = np.flatnonzero(np.diff(self.query, prepend=-1))
            end, took, nan = (np.maximum.reduceat(a, lots) for a in (end, took, nan))
        refused, failed, unaccounted = (int(np.sum(end == code)) for code in (1, 2, 3))
        return Latencies(
            latency_s=took[end == 0],
            wall_s=self.wall_s,
            refused=refused,
            failed=failed,
            unaccounted=unaccounted,
            wrong=wrong,
            not_finite=int(np.sum(nan & (end == 0))),
        )

    def data(self, wrong: int = 0) -> dict[str, Any]:
        """For JSON: the scenario, how the samples ended and why, how late they were issued, and the latencies."""
        late = np.sort(self.lateness_s)
        return {
            "scenario": {"name": type(self.scenario).__name__, **vars(self.scenario)},
            "seed": self.seed,
            "samples": len(self),
            **self.counts,
            "reasons": self.reasons(),
            "answers_kept": int(
                sum((a is not None) & (e == 0) for a, e in zip(self.answers, self.end, strict=True))
            ),
            "strays": self.strays,
            "stopped": self.stopped,
            "lateness_s": {"p99": float(late[int(len(late) * 0.99)]), "most": float(late[-1])}
            if len(late)
            else None,
            "latency": self.latencies(wrong=wrong).data(),
        }

    def by_index(self) -> dict[int, Any]:
        """index -> answer, of what was answered and kept; of a sample sent several times, the last."""
        return {
            int(i): answer
            for i, answer, code in zip(self.index, self.answers, self.end, strict=True)
            if code == 0 and answer is not None
        }


def _not_finite(answer: Any) -> bool:
    if answer is None or isinstance(answer, Refused | Failed):
        return False
    numbers = np.asarray(answer.detach().cpu() if hasattr(answer, "detach") else answer)
    return bool(numbers.dtype.kind in "fc" and not np.isfinite(numbers).all())
