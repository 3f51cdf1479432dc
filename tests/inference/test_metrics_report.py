"""The report: what its table, its JSON and its picture say."""

from __future__ import annotations

import json
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mlsys.inference.metrics import Energy, Latencies, Peak, Report, Size, plot, table_of

MANY = Latencies(np.arange(1, 1001) / 1e3, wall_s=10.0)
FEW = Latencies([0.002, math.nan], wall_s=1.0, refused=3, not_finite=1)


def rows(*reports):
    return {row[0]: row[1:] for row in table_of(*reports).rows}


def test_the_table():
    size, peak = Size(1234, 4936, 0, 2**20), Peak(0, 3 * 2**20, True)
    measured = Energy(5.0, 1.0, 1000, 0.0, "measured", "RAPL")
    estimated = Energy(3.0, 1.0, 1000, 0.0, "estimated", "declared")
    table = rows(Report("a", MANY, size, peak, measured), Report("b", FEW, energy=estimated))
    assert table["answered"] == (1000, 2)
    assert table["refused"] == (0, 3)
    assert table["not finite"] == (0, 1)
    assert table["answered per s"] == ("100", "2")
    assert table["p99 (ms)"] == ("991", "inf ?")
    assert table["p99.9 (ms)"] == ("1,000 ?", "inf ?")
    assert table["parameters"] == ("1,234", "–")
    assert table["peak memory (MiB)"] == ("3", "–")
    assert table["energy, measured (mJ)"] == ("5", "–")
    assert table["energy, estimated (mJ)"] == ("–", "3")


def test_what_nobody_measured_has_no_row():
    assert not {"parameters", "energy, measured (mJ)", "energy, estimated (mJ)"} & set(
        rows(Report("a", MANY))
    )
    with pytest.raises(ValueError, match="at least one report"):
        table_of()


def test_json_is_strict_and_complete():
    idle_unknown = Energy(5.0, 1.0, 10, math.nan, "measured", "RAPL")
    data = json.loads(Report("b", FEW, energy=idle_unknown).json(), parse_constant=pytest.fail)
    assert data["energy"]["idle_watts"] is None
    assert data["energy"]["kind"] == "measured"
    assert data["latency"]["invalid"]["nan"] == 1
    assert data["latency"]["percentiles_s"]["p50"] is None
    assert data["size"] is None


def test_the_picture_is_the_distribution():
    _, ax = plt.subplots()
    plot(ax, {"many": MANY, "few": FEW})
    many, marks, few, none = ax.get_lines()
    x, share = many.get_data()
    np.testing.assert_allclose(x, np.arange(1, 1001))
    np.testing.assert_allclose(share, np.arange(1000, 0, -1) / 1000)
    assert few.get_data()[1].tolist() == [1.0]  # the other half of the answers has no time
    np.testing.assert_allclose(marks.get_data()[0], [501, 901, 951, 991])  # p99.9 of 1000 means nothing
    for at, slower in zip(*marks.get_data(), strict=True):
        assert share[x == at] == pytest.approx(slower)  # on the curve
    assert len(none.get_data()[0]) == 0
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_yticklabels()][-1] == "0.1 % (p99.9)"
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    plt.close(ax.figure)


def test_nothing_to_draw_is_an_error():
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="none has no positive latency"):
        plot(ax, {"none": Latencies([], wall_s=1.0, failed=2)})
    plt.close(ax.figure)
