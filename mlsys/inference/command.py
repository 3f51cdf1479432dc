"""What `mlsys serve` takes and does. What it needs is imported when it runs, so that `mlsys --help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    model: Annotated[str, typer.Argument(help="digits-mlp, wide-mlp:WIDTH or conv-net:WIDTH.")],
    port: Annotated[int, typer.Option(help="Where to listen; 0 for any that is free.")] = 8000,
    host: Annotated[str, typer.Option(help="On which address; only this machine by default.")] = "127.0.0.1",
    max_batch: Annotated[int, typer.Option(help="Most samples computed at once.")] = 16,
    max_wait_ms: Annotated[float, typer.Option(help="Longest wait for others to join a batch.")] = 2.0,
    queue: Annotated[int, typer.Option(help="Most samples that wait; what is beyond gets 429.")] = 256,
    deadline_ms: Annotated[float, typer.Option(help="Of requests that name none; beyond it 504.")] = 1000.0,
    threads: Annotated[int, typer.Option(help="Threads of one batch's computation.")] = 1,
    drain_s: Annotated[float, typer.Option(help="Longest that a stop waits for those in flight.")] = 30.0,
    record: Annotated[
        Path | None, typer.Option(help="Append one JSON line a request.", metavar="FILE")
    ] = None,
) -> None:
    """Serve a model over HTTP with dynamic batching. Ctrl-C or SIGTERM finishes what is in flight, and ends it."""
    try:
        from mlsys.inference.serve.served import named

        named(model)  # before torch is imported, which takes a second
        import torch

        from mlsys.core.checks import whole
        from mlsys.inference.serve import models, server
        from mlsys.inference.serve.policy import Limits

        limits = Limits(max_batch, max_wait_ms / 1e3, queue)
        settings = server.Settings(limits, host, port, deadline_ms, drain_s, record)
        torch.set_num_threads(whole(1, threads=threads))
        status = server.serve(models.model(model), settings)
    except ModuleNotFoundError as error:
        _end(f"No {error.name} here. Install what serving needs: pip install 'mlsys[serve]'")
    except (ValueError, TypeError, OSError) as error:
        _end(str(error))
    else:
        raise typer.Exit(status)


def _end(said: str) -> None:
    """With the status of what the caller can mend, and without a traceback."""
    typer.secho(said, fg="red", err=True)
    raise typer.Exit(2) from None
