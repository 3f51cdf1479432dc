"""A page runs again exactly when something that it depends on has changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlsys.report import book, closure, record

PAGE = """---
kernelspec: {name: python3}
---

# Title

```{code-cell} ipython3
:tags: [hide-input]
%matplotlib inline
from mlsys.core import generator
```

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: import mlsys.optim
---
x = 1
!ls
```

```python
import mlsys.models
```
"""


@pytest.fixture
def page(tmp_path):
    (tmp_path / "constraints.txt").write_text("numpy==2\n")
    path = tmp_path / "book" / "page.md"
    path.parent.mkdir()
    path.write_text(PAGE)
    return path


def test_code_is_the_cells_without_options_and_magics(page):
    assert book.code(page).split() == ["from", "mlsys.core", "import", "generator", "x", "=", "1"]


def test_key_follows_versions_and_imports_but_not_prose(page, tmp_path):
    before = book.key(page, tmp_path)
    page.write_text(PAGE.replace("# Title", "# Another title"))
    assert book.key(page, tmp_path) == before
    page.write_text(PAGE.replace("from mlsys.core import generator", "import mlsys.optim"))
    other = book.key(page, tmp_path)
    (tmp_path / "constraints.txt").write_text("numpy==3\n")
    assert len({before, other, book.key(page, tmp_path)}) == 3


def test_key_follows_records_where_a_page_reads_them(page, tmp_path):
    reading = PAGE.replace("x = 1", "x = record.load('speed')")
    folder = tmp_path / "benchmarks" / "records"
    folder.mkdir(parents=True)
    keys = []
    for text, data in ((PAGE, "1"), (PAGE, "2"), (reading, "2"), (reading, "3")):
        page.write_text(text)
        (folder / "speed.json").write_text(data)
        keys.append(book.key(page, tmp_path))
    assert keys[0] == keys[1]
    assert keys[2] != keys[3]


def test_what_changed_is_forgotten(page, tmp_path):
    build = tmp_path / "_build"
    style = tmp_path / "book" / "_static" / "course.css"
    other = tmp_path / "book" / "deep" / "ledger.md"
    for path in (style, other):
        path.parent.mkdir(parents=True)
    style.write_text("a {}")
    other.write_text("```{glue} number\n:doc: ../page.md\n```\n")
    parsed = [build / ".doctrees" / "book" / name for name in ("page.doctree", "deep/ledger.doctree")]
    info = build / "html" / ".buildinfo"

    def built():
        for path in (*parsed, info):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def left():
        return [path.exists() for path in (*parsed, info)]

    built()
    assert book.forget_changed(tmp_path, build) == ["book/page.md"]
    assert left() == [False, False, False]
    built()
    assert book.forget_changed(tmp_path, build) == []
    assert left() == [True, True, True]
    style.write_text("a { color: red }")
    assert book.forget_changed(tmp_path, build) == []
    assert left() == [True, True, False]
    built()
    page.write_text(PAGE.replace("x = 1", "x = 2"))
    assert book.forget_changed(tmp_path, build) == ["book/page.md"]
    assert left() == [False, False, True]


def test_closure_reaches_what_the_imported_import():
    files = {path.name for path in closure.files(["mlsys.experiments.adaptive_rates"])}
    assert {"adaptive_rates.py", "runs.py", "checks.py", "claim.py", "quadratic.py"} <= files
    assert "cli.py" not in files


def test_relative_imports_are_resolved():
    assert closure.imported("from . import claim", "mlsys.report") == {"mlsys.report", "mlsys.report.claim"}
    assert closure.imported("import numpy, os") == set()


def test_record_round_trip_and_staleness(tmp_path):
    record.save("speed", {"rows": [1, 2]}, ["mlsys.core.seeds"], tmp_path)
    saved = record.load("speed", tmp_path)
    assert saved["result"] == {"rows": [1, 2]}
    assert not record.stale(saved)
    assert record.stale(saved | {"closure": "0"})
    assert str(tmp_path) not in json.dumps(saved)
    with pytest.raises(FileNotFoundError, match="make bench"):
        record.load("nothing", tmp_path)


def test_changed_pages_are_run_into_the_cache_but_for_those_that_fail(page, tmp_path):
    from jupyter_cache import get_cache

    page.with_name("wrong.md").write_text(PAGE.replace("x = 1", "x = 1 / 0"))
    (tmp_path / "_config.yml").write_text("execute: {timeout: 60}\n")
    build = tmp_path / "_build"
    code = (  # in a process of its own, as it forks
        "import sys; from pathlib import Path; from mlsys.report import book; root, build = map(Path, sys.argv[1:]); "
        "book.run_changed(root, build, book.forget_changed(root, build))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), str(build)], check=True, capture_output=True)
    kept = get_cache(build / ".jupyter_cache").list_cache_records()
    assert [Path(each.uri).name for each in kept] == ["page.md"]
