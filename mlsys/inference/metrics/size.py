"""How large a model is: parameters, bytes in memory, bytes on disk, and the peak of a run's resident memory."""

from __future__ import annotations

import pickle
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Size:
    """parameters : how many numbers are learnt;  the rest in bytes; None where a model has no such thing

    What several layers share counts once. Packed weights of a quantised module are neither parameters nor buffers:
    for those only file_bytes tells the truth.
    """

    parameters: int | None
    parameter_bytes: int | None
    buffer_bytes: int | None
    file_bytes: int

    def data(self) -> dict[str, Any]:
        return asdict(self)


def size_of(model: Any) -> Size:
    """The size of a torch module, its state_dict saved; of any other model the file that pickle makes of it.

    Raises TypeError if the model cannot be saved.
    """
    if isinstance(model, torch.nn.Module):
        parameters, buffers = list(model.parameters()), list(model.buffers())
        return Size(
            parameters=sum(p.numel() for p in parameters),
            parameter_bytes=_bytes(parameters),
            buffer_bytes=_bytes(buffers),
            file_bytes=_saved(lambda path: torch.save(model.state_dict(), path)),
        )
    try:
        return Size(None, None, None, _saved(lambda path: path.write_bytes(pickle.dumps(model))))
    except (AttributeError, pickle.PicklingError, TypeError) as error:
        raise TypeError(
            f"a {type(model).__name__} that cannot be pickled has no size on disk: {error}. "
            "Pass the model itself, not a function that holds it."
        ) from error


def _bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)


def _saved(save: Callable[[Path], Any]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        save(path)
        return path.stat().st_size


class Peak(NamedTuple):
    """before_bytes : resident when the run began;  peak_bytes : the most while it ran

    of_run : False where the system only tells the peak of the whole process so far: then peak_bytes is no less than
        the run's, and may be an earlier one's
    """

    before_bytes: int
    peak_bytes: int
    of_run: bool

    @property
    def added_bytes(self) -> int:
        return self.peak_bytes - self.before_bytes


def peak_memory(run: Callable[[], Any]) -> tuple[Any, Peak]:
    """What run() returns, and the peak of this process's resident memory meanwhile, all its threads together.

    Linux keeps the peak since it was last reset, so the figure is the run's own, to some 0.5 MiB. Elsewhere
    `resource` has the peak of the process's life, and where there is none (Windows) OSError is raised before the run.
    Memory that the allocator kept from before is resident already: for a model's whole need, load it in the run
    and begin in a fresh process.
    """
    of_run = _reset()
    before = _resident()
    result = run()
    return result, Peak(before, max(before, _high()), of_run)


def _reset() -> bool:
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _status(key: str) -> int | None:
    if not _STATUS.exists():
        return None
    line = next((line for line in _STATUS.read_text().splitlines() if line.startswith(key)), None)
    return None if line is None else 1024 * int(line.split()[1])


def _resident() -> int:
    now = _status("VmRSS:")
    return _high() if now is None else now


def _high() -> int:
    now = _status("VmHWM:")
    return _of_life() if now is None else now


def _of_life() -> int:
    try:
        import resource
    except ImportError as error:
        raise OSError("this system tells no peak of resident memory; use Linux or macOS.") from error
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
