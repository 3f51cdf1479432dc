"""Graded notebooks run nothing in a marker's browser, and honest displays stay what they are."""

import base64
import re

import pytest
from nbconvert.filters.markdown import markdown2html
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from mlsys.grading.inert import active, defuse

PNG = base64.b64encode(b"\x89PNG on=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "AdaGrad keeps a sum: $r \\leftarrow r + g^2$, so $a < b$ and $b > a$.",
        "# Title\n\n- one\n- *two*\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "```python\nif a<b: print('<script>')\n```\n\nand `<script>`",
        "x<sub>1</sub><br>y <b>bold</b>",
        "[a paper](https://example.org/a?b=c) and <https://example.org>, ada@example.org",
        "![figure](attachment:image.png)",
        "$$\\begin{aligned} m &= \\beta m + (1-\\beta) g \\\\ v &= 0 \\end{aligned}$$",
        "a < b and c > d, 1<2, x<y",
        "žluťoučký 漢字 🙂",
        "",
    ],
)
def test_an_honest_text_stays(text):
    assert not active(text)
    notebook = new_notebook(cells=[new_markdown_cell(text, attachments={"image.png": {}})])
    assert defuse(notebook) == []
    assert notebook.cells[0].source == text


def test_a_picture_that_is_not_there_does_not_cost_the_page():
    notebook = new_notebook(cells=[new_markdown_cell("See ![it](attachment:plot.png).")])
    assert defuse(notebook) == []
    assert notebook.cells[0].source == "See ![it](missing:plot.png)."


def test_of_what_would_take_hours_to_render_the_beginning_is_shown_as_source():
    texts = ["&#38;" + r"\begin{a}" * 9_000, *["a < b, and so on. " * 800] * 12]
    notebook = new_notebook(cells=[new_markdown_cell(text) for text in texts])
    flags = defuse(notebook)
    assert flags[0] == "the text of cell 1 is too long to be rendered: its beginning is shown as source"
    assert len(flags) == 1 + 5  # of each, and of all together, so much is rendered
    assert notebook.cells[1].source == texts[1]


@pytest.mark.parametrize("text", ["<style " * 20_000, "<script>" * 30_000, "<p>x</p>" * 40_000])
def test_markup_without_end_is_cleaned_in_one_pass(text):
    notebook = new_notebook(
        cells=[
            new_code_cell("", outputs=[new_output("display_data", {"text/html": text, "text/plain": "x"})])
        ]
    )
    defuse(notebook)
    (output,) = notebook.cells[0].outputs
    assert "<s" not in output.data.get("text/html", "")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<IMG SRC=x OnError=alert(1)>",
        "[here](javascript:alert(1))",
        "[here](JaVaScRiPt:alert(1))",
        "[here](&#106;avascript:alert(1))",
        "[here](java\tscript:alert(1))",
        "[r]\n\n[r]: javascript:alert(1)",
        "![x](data:text/html;base64,AAAA)",
        "<javascript:alert(1)>",
        "<iframe src='//example.org'></iframe>",
        "<style>body {display: none}</style>",
        "<b style='position:fixed'>x</b>",
        "<svg onload=alert(1)>",
        "<a href='https://example.org'>x</a>",
        "<!-- --><script>alert(1)</script>",
        "```mermaid\ngraph TD; A-->B\n```",
        "$\\href{javascript:alert(1)}{x}$",
        "$\\require{html}\\class{x}{y}$",
        "<scr<b>ipt>alert(1)</scr</b>ipt>",
        "<details/open/ontoggle=alert(1)>",
    ],
)
def test_a_text_that_could_run_is_shown_as_its_source(text):
    assert active(text)
    notebook = new_notebook(cells=[new_markdown_cell(text + "\n~~~~ fence")])
    assert len(defuse(notebook)) == 1
    page = markdown2html(notebook.cells[0].source)
    assert re.findall(r"<[^>]+>", page) == [
        "<pre>",
        "<code>",
        "</code>",
        "</pre>",
    ]  # MathJax leaves code alone too
    assert text in notebook.cells[0].source


def shown(**data):
    output = new_output(
        "display_data", {k.replace("_", "/"): v for k, v in data.items()}, metadata={"a": "<b>"}
    )
    notebook = new_notebook(cells=[new_code_cell("", outputs=[output])], metadata={"title": "<script>"})
    flags = defuse(notebook)
    assert notebook.metadata == {}
    outputs = notebook.cells[0].outputs
    assert all(o.metadata == {} for o in outputs)
    return flags, outputs[0].data if outputs else None


def test_honest_displays_stay():
    assert shown(text_plain="<__main__.A object>", image_png=PNG) == (
        [],
        {"text/plain": "<__main__.A object>", "image/png": PNG},
    )
    row = '<tr><th>a</th><td style="color: red;">1</td></tr>'
    table = f'<table border="1" class="dataframe"><tbody>{row}</tbody></table>'
    assert shown(text_html=table) == ([], {"text/html": table})
    assert shown(text_latex="$\\frac{a}{b}$") == ([], {"text/latex": "$\\frac{a}{b}$"})
    assert shown(text_markdown="**bold**") == ([], {"text/markdown": "**bold**"})


def test_a_drawing_becomes_a_picture():
    flags, data = shown(**{"image_svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>"})
    assert flags == []
    assert data["text/html"].startswith('<img src="data:image/svg+xml;base64,')


@pytest.mark.parametrize(
    "data",
    [
        {"text_html": "<b>x</b><script>alert(1)</script>"},
        {"text_html": "<img src=x onerror=alert(1)>"},
        {"text_html": "<a href='javascript:alert(1)'>x</a>"},
        {"text_html": "<div><iframe srcdoc='<script>alert(1)</script>'></iframe></div>"},
        {"application_javascript": "alert(1)", "text_plain": "x"},
        {"text_latex": "<script>alert(1)</script>"},
        {"text_latex": "$\\href{javascript:alert(1)}{x}$"},
        {"text_markdown": "<script>alert(1)</script>"},
        {"image_png": '"><script>alert(1)</script>'},
        {"image_svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"},
    ],
)
def test_displays_that_could_run_are_cleaned_and_named(data):
    flags, left = shown(**data)
    assert flags == ["cell 1 displays what could run in a browser, or too much: left out"]
    text = str(left).lower()
    for word in ("<script", "onerror", "javascript", "iframe", "onload", "<svg"):
        assert word not in text


def test_streams_and_errors_and_raw_cells():
    outputs = [new_output("stream", text="<b>"), new_output("error", ename="E", evalue="<b>", traceback=[])]
    notebook = new_notebook(cells=[new_code_cell("x<y", outputs=outputs), new_raw_cell("<script>1</script>")])
    assert len(defuse(notebook)) == 1
    assert notebook.cells[0].outputs == outputs
    assert notebook.cells[1].cell_type == "markdown"
    assert notebook.cells[1].source == "~~~\n<script>1</script>\n~~~"
