"""Build the book: `python -m mlsys.report.book`. A page runs again when what it imports has changed.

jupyter-cache keys a page by its own cells alone, so that a change in the package would leave old figures in the
book. Before each build the pages whose imports (or versions, or records) changed are taken out of the cache.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from mlsys.report.closure import PACKAGE, digest, imported

CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
GLUED = re.compile(r"^:doc:\s*(\S+)", re.MULTILINE)
STYLES = "book/_static"
HEADER = re.compile(r"\A(?:---\n.*?^---\n|(?::[^\n]*\n)+)", re.MULTILINE | re.DOTALL)


def code(page: Path) -> str:
    """The Python of a MyST page's code cells, without their options and IPython's magics."""
    cells = (HEADER.sub("", cell) for cell in CELL.findall(page.read_text(encoding="utf-8")))
    lines = "\n".join(cells).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


def key(page: Path, root: Path) -> str:
    """What a page's figures depend on: its cells, the code that they import, versions, records."""
    source = code(page)
    extra = [root / "constraints.txt"]
    if "record" in source:
        extra += (root / "benchmarks" / "records").glob("*.json")
    cells = hashlib.sha256(source.encode()).hexdigest()
    return cells[:16] + digest(imported(source), extra)


def gluers(changed: set[Path], pages: list[Path]) -> set[Path]:
    """The pages that show what one of the changed pages has glued."""
    return {
        page
        for page in pages
        if any((page.parent / named).resolve() in changed for named in GLUED.findall(page.read_text("utf-8")))
    }


def forget_changed(root: Path, build_folder: Path) -> list[str]:
    """Make the next build run the pages whose key has changed, and write those that show their results; which.

    Sphinx looks at nothing but a page's own text, so that its parsed form has to go too. If a style changed, Sphinx
    has to write everything again, or it would not even copy it.
    """
    from jupyter_cache import get_cache

    cache_folder = build_folder / ".jupyter_cache"
    keys_file = cache_folder / "keys.json"
    pages = sorted((root / "book").rglob("*.md"))
    with_cells = [page for page in pages if CELL.search(page.read_text("utf-8"))]
    keys = {page.relative_to(root).as_posix(): key(page, root) for page in with_cells}
    static = [path for path in (root / "book" / "_static").rglob("*") if path.is_file()]
    styles = digest((), static)
    old = json.loads(keys_file.read_text()) if keys_file.exists() else {}
    changed = [page for page, value in keys.items() if old.get(page) != value]
    cache = get_cache(cache_folder)
    for record in cache.list_cache_records():
        kept = Path(record.uri).resolve().relative_to(root).as_posix()
        if kept in changed or kept not in keys:
            cache.remove_cache(record.pk)
    stale = {(root / page).resolve() for page in changed}
    for page in stale | gluers(stale, pages):
        parsed = build_folder / ".doctrees" / page.relative_to(root.resolve()).with_suffix(".doctree")
        parsed.unlink(missing_ok=True)
    if old.get(STYLES) != styles:
        (build_folder / "html" / ".buildinfo").unlink(missing_ok=True)
    cache_folder.mkdir(parents=True, exist_ok=True)
    keys_file.write_text(json.dumps(keys | {STYLES: styles}, indent=1))
    return changed


def run_changed(root: Path, build_folder: Path, changed: list[str]) -> None:
    """Run changed pages side by side, one a core, into the cache, from which the build takes them.

    A page that fails leaves nothing there: the build runs it once more, and says what failed.
    """
    import yaml
    from jupyter_cache import get_cache
    from jupyter_cache.executors import load_executor

    timeout_s = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["execute"]["timeout"]
    cache = get_cache(build_folder / ".jupyter_cache")
    for page in changed:
        cache.add_nb_to_project(str(root / page), read_data={"name": "myst_nb_md", "type": "plugin"})
    pages = [str(root / page) for page in changed]
    load_executor("local-parallel", cache).run_and_cache(filter_uris=pages, timeout=timeout_s)


def build(root: Path) -> int:
    """Run Jupyter Book with warnings as errors; its exit code."""
    run_changed(root, root / "_build", forget_changed(root, root / "_build"))
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
