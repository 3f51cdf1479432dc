"""Every committed record was computed by the code that is here now."""

from __future__ import annotations

import pytest

from mlsys.report import record

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
