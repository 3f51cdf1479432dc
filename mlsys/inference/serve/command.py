"""What `mlsys serve` does."""

from __future__ import annotations

import sys
from pathlib import Path

from mlsys.inference.serve.served import named


def serve(
    name: str,
    host: str = "127.0.0.1",
    port: int = 8000,
    max_batch: int = 16,
    max_wait_ms: float = 2.0,
    queue: int = 256,
    deadline_ms: float = 1000.0,
    threads: int = 1,
    drain_s: float = 30.0,
    record: Path | None = None,
) -> int:
    """Serve the model of this name until a signal ends it; the exit status, 2 for what the caller can mend."""
    try:
        named(name)  # before torch is imported, which takes a second
        import torch

        from mlsys.core.checks import whole
        from mlsys.inference.serve import server
        from mlsys.inference.serve.models import model
        from mlsys.inference.serve.policy import Limits
    except ValueError as error:
        print(str(error), file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"No {error.name} here. Install what serving needs: pip install 'mlsys[serve]'", file=sys.stderr
        )
        return 2
    try:
        limits = Limits(max_batch, max_wait_ms / 1e3, queue)
        settings = server.Settings(limits, host, port, deadline_ms, drain_s, record)
        torch.set_num_threads(whole(1, threads=threads))
        return server.serve(model(name), settings)
    except (ValueError, TypeError, OSError) as error:
        print(str(error), file=sys.stderr)
        return 2
