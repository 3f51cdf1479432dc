"""Energy per prediction: measured by a counter, or estimated from a declared model, and never the two together."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from mlsys.core.checks import nonnegative, whole

Kind = Literal["measured", "estimated"]


class Backend(Protocol):
    """read() tells joules since some moment; two readings bracket a run."""

    name: str
    kind: Kind

    def read(self) -> Any: ...

    def joules(self, before: Any, after: Any) -> float: ...


@dataclass(frozen=True)
class Energy:
    """The energy of a run of `predictions`, by one backend.

    joules : all of it, the idle machine's included;  idle_watts : what the machine takes doing nothing
    kind : "measured" or "estimated". Adding one to the other raises TypeError: the sum would be neither.
    """

    joules: float
    seconds: float
    predictions: int
    idle_watts: float
    kind: Kind
    backend: str

    @property
    def joules_per_prediction(self) -> float:
        return self.joules / self.predictions

    @property
    def above_idle_joules(self) -> float:
        """What the run cost beyond letting the machine stand: joules - idle_watts * seconds."""
        return self.joules - self.idle_watts * self.seconds

    def __add__(self, other: Energy) -> Energy:
        if not isinstance(other, Energy):
            return NotImplemented
        if (self.kind, self.backend) != (other.kind, other.backend):
            raise TypeError(
                f"a figure {self.kind} by {self.backend} and one {other.kind} by {other.backend} have no sum. "
                "Report them side by side, or take both by one backend."
            )
        seconds = self.seconds + other.seconds
        idle = self.idle_watts * self.seconds + other.idle_watts * other.seconds
        return Energy(
            self.joules + other.joules,
            seconds,
            self.predictions + other.predictions,
            idle / seconds if seconds else self.idle_watts,
            self.kind,
            self.backend,
        )

    def data(self) -> dict[str, Any]:
        more = ("joules_per_prediction", "above_idle_joules")
        return {**asdict(self), **{name: getattr(self, name) for name in more}}


class Rapl:
    """Measured: the processors' own counters (Intel's RAPL, which AMD has too), through Linux's powercap.

    Adds up, in joules, the packages and the memory beside them ("dram"), where it is counted. "core" and "uncore" are
    parts of a package, and "psys" contains it all: neither is added. A counter turns over at its
    max_energy_range_uj: one turn between two readings is seen, more are not, so let no run be longer than range / watts
    (often 20 minutes or more).
    Raises OSError, naming what to do, where there is no counter or it may not be read.
    """

    name: str = "RAPL"
    kind: Kind = "measured"

    def __init__(self, root: Path = Path("/sys/class/powercap")) -> None:
        self.domains = [
            path
            for path in sorted(root.glob("intel-rapl:*"))
            if (path / "name").read_text().startswith(("package", "dram"))
        ]
        if not self.domains:
            raise OSError(f"no processor's energy counter in {root}. Use Declared, which estimates.")
        self.ranges = [int((path / "max_energy_range_uj").read_text()) for path in self.domains]
        self.read()  # the counters are often root's alone: say so before a run, not after

    def read(self) -> list[int]:
        """Microjoules of each."""
        try:
            return [int((path / "energy_uj").read_text()) for path in self.domains]
        except PermissionError as error:
            raise OSError(
                f"{error.filename} may not be read by this user. Ask for read permission, or use Declared."
            ) from error

    def joules(self, before: list[int], after: list[int]) -> float:
        turned = (
            b - a if b >= a else b - a + span for a, b, span in zip(before, after, self.ranges, strict=True)
        )
        return 1e-6 * sum(turned)


class Nvml:
    """Measured: a GPU's own counter of millijoules, through NVIDIA's management library (Volta and later).

    It does not see the host. Raises OSError where there is no driver, no such GPU, or no counter.
    """

    name: str = "NVML"
    kind: Kind = "measured"

    def __init__(self, index: int = 0) -> None:
        self._library = ctypes.CDLL("libnvidia-ml.so.1")  # OSError where there is none
        self._device = ctypes.c_void_p()
        self._call("nvmlInit_v2")
        self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(self._device))
        self.read()

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            raise OSError(f"{name} answered {code}: this GPU's energy cannot be read.")

    def read(self) -> int:
        """Millijoules since the driver was loaded."""
        value = ctypes.c_ulonglong()
        self._call("nvmlDeviceGetTotalEnergyConsumption", self._device, ctypes.byref(value))
        return value.value

    def joules(self, before: int, after: int) -> float:
        return 1e-3 * (after - before)


class Declared:
    """Estimated: joules = idle_watts * seconds + busy_watts * processor seconds of this process.

    idle_watts : of the whole machine;  busy_watts : what a busy core adds. Both are the caller's word, from a
    data sheet or a wall meter: the figure is as good as they are. Processes that this one starts are not seen.
    """

    kind: Kind = "estimated"

    def __init__(
        self,
        idle_watts: float,
        busy_watts: float,
        clock: Callable[[], float] = time.perf_counter,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self.idle_watts = nonnegative(idle_watts=idle_watts)
        self.busy_watts = nonnegative(busy_watts=busy_watts)
        self.name = f"declared, {idle_watts:g} W idle + {busy_watts:g} W a busy core"
        self._clocks = clock, processor

    def read(self) -> tuple[float, float]:
        """Seconds, and processor seconds."""
        clock, processor = self._clocks
        return clock(), processor()

    def joules(self, before: tuple[float, float], after: tuple[float, float]) -> float:
        wall, busy = (b - a for a, b in zip(before, after, strict=True))
        return self.idle_watts * wall + self.busy_watts * busy


def measured_backends() -> list[Backend]:
    """The counters that this machine lets us read; often none."""
    found: list[Backend] = []
    counters: tuple[Callable[[], Backend], ...] = (Rapl, Nvml)
    for counter in counters:
        try:
            found.append(counter())
        except OSError:
            continue
    return found


def energy_of(
    run: Callable[[], Any], predictions: int, backend: Backend, idle_s: float = 1.0
) -> tuple[Any, Energy]:
    """What run() returns, and its energy. A counter is first read over idle_s seconds of doing nothing.

    predictions : how many run() makes, >= 1. Work given to a GPU must be over when run() returns: synchronise in it.
    Raises ValueError if predictions < 1 or idle_s < 0. With idle_s = 0 the idle baseline of a counter is NaN.
    """
    predictions, idle_s = whole(1, predictions=predictions), nonnegative(idle_s=idle_s)
    idle = _idle_watts(backend, idle_s)
    began, before = time.perf_counter(), backend.read()
    result = run()
    after, seconds = backend.read(), time.perf_counter() - began
    return result, Energy(
        backend.joules(before, after), seconds, predictions, idle, backend.kind, backend.name
    )


def _idle_watts(backend: Backend, idle_s: float) -> float:
    if isinstance(backend, Declared):
        return backend.idle_watts
    if idle_s == 0:
        return math.nan
    began, before = time.perf_counter(), backend.read()
    time.sleep(idle_s)
    return backend.joules(before, backend.read()) / (time.perf_counter() - began)
