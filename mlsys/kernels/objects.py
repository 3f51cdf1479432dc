"""Machine code kept on disk: compiled once by Numba, loaded afterwards by llvmlite alone (30 ms, not 700)."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from mlsys.kernels import engine, lifting

_ENTRY = "mlsys_kernel"
_WRAPPER = """
define void @{entry}(ptr %head) {{
  %result = alloca ptr
  %error = alloca ptr
  %status = call i32 @{inner}(ptr %result, ptr %error, ptr %head)
  ret void
}}
"""


@functools.cache
def folder() -> Path:
    """MLSYS_CACHE_DIR, or the user's cache folder, or a temporary one if that is not ours to write."""
    home = Path.home()
    if sys.platform == "win32":
        usual = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        usual = home / "Library" / "Caches"
    else:
        usual = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    chosen = Path(os.environ.get("MLSYS_CACHE_DIR", usual / "mlsys")) / "kernels"
    try:
        chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _ours(chosen):
            return chosen
    except OSError:
        pass
    passing = Path(tempfile.mkdtemp(prefix="mlsys-kernels-"))
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    return passing


def _ours(path: Path) -> bool:
    """Whether we may write here and nobody else may: machine code is run from it."""
    if hasattr(os, "getuid") and (path.stat().st_uid != os.getuid() or path.stat().st_mode & 0o022):
        return False
    return os.access(path, os.W_OK | os.X_OK)


def kernel(body: Callable, slots: int, decay: bool, real: str) -> int:
    """The address of `void work(int64 *head)` for this body, from the cache or compiled now.

    real : "float32" or "float64"
    Raises NotImplementedError where the body cannot be lifted or Numba is missing.
    """
    return of(lifting.source(body, slots, decay), real)


def of(text: str, real: str) -> int:
    """The address of `void work(int64 *head)` for this source, from the cache or compiled now."""
    return _load(text, real)


@functools.cache
def _toolchain() -> str:
    """What a compiled kernel depends on besides its source."""
    here = Path(__file__).parent
    own = [(here / f"{name}.py").read_text() for name in ("intrinsics", "word_numba", "engine", "objects")]
    versions = (version("numba"), version("llvmlite"))
    return lifting.digest(*own, *versions, sys.platform, *engine.processor())


@functools.cache
def _load(text: str, real: str) -> int:
    path = folder() / f"{lifting.digest(text, real, _toolchain())}.o"
    try:
        code = path.read_bytes()
    except OSError:
        code = engine.emit(engine.parse(intermediate(text, real), _ENTRY))
        _write(path, code)
    return engine.link(code, _ENTRY)


def _write(path: Path, code: bytes) -> None:
    """All of the file or none of it, also when two processes write it at once."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(code)
    os.replace(part.name, path)


def intermediate(text: str, real: str) -> str:
    """Optimised LLVM code of a kernel's source, with `mlsys_kernel` as its entry, compiled by Numba."""
    try:
        import numba
        import numpy as np

        from mlsys.kernels import intrinsics, word_numba
    except ImportError as error:
        raise NotImplementedError(f"lifting needs Numba, which cannot be imported here: {error}") from error
    names = {"xp": np, "word": word_numba, "real": getattr(numba, real)}
    names |= {name: getattr(word_numba, name) for name in ("narrow", "scratch")}
    names |= {name: getattr(numba, name) for name in ("int64", "int32", "int16", "uint8")}
    names |= {name: getattr(intrinsics, name) for name in ("pointer", "load", "store", "take")}
    written = dict(names)
    exec(compile(text, "<lifted>", "exec"), written)  # our own text: loops around a body's source
    # No fast-math: a lifted body must round as NumPy does, operation by operation.
    compiled = numba.njit(error_model="numpy")
    for name in written.keys() - names.keys() - {"__builtins__", "work"}:
        written[name] = compiled(written[name])
    work = numba.cfunc("void(CPointer(int64))", error_model="numpy")(written["work"])
    # Numba's own C wrapper reports exceptions to Python, which a thread of a team may not touch, and the loops
    # raise none: the entry calls the function inside it.
    return work.inspect_llvm() + _WRAPPER.format(entry=_ENTRY, inner=work.native_name.removeprefix("cfunc."))
