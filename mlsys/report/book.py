"""Build the book: `python -m mlsys.report.book`. A page runs again when what it imports has changed.

jupyter-cache keys a page by its own cells alone, so that a change in the package would leave old figures in the
book. Before each build the pages whose imports (or versions, or records) changed are taken out of the cache.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from mlsys.report.closure import PACKAGE, digest, imported

CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADER = re.compile(r"\A(?:---\n.*?^---\n|(?::[^\n]*\n)+)", re.MULTILINE | re.DOTALL)


def code(page: Path) -> str:
    """The Python of a MyST page's code cells, without their options and IPython's magics."""
    cells = (HEADER.sub("", cell) for cell in CELL.findall(page.read_text(encoding="utf-8")))
    lines = "\n".join(cells).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


def key(page: Path, root: Path) -> str:
    """What a page's figures depend on beside its own cells: the code that it imports, versions, records."""
    source = code(page)
    extra = [root / "constraints.txt"]
    if "record" in source:
        extra += (root / "benchmarks" / "records").glob("*.json")
    return digest(imported(source), extra)


def forget_changed(root: Path, cache_folder: Path) -> list[str]:
    """Take the pages whose key has changed out of the execution cache; their paths."""
    from jupyter_cache import get_cache

    keys_file = cache_folder / "keys.json"
    pages = sorted((root / "book").rglob("*.md"))
    keys = {p.relative_to(root).as_posix(): key(p, root) for p in pages if CELL.search(p.read_text("utf-8"))}
    old = json.loads(keys_file.read_text()) if keys_file.exists() else {}
    changed = [page for page, value in keys.items() if old.get(page) != value]
    cache = get_cache(cache_folder)
    for record in cache.list_cache_records():
        page = Path(record.uri).resolve().relative_to(root).as_posix()
        if page in changed or page not in keys:
            cache.remove_cache(record.pk)
    cache_folder.mkdir(parents=True, exist_ok=True)
    keys_file.write_text(json.dumps(keys, indent=1))
    return changed


def build(root: Path) -> int:
    """Run Jupyter Book with warnings as errors; its exit code."""
    forget_changed(root, root / "_build" / ".jupyter_cache")
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        str(root),
        "-n",
        "-W",
        "--keep-going",
    ]
    done = subprocess.run(command, check=False).returncode
    index = root / "_build" / "html" / "index.html"
    if done == 0 and not index.exists():
        print(f"the build ended without an error, but wrote no {index}", file=sys.stderr)
        return 1
    return done


if __name__ == "__main__":
    sys.exit(build(PACKAGE.parent))
