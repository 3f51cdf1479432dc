"""The pages in a real browser: no request leaves them, nothing is broken, the sliders work."""

from __future__ import annotations

from itertools import pairwise

import pytest
from book_pages import HTML, PAGES

pytestmark = pytest.mark.browser
WIDTHS = {"desktop": 1280, "phone": 390}


@pytest.fixture(scope="module", params=[("desktop", "light"), ("phone", "dark")], ids=lambda p: "-".join(p))
def tab(request, browser, html):
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.wrong = []
    page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: page.wrong.append(str(e)))
    page.on(
        "request", lambda r: page.wrong.append(r.url) if not r.url.startswith(("file:", "data:")) else None
    )
    yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_loads_whole_and_fits(tab, name):
    tab.wrong.clear()
    tab.goto((HTML / f"{name}.html").as_uri(), wait_until="load")
    if tab.locator(".math").count():
        tab.wait_for_selector("mjx-container", state="attached", timeout=10_000)
        assert tab.locator("mjx-merror").count() == 0
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert tab.evaluate(over) <= 0, "the page scrolls sideways"
    broken = "[...document.images].filter(i => !i.naturalWidth && i.offsetParent).map(i => i.src)"
    assert tab.evaluate(broken) == []
    assert tab.wrong == []


SLIDERS = (
    "book/adaptive-rates/fixed-rates",
    "book/adaptive-rates/forgetting",
    "book/adam-history/super-convergence",
    "book/warm-up/rectified",
    "book/inference/batching",
)


@pytest.mark.parametrize("name", SLIDERS)
def test_slider_is_operated_by_keyboard(tab, name):
    tab.goto((HTML / f"{name}.html").as_uri(), wait_until="load")
    slider = tab.locator(".mlsys-slider input").first
    line = tab.locator(".mlsys-slider .path").first
    slider.focus()
    tab.keyboard.press("Home")
    seen = []
    for _ in range(5):
        drawn = line.get_attribute("points") or line.get_attribute("d")
        seen.append((drawn, slider.get_attribute("aria-valuetext")))
        assert tab.locator(".mlsys-slider output").first.inner_text() in seen[-1][1]
        tab.keyboard.press("ArrowRight")
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in pairwise(seen))


def test_text_stands_out_from_its_ground(tab):
    tab.goto((HTML / "book/adaptive-rates/claims.html").as_uri(), wait_until="load")
    ratio = tab.evaluate(
        """() => {
          const light = c => c.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
          const rgb = s => s.match(/[\\d.]+/g).map(Number);
          const ground = e => { const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0.5) return c.slice(0, 3);
            return e.parentElement ? ground(e.parentElement) : [255, 255, 255]; };
          return Math.min(...[...document.querySelectorAll("article p, article dd, article h1")].map(e => {
            const [a, b] = [light(rgb(getComputedStyle(e).color).slice(0, 3)), light(ground(e))].sort((x, y) => y - x);
            return (a + .05) / (b + .05); }));
        }"""
    )
    assert ratio >= 4.5
