"""The built pages: complete, readable offline, with links that lead somewhere and figures that can be heard."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from book_pages import PAGES, ROOT, Reader

HEADINGS = re.compile(r"h[1-6]")
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADER = re.compile(r"\A(?:---\n.*?^---\n|(?::[^\n]*\n)+)", re.MULTILINE | re.DOTALL)


def article(html: Path, page: str) -> Reader:
    """The page without the theme's own parts."""
    text = (html / f"{page}.html").read_text(encoding="utf-8")
    return Reader(text[text.index("<article") : text.index("</article>")])


def test_every_source_page_is_in_the_table_of_contents():
    sources = {p.relative_to(ROOT).with_suffix("").as_posix() for p in (ROOT / "book").rglob("*.md")}
    assert sources == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_page_is_built(html, page):
    assert (html / f"{page}.html").exists()


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_fetched_from_elsewhere(read, page):
    loads = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
    for tag, attributes in read(page).tags:
        address = attributes.get(loads.get(tag, ""), "")
        if tag == "link" and attributes.get("rel") not in ("canonical", "author", "next", "prev", "search"):
            address = attributes.get("href", "")
        assert not re.match(r"(https?:)?//", address), f"{tag} loads {address}"


def test_styles_and_scripts_fetch_nothing(html):
    fetch = re.compile(r"@import\s+(url\()?[\"']?(https?:)?//|url\([\"']?(https?:)?//")
    for sheet in html.glob("_static/**/*.css"):
        assert not fetch.search(sheet.read_text(encoding="utf-8", errors="ignore")), sheet.name


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_and_anchors_resolve(html, read, page):
    here = html / f"{page}.html"
    for tag, attributes in read(page).tags:
        if tag != "a" or "href" not in attributes:
            continue
        parts = urlsplit(attributes["href"])
        if parts.scheme or parts.netloc:
            continue
        target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
        assert target.exists(), f"{page} links to {attributes['href']}"
        if parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in read(target).ids, f"{page}: no anchor {attributes['href']}"


@pytest.mark.parametrize("page", PAGES)
def test_figures_have_words_and_headings_are_in_order(html, page):
    level, tags = 0, article(html, page).tags
    for tag, attributes in tags:
        if tag == "img":
            alt = attributes.get("alt", "")
            assert alt, f"an image without words: {attributes.get('src')}"
            if "_images/" in attributes.get("src", ""):
                assert len(alt) > 30, f"say more than {alt!r}"
        if tag == "svg" and attributes.get("role") == "img":
            assert len(attributes.get("aria-label", "")) > 30
        if HEADINGS.fullmatch(tag):
            now = int(tag[1])
            assert now <= level + 1, f"h{now} after h{level}"
            level = now
    assert [tag for tag, _ in tags].count("h1") == 1


@pytest.mark.parametrize("page", PAGES)
def test_no_number_is_missing_and_no_directive_shown(html, page):
    body = article(html, page).text
    for wrong in ("{glue", "{doc}", "{numref}", "{eq}", "{cite}", "Traceback (most recent", "WARNING:"):
        assert wrong not in body, f"{wrong} in {page}"


@pytest.mark.parametrize("page", PAGES)
def test_cells_are_short_enough_to_read(page):
    for cell in CELL.findall((ROOT / f"{page}.md").read_text(encoding="utf-8")):
        header = HEADER.match(cell)
        options, code = (header.group(), cell[header.end() :]) if header else ("", cell)
        if any(tag in options for tag in ("remove-cell", "remove-input", "hide-input")):
            continue
        lines = code.strip().splitlines()
        assert len(lines) <= 14, f"{page}: a cell of {len(lines)} lines beginning {lines[0]!r}"
        assert max(map(len, lines)) <= 78, f"{page}: {max(lines, key=len)!r} is cut off on the page"


@pytest.mark.parametrize("page", PAGES)
def test_measured_figures_are_glued_and_their_truth_asserted(page):
    source = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    used = set(re.findall(r"\{glue:text\}`([^`]+)`", source))
    glued = set(re.findall(r"glue\(\s*f?\"([^\"]+)\"", source))
    patterns = [".+".join(map(re.escape, re.split(r"\{[^}]*\}", name))) for name in glued]
    assert not {name for name in used if not any(re.fullmatch(p, name) for p in patterns)}
    if used:
        assert "assert " in source, f"{page} shows numbers that nothing holds to account"


def test_readme_picture_exists():
    picture = Path(ROOT / "book" / "images" / "page.png")
    assert picture.exists()
    assert picture.stat().st_size <= 300 * 1024
