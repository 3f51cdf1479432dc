"""Every committed record was computed by the code that is here now."""

from __future__ import annotations

import pytest

from mlsys.report import closure, record

NAMES = sorted(path.stem for path in record.FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_record_is_not_stale(name):
    assert not record.stale(record.load(name)), f"compute {name} again: make bench"


@pytest.mark.parametrize("name", NAMES)
def test_record_names_machine_versions_and_date(name):
    kept = record.load(name)
    assert kept["machine"]["processor"]
    assert {"python", "numpy"} <= set(kept["machine"]["versions"])
    assert kept["date"][:2] == "20"


def test_what_is_read_is_noted_where_it_is_asked_for():
    with record.reading() as outer:
        record.load(NAMES[0])
        with record.reading() as inner, pytest.raises(FileNotFoundError):
            record.load("nothing")
        record.load(NAMES[0])
    record.load(NAMES[1])
    assert (outer, inner) == ([NAMES[0]], ["nothing"])


def test_a_hash_follows_the_code_and_not_its_words(tmp_path, monkeypatch):
    source = '"""Module."""\n\nx = "#1"  # one\n\n\ndef f():\n    """Of nothing."""\n    return x\n'
    worded = (
        source.replace("# one", "# the first")
        .replace("Of nothing", "Of\n    nothing at all")
        .replace("\n\n\n", "\n")
    )
    hashes = set()
    for i, text in enumerate((source, worded, source.replace("#1", "#2"))):
        package = tmp_path / str(i) / "mlsys"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(text)
        monkeypatch.setattr(closure, "PACKAGE", package)
        hashes.add((i < 2, closure.digest(["mlsys"])))
    assert len(hashes) == 2


def test_how_results_are_shown_makes_no_record_stale(tmp_path, monkeypatch):
    hashes = {}
    for i, (shown, counted) in enumerate((("x = 1", "y = 1"), ("x = 2", "y = 1"), ("x = 1", "y = 2"))):
        package = tmp_path / str(i) / "mlsys"
        (package / "report").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "report" / "__init__.py").write_text(f"{shown}\n")
        (package / "experiment.py").write_text(f"from mlsys.report import x\n{counted}\n")
        monkeypatch.setattr(closure, "PACKAGE", package)
        hashes[shown, counted] = record.computed_by(["mlsys.experiment"])
    assert hashes["x = 1", "y = 1"] == hashes["x = 2", "y = 1"] != hashes["x = 1", "y = 2"]
