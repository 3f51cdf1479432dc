"""Numbers typeset, tables aligned, the slider's frames where they should be."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from mlsys.report import PathSlider, Timeline, table
from mlsys.report.plots import on_grid
from mlsys.report.style import typeset


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("2.00", "2.00"),
        ("-0.52", "−0.52"),
        ("+0.04", "+0.04"),
        ("1e-10", "10⁻¹⁰"),
        ("3.7e-15", "3.7·10⁻¹⁵"),
        ("6e+07", "6·10⁷"),
        ("2026-11-20", "2026-11-20"),
        ("AMD EPYC, 2 cores", "AMD EPYC, 2 cores"),
    ],
)
def test_numbers_are_typeset(plain, shown):
    assert typeset(plain) == shown


def slider(**options):
    return PathSlider(lambda x, y: x**2 + y**2, (-1, 1), (-2, 2), "rate", "a bowl & a path", **options)


def test_slider_shows_its_frame_without_a_script_too():
    figure = slider(minimum=(0, 0), at=1)
    figure.add("0.1", "far", np.array([[-1.0, -2.0], [0.0, 0.0]]))
    figure.add("0.2", "<near>", np.array([[-1.0, 2.0], [0.0, 0.0]]))
    text = figure._repr_html_()
    assert 'points="0.0,0.0 320.0,210.0"' in text
    assert '<output aria-live="polite">&lt;near&gt;</output>' in text
    assert "a bowl &amp; a path" in text
    assert 'class="minimum"' in text


def test_slider_cuts_what_leaves_the_map():
    figure = slider()
    figure.add("9", "gone", np.array([[0.0, 0.0], [1e30, np.inf], [np.nan, -1e200]]))
    drawn = np.array([point.split(",") for point in figure.frames[0]["paths"][0]], dtype=float)
    assert np.isfinite(drawn).all()
    assert abs(drawn).max() < 5 * figure.width


def test_slider_frames_survive_as_json():
    figure = slider()
    figure.add("0.1", "text", np.zeros((2, 2)))
    found = re.search(r"frames = (\[.*?\]);", figure._repr_html_(), re.DOTALL)
    assert json.loads(found.group(1)) == figure.frames


def test_slider_refuses_another_number_of_paths():
    figure = slider()
    figure.add("0.1", "", np.zeros((2, 2)))
    with pytest.raises(ValueError, match="needs 1 paths; got 2"):
        figure.add("0.2", "", np.zeros((2, 2)), np.zeros((2, 2)))


def test_bars_are_where_and_when_they_should_be():
    figure = Timeline(10, 2, "wait", "two requests & a batch", ("waiting", "computed"), (0.25, 0.5))
    figure.add("1 ms", "<one>", np.array([[1, 0, 5]]), np.array([[1, 5, 10], [2, 5, 20]]))
    figure.add("2 ms", "none", np.empty((0, 3)), np.empty((0, 3)))
    text = figure._repr_html_()
    assert 'd="M0.0 315.0H320.0"' in text
    assert 'd="M320.0 315.0H640.0M320.0 105.0H1280.0"' in text
    assert 'style="stroke-width:52.5"' in text
    assert '<output aria-live="polite">&lt;one&gt;</output>' in text
    assert text.count("<li>") == 2
    assert ">2</text>" in text
    found = re.search(r"frames = (\[.*?\]);", text, re.DOTALL)
    assert json.loads(found.group(1)) == figure.frames
    assert figure.frames[1]["paths"] == ["", ""]
    with pytest.raises(ValueError, match="needs 2 kinds of bars; got 1"):
        figure.add("3 ms", "", np.empty((0, 3)))


def test_table_aligns_numbers_and_escapes():
    text = table(("name", "n"), [("<a>", 1), ("b", "2.5")])._repr_html_()
    assert "&lt;a&gt;" in text
    assert text.count("class=mlsys-right") == 3
    with pytest.raises(ValueError, match="needs 2 cells"):
        table(("name", "n"), [("a",)])


def test_on_grid_takes_points():
    z = on_grid(lambda w: w[0] + 10 * w[1])(np.array([[1, 2]]), np.array([[3, 4]]))
    np.testing.assert_array_equal(z, [[31, 42]])
