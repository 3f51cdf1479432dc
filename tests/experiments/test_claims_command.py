"""`mlsys claims`: the whole ledger, as a table and as data, from records and anew."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest
import torch
from typer.testing import CliRunner

import mlsys.experiments
from mlsys.cli import app
from mlsys.experiments import claims, command, published, studies, tasks
from mlsys.experiments.training import Part, Parts, Task
from mlsys.models import torch_mlp
from mlsys.report import Claim, measure, record

CLAIM = Claim("made-up", "A is B.", "Nobody", "effect", "positive", 0.1, reported="a lot")


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A ledger of two claims, one live and one from a record, in a folder of its own."""
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    monkeypatch.setattr(record.load, "__defaults__", (tmp_path,))
    monkeypatch.setattr(record.save, "__defaults__", (tmp_path,))

    def recorded():
        return measure(CLAIM, record.load("numbers")["result"])

    def live():
        return measure(Claim("live", "C is D.", "Nobody", "effect", "none", 0.1), [0.0, 0.01, 0.02])

    class Module:
        CLAIMS = {"made-up": recorded, "live": live}  # noqa: RUF012 (a module's)

        @staticmethod
        def measured():
            return [1.0, 1.1, 1.2]

    monkeypatch.setattr(claims, "CHAPTERS", {"chapter": ("numbers",)})
    monkeypatch.setattr(claims, "RECORDS", ("numbers",))
    monkeypatch.setattr(claims, "module", lambda name: Module)
    monkeypatch.setattr(claims, "imports", lambda name: ["mlsys.core"])
    return tmp_path


def test_the_ledger_says_where_each_result_is_from(small, capsys):
    record.save("numbers", [2.0, 2.1, 2.2], ["mlsys.core"])
    assert command.claims((), small / "ledger.json") == 0
    printed = capsys.readouterr().out
    assert "computed now" in printed
    assert f"numbers, {record.load('numbers')['date']}" in printed
    assert "1 holds, 1 equivalent" in printed
    first, second = json.loads((small / "ledger.json").read_text())
    said = [first[key] for key in ("name", "reported", "verdict", "supports")]
    assert said == ["made-up", "a lot", "holds", True]
    assert first["mean"] == pytest.approx(2.1)
    assert list(first["records"]) == ["numbers"]
    assert (second["name"], second["reported"], second["records"]) == ("live", None, {})


def test_recompute_makes_the_records_that_are_asked_for_and_no_other(small, capsys):
    assert command.claims(("live",), recompute=True) == 0
    assert not list(small.glob("*.json"))
    assert command.claims(("made-up",), recompute=True) == 0
    assert record.load("numbers")["result"] == [1.0, 1.1, 1.2]
    assert not record.stale(record.load("numbers"))


def test_what_can_be_mended_is_said_in_a_line(small, capsys):
    assert command.claims(("made-up",)) == 2
    assert "no record numbers.json" in capsys.readouterr().out
    assert command.claims(("nonsense",)) == 2
    assert (
        "no claim or chapter 'nonsense'. Chapters: chapter; claims: made-up, live." in capsys.readouterr().out
    )


def test_names_choose_claims_and_chapters():
    chosen = claims.chosen(("polyak-tuned", "warm-up"))
    assert chosen[0] == "polyak-tuned"
    assert {claims.functions()[name][0] for name in chosen[1:]} == {"warm-up"}
    assert len(claims.chosen(())) == len(claims.functions()) > 50


def test_every_module_with_claims_or_a_record_is_listed():
    claiming, recording = set(), set()
    for found in pkgutil.iter_modules(mlsys.experiments.__path__):
        module = (
            importlib.import_module(f"mlsys.experiments.{found.name}") if found.name != "__main__" else None
        )
        claiming |= {found.name} if hasattr(module, "CLAIMS") else set()
        recording |= {found.name} if hasattr(module, "measured") else set()
    assert claiming == {name for names in claims.CHAPTERS.values() for name in names}
    assert recording == {*claims.RECORDS}


LATER = [
    name for name, (chapter, _) in claims.functions().items() if chapter != "adaptive-rates"
]  # others are live


@pytest.mark.parametrize("name", LATER)
def test_claims_are_called_what_the_table_says(name):
    entry = claims.entry(name)
    assert entry.result.claim.name == name
    assert len(entry.result.effects) >= 3
    assert claims.needed([name]) == list(entry.records)


def tiny(seed):
    rng = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (96,), generator=rng)
    X = torch.nn.functional.one_hot(y, 3) + 0.3 * torch.randn(96, 3, generator=rng)
    return Parts(*(Part(X[i : i + 32], y[i : i + 32]) for i in (0, 32, 64)))


def network(seed):
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return torch_mlp((3, 4, 3))


def test_published_claims_are_measured_on_the_set_named(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    told = []
    entries = published.entries(
        "tiny", (), told.append, trials=2, made=lambda: Task("tiny", tiny, network, 8, 3)
    )
    assert [e.result.claim.name for e in entries] == [f"{name}-tiny" for name in published.MEASURED]
    assert all(len(e.result.effects) == 3 for e in entries)
    assert told[0].startswith("tiny: 32 to learn from, 3 epochs on cpu, 3 studies of 2 trials")
    assert sum("study" in words for words in told[1:]) == 3 * len(studies.METHODS)


def test_without_the_data_it_says_what_to_do(monkeypatch):
    def load(name):
        raise ConnectionError(f"{name} is not on this machine. Run it once while connected.")

    monkeypatch.setattr(tasks, "load", load)
    done = CliRunner().invoke(app, ["claims", "--data", "cifar10"])
    assert done.exit_code == 2
    assert "cifar10 is not on this machine" in done.output
    done = CliRunner().invoke(app, ["claims", "--data", "imagenet"])
    assert done.exit_code == 2
    assert "no published setting for 'imagenet'. There is one for: mnist, cifar10." in done.output
    done = CliRunner().invoke(app, ["claims", "polyak-tuned", "--data", "mnist"])
    assert done.exit_code == 2
    assert "'polyak-tuned' is not measured on mnist" in done.output


def test_the_published_tasks_are_what_the_literature_trains():
    task = tasks.PUBLISHED["cifar10"]()
    model = task.network(1)
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(270_000, rel=0.01)  # ResNet-20
    assert task.batch == 128
    assert task.vary is not None
