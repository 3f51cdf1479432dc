"""A server whose model is told by its input how to fail, started as a script: python faulty_server.py SECONDS …

A row of 4 numbers gets (its sum, twice its first), after so many seconds a batch, unless its first number says:
-1 raise, -2 NaN, -3 too few outputs, -4 never return.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path

import numpy as np

from mlsys.inference.serve import Limits
from mlsys.inference.serve.served import Served
from mlsys.inference.serve.server import Settings, serve


def model(seconds: float) -> Served:
    def predict(x: np.ndarray) -> np.ndarray:
        time.sleep(seconds)
        first = x[:, 0]
        if (first == -1).any():
            raise ArithmeticError("told to")
        if (first == -4).any():
            threading.Event().wait()
        y = np.stack([x.sum(1), 2 * first], axis=1)
        y[first == -2, 0] = np.nan
        return y[1:] if (first == -3).any() else y

    return Served("faulty", 4, 2, predict)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float)
    parser.add_argument("--max-batch", type=int, default=4)
    parser.add_argument("--queue", type=int, default=8)
    parser.add_argument("--deadline-ms", type=float, default=20_000)
    parser.add_argument("--drain-s", type=float, default=20)
    parser.add_argument("--record", type=Path)
    asked = parser.parse_args()
    limits = Limits(asked.max_batch, 0.002, asked.queue)
    settings = Settings(limits, "127.0.0.1", 0, asked.deadline_ms, asked.drain_s, asked.record)
    sys.exit(serve(model(asked.seconds), settings))
