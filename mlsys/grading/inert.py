"""Graded notebooks that do nothing in the browser of whoever marks them or reads their feedback.

nbgrader puts what students wrote and what their code displayed into its pages as it is: scripts in it would run there,
with the marker's rights. So a graded notebook keeps of its displays what shows something, cleaned; and a text with
scripts in it is shown as its source.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from mlsys.grading.cells import grade_id

_BLOCKS = (
    "blockquote br center dd details div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre summary "
    "table tbody td tfoot th thead tr ul"
)
_INLINE = "a b code del em i img kbd mark s samp small span strong sub sup u var"
TAGS = {*_BLOCKS.split(), *_INLINE.split()}
ATTRIBUTES = {
    "*": ["class", "style", "title", "align", "colspan", "rowspan", "border", "width", "height"],
    "a": ["href"],
    "img": ["src", "alt"],
}
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_BARE_TAG = re.compile(rf"</?(?:{'|'.join(sorted(TAGS - {'a', 'img'}))})\s*/?>", re.IGNORECASE)
_MARKUP = re.compile(r"<[!/?a-zA-Z]")
_TEX = re.compile(r"\\(?:href|url|require|html\w*|class|cssId|style|data|unicode|mmlToken)\b")
_FORMULA = re.compile(r"\$|\\[(\[]|\\begin")
_ATTACHED = re.compile(r"attachment:([^)\s\"'>]*)")
# Rendering takes time that grows with the square of some texts: so much of one text, and of all in a notebook.
ONE_CHARS, ALL_CHARS, LAST_CHARS = 1 << 14, 1 << 17, 500
HTML_CHARS, ALL_HTML_CHARS = 1 << 18, 1 << 20
_SCRIPT = re.compile(r"script\s*:|<\s*(?:script|iframe|object|embed)|\bon\w+\s*=", re.IGNORECASE)
# Without any of these a text is plain, and need not be rendered to see it.
_ODD = re.compile(
    r"<[!/?a-z]|&[#\w]|\b(?:data|file)\s*:|script|mermaid|attachment|" + _TEX.pattern, re.IGNORECASE
)
_CSS = CSSSanitizer()


def defuse(notebook: Any) -> list[str]:
    """Make a graded notebook inert, in place; what was taken out, by cell."""
    notebook.metadata = nbformat.from_dict(
        {key: value for key, value in notebook.metadata.items() if key in ("kernelspec", "language_info")}
    )
    flags, allowance = [], Allowance()
    for place, cell in enumerate(notebook.cells, 1):
        name = grade_id(cell) or place
        if cell.cell_type == "code":
            harmless = [_defused(output, allowance) for output in cell.outputs]
            if not all(harmless):
                flags.append(f"cell {name} displays what could run in a browser, or too much: left out")
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
        elif not allowance.text(cell.source):
            flags.append(
                f"the text of cell {name} is too long to be rendered: its beginning is shown as source"
            )
            cell.source = f"{cell.source[: ONE_CHARS if allowance.texts >= 0 else LAST_CHARS]}\n[cut]"
            _as_source(cell)
        elif cell.cell_type == "raw" or active(cell.source):
            if active(cell.source):
                flags.append(f"the text of cell {name} has markup that could run: shown as its source")
            _as_source(cell)
        elif not set(_ATTACHED.findall(cell.source)) <= set(cell.get("attachments", {})):
            cell.source = cell.source.replace(
                "attachment:", "missing:"
            )  # nbconvert would give up on the page
    return flags


@dataclass
class Allowance:
    """How much of a notebook is still rendered, and so can take time: characters of Markdown and TeX, and of HTML."""

    texts: int = ALL_CHARS
    html: int = ALL_HTML_CHARS

    def text(self, text: str) -> bool:
        """Take it from what is left; whether it was there to be had."""
        self.texts -= min(len(text), ONE_CHARS)  # of a longer one, so much is shown
        return len(text) <= ONE_CHARS and self.texts >= 0

    def page(self, text: str) -> bool:
        self.html -= len(text) * (len(text) <= HTML_CHARS)
        return len(text) <= HTML_CHARS and self.html >= 0


@functools.lru_cache(maxsize=256)
def active(markdown: str) -> bool:
    """Whether a text has more in it than Markdown, formulas and plain tags: then a page could do things with it.

    Most texts are those of the problem set, which a class has in common: so what is known of a text is kept.
    """
    if not _ODD.search(markdown):
        return False
    text = _BARE_TAG.sub("", markdown).replace(
        "attachment:", "https://attachment/"
    )  # a picture that it brings along
    squeezed = re.sub(r"[\x00-\x20]+", "", unescape(text))
    plain, full = (_rendered(text, escape) for escape in (True, False))
    return bool(
        plain != full or 'class="mermaid"' in full or _TEX.search(text) or "script:" in squeezed.lower()
    )


def _rendered(text: str, escape: bool) -> str:
    """As nbconvert renders it, or with markup and odd links made harmless."""
    renderer = IPythonRenderer(escape=escape, allow_harmful_protocols=not escape)
    return str(MarkdownWithMath(renderer=renderer).render(text))


def _as_source(cell: Any) -> None:
    """Show the text as it was typed: fenced, with a fence that it does not hold."""
    longest = max((len(run) for run in re.findall(r"~+", cell.source)), default=0)
    fence = "~" * max(3, longest + 1)
    cell.source, cell.cell_type = f"{fence}\n{cell.source}\n{fence}", "markdown"
    cell.pop("attachments", None)


def _defused(output: Any, allowance: Allowance) -> bool:
    """Clean one output in place; whether nothing in it was a script."""
    if "data" not in output:
        return True
    shown = [str(value) for key, value in output.data.items() if key in ("text/html", "image/svg+xml")]
    harmless = "application/javascript" not in output.data and not any(map(_SCRIPT.search, shown))
    takes = {"text/markdown": allowance.text, "text/latex": allowance.text, "text/html": allowance.page}
    kept = {
        key: CLEAN[key](str(value)) if key not in takes or takes[key](str(value)) else None
        for key, value in output.data.items()
        if key in CLEAN
    }
    output.data = nbformat.from_dict({key: value for key, value in kept.items() if value is not None})
    if "image/svg+xml" in output.data:  # in an img, where no script of it runs
        picture = base64.b64encode(output.data.pop("image/svg+xml").encode()).decode()
        output.data["text/html"] = f'<img src="data:image/svg+xml;base64,{picture}">'
    output.metadata = nbformat.from_dict({})
    return harmless and all(value is not None for value in kept.values())


def _html(text: str) -> str | None:
    """Only tags and attributes that show something; links and pictures that lead nowhere odd."""
    if _FORMULA.search(plain := unescape(text)) and _TEX.search(plain):
        return None

    def allowed(tag: str, name: str, value: str) -> bool:
        if name == "src":
            return _PICTURE.fullmatch(value) is not None
        return name in ATTRIBUTES["*"] or name in ATTRIBUTES.get(tag, ())

    protocols = {"http", "https", "mailto", "data"}
    return str(
        bleach.clean(
            _without_code(text),
            tags=TAGS,
            attributes=allowed,
            protocols=protocols,
            css_sanitizer=_CSS,
            strip=True,
        )
    )


def _without_code(text: str) -> str:
    """Without the elements whose text is no text, as far as they are closed; in one pass."""
    kept, at, closed = [], 0, {"style": True, "script": True}
    for opening in re.finditer(r"<(style|script)\b", text, re.IGNORECASE):
        name = opening[1].lower()
        if opening.start() < at or not closed[name]:
            continue
        closing = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, opening.end())
        closed[name] = closing is not None
        if closing:
            kept.append(text[at : opening.start()])
            at = closing.end()
    return "".join([*kept, text[at:]])


def _unless(odd: Callable[[str], Any]) -> Callable[[str], str | None]:
    return lambda text: None if odd(text) else text


_PIXELS = _unless(lambda text: not _BASE64.fullmatch(text))
CLEAN: dict[str, Callable[[str], str | None]] = {
    "text/plain": str,
    "text/html": _html,
    "text/markdown": _unless(active),
    "text/latex": _unless(lambda text: any(p.search(text) for p in (_TEX, _MARKUP, _SCRIPT))),
    "image/svg+xml": str,
    **dict.fromkeys(("image/png", "image/jpeg", "image/gif", "image/webp"), _PIXELS),
}
